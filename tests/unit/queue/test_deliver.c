/* SPDX-License-Identifier: ISC */
/* One attempt: routes, aliases, results, limits, processes that die. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/conf_queue.h"
#include "queue/fsio.h"
#include "tests/unit/queue/play.h"
#include "tests/unit/unit.h"

#define ANN "owner:7 <> ann@a.example\n"

static const char town[] = "ann@a.example account 7\n"
    "bea@a.example account 8\n"
    "postmaster@a.example account 1\n"
    "both@a.example alias ann@a.example bob@far.example\n"
    "twice@a.example alias bob@far.example bob@far.example bea@a.example\n"
    "deep@a.example alias both@a.example bea@a.example\n"
    "round@a.example alias back@a.example\n"
    "back@a.example alias round@a.example\n"
    "some@a.example alias some@a.example bea@a.example\n"
    "empty@a.example alias\n"
    "no@a.example unknown\noff@a.example disabled\n"
    "bad@a.example invalid\nloop@a.example loop\n"
    "later@a.example later\nmute@a.example silence\n"
    "*@far.example remote far.example\n"
    "*@else.example relay else.example\n";

static void
start(void)
{
	play_town(town);
	play_start();
}

/* ---- results ---- */

static const struct play_letter three = { .sender = "ann@a.example",
	.to = { { .address = "ok@far.example" },
	    { .address = "busy@far.example" },
	    { .address = "gone@far.example" } } };

static void
one_each(void)
{
	play_fates("busy@far.example 451 4.2.0 busy\n"
	    "gone@far.example 550 5.1.1 nobody\n");
	play_send(&three);
	play_expect(play_tried(), "far.example <ann@a.example> "
	    "ok@far.example busy@far.example gone@far.example\n" ANN);
	play_has(play_notice(), "rfc822;gone@far.example\r\nAction: failed");
	play_lacks(play_notice(), "busy@far.example");
	play_lacks(play_notice(), "ok@far.example");
	play_pass(10 * MINUTE);
	play_expect(play_tried(),
	    "far.example <ann@a.example> busy@far.example\n");
}

static void
only_the_busy(void)
{
	play_fates("");
	play_pass(HOUR);
	play_expect(play_tried(),
	    "far.example <ann@a.example> busy@far.example\n");
	play_pass(10 * HOUR);
	play_expect(play_tried(), "");
}

START_TEST(each_recipient_for_itself)
{
	play_town(town);
	play_life(one_each);
	play_life(only_the_busy);
}
END_TEST

START_TEST(no_result_is_no_delivery)
{
	play_fates("busy@far.example nothing\n");
	start();
	play_send(&three);
	ck_assert_uint_eq(play_count_logged("event=delivered"), 2);
	ck_assert_uint_eq(play_count_logged("event=deferred"), 1);
	(void)play_tried();
	play_pass(10 * MINUTE);
	play_expect(play_tried(),
	    "far.example <ann@a.example> busy@far.example\n");
}
END_TEST

/* What the directory says of a recipient, and what becomes of it. */
static const struct {
	const char *rcpt, *tried, *log, *notice;
} routes[] = {
	{ "bea@a.example", "owner:8 <ann@a.example> bea@a.example\n",
	    "event=delivered", "" },
	{ "x@else.example", "else.example <ann@a.example> x@else.example\n",
	    "event=delivered", "" },
	{ "no@a.example", ANN, "event=failed", "5.1.1" },
	{ "off@a.example", ANN, "event=failed", "5.2.1" },
	{ "bad@a.example", ANN, "event=failed", "5.1.3" },
	{ "loop@a.example", ANN, "event=failed", "5.4.6" },
	{ "empty@a.example", ANN, "event=failed", "5.1.1" },
	{ "round@a.example", ANN, "event=failed", "5.4.6" },
	{ "later@a.example", "", "event=deferred", "" },
	{ "mute@a.example", "", "event=deferred", "" },
	{ "some@a.example", "owner:8 <ann@a.example> bea@a.example\n",
	    "event=alias_loop", "" },
	{ "twice@a.example", "owner:8 <ann@a.example> bea@a.example\n"
	    "far.example <ann@a.example> bob@far.example\n",
	    "event=delivered", "" },
	{ "both@a.example", "owner:7 <ann@a.example> ann@a.example\n"
	    "far.example <ann@a.example> bob@far.example\n",
	    "event=delivered", "" },
};

