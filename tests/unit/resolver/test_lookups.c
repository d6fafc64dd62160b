/* SPDX-License-Identifier: ISC */
#include "resolver/lookups.h"

#include <stdio.h>

#include "resolver/servers.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/resolver/fake_transport.h"
#include "tests/unit/resolver/reply.h"
#include "tests/unit/resolver/text.h"
#include "tests/unit/unit.h"

struct asker {
	struct lookup_waiter waiter;
	uint16_t type;
	unsigned n;
	struct buf answer;
	const char *again; /* asks for this when answered */
};

static struct lookups ls;
static struct loop *loop;
static struct asker askers[20];

static void
on_answer(struct lookup_waiter *w, const struct answer *a)
{
	struct asker *k = LIST_OF(w, struct asker, waiter);
	const char *again = k->again;

	k->n++;
	buf_reset(&k->answer);
	text_answer(&k->answer, k->type, a);
	k->again = NULL;
	if (again != NULL)
		lookups_ask(&ls, slice_str(again), k->type, w);
}

static void
start(void)
{
	struct servers *s = servers_new();
	size_t i;

	log_set_level(LOG_LEVEL_ERROR);
	fake_clock_set(1000000);
	loop = loop_new();
	lookups_init(&ls, loop);
	ls.total_ms = 10000;
	ls.max_active = 4;
	ls.limits = (struct query_limits){ 2000, 86400, 900, 5, false };
	cache_set_bounds(&ls.cache, 1000, 1000000);
	ck_assert_int_eq(servers_add(s, SLICE("192.0.2.1:1")), 0);
	lookups_set_servers(&ls, s);
	for (i = 0; i < sizeof askers / sizeof *askers; i++) {
		askers[i] = (struct asker){ .type = DNS_A };
		askers[i].waiter.done = on_answer;
		buf_init(&askers[i].answer, 4096);
	}
}

static void
stop(void)
{
	size_t i;

	lookups_fini(&ls);
	ck_assert_uint_eq(fake_n_exchanges, 0);
	ck_assert_uint_eq(fake_loop_timers(loop), 0);
	loop_free(&loop);
	for (i = 0; i < sizeof askers / sizeof *askers; i++)
		buf_fini(&askers[i].answer);
}

static void
ask(unsigned i, const char *name)
{
	lookups_ask(&ls, slice_str(name), askers[i].type, &askers[i].waiter);
	fake_loop_settle(loop);
}

#define WANT(i, text) \
	do { \
		ck_slice_str(buf_slice(&askers[i].answer), (text)); \
		ck_assert_uint_eq(askers[i].n, (text)[0] != 0); \
	} while (0)

START_TEST(joined_then_cached)
{
	ask(0, "a.example");
	ask(1, "A.Example.");
	askers[2].type = DNS_AAAA;
	ask(2, "a.example");
	ck_assert_uint_eq(fake_n_exchanges, 2);
	ck_assert_uint_eq(ls.joined, 1);
	fake_reply(fake_exchanges[0], "an a.example 60 A 192.0.2.1");
	WANT(0, "ok a.example 60: 192.0.2.1");
	WANT(1, "ok a.example 60: 192.0.2.1");
	WANT(2, "");
	fake_loop_advance(loop, 1000);
	ask(3, "a.example");
	WANT(3, "ok a.example 59: 192.0.2.1");
	ck_assert_uint_eq(fake_begun, 2);
	ck_assert_uint_eq(ls.by_status[DNS_OK], 3);
	fake_reply(fake_latest(), "ns example 60 SOA 60");
	WANT(2, "nodata a.example 60");
	askers[4].type = DNS_AAAA;
	ask(4, "a.example");
	WANT(4, "nodata a.example 60");
	fake_loop_advance(loop, 60000);
	ask(5, "a.example");
	WANT(5, "");
	ck_assert_uint_eq(fake_begun, 3);
}
END_TEST

START_TEST(failures_hold_shortly)
{
	ask(0, "a.example");
	fake_reply(fake_latest(), "rcode 2");
	WANT(0, "servfail a.example 5");
	ask(1, "a.example");
	WANT(1, "servfail a.example 5");
	fake_loop_advance(loop, 5000);
	ask(2, "a.example");
	WANT(2, "");
	ck_assert_uint_eq(fake_begun, 2);
}
END_TEST

