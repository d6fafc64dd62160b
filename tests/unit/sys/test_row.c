/* SPDX-License-Identifier: ISC */
#include "sys/row.h"

#include "tests/unit/unit.h"

START_TEST(there_and_back)
{
	struct slice list, item;
	struct buf b;

	buf_init(&b, 1000);
	row_pair_str(&b, "name", "value");
	row_pair_u64(&b, "n", 18446744073709551615ULL);
	row_pair(&b, "empty", SLICE_NONE);
	ck_slice_str(row_get(buf_slice(&b), "name"), "value");
	ck_slice_str(row_get(buf_slice(&b), "n"), "18446744073709551615");
	ck_assert_ptr_nonnull(row_get(buf_slice(&b), "empty").p);
	ck_assert_ptr_null(row_get(buf_slice(&b), "nothing").p);
	list = guard_copy(buf_slice(&b));
	while (row_next(&list, &item))
		continue;
	ck_assert_uint_eq(list.n, 0);
	buf_fini(&b);
}
END_TEST

START_TEST(cut_short)
{
	struct slice list, item;
	struct buf b;
	size_t n;

	buf_init(&b, 1000);
	row_pair_str(&b, "key", "a longer value");
	for (n = 0; n < b.n; n++) {
		list = guard_copy(slice_head(buf_slice(&b), n));
		while (row_next(&list, &item))
			continue;
	}
	/* A length that lies. */
	list = SLICE("\xff\xff\xff\xff" "abc");
	ck_assert(!row_next(&list, &item));
	buf_fini(&b);
}
END_TEST

UNIT_SUITE(row, {
	tcase_add_test(tc, there_and_back);
	tcase_add_test(tc, cut_short);
})