/* Who is heard first of several does not matter: lines in order. */
static const char *
sorted(const char *text)
{
	static char out[4096];
	const char *lines[16];
	size_t n = 0, i, at = 0, len;

	for (; *text != '\0'; text = strchr(text, '\n') + 1) {
		for (i = n++; i > 0 && strcmp(lines[i - 1], text) < 0; i--)
			lines[i] = lines[i - 1];
		lines[i] = text;
		ck_assert_uint_lt(n, 16);
	}
	while (n-- > 0) {
		len = (size_t)(strchr(lines[n], '\n') + 1 - lines[n]);
		ck_assert_uint_lt(at + len, sizeof out);
		memcpy(out + at, lines[n], len);
		at += len;
	}
	out[at] = '\0';
	return out;
}

START_TEST(routes_of_the_directory)
{
	char want[1000];

	start();
	play_send_one("ann@a.example", routes[_i].rcpt);
	play_pass(11 * SECOND); /* an answer is waited for that long */
	(void)strcpy(want, sorted(routes[_i].tried));
	play_expect(sorted(play_tried()), want);
	ck_assert_msg(play_logged(routes[_i].log), "%s", routes[_i].rcpt);
	play_has(play_notice(), routes[_i].notice);
}
END_TEST

START_TEST(directory_away_is_later)
{
	start();
	play_lose(ROLE_DIRECTORY);
	play_send_one("ann@a.example", "bea@a.example");
	ck_assert(play_logged("event=deferred"));
	play_bring(ROLE_DIRECTORY);
	play_pass(10 * MINUTE);
	play_expect(play_tried(), "owner:8 <ann@a.example> bea@a.example\n");
}
END_TEST

START_TEST(directory_lost_while_asked_is_later)
{
	start();
	play_send_one("ann@a.example", "mute@a.example");
	ck_assert(!play_logged("event=deferred"));
	play_lose(ROLE_DIRECTORY);
	ck_assert(play_logged("event=deferred"));
}
END_TEST

/* ---- aliases ---- */

static void
half_of_an_alias(void)
{
	play_fates("*@far.example 451 4.2.0 busy\n");
	play_send_one("cat@else.example", "deep@a.example");
	play_expect(sorted(play_tried()),
	    "far.example <cat@else.example> bob@far.example\n"
	    "owner:7 <cat@else.example> ann@a.example\n"
	    "owner:8 <cat@else.example> bea@a.example\n");
	play_pass(SECOND);
}

static void
the_other_half(void)
{
	/* What was recorded counts, not what the alias says now. */
	play_town("ann@a.example account 7\nbea@a.example account 8\n"
	    "*@far.example remote far.example\n");
	play_fates("");
	play_pass(HOUR);
	play_expect(play_tried(),
	    "far.example <cat@else.example> bob@far.example\n");
}

START_TEST(alias_is_expanded_once)
{
	play_town(town);
	play_life(half_of_an_alias);
	play_life(the_other_half);
}
END_TEST

START_TEST(aliases_reach_only_so_many)
{
	play_conf()->expansion = 2;
	start();
	play_send_one("ann@a.example", "both@a.example");
	play_expect(play_tried(), ANN);
	play_has(play_notice(), "Status: 5.4.0");
}
END_TEST

/* Nobody may get mail by an alias that a restart would expand again. */
START_TEST(unrecorded_expansion_is_later)
{
	start();
	fsio_fail_at(FSIO_ANY, 0, 0, 0);
	play_send_one("x@far.example", "bea@a.example");
	(void)play_tried();
	play_fates("");
	fsio_fail_at(FSIO_FDATASYNC, 2, 100, EIO);
	play_send_one("x@far.example", "both@a.example");
	play_expect(play_tried(), "");
	ck_assert(play_logged("event=deferred"));
	fsio_fail_at(FSIO_ANY, 0, 0, 0);
	play_pass(10 * MINUTE);
	play_expect(sorted(play_tried()),
	    "far.example <x@far.example> bob@far.example\n"
	    "owner:7 <x@far.example> ann@a.example\n");
}
END_TEST

