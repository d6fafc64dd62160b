/* SPDX-License-Identifier: ISC */
/* Where there is no room: links, destinations, places in work, the disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf_queue.h"
#include "queue/intake.h"
#include "queue/queue.h"
#include "queue/spool.h"
#include "sys/ipc.h"
#include "tests/unit/queue/play.h"
#include "tests/unit/queue/play_peers.h"
#include "tests/unit/unit.h"

#define TO(who, where) where ".example <ann@a.example> " who "@" where \
	".example\n"

static const char town[] = "ann@a.example account 7\n"
    "bea@a.example account 8\n"
    "postmaster@a.example account 1\n"
    "*@far.example remote far.example\n"
    "*@else.example remote else.example\n";

static void
start(void)
{
	play_town(town);
	play_start();
}

static uint64_t
to(const char *rcpt)
{
	return play_send_one("ann@a.example", rcpt);
}

/* ---- links ---- */

enum { HOSTS = 2100, BODY = 32000 };

/* More at once than a link may ever have queued. */
START_TEST(fan_out)
{
	static char lines[HOSTS * 80], body[BODY];
	size_t n;
	int i;

	n = (size_t)sprintf(lines, "%s", "ann@a.example account 7\n"
	    "all@a.example alias");
	for (i = 0; i < HOSTS; i++)
		n += (size_t)sprintf(lines + n, " x@h%d.example", i);
	n += (size_t)sprintf(lines + n, "\n");
	for (i = 0; i < HOSTS; i++)
		n += (size_t)sprintf(lines + n,
		    "*@h%d.example remote h%d.example\n", i, i);
	memset(body, 'x', sizeof body - 1);
	play_town(lines);
	play_start();
	(void)play_send(&(struct play_letter){ .sender = "ann@a.example",
	    .body = body, .to = { { .address = "all@a.example" } } });
	play_pass(MINUTE);
	ck_assert(!play_logged("event=link_overflow"));
	ck_assert_uint_eq(play_count_logged("event=delivered"), HOSTS);
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

/* ---- destinations ---- */

static const char silent[] = "*@far.example silence\n";

/* What waits is not read and routed until there is room for it. */
START_TEST(waits_unread)
{
	play_conf()->per_destination = 1;
	play_fates(silent);
	start();
	to("one@far.example");
	to("two@far.example");
	to("three@far.example");
	play_expect(play_tried(), TO("one", "far"));
	play_town("*@far.example unknown\nann@a.example account 7\n");
	play_pass(2 * HOUR);
	ck_assert(!play_logged("event=failed"));
	play_town(town);
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("two", "far"));
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("three", "far"));
}
END_TEST

/* One that was called and goes elsewhere passes the call on. */
START_TEST(call_is_passed_on)
{
	play_conf()->per_destination = 1;
	play_fates(silent);
	start();
	to("one@far.example");
	to("two@far.example");
	to("three@far.example");
	play_town("ann@a.example account 7\n"
	    "two@far.example remote else.example\n"
	    "*@far.example remote far.example\n");
	(void)play_tried();
	play_fates("two@far.example 250 2.0.0 taken\n");
	play_end_one("250 2.0.0 taken");
	play_has(play_tried(), "else.example <ann@a.example> two@far.example\n"
	    TO("three", "far"));
}
END_TEST

/* In line nobody forgets how old it is. */
START_TEST(waits_not_for_ever)
{
	play_conf()->per_destination = 1;
	play_conf()->max_age = DAY;
	play_fates(silent);
	start();
	to("one@far.example");
	to("two@far.example");
	play_pass(5 * HOUR);
	ck_assert_uint_eq(play_count_logged("action=delayed"), 1);
	play_has(play_notice(), "two@far.example");
	play_pass(DAY);
	ck_assert_uint_eq(play_count_logged("action=failed"), 1);
	play_has(play_notice(), "4.4.7");
	play_has(play_admin("queue list", NULL, NULL), "one@far.example");
}
END_TEST

