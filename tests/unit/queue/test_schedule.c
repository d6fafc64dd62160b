/* SPDX-License-Identifier: ISC */
/* When a message is tried, and when it is given up. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/conf_queue.h"
#include "tests/fake/fake_clock.h"
#include "tests/unit/queue/play.h"
#include "tests/unit/unit.h"

enum { AGE = 12 * HOUR, STEP = 10 * SECOND };

static const char town[] = "ann@a.example account 7\n"
    "postmaster@a.example account 1\n"
    "*@far.example remote far.example\n"
    "*@else.example remote else.example\n";

#define BUSY "*@far.example 451 4.2.0 busy\n"

#define EVE "else.example <ann@a.example> eve@else.example\n"
#define BOB "far.example <ann@a.example> bob@far.example\n"

static void
start(void)
{
	play_town(town);
	play_start();
}

START_TEST(first_attempt_at_once)
{
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(), BOB);
	play_has(play_body(), "the text");
	/* And that was all. */
	ck_assert(play_logged("event=done"));
	play_pass(10 * HOUR);
	play_expect(play_tried(), "");
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

/* Milliseconds until it is tried again, to the next STEP. */
static int64_t
wait_for_attempt(void)
{
	int64_t from = clock_boot_ms();

	while (*play_tried() == '\0') {
		play_pass(STEP);
		ck_assert_int_lt(clock_boot_ms() - from, 24 * HOUR);
	}
	return clock_boot_ms() - from;
}

START_TEST(waits_grow_to_the_longest)
{
	int64_t wait, base = 5 * MINUTE;
	bool varies = false;
	int i;

	play_fates(BUSY);
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(), BOB);
	for (i = 0; i < 12; i++) {
		wait = wait_for_attempt();
		ck_assert_int_ge(wait, base * 3 / 4);
		ck_assert_int_le(wait, base * 5 / 4 + STEP);
		varies = varies || llabs(wait - base) > 2 * STEP;
		base = base * 2 < 4 * HOUR ? base * 2 : 4 * HOUR;
	}
	ck_assert(varies);
}
END_TEST

START_TEST(delay_is_told_once)
{
	play_fates(BUSY);
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_pass(4 * HOUR - SECOND);
	play_lacks(play_tried(), "owner:7");
	play_pass(5 * HOUR); /* the longest wait, with its jitter */
	play_has(play_tried(), "owner:7 <> ann@a.example\n");
	play_has(play_notice(), "Action: delayed\r\nStatus: 4.2.0\r\n");
	play_has(play_notice(), "Will-Retry-Until: ");
	play_pass(24 * HOUR);
	play_lacks(play_tried(), "owner:7");
	ck_assert_uint_eq(play_count_logged("action=delayed"), 1);
}
END_TEST

START_TEST(delay_is_not_told_when_off)
{
	play_conf()->delay_warning = 0;
	play_fates(BUSY);
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_pass(10 * HOUR);
	play_lacks(play_tried(), "owner:7");
}
END_TEST

/* Almost dead: the next attempt is the last. */
static void
grow_old(void)
{
	play_conf()->max_age = AGE;
	play_reload();
	play_send_one("ann@a.example", "bob@far.example");
	play_pass(AGE - MINUTE);
	ck_assert(!play_logged("action=failed"));
	(void)play_tried();
}

START_TEST(expires_at_its_age)
{
	play_fates(BUSY);
	start();
	grow_old();
	play_pass(5 * HOUR);
	play_expect(play_tried(), BOB "owner:7 <> ann@a.example\n");
	play_has(play_notice(), "Final-Recipient: rfc822;bob@far.example\r\n"
	    "Action: failed\r\nStatus: 4.4.7\r\n");
	play_has(play_notice(), "the last answer was: busy");
	play_pass(10 * HOUR);
	play_expect(play_tried(), "");
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

/* The attempt after the deadline is a real one. */
START_TEST(late_success_is_no_failure)
{
	play_fates(BUSY);
	start();
	grow_old();
	play_fates("");
	play_pass(5 * HOUR);
	play_expect(play_tried(), BOB);
	ck_assert(play_logged("event=delivered"));
	ck_assert(!play_logged("action=failed"));
}
END_TEST

START_TEST(late_failure_keeps_its_reason)
{
	play_fates(BUSY);
	start();
	grow_old();
	play_fates("*@far.example 550 5.1.1 nobody\n");
	play_pass(5 * HOUR);
	play_has(play_notice(), "Action: failed\r\nStatus: 5.1.1\r\n");
	play_has(play_notice(), "Diagnostic-Code: smtp; 550 5.1.1 nobody");
}
END_TEST

START_TEST(bounces_have_an_age_of_their_own)
{
	play_fates(BUSY);
	play_conf()->max_age_bounce = AGE / 2;
	start();
	play_send_one("", "bob@far.example");
	play_pass(AGE / 2 - MINUTE);
	play_lacks(play_tried(), "owner:1 ");
	play_pass(5 * HOUR);
	play_has(play_tried(), "owner:1 <> postmaster@a.example\n");
}
END_TEST

/* ---- the wall clock is set while mail waits ---- */

static const int jumps[] = { 30, -30, 20000 };

START_TEST(clock_jump_changes_nothing)
{
	const int64_t jump = jumps[_i] * (int64_t)86400;

	play_conf()->max_age = AGE;
	play_fates(BUSY);
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(), BOB);
	fake_clock_jump(jump);
	play_settle();
	play_expect(play_tried(), "");
	ck_assert_int_lt(wait_for_attempt(), 7 * MINUTE);
	ck_assert_int_lt(wait_for_attempt(), 13 * MINUTE);
	ck_assert(!play_logged("event=notice"));
	/* Mail of after the jump is as new as it should be. */
	play_send_one("ann@a.example", "eve@far.example");
	play_pass(3 * HOUR);
	ck_assert(!play_logged("event=notice"));
	play_pass(AGE - 4 * HOUR);
	ck_assert_uint_eq(play_count_logged("action=delayed"), 2);
	ck_assert(!play_logged("action=failed"));
	play_pass(10 * HOUR);
	ck_assert_uint_eq(play_count_logged("action=failed"), 2);
}
END_TEST