/* ---- mailboxes ---- */

START_TEST(placed_counts_when_flushed)
{
	start();
	fsio_fail_at(FSIO_SYNCFS, 1, 0, EIO);
	play_send_one("ann@a.example", "bea@a.example");
	play_expect(play_tried(), "owner:8 <ann@a.example> bea@a.example\n");
	ck_assert(!play_logged("event=delivered"));
	play_pass(SECOND);
	ck_assert(play_logged("event=sync_failed"));
	ck_assert(play_logged("event=deferred"));
	ck_assert_uint_eq(play_released(), 0);
	play_pass(10 * MINUTE);
	play_expect(play_tried(), "owner:8 <ann@a.example> bea@a.example\n");
	ck_assert(play_logged("event=delivered"));
	ck_assert_uint_eq(play_released(), 1);
}
END_TEST

/* The broker's answer and what it comes to. 0 is no refusal that there is: it
 * must not pass for a delivery. */
static const struct {
	const char *line, *log;
} refusals[] = {
	{ "owner:8 1 no home\n", "event=deferred" },
	{ "owner:8 2 switched off\n", "event=failed" },
	{ "owner:8 0 what\n", "event=deferred" },
	{ "owner:8 7 what\n", "event=deferred" },
	{ "owner:8 silence\n", "event=deferred" },
};

START_TEST(refused_by_the_broker)
{
	char all[1000];

	(void)strcpy(all, refusals[_i].line);
	(void)strcat(all, town);
	play_town(all);
	play_start();
	play_send_one("ann@a.example", "bea@a.example");
	play_pass(61 * SECOND);
	ck_assert_uint_eq(play_count_logged(refusals[_i].log), 1);
	ck_assert_uint_eq(play_count_logged("event=delivered"),
	    strstr(refusals[_i].log, "failed") != NULL); /* the bounce */
	/* It is asked again, and says something else. */
	play_town(town);
	play_send_one("", "bea@a.example");
	play_settle();
	play_has(play_tried(), "owner:8 <> bea@a.example\n");
}
END_TEST

START_TEST(broker_away_is_later)
{
	start();
	play_lose(ROLE_BROKER);
	play_send_one("ann@a.example", "bea@a.example");
	ck_assert(play_logged("event=deferred"));
	play_bring(ROLE_BROKER);
	play_pass(10 * MINUTE);
	ck_assert(play_logged("event=delivered"));
}
END_TEST

START_TEST(large_body_is_the_same)
{
	char body[100001];

	memset(body, 'x', sizeof body - 1);
	memcpy(body, "A: b\r\n\r\n", 8);
	body[sizeof body - 1] = '\0';
	start();
	play_send(&(struct play_letter){ .sender = "ann@a.example",
	    .body = body, .to = { { .address = "bea@a.example" } } });
	play_expect(play_body(), body);
}
END_TEST

/* ---- processes that die ---- */

static const char *const ends[] = { "bea@a.example dies\n",
	"*@far.example dies\n" };
static const char *const victims[] = { "bea@a.example", "bob@far.example" };