/* One recipient was deferred, the other's destination is busy: neither is
 * tried but at its own time. */
START_TEST(own_time)
{
	play_conf()->per_destination = 1;
	play_fates("one@far.example silence\n"
	    "x@else.example 451 4.2.0 busy\n");
	start();
	to("one@far.example");
	play_send(&(struct play_letter){ .sender = "ann@a.example",
	    .to = { { .address = "x@else.example" },
		{ .address = "y@far.example" } } });
	play_has(play_tried(), TO("x", "else"));
	play_pass(3 * MINUTE);
	play_expect(play_tried(), "");
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("y", "far"));
	play_pass(20 * SECOND);
	play_expect(play_tried(), "");
	play_fates("");
	play_pass(4 * MINUTE);
	play_expect(play_tried(), TO("x", "else"));
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

/* It comes to its own time while the other still waits. */
START_TEST(own_time_while_waiting)
{
	play_conf()->per_destination = 1;
	play_fates("one@far.example silence\n"
	    "x@else.example 451 4.2.0 busy\n");
	start();
	to("one@far.example");
	play_send(&(struct play_letter){ .sender = "ann@a.example",
	    .to = { { .address = "x@else.example" },
		{ .address = "y@far.example" } } });
	(void)play_tried();
	play_pass(7 * MINUTE);
	play_expect(play_tried(), TO("x", "else"));
	play_pass(5 * MINUTE);
	play_expect(play_tried(), "");
	play_pass(8 * MINUTE);
	play_expect(play_tried(), TO("x", "else"));
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("y", "far"));
}
END_TEST

START_TEST(many_in_one_delivery)
{
	static char lines[20000];
	const char *tried;
	size_t n;
	int i;

	n = (size_t)sprintf(lines, "%sall@a.example alias", town);
	for (i = 0; i < 120; i++)
		n += (size_t)sprintf(lines + n, " x%d@far.example", i);
	(void)sprintf(lines + n, "\n");
	play_town(lines);
	play_start();
	to("all@a.example");
	tried = play_tried();
	play_has(tried, " x119@far.example\n");
	ck_assert_ptr_eq(strchr(tried, '\n'), tried + strlen(tried) - 1);
	ck_assert_uint_eq(play_count_logged("event=delivered"), 120);
}
END_TEST

/* ---- next hops that are not to be reached ---- */

START_TEST(next_hop_is_down)
{
	play_fates("*@far.example down 451 4.4.1 nobody at home\n");
	start();
	to("one@far.example");
	play_expect(play_tried(), TO("one", "far"));
	/* Nobody else is sent there, but all hear why. */
	to("two@far.example");
	play_expect(play_tried(), "");
	ck_assert_uint_eq(play_count_logged("nobody at home"), 2);
	to("x@else.example");
	play_expect(play_tried(), TO("x", "else"));
	/* The administrator knows better. */
	play_admin_id("queue flush", to("three@far.example"));
	play_expect(play_tried(), TO("three", "far"));
	/* Then one goes to see. */
	play_fates(silent);
	play_pass(5 * MINUTE);
	(void)play_tried();
	to("four@far.example");
	to("five@far.example");
	ck_assert_uint_eq(play_open(), 1);
	play_end_one("250 2.0.0 taken");
	play_pass(10 * MINUTE);
	ck_assert_uint_gt(play_open(), 2);
}
END_TEST

/* ---- places in work ---- */

START_TEST(local_mail_has_places)
{
	play_conf()->in_work = 4;
	play_fates(silent);
	start();
	to("one@far.example");
	to("two@far.example");
	to("three@far.example");
	to("four@far.example");
	to("five@far.example");
	ck_assert_uint_eq(play_open(), 3);
	(void)play_tried();
	to("bea@a.example");
	play_expect(play_tried(), "owner:8 <ann@a.example> bea@a.example\n");
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("four", "far"));
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), TO("five", "far"));
}
END_TEST