START_TEST(never_asked)
{
	static const struct {
		const char *name;
		uint16_t type;
		const char *want;
	} cases[] = {
		{ "localhost", DNS_A, "ok localhost 86400: 127.0.0.1" },
		{ "x.LocalHost.", DNS_AAAA, "ok x.localhost 86400: ::1" },
		{ "localhost", DNS_MX, "nodata localhost 86400" },
		{ "x.invalid", DNS_A, "nxdomain x.invalid 86400" },
		{ "x.onion", DNS_MX, "nxdomain x.onion 86400" },
		{ "", DNS_A, "invalid  0" },
		{ ".", DNS_A, "invalid  0" },
		{ "a..b", DNS_A, "invalid  0" },
		{ "a.example", 255, "invalid  0" },
		{ "a.example", 5, "invalid  0" },
	};
	unsigned i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		askers[i].type = cases[i].type;
		ask(i, cases[i].name);
		WANT(i, cases[i].want);
	}
	ck_assert_uint_eq(fake_begun, 0);
	ask(10, "notlocalhost");
	ck_assert_uint_eq(fake_begun, 1);
}
END_TEST

START_TEST(in_line)
{
	char name[20], want[60];
	unsigned i;

	for (i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof name, "n%u.example", i);
		ask(i, name);
	}
	ck_assert_uint_eq(lookups_active(&ls), 4);
	ck_assert_uint_eq(lookups_waiting(&ls), 6);
	ck_assert_uint_eq(fake_n_exchanges, 4);
	/* Who waits can be joined too. */
	ask(10, "n9.example");
	ck_assert_uint_eq(lookups_waiting(&ls), 6);
	for (i = 0; i < 10; i++) {
		(void)snprintf(want, sizeof want, "an n%u.example 60 A "
		    "192.0.2.1", i);
		fake_reply(fake_exchanges[0], want);
		fake_loop_settle(loop);
		(void)snprintf(want, sizeof want, "ok n%u.example 60: "
		    "192.0.2.1", i);
		WANT(i, want);
	}
	WANT(10, "ok n9.example 60: 192.0.2.1");
	ck_assert_uint_eq(lookups_active(&ls), 0);
	ck_assert_uint_eq(lookups_waiting(&ls), 0);
}
END_TEST

START_TEST(in_line_until_the_deadline)
{
	char name[20];
	unsigned i;

	for (i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof name, "n%u.example", i);
		ask(i, name);
	}
	fake_loop_advance(loop, 9999);
	WANT(5, "");
	fake_loop_advance(loop, 1);
	WANT(0, "timeout n0.example 5");
	WANT(5, "timeout n5.example 5");
	ck_assert_uint_eq(lookups_active(&ls), 0);
	ck_assert_uint_eq(fake_n_exchanges, 0);
}
END_TEST

START_TEST(forgotten)
{
	ask(0, "a.example");
	ask(1, "a.example");
	ask(2, "b.example");
	lookups_forget(&askers[0].waiter);
	lookups_forget(&askers[2].waiter);
	fake_reply(fake_exchanges[0], "an a.example 60 A 192.0.2.1");
	fake_reply(fake_latest(), "an b.example 60 A 192.0.2.2");
	WANT(0, "");
	WANT(1, "ok a.example 60: 192.0.2.1");
	WANT(2, "");
	/* The answer is kept all the same. */
	ask(3, "b.example");
	WANT(3, "ok b.example 60: 192.0.2.2");
	/* Twice, and after the answer, it does no harm. */
	lookups_forget(&askers[0].waiter);
	lookups_forget(&askers[3].waiter);
}
END_TEST

static void
ask_front(unsigned i, const char *name)
{
	askers[i].waiter.class = LOOKUP_FRONT;
	ask(i, name);
}

/* Name servers that never answer: strangers can make the fronts ask as much as
 * they like, what we ask for ourselves has its places. */
START_TEST(fronts_take_half)
{
	char name[20];
	unsigned i;

	for (i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof name, "f%u.example", i);
		ask_front(i, name);
	}
	ck_assert_uint_eq(ls.active[LOOKUP_FRONT], 2);
	ck_assert_uint_eq(ls.waiting[LOOKUP_FRONT], 8);
	ask(10, "own0.example");
	ask(11, "own1.example");
	ck_assert_uint_eq(ls.active[LOOKUP_OWN], 2);
	ask(12, "own2.example");
	ck_assert_uint_eq(ls.waiting[LOOKUP_OWN], 1);
	/* In its own line, before those of the fronts. */
	fake_reply(fake_latest(), "an own1.example 60 A 192.0.2.1");
	fake_loop_settle(loop);
	WANT(11, "ok own1.example 60: 192.0.2.1");
	ck_assert_uint_eq(ls.waiting[LOOKUP_OWN], 0);
	ck_assert_uint_eq(ls.waiting[LOOKUP_FRONT], 8);
	/* And the fronts have theirs, however much we ask ourselves. */
	ask(13, "own3.example");
	fake_reply(fake_exchanges[0], "an f0.example 60 A 192.0.2.1");
	fake_loop_settle(loop);
	ck_assert_uint_eq(ls.active[LOOKUP_FRONT], 2);
	ck_assert_uint_eq(ls.waiting[LOOKUP_FRONT], 7);
	ck_assert_uint_eq(ls.waiting[LOOKUP_OWN], 1);
	/* What a front waits for is asked sooner when we want it too. */
	ask(14, "f9.example");
	ck_assert_uint_eq(ls.waiting[LOOKUP_FRONT], 6);
	ck_assert_uint_eq(ls.waiting[LOOKUP_OWN], 2);
}
END_TEST

