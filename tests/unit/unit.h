/* SPDX-License-Identifier: ISC */
/*
 * What every unit test needs. A test file defines `Suite *suite_NAME(void)`
 * and is listed in its layer's suites.h as one line S(NAME).
 *
 * A parser is fed three ways: whole, byte by byte (at every split, where it is
 * incremental), and against an unreadable page (guard_copy).
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>
#include <stddef.h>

#include "base/slice.h"

/*
 * A copy of `s` that ends right before an unreadable page, so that reading one
 * byte too many crashes. Valid until the test process ends.
 */
struct slice guard_copy(struct slice s);

/* Compare slices with a readable message. */
#define ck_slice_eq(got, want) \
	ck_assert_msg(slice_eq((got), (want)), "got \"%.*s\", want \"%.*s\"", \
	    SLICE_FMT(got), SLICE_FMT(want))
#define ck_slice_str(got, want) ck_slice_eq((got), slice_str(want))

/* A suite with one case, for files that need no fixtures. */
#define UNIT_SUITE(name, add) \
	Suite *suite_##name(void); \
	Suite *suite_##name(void) \
	{ \
		Suite *suite_ = suite_create(#name); \
		TCase *tc = tcase_create("all"); \
		tcase_set_timeout(tc, 30); \
		add \
		suite_add_tcase(suite_, tc); \
		return suite_; \
	}

#endif