/* Tried again soon at first, then as everything that has to wait. */
START_TEST(death_in_an_attempt_is_later)
{
	int i;

	play_fates(ends[_i]);
	start();
	play_send_one("ann@a.example", victims[_i]);
	for (i = 1; i <= 5; i++) {
		ck_assert_uint_eq(play_count_logged("event=deferred"),
		    (unsigned)i);
		play_pass(1100);
	}
	play_pass(MINUTE);
	ck_assert_uint_eq(play_count_logged("event=deferred"), 6);
	ck_assert(!play_logged("event=crash_suspect"));
	play_fates("");
	play_pass(4 * HOUR);
	ck_assert(play_logged("event=delivered"));
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

static const struct {
	const char *fate, *rcpt;
	bool news_first;
} crashes[] = {
	{ "bea@a.example crashes\n", "bea@a.example", false },
	{ "*@far.example crashes\n", "bob@far.example", false },
	{ "*@far.example crashes\n", "bob@far.example", true },
};

START_TEST(set_aside_after_the_second_crash)
{
	play_fates(crashes[_i].fate);
	start();
	if (crashes[_i].news_first)
		play_news_first();
	play_send_one("ann@a.example", crashes[_i].rcpt);
	play_pass(100);
	ck_assert_uint_eq(play_count_logged("event=crash_suspect"), 1);
	ck_assert(!play_logged("event=corrupt"));
	play_pass(1100);
	ck_assert_uint_eq(play_count_logged("event=crash_suspect"), 2);
	ck_assert(play_logged("event=corrupt"));
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
	(void)play_tried();
	play_pass(24 * HOUR);
	play_expect(play_tried(), "");
	ck_assert(!play_logged("event=notice"));
}
END_TEST

/* Two deliveries of one message lost by one crash are one crash. */
START_TEST(one_crash_counts_once)
{
	play_fates("*@far.example silence\n*@else.example silence\n");
	start();
	play_send(&(struct play_letter){ .sender = "ann@a.example",
	    .to = { { .address = "bob@far.example" },
		{ .address = "eve@else.example" } } });
	if (_i == 1)
		play_relay_ended(true);
	play_settle();
	play_lose(ROLE_RELAY);
	if (_i == 0)
		play_relay_ended(true);
	play_settle();
	ck_assert_uint_eq(play_count_logged("event=crash_suspect"), 1);
	ck_assert(!play_logged("event=corrupt"));
}
END_TEST

static void
crash_once(void)
{
	play_fates("*@far.example crashes\n");
	play_send_one("ann@a.example", "bob@far.example");
	play_pass(500);
	ck_assert_uint_eq(play_count_logged("event=crash_suspect"), 1);
}

static void
crash_again(void)
{
	play_fates("*@far.example crashes\n");
	play_pass(2 * SECOND);
	ck_assert(play_logged("event=corrupt"));
	play_pass(SECOND);
}

static void
nothing_is_left(void)
{
	play_pass(12 * HOUR);
	play_expect(play_tried(), "");
}

START_TEST(crashes_are_remembered)
{
	play_town(town);
	play_life(crash_once);
	play_life(crash_again);
	play_life(nothing_is_left);
}
END_TEST

/* An attempt that ends well clears it of the suspicion. */
START_TEST(crash_of_others_is_forgiven)
{
	play_fates("*@far.example crashes\n");
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_fates("*@far.example 451 4.2.0 busy\n");
	play_pass(2 * SECOND);
	play_fates("*@far.example crashes\n");
	while (play_count_logged("event=crash_suspect") < 2)
		play_pass(SECOND / 2);
	play_fates("*@far.example 451 4.2.0 busy\n");
	play_pass(MINUTE);
	ck_assert(!play_logged("event=corrupt"));
	play_fates("");
	play_pass(HOUR);
	ck_assert(play_logged("event=delivered"));
}
END_TEST

/* A suspect is out with nothing beside it. */
START_TEST(suspect_goes_alone)
{
	play_fates("*@far.example crashes\n");
	start();
	play_send_one("ann@a.example", "bob@far.example");
	(void)play_tried();
	play_fates("*@far.example silence\n*@else.example silence\n");
	play_send_one("ann@a.example", "eve@else.example");
	play_expect(play_tried(), "else.example <ann@a.example> "
	    "eve@else.example\n");
	play_pass(5 * SECOND);
	play_expect(play_tried(), "");
	play_end_one("250 2.0.0 taken");
	play_pass(31 * SECOND);
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n");
	play_send_one("ann@a.example", "eve@else.example");
	play_expect(play_tried(), "");
	play_end_one("250 2.0.0 taken");
	play_pass(31 * SECOND);
	play_expect(play_tried(), "else.example <ann@a.example> "
	    "eve@else.example\n");
}
END_TEST

/* Only who was out when the relay died waits; the others are done. */
START_TEST(death_touches_only_what_was_out)
{
	play_fates("bob@far.example silence\n");
	start();
	play_send(&(struct play_letter){ .sender = "ann@a.example",
	    .to = { { .address = "bob@far.example" },
		{ .address = "bea@a.example" },
		{ .address = "eve@else.example" } } });
	(void)play_tried();
	play_pass(SECOND);
	play_lose(ROLE_RELAY);
	play_relay_ended(false);
	play_bring(ROLE_RELAY);
	play_pass(2 * SECOND);
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n");
}
END_TEST

START_TEST(no_relay_is_later)
{
	start();
	play_lose(ROLE_RELAY);
	play_send_one("ann@a.example", "bob@far.example");
	ck_assert(play_logged("event=deferred"));
	play_bring(ROLE_RELAY);
	play_pass(10 * MINUTE);
	ck_assert(play_logged("event=delivered"));
}
END_TEST

/* ---- limits ---- */

START_TEST(only_so_many_to_one_place)
{
	int i;

	play_conf()->per_destination = 2;
	play_fates("*@far.example silence\n*@else.example silence\n");
	start();
	for (i = 0; i < 5; i++)
		play_send_one("ann@a.example", "bob@far.example");
	play_send_one("ann@a.example", "eve@else.example");
	ck_assert_uint_eq(play_open(), 3);
	/* A place that is free is taken at once. */
	for (i = 0; i < 2; i++) {
		play_end_one("250 2.0.0 taken");
		ck_assert_uint_eq(play_open(), 3);
	}
	for (i = 0; i < 4; i++)
		play_end_one("250 2.0.0 taken");
	ck_assert_uint_eq(play_open(), 0);
	ck_assert_uint_eq(play_count_logged("event=done"), 6);
}
END_TEST

START_TEST(waiting_for_a_place_is_no_attempt)
{
	uint64_t id;

	play_conf()->per_destination = 1;
	play_fates("*@far.example silence\n");
	start();
	play_send_one("ann@a.example", "bob@far.example");
	id = play_send_one("ann@a.example", "bob@far.example");
	play_pass(HOUR);
	play_has(play_admin_id("queue show", id), "attempts=0");
	play_has(play_admin_id("queue show", id), "state=new");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, each_recipient_for_itself);
	tcase_add_test(tc, no_result_is_no_delivery);
	tcase_add_loop_test(tc, routes_of_the_directory, 0,
	    sizeof routes / sizeof *routes);
	tcase_add_test(tc, directory_away_is_later);
	tcase_add_test(tc, directory_lost_while_asked_is_later);
	tcase_add_test(tc, alias_is_expanded_once);
	tcase_add_test(tc, aliases_reach_only_so_many);
	tcase_add_test(tc, unrecorded_expansion_is_later);
	tcase_add_test(tc, placed_counts_when_flushed);
	tcase_add_loop_test(tc, refused_by_the_broker, 0,
	    sizeof refusals / sizeof *refusals);
	tcase_add_test(tc, broker_away_is_later);
	tcase_add_test(tc, large_body_is_the_same);
	tcase_add_loop_test(tc, death_in_an_attempt_is_later, 0, 2);
	tcase_add_loop_test(tc, set_aside_after_the_second_crash, 0,
	    sizeof crashes / sizeof *crashes);
	tcase_add_loop_test(tc, one_crash_counts_once, 0, 2);
	tcase_add_test(tc, crashes_are_remembered);
	tcase_add_test(tc, crash_of_others_is_forgiven);
	tcase_add_test(tc, suspect_goes_alone);
	tcase_add_test(tc, death_touches_only_what_was_out);
	tcase_add_test(tc, no_relay_is_later);
	tcase_add_test(tc, only_so_many_to_one_place);
	tcase_add_test(tc, waiting_for_a_place_is_no_attempt);
}

PLAY_SUITE(deliver, add_tests)
