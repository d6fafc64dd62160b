/* SPDX-License-Identifier: ISC */
#include "base/slice.h"

#include "tests/unit/unit.h"

START_TEST(compares)
{
	ck_assert(slice_ieq(SLICE("MaiL"), SLICE("mail")));
	ck_assert(!slice_ieq(SLICE("mail"), SLICE("mails")));
	ck_assert(slice_eq(SLICE_NONE, SLICE("")));
	ck_assert_int_lt(slice_cmp(SLICE("a"), SLICE("ab")), 0);
	ck_assert_int_gt(slice_icmp(SLICE("B"), SLICE("a")), 0);
	ck_assert(slice_has_iprefix(SLICE("FROM:<>"), SLICE("from:")));
	ck_assert(slice_has_suffix(SLICE("a.test"), SLICE(".test")));
	ck_assert(!slice_has_suffix(SLICE("t"), SLICE(".test")));
}
END_TEST

START_TEST(finds)
{
	ck_assert_int_eq(slice_find(SLICE("hello"), SLICE("ll")), 2);
	ck_assert_int_eq(slice_find(SLICE("he"), SLICE("hello")), -1);
	ck_assert_int_eq(slice_ifind(SLICE("xHeLLo"), SLICE("hello")), 1);
	ck_assert_int_eq(slice_chr(SLICE_NONE, 'a'), -1);
	ck_assert_int_eq(slice_rchr(SLICE("a@b@c"), '@'), 3);
}
END_TEST

START_TEST(splits)
{
	struct slice s = SLICE("a,,b"), piece;

	ck_assert(slice_split(&s, ',', &piece));
	ck_slice_str(piece, "a");
	ck_assert(slice_split(&s, ',', &piece));
	ck_slice_str(piece, "");
	ck_assert(slice_split(&s, ',', &piece));
	ck_slice_str(piece, "b");
	ck_assert(!slice_split(&s, ',', &piece));
	ck_slice_str(slice_trim(SLICE(" \t x \t")), "x");
}
END_TEST

UNIT_SUITE(slice, {
	tcase_add_test(tc, compares);
	tcase_add_test(tc, finds);
	tcase_add_test(tc, splits);
})
