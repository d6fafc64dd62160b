/* SPDX-License-Identifier: ISC */
/* The administrator's verbs on the queue, and its row of the status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/queue_id.h"
#include "queue/queue.h"
#include "sys/row.h"
#include "tests/unit/queue/play.h"
#include "tests/unit/unit.h"

#define BOB "far.example <ann@a.example> bob@far.example\n"
#define BUSY "*@far.example 451 4.2.0 busy\n"

static const char town[] = "ann@a.example account 7\n"
    "postmaster@a.example account 1\n"
    "*@far.example remote far.example\n";

/* One that waits. */
static uint64_t
start(void)
{
	uint64_t id;

	play_town(town);
	play_fates(BUSY);
	play_start();
	id = play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(), BOB);
	return id;
}

START_TEST(show_tells_all)
{
	uint64_t id = start();
	const char *rows = play_admin_id("queue show", id);

	play_has(rows, "state=waiting");
	play_has(rows, "attempts=1");
	play_has(rows, "sender=ann@a.example");
	play_has(rows, "session=s1 client=192.0.2.7");
	play_has(rows, "text=busy");
	play_has(rows, "recipient=bob@far.example state=waiting \n= 0 ");
}
END_TEST

START_TEST(list_is_paged)
{
	const char *rows, *next;
	char after[20];
	int i, seen = 0, pages = 0;

	(void)start();
	for (i = 1; i < 250; i++)
		play_send_one("ann@a.example", "bob@far.example");
	(void)strcpy(after, "0");
	for (;;) {
		rows = play_admin("queue list", "after", after);
		play_has(rows, "= 0 ");
		pages++;
		for (i = 0; (next = strstr(rows, "id=")) != NULL; seen++)
			rows = next + 3;
		next = strstr(rows, "\nnext=");
		if (next == NULL)
			break;
		ck_assert_int_eq(sscanf(next, "\nnext=%19[0-9]", after), 1);
		ck_assert_int_lt(pages, 10);
	}
	ck_assert_int_eq(seen, 250);
	ck_assert_int_eq(pages, 3);
	rows = play_admin("queue list", "limit", "1001");
	play_has(rows, "next=");
}
END_TEST

START_TEST(flush_tries_now)
{
	uint64_t id = start();

	play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(), BOB);
	play_has(play_admin_id("queue flush", id), "= 0 ");
	play_expect(play_tried(), BOB);
	play_has(play_admin("queue flush", NULL, NULL),
	    "= 0 2 messages are tried now");
	play_expect(play_tried(), BOB BOB);
}
END_TEST

START_TEST(held_until_released)
{
	uint64_t id = start();

	play_has(play_admin_id("queue hold", id), "= 0 ");
	play_fates("");
	play_pass(7 * DAY);
	play_expect(play_tried(), "");
	play_has(play_admin_id("queue show", id), "state=held");
	(void)play_admin_id("queue flush", id);
	(void)play_admin("queue flush", NULL, NULL);
	play_expect(play_tried(), "");
	play_has(play_admin_id("queue release", id), "= 0 ");
	play_expect(play_tried(), BOB);
	ck_assert(!play_logged("event=notice"));
}
END_TEST

START_TEST(held_in_an_attempt_waits_after_it)
{
	uint64_t id = start();

	play_fates("*@far.example silence\n");
	(void)play_admin_id("queue flush", id);
	play_expect(play_tried(), BOB);
	(void)play_admin_id("queue hold", id);
	play_end_one("451 4.2.0 busy");
	play_pass(DAY);
	play_expect(play_tried(), "");
	play_has(play_admin_id("queue show", id), "state=held");
}
END_TEST

/* A crash that is heard of late must not let it go. */
START_TEST(held_stays_held_through_a_crash)
{
	uint64_t id = start();

	play_fates("*@far.example silence\n");
	(void)play_admin_id("queue flush", id);
	play_expect(play_tried(), BOB);
	(void)play_admin_id("queue hold", id);
	play_lose(ROLE_RELAY);
	play_relay_ended(true);
	play_bring(ROLE_RELAY);
	play_pass(DAY);
	ck_assert(play_logged("event=crash_suspect"));
	play_expect(play_tried(), "");
	play_has(play_admin_id("queue show", id), "state=held");
}
END_TEST

static void
hold_it(void)
{
	play_fates(BUSY);
	*play_notes() = play_send_one("ann@a.example", "bob@far.example");
	(void)play_admin_id("queue hold", *play_notes());
	play_pass(SECOND);
}