START_TEST(new_mail_first)
{
	play_conf()->in_work = 1;
	play_fates("old@far.example 451 4.2.0 busy\n");
	start();
	to("old@far.example");
	play_fates("one@else.example silence\n");
	to("one@else.example");
	play_pass(10 * MINUTE); /* the old one is due now, and stands in line */
	(void)play_tried();
	to("bea@a.example");
	play_end_one("250 2.0.0 taken");
	play_pass(SECOND);
	play_expect(play_tried(), "owner:8 <ann@a.example> bea@a.example\n"
	    TO("old", "far"));
}
END_TEST

/* ---- held until a time ---- */

static void
on_committed(void *arg, struct spool_ref *ref, int error)
{
	(void)arg;
	(void)error;
	ck_assert_ptr_nonnull(ref);
}

static void
commit_held(void)
{
	static struct spool_group group = { .sender = SLICE("ann@a.example"),
		.n = 1 };
	static struct spool_rcpt rcpt = {
		.address = SLICE("bob@far.example") };
	static struct spool_envelope e;

	e = (struct spool_envelope){ .id = spool_new_id(queue_spool()),
		.arrival_us = clock_wall_us(), .groups = &group, .n_groups = 1,
		.rcpts = &rcpt, .n_rcpts = 1, .n_first = 1,
		.hold_until_s = clock_wall() + 3 * 86400 };
	spool_commit(queue_spool(), &e, SLICE_NONE, NULL, on_committed, NULL);
	play_settle();
}

static void
held_a_day(void)
{
	play_pass(DAY);
	play_expect(play_tried(), "");
}

static void
held_till_then(void)
{
	play_pass(47 * HOUR);
	play_expect(play_tried(), "");
	play_pass(HOUR + SECOND);
	play_expect(play_tried(), TO("bob", "far"));
}

START_TEST(held_until)
{
	play_town(town);
	play_life(commit_held);
	play_life(held_a_day);
	play_life(held_till_then);
}
END_TEST

/* ---- the disk ---- */

static int answered;

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)arg;
	(void)m;
	answered = type;
	if (fd >= 0)
		(void)close(fd);
}

/* So many that a small message is taken whatever the disk has. */
static void
make_slots(void)
{
	int i;

	play_fates("*@far.example 451 4.2.0 busy\n");
	for (i = 0; i < 60; i++)
		to("bob@far.example");
	play_fates("");
	play_pass(HOUR);
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}

/* A size that was said to be small, or not said, is no way past the floor. */
START_TEST(no_file_below_the_floor)
{
	struct ipc_link *l;

	play_town(town);
	play_life(make_slots);
	/* The floor is read once, at the start. */
	play_conf()->min_free = _i == 0 ? 0 : 1LL << 60;
	start();
	l = peers_submitter();
	(void)ipc_ask(l, TX_OPEN, -1, 0, on_answer, NULL, .tx = 77,
	    .sender = SLICE("ann@a.example"));
	play_settle();
	ck_assert_int_eq(answered, IPC_TX_OPENED);
	ck_assert_uint_eq(intake_open_count(), 1);
	(void)ipc_ask(l, TX_FILE, -1, 0, on_answer, NULL, .tx = 77);
	play_settle();
	ck_assert_int_eq(answered, _i == 0 ? IPC_TX_FILE_FD
					   : IPC_TX_FILE_NO);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, fan_out);
	tcase_add_test(tc, waits_unread);
	tcase_add_test(tc, call_is_passed_on);
	tcase_add_test(tc, waits_not_for_ever);
	tcase_add_test(tc, own_time);
	tcase_add_test(tc, own_time_while_waiting);
	tcase_add_test(tc, many_in_one_delivery);
	tcase_add_test(tc, next_hop_is_down);
	tcase_add_test(tc, local_mail_has_places);
	tcase_add_test(tc, new_mail_first);
	tcase_add_test(tc, held_until);
	tcase_add_loop_test(tc, no_file_below_the_floor, 0, 2);
}

PLAY_SUITE(room, add_tests)
