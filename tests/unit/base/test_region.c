/* SPDX-License-Identifier: ISC */
#include "base/region.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(gives_zeroed_aligned_memory)
{
	struct region r;
	char *p;
	size_t i, k;

	region_init(&r, 1 << 20);
	for (i = 1; i < 300; i++) {
		p = region_alloc(&r, i);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % alignof(max_align_t), 0);
		for (k = 0; k < i; k++)
			ck_assert_int_eq(p[k], 0);
		memset(p, 0xff, i);
	}
	p = region_alloc(&r, 100000);
	ck_assert_ptr_nonnull(p);
	region_fini(&r);
}
END_TEST

START_TEST(has_a_maximum)
{
	struct region r;

	region_init(&r, 1000);
	ck_assert_ptr_nonnull(region_alloc(&r, 900));
	ck_assert(!r.failed);
	ck_assert_ptr_null(region_alloc(&r, 200));
	ck_assert(r.failed);
	/* The failure is sticky: nobody goes on with half of it. */
	ck_assert_ptr_null(region_alloc(&r, 1));
	region_reset(&r);
	ck_assert_ptr_nonnull(region_alloc(&r, 1));
	ck_assert_ptr_null(region_alloc(&r, SIZE_MAX));
	region_fini(&r);
}
END_TEST

START_TEST(copies)
{
	struct region r;
	struct slice s;

	region_init(&r, 1000);
	s = region_slice(&r, guard_copy(SLICE("a\0b")));
	ck_slice_eq(s, SLICE("a\0b"));
	ck_assert_int_eq(s.p[3], 0);
	ck_assert_str_eq(region_str(&r, SLICE("text")), "text");
	ck_assert_str_eq(region_str(&r, SLICE_NONE), "");
	region_fini(&r);
}
END_TEST

UNIT_SUITE(region, {
	tcase_add_test(tc, gives_zeroed_aligned_memory);
	tcase_add_test(tc, has_a_maximum);
	tcase_add_test(tc, copies);
})