/* ---- from one life to the next ---- */

static void
send_and_wait(void)
{
	play_send_one("ann@a.example", "bob@far.example");
	play_send_one("ann@a.example", "eve@else.example");
	play_expect(play_tried(), BOB EVE);
	play_pass(SECOND); /* marks are flushed within 100 ms */
}

static void
only_bob_later(void)
{
	play_pass(2 * MINUTE);
	play_expect(play_tried(), "");
	play_pass(5 * MINUTE);
	play_expect(play_tried(), BOB);
	ck_assert_int_lt(wait_for_attempt(), 13 * MINUTE);
	ck_assert_int_gt(wait_for_attempt(), 14 * MINUTE);
}

START_TEST(survives_a_kill)
{
	play_town(town);
	play_fates(BUSY);
	play_life(send_and_wait);
	play_life(only_bob_later);
}
END_TEST

static void
bob_at_once(void)
{
	play_expect(play_tried(), BOB);
	play_pass(SECOND);
}

START_TEST(due_while_away_is_tried_at_start)
{
	play_town(town);
	play_fates(BUSY);
	play_life(send_and_wait);
	fake_clock_jump(3600);
	play_life(bob_at_once);
}
END_TEST

static void
within_eight_hours(void)
{
	play_expect(play_tried(), "");
	ck_assert_int_le(wait_for_attempt(), 8 * HOUR + STEP);
	ck_assert(!play_logged("event=notice"));
}

START_TEST(clock_set_back_between_lives_does_not_stall)
{
	play_town(town);
	play_fates(BUSY);
	play_life(send_and_wait);
	fake_clock_jump(-30 * 86400);
	play_life(within_eight_hours);
}
END_TEST

static void
nothing_at_all(void)
{
	play_pass(24 * HOUR);
	play_expect(play_tried(), "");
}

static void
deliver_one(void)
{
	play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(), BOB);
	play_pass(SECOND);
}

START_TEST(delivered_is_not_tried_after_restart)
{
	play_town(town);
	play_life(deliver_one);
	play_life(nothing_at_all);
}
END_TEST

static void
killed_in_the_attempt(void)
{
	play_fates("*@far.example silence\n");
	play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(), BOB);
}

START_TEST(killed_in_an_attempt_tries_again)
{
	play_town(town);
	play_life(killed_in_the_attempt);
	play_life(bob_at_once);
	play_life(nothing_at_all);
}
END_TEST

/* ---- limits, and the end ---- */

START_TEST(only_so_many_in_work)
{
	play_conf()->in_work = 2;
	play_fates("*@far.example silence\n");
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_send_one("ann@a.example", "bob@far.example");
	play_send_one("ann@a.example", "eve@else.example");
	play_expect(play_tried(), BOB BOB);
	play_pass(HOUR);
	play_expect(play_tried(), "");
	play_end_one("250 2.0.0 taken");
	play_expect(play_tried(), EVE);
}
END_TEST

START_TEST(stops_when_nothing_is_out)
{
	start();
	ck_assert(play_stop(10000));
}
END_TEST

START_TEST(stop_lets_deliveries_come_back)
{
	play_fates("*@far.example silence\n");
	start();
	play_send_one("ann@a.example", "bob@far.example");
	ck_assert(!play_stop(10000));
	play_expect(play_offer(&(struct play_letter){ .sender = "x@a.example",
	    .to = { { .address = "bob@far.example" } } }),
	    "no: try again later");
	play_end_one("250 2.0.0 taken");
	ck_assert(play_logged("event=done"));
}
END_TEST

static void
stop_in_time(void)
{
	play_fates("*@far.example silence\n");
	play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(), BOB);
	ck_assert(!play_stop(10000));
	play_pass(5 * SECOND);
}

START_TEST(stop_does_not_wait_for_ever)
{
	play_town(town);
	play_life(stop_in_time);
	play_life(bob_at_once);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, first_attempt_at_once);
	tcase_add_test(tc, waits_grow_to_the_longest);
	tcase_add_test(tc, delay_is_told_once);
	tcase_add_test(tc, delay_is_not_told_when_off);
	tcase_add_test(tc, expires_at_its_age);
	tcase_add_test(tc, late_success_is_no_failure);
	tcase_add_test(tc, late_failure_keeps_its_reason);
	tcase_add_test(tc, bounces_have_an_age_of_their_own);
	tcase_add_loop_test(tc, clock_jump_changes_nothing, 0,
	    sizeof jumps / sizeof *jumps);
	tcase_add_test(tc, survives_a_kill);
	tcase_add_test(tc, due_while_away_is_tried_at_start);
	tcase_add_test(tc, clock_set_back_between_lives_does_not_stall);
	tcase_add_test(tc, delivered_is_not_tried_after_restart);
	tcase_add_test(tc, killed_in_an_attempt_tries_again);
	tcase_add_test(tc, only_so_many_in_work);
	tcase_add_test(tc, stops_when_nothing_is_out);
	tcase_add_test(tc, stop_lets_deliveries_come_back);
	tcase_add_test(tc, stop_does_not_wait_for_ever);
}

PLAY_SUITE(schedule, add_tests)
