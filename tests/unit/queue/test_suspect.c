/* SPDX-License-Identifier: ISC */
/* A message that a process crashed on is tried once more, with nothing beside
 * it in its process; and the others do not wait for it without end. */
#include <string.h>

#include "conf/conf_queue.h"
#include "tests/unit/queue/play.h"
#include "tests/unit/unit.h"

#define TO(who, where) where ".example <ann@a.example> " who "@" where \
	".example\n"

static const char town[] = "ann@a.example account 7\n"
    "bea@a.example account 8\n"
    "postmaster@a.example account 1\n"
    "*@far.example remote far.example\n"
    "*@else.example remote else.example\n"
    "*@third.example remote third.example\n";

static uint64_t
to(const char *rcpt)
{
	return play_send_one("ann@a.example", rcpt);
}

/* bad@far is a suspect, slow@else is out beside it. */
static void
start(void)
{
	play_fates("bad@far.example crashes\n");
	play_town(town);
	play_start();
	to("bad@far.example");
	ck_assert_uint_eq(play_count_logged("event=crash_suspect"), 1);
	play_fates("slow@else.example silence\nbad@far.example silence\n");
	to("slow@else.example");
	(void)play_tried();
	play_pass(2 * SECOND);
	play_expect(play_tried(), "");
}

START_TEST(has_its_process_alone)
{
	start();
	/* Others wait for it … */
	to("new@third.example");
	play_expect(play_tried(), "");
	/* … but not where another process has them. */
	to("bea@a.example");
	play_expect(play_tried(), "owner:8 <ann@a.example> bea@a.example\n");
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("bad", "far"));
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("new", "third"));
	play_pass(SECOND);
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

START_TEST(others_wait_not_for_ever)
{
	start();
	to("new@third.example");
	play_pass(50 * SECOND);
	play_expect(play_tried(), "");
	play_pass(11 * SECOND);
	play_expect(play_tried(), TO("new", "third"));
	/* It is their turn for as long. */
	to("newer@third.example");
	play_expect(play_tried(), TO("newer", "third"));
	play_pass(2 * MINUTE);
	to("newest@third.example");
	play_expect(play_tried(), "");
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("bad", "far"));
}
END_TEST

/* Nor while it is out. */
START_TEST(others_come_while_it_lasts)
{
	start();
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("bad", "far"));
	to("new@third.example");
	play_expect(play_tried(), "");
	play_pass(MINUTE + SECOND);
	play_expect(play_tried(), TO("new", "third"));
	/* A crash now proves nothing. */
	play_lose(ROLE_RELAY);
	play_relay_ended(true);
	play_bring(ROLE_RELAY);
	play_settle();
	ck_assert(!play_logged("event=corrupt"));
}
END_TEST

/* Never alone, it is bounced when its time is over. */
START_TEST(bounced_in_the_end)
{
	play_conf()->max_age = DAY;
	start();
	play_pass(DAY + 6 * HOUR);
	play_has(play_notice(), "bad@far.example");
	play_has(play_notice(), "4.4.7");
	play_lacks(play_admin("queue list", NULL, NULL), "bad@far.example");
}
END_TEST

START_TEST(taken_out_while_others_wait)
{
	uint64_t id;

	play_fates("bad@far.example crashes\n");
	play_town(town);
	play_start();
	id = to("bad@far.example");
	play_fates("slow@else.example silence\n");
	to("slow@else.example");
	play_pass(2 * SECOND);
	to("new@third.example");
	(void)play_tried();
	(void)play_admin_id(_i == 0 ? "queue remove" : "queue hold", id);
	play_settle();
	play_expect(play_tried(), TO("new", "third"));
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, has_its_process_alone);
	tcase_add_test(tc, others_wait_not_for_ever);
	tcase_add_test(tc, others_come_while_it_lasts);
	tcase_add_test(tc, bounced_in_the_end);
	tcase_add_loop_test(tc, taken_out_while_others_wait, 0, 2);
}

PLAY_SUITE(suspect, add_tests)
