/* SPDX-License-Identifier: ISC */
#include "resolver/cache.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "tests/fake/fake_clock.h"
#include "tests/unit/unit.h"

static struct cache c;

static void
start(void)
{
	fake_clock_set(5000);
	cache_init(&c, 100, 100000);
}

static void
stop(void)
{
	cache_fini(&c);
	ck_assert_uint_eq(c.n, 0);
	ck_assert_uint_eq(c.bytes, 0);
}

static void
put(const char *name, uint16_t type, enum dns_status status, uint32_t ttl,
    size_t size)
{
	static char bytes[65536];
	struct answer a = { status, true, ttl, slice_str(name),
		{ bytes, size } };

	cache_put(&c, slice_str(name), type, &a);
}

static bool
has(const char *name, uint16_t type)
{
	struct answer a;

	return cache_find(&c, slice_str(name), type, &a);
}

START_TEST(until_its_time)
{
	struct answer a;

	put("a.example", DNS_A, DNS_OK, 60, 10);
	fake_clock_set(5000 + 59999);
	ck_assert(cache_find(&c, SLICE("a.example"), DNS_A, &a));
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert(a.is_secure);
	ck_assert_uint_eq(a.ttl, 1);
	ck_assert_uint_eq(a.records.n, 10);
	ck_slice_str(a.canonical, "a.example");
	ck_assert(!has("a.example", DNS_MX));
	ck_assert(!has("b.example", DNS_A));
	fake_clock_set(5000 + 60000);
	ck_assert(!has("a.example", DNS_A));
	ck_assert_uint_eq(c.n, 0);
	ck_assert_uint_eq(c.hits, 1);
	ck_assert_uint_eq(c.misses, 3);
}
END_TEST

START_TEST(replaced)
{
	struct answer a;
	size_t bytes;

	put("a.example", DNS_A, DNS_NXDOMAIN, 60, 0);
	bytes = c.bytes;
	put("a.example", DNS_A, DNS_OK, 10, 4);
	ck_assert_uint_eq(c.n, 1);
	ck_assert_uint_eq(c.bytes, bytes + 4);
	ck_assert(cache_find(&c, SLICE("a.example"), DNS_A, &a));
	ck_assert_int_eq(a.status, DNS_OK);
	ck_assert_uint_eq(a.ttl, 10);
	/* What does not hold any time takes the old one's place too. */
	put("a.example", DNS_A, DNS_OK, 0, 4);
	ck_assert_uint_eq(c.n, 0);
}
END_TEST

START_TEST(bounded_in_number)
{
	char name[32];
	int i;

	for (i = 0; i < 150; i++) {
		(void)snprintf(name, sizeof name, "n%d.example", i);
		put(name, DNS_A, DNS_OK, 60, 4);
		/* One that is always in use stays. */
		ck_assert(has("n0.example", DNS_A));
		ck_assert_uint_le(c.n, 100);
	}
	ck_assert_uint_eq(c.n, 100);
	ck_assert_uint_eq(c.evicted, 50);
	ck_assert(!has("n1.example", DNS_A));
	ck_assert(!has("n50.example", DNS_A));
	ck_assert(has("n51.example", DNS_A));
	cache_set_bounds(&c, 10, 100000);
	ck_assert_uint_eq(c.n, 10);
	ck_assert(has("n51.example", DNS_A));
	cache_set_bounds(&c, 0, 100000);
	ck_assert_uint_eq(c.n, 0);
	put("a.example", DNS_A, DNS_OK, 60, 4);
	ck_assert_uint_eq(c.n, 0);
}
END_TEST

START_TEST(bounded_in_bytes)
{
	char name[32];
	int i;

	for (i = 0; i < 50; i++) {
		(void)snprintf(name, sizeof name, "n%d.example", i);
		put(name, DNS_TXT, DNS_OK, 60, 10000);
		ck_assert_uint_le(c.bytes, 100000);
	}
	ck_assert_uint_eq(c.n, 9);
	/* One alone may not drive out most others. */
	put("big.example", DNS_TXT, DNS_OK, 60, 13000);
	ck_assert(!has("big.example", DNS_TXT));
	ck_assert_uint_eq(c.n, 9);
	cache_clear(&c);
	ck_assert_uint_eq(c.bytes, 0);
}
END_TEST

START_TEST(names)
{
	char name[300];

	memset(name, 'a', sizeof name);
	name[254] = 0;
	put(name, DNS_A, DNS_OK, 60, 4);
	put("", DNS_A, DNS_OK, 60, 4);
	ck_assert_uint_eq(c.n, 0);
	ck_assert(!has(name, DNS_A));
	name[253] = 0;
	put(name, DNS_A, DNS_OK, 60, 4);
	ck_assert(has(name, DNS_A));
}
END_TEST

UNIT_SUITE(cache, {
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, until_its_time);
	tcase_add_test(tc, replaced);
	tcase_add_test(tc, bounded_in_number);
	tcase_add_test(tc, bounded_in_bytes);
	tcase_add_test(tc, names);
})
