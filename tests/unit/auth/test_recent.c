/* SPDX-License-Identifier: ISC */
#include "auth/recent.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

START_TEST(remembers)
{
	char big[3000] = { 'x' };
	uint64_t i;

	ck_assert_int_eq(recent_init(), 0);
	recent_add(1, SLICE("a"), 100);
	ck_assert(recent_has(1, SLICE("a"), 99));
	ck_assert(!recent_has(1, SLICE("a"), 100));
	ck_assert(!recent_has(1, SLICE("b"), 99));
	ck_assert(!recent_has(1, SLICE(""), 99));
	ck_assert(!recent_has(2, SLICE("a"), 99));
	recent_add(1, SLICE("b"), 100);
	ck_assert(!recent_has(1, SLICE("a"), 99));
	ck_assert(recent_has(1, SLICE("b"), 99));
	recent_forget(1);
	recent_forget(1);
	ck_assert(!recent_has(1, SLICE("b"), 99));
	recent_add(3, (struct slice){ big, sizeof big }, 100);
	ck_assert(!recent_has(3, (struct slice){ big, sizeof big }, 99));
	for (i = 10; i < 1010; i++)
		recent_add(i, SLICE("p"), (int64_t)i);
	recent_expire(509);
	ck_assert_uint_eq(recent_count(), 500);
	ck_assert(recent_has(1009, SLICE("p"), 509));
	recent_fini();
	ck_assert_uint_eq(recent_count(), 0);
}
END_TEST

UNIT_SUITE(recent, {
	tcase_add_test(tc, remembers);
})