static void
release_it(void)
{
	play_pass(DAY);
	play_expect(play_tried(), "");
	play_has(play_admin_id("queue show", *play_notes()), "state=held");
	(void)play_admin_id("queue release", *play_notes());
	play_expect(play_tried(), BOB);
	play_pass(SECOND);
}

START_TEST(held_through_a_restart)
{
	play_town(town);
	play_life(hold_it);
	play_life(release_it);
}
END_TEST

START_TEST(removed_without_a_bounce)
{
	uint64_t id = start();

	play_has(play_admin_id("queue remove", id), "= 0 ");
	ck_assert(play_logged("event=removed"));
	play_has(play_admin_id("queue show", id), "= 66 ");
	play_pass(7 * DAY);
	play_expect(play_tried(), "");
	ck_assert(!play_logged("event=notice"));
}
END_TEST

/* In work, it goes when its deliveries are over, whatever they bring. */
START_TEST(removed_in_an_attempt)
{
	static const char *const results[] = { "250 2.0.0 taken",
		"451 4.2.0 busy", "550 5.1.1 nobody" };
	uint64_t id = start();

	play_fates("*@far.example silence\n");
	(void)play_admin_id("queue flush", id);
	play_expect(play_tried(), BOB);
	play_pass(5 * HOUR);
	(void)play_admin_id("queue remove", id);
	play_has(play_admin_id("queue show", id), "state=in work");
	play_end_one(results[_i]);
	play_has(play_admin_id("queue show", id), "= 66 ");
	play_pass(7 * DAY);
	play_expect(play_tried(), "");
	ck_assert(!play_logged("event=notice"));
}
END_TEST

static void
remove_it(void)
{
	play_fates(BUSY);
	(void)play_admin_id("queue remove",
	    play_send_one("ann@a.example", "bob@far.example"));
	(void)play_tried();
	play_pass(SECOND);
}

static void
nothing_is_there(void)
{
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
	play_pass(DAY);
	play_expect(play_tried(), "");
}

START_TEST(removed_for_good)
{
	play_town(town);
	play_life(remove_it);
	play_life(nothing_is_there);
}
END_TEST

START_TEST(what_is_not_there)
{
	(void)start();
	play_has(play_admin("queue show", "id", "!"), "= 64 ");
	play_has(play_admin("queue show", "id", ""), "= 64 ");
	play_has(play_admin("queue hold", "id", "0000000000001"), "= 66 ");
}
END_TEST

START_TEST(unknown_verb)
{
	play_has(play_admin_id("queue dance", start()), "= 64 ");
}
END_TEST

START_TEST(status_counts)
{
	struct buf row;

	(void)start();
	play_fates("*@far.example silence\n");
	play_send_one("ann@a.example", "bob@far.example");
	buf_init(&row, 4096);
	queue_role.status(&row);
	ck_assert(slice_eq_str(row_get(buf_slice(&row), "messages"), "2"));
	ck_assert(slice_eq_str(row_get(buf_slice(&row), "in_work"), "1"));
	ck_assert(slice_eq_str(row_get(buf_slice(&row), "deliveries"), "1"));
	ck_assert(slice_eq_str(row_get(buf_slice(&row), "destinations"),
	    "1"));
	ck_assert(slice_eq_str(row_get(buf_slice(&row), "transactions"),
	    "0"));
	ck_assert(slice_eq_str(row_get(buf_slice(&row), "durability"),
	    "ordered"));
	ck_assert_ptr_null(row_get(buf_slice(&row), "to_read").p);
	buf_fini(&row);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, show_tells_all);
	tcase_add_test(tc, list_is_paged);
	tcase_add_test(tc, flush_tries_now);
	tcase_add_test(tc, held_until_released);
	tcase_add_test(tc, held_in_an_attempt_waits_after_it);
	tcase_add_test(tc, held_stays_held_through_a_crash);
	tcase_add_test(tc, held_through_a_restart);
	tcase_add_test(tc, removed_without_a_bounce);
	tcase_add_loop_test(tc, removed_in_an_attempt, 0, 3);
	tcase_add_test(tc, removed_for_good);
	tcase_add_test(tc, what_is_not_there);
	tcase_add_test(tc, unknown_verb);
	tcase_add_test(tc, status_counts);
}

PLAY_SUITE(admin, add_tests)
