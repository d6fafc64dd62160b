/* SPDX-License-Identifier: ISC */
#include "auth/rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct rates r;

static void
set_up(void)
{
	rates_init(&r, 100);
}

static void
tear_down(void)
{
	rates_fini(&r);
}

static struct rate_answer
ask(const char *key, uint32_t cost, uint32_t limit, int64_t now)
{
	return rates_ask(&r, guard_copy(slice_str(key)), 10, cost, limit,
	    now);
}

/* Seconds, as sums of what was counted; windows of 10 s. */
static const struct {
	int64_t at_ms;
	uint32_t cost, limit;
	bool allowed;
	uint32_t count;
} flow[] = {
	{ 0, 1, 4, true, 1 },
	{ 0, 2, 4, true, 3 },
	{ 1000, 0, 4, true, 3 },
	{ 9999, 1, 4, true, 4 },
	{ 9999, 1, 4, false, 4 },
	{ 9999, 0, 4, false, 4 },
	{ 10000, 0, 5, true, 4 },   /* the bucket turned, nothing gone yet */
	{ 12500, 0, 4, true, 3 },   /* a quarter of the old one gone */
	{ 12500, 1, 4, true, 4 },
	{ 12500, 1, 4, false, 4 },
	{ 15000, 1, 4, true, 4 },   /* 2 of the old, 2 of the new */
	{ 25000, 0, 4, true, 1 },
	{ 100000, 0, 1, true, 0 },
	{ 100000, 5, 4, false, 0 },
	{ 100000, 4, 4, true, 4 },
	{ 100000, 0, 0, false, 4 },
};

START_TEST(window)
{
	struct rate_answer a;
	size_t i;

	for (i = 0; i < sizeof flow / sizeof *flow; i++) {
		a = ask("k", flow[i].cost, flow[i].limit,
		    1000000 + flow[i].at_ms);
		ck_assert_msg(a.is_allowed == flow[i].allowed &&
		    a.count == flow[i].count, "step %zu: %d %u", i,
		    a.is_allowed, a.count);
	}
}
END_TEST

/* After the time told it is allowed, and not much before it. */
START_TEST(retry)
{
	struct rate_answer a;
	int64_t now = 5000000;
	uint32_t limit;

	for (limit = 1; limit < 40; limit++) {
		ask("r", limit, limit, now);
		for (now += 137; (a = ask("r", 1, limit, now)).is_allowed;)
			;
		ck_assert_uint_ge(a.retry_s, 1);
		ck_assert_uint_le(a.retry_s, 20);
		ck_assert(ask("r", 0, limit,
		    now + a.retry_s * 1000).is_allowed);
		if (a.retry_s > 1)
			ck_assert(!ask("r2", 0, 0, now).is_allowed);
		now += 60000;
	}
	/* What can never be says so after one window. */
	ck_assert_uint_eq(ask("r", 9, 8, now).retry_s, 10);
}
END_TEST

/* An even flow at the limit passes; twice that is halved. */
START_TEST(even_flow)
{
	unsigned passed = 0, i;

	for (i = 0; i < 1000; i++)
		passed += ask("even", 1, 100, 1000 + i * 101).is_allowed;
	ck_assert_uint_ge(passed, 985);
	passed = 0;
	for (i = 0; i < 2000; i++)
		passed += ask("double", 1, 100, 1000 + i * 50).is_allowed;
	ck_assert_uint_ge(passed, 950);
	ck_assert_uint_le(passed, 1150);
}
END_TEST

START_TEST(least_recently_used)
{
	char key[16];
	unsigned i;

	for (i = 0; i < 100; i++) {
		(void)snprintf(key, sizeof key, "k%u", i);
		ask(key, 1, 9, 1000);
	}
	ask("k0", 0, 9, 1000); /* to look is to use */
	ask("new", 1, 9, 1000);
	ck_assert_uint_eq(r.n, 100);
	ck_assert_uint_eq(ask("k0", 0, 9, 1000).count, 1);
	ck_assert_uint_eq(ask("k1", 0, 9, 1000).count, 0);
	/* Looking makes no entry. */
	for (i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof key, "look%u", i);
		ask(key, 0, 9, 1000);
		ask(key, 10, 9, 1000);
	}
	ck_assert_uint_eq(ask("k2", 0, 9, 1000).count, 1);
	rates_set_max(&r, 2);
	ck_assert_uint_eq(r.n, 2);
	ck_assert_uint_eq(ask("k2", 0, 9, 1000).count, 1);
	rates_set_max(&r, 0);
	ck_assert_uint_eq(r.n, 1);
}
END_TEST

START_TEST(odd_input)
{
	char big[2000];
	struct slice key = { big, sizeof big };
	uint32_t i;

	memset(big, 'x', sizeof big);
	ck_assert(rates_ask(&r, key, 0, 1, 1, 1).is_allowed);
	ck_assert(!rates_ask(&r, key, 0, 1, 1, 1).is_allowed);
	big[1999] = 'y'; /* a difference that is cut off counts still */
	ck_assert(rates_ask(&r, key, 0, 1, 1, 1).is_allowed);
	ck_assert(rates_ask(&r, SLICE_NONE, UINT32_MAX, UINT32_MAX,
	    UINT32_MAX, 1).is_allowed);
	ck_assert(!rates_ask(&r, SLICE_NONE, UINT32_MAX, UINT32_MAX,
	    UINT32_MAX, 1).is_allowed);
	for (i = 0; i < 5; i++)
		(void)rates_ask(&r, SLICE_NONE, UINT32_MAX, 1, UINT32_MAX,
		    INT64_MAX / 2);
	/* A clock that went back. */
	(void)ask("back", 1, 9, 1000000);
	ck_assert_uint_eq(ask("back", 1, 9, 5).count, 2);
}
END_TEST

START_TEST(clear)
{
	ask("a:1", 1, 9, 1);
	ask("a:2", 1, 9, 1);
	ask("b", 1, 9, 1);
	(void)rates_ask(&r, SLICE("b"), 60, 1, 9, 1);
	ck_assert_uint_eq(rates_clear(&r, SLICE("a")), 0);
	ck_assert_uint_eq(rates_clear(&r, SLICE("b")), 2);
	ck_assert_uint_eq(rates_clear(&r, SLICE("a:*")), 2);
	ck_assert_uint_eq(r.n, 0);
	ask("c", 1, 9, 1);
	rates_expire(&r, 10, 20000);
	ck_assert_uint_eq(r.n, 1);
	rates_expire(&r, 10, 20001);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

UNIT_SUITE(rates, {
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, window);
	tcase_add_test(tc, retry);
	tcase_add_test(tc, even_flow);
	tcase_add_test(tc, least_recently_used);
	tcase_add_test(tc, odd_input);
	tcase_add_test(tc, clear);
})