START_TEST(dropped_with_the_last_waiter)
{
	char name[20];
	unsigned i;

	for (i = 0; i < 6; i++) {
		(void)snprintf(name, sizeof name, "f%u.example", i);
		ask_front(i, name);
	}
	ask_front(6, "f5.example");
	/* In line: gone with the last who waits. */
	lookups_forget(&askers[4].waiter);
	lookups_forget(&askers[5].waiter);
	ck_assert_uint_eq(ls.waiting[LOOKUP_FRONT], 3);
	lookups_forget(&askers[6].waiter);
	ck_assert_uint_eq(ls.waiting[LOOKUP_FRONT], 2);
	ck_assert_uint_eq(ls.by_question.n, 4);
	/* Under way: its place is taken by the next in line. */
	lookups_forget(&askers[0].waiter);
	lookups_forget(&askers[1].waiter);
	fake_loop_settle(loop);
	ck_assert_uint_eq(ls.active[LOOKUP_FRONT], 2);
	ck_assert_uint_eq(ls.waiting[LOOKUP_FRONT], 0);
	ck_assert_uint_eq(ls.by_question.n, 2);
	ck_assert_uint_eq(fake_begun, 4);
	/* With nobody in line it goes on, until somebody comes. */
	lookups_forget(&askers[2].waiter);
	lookups_forget(&askers[3].waiter);
	ck_assert_uint_eq(lookups_active(&ls), 2);
	ask_front(7, "f2.example");
	ck_assert_uint_eq(fake_begun, 4);
	ask_front(8, "f8.example");
	ck_assert_uint_eq(fake_begun, 5);
	ck_assert_uint_eq(lookups_active(&ls), 2);
	fake_reply(fake_exchanges[0], "an f2.example 60 A 192.0.2.1");
	fake_reply(fake_latest(), "an f8.example 60 A 192.0.2.1");
	WANT(7, "ok f2.example 60: 192.0.2.1");
	WANT(8, "ok f8.example 60: 192.0.2.1");
	ck_assert_uint_eq(lookups_active(&ls), 0);
}
END_TEST

START_TEST(asking_again_when_answered)
{
	askers[0].again = "a.example";
	ask(0, "a.example");
	/* With no time to hold, the same question begins anew. */
	fake_reply(fake_latest(), "an a.example 0 A 192.0.2.1");
	fake_loop_settle(loop);
	ck_assert_uint_eq(fake_begun, 2);
	fake_reply(fake_latest(), "an a.example 60 A 192.0.2.2");
	ck_slice_str(buf_slice(&askers[0].answer),
	    "ok a.example 60: 192.0.2.2");
	ck_assert_uint_eq(ls.by_question.n, 0);
	/* Out of the cache, inside the callback of the cache. */
	askers[1].again = "a.example";
	ask(1, "a.example");
	ck_assert_uint_eq(askers[1].n, 2);
}
END_TEST

START_TEST(other_servers)
{
	struct servers *same = servers_new(), *others = servers_new();

	ask(0, "a.example");
	fake_reply(fake_latest(), "an a.example 60 A 192.0.2.1");
	ask(1, "b.example");
	ck_assert_int_eq(servers_add(same, SLICE("192.0.2.1:1")), 0);
	lookups_set_servers(&ls, same);
	ck_assert_uint_eq(ls.cache.n, 1);
	ck_assert_int_eq(servers_add(others, SLICE("192.0.2.2:2")), 0);
	lookups_set_servers(&ls, others);
	ck_assert_uint_eq(ls.cache.n, 0);
	/* What is under way ends where it began. */
	ck_assert_uint_eq(fake_latest()->port, 1);
	fake_reply(fake_latest(), "an b.example 60 A 192.0.2.1");
	WANT(1, "ok b.example 60: 192.0.2.1");
	ask(2, "a.example");
	ck_assert_uint_eq(fake_latest()->port, 2);
}
END_TEST

UNIT_SUITE(lookups, {
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, joined_then_cached);
	tcase_add_test(tc, failures_hold_shortly);
	tcase_add_test(tc, never_asked);
	tcase_add_test(tc, in_line);
	tcase_add_test(tc, in_line_until_the_deadline);
	tcase_add_test(tc, forgotten);
	tcase_add_test(tc, fronts_take_half);
	tcase_add_test(tc, dropped_with_the_last_waiter);
	tcase_add_test(tc, asking_again_when_answered);
	tcase_add_test(tc, other_servers);
})
