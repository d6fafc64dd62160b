/* SPDX-License-Identifier: ISC */
#include "auth/record.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static void
make(struct buf *b)
{
	buf_init(b, 1 << 20);
	record_begin(b);
	record_add(b, 1, SLICE("one"));
	record_add_u64(b, 2, 0x0102030405060708ULL);
	record_add(b, 3, SLICE(""));
	record_add(b, 1, SLICE("again"));
}

START_TEST(fields)
{
	struct slice r, v;
	struct buf b;
	unsigned char tag;
	size_t at = 0, n = 0;

	make(&b);
	r = guard_copy(buf_slice(&b));
	ck_assert(record_is_valid(r));
	ck_slice_str(record_get(r, 1), "one");
	ck_assert_uint_eq(record_get_u64(r, 2, 7), 0x0102030405060708ULL);
	ck_assert_ptr_nonnull(record_get(r, 3).p);
	ck_assert_ptr_null(record_get(r, 4).p);
	ck_assert_uint_eq(record_get_u64(r, 4, 7), 7);
	ck_assert_uint_eq(record_get_u64(r, 1, 7), 7);
	while (record_next(r, &at, &tag, &v))
		n++;
	ck_assert_uint_eq(n, 4);
	/* Little-endian on every machine. */
	ck_assert_int_eq(r.p[1 + 3 + 3 + 3], 8);
	buf_fini(&b);
}
END_TEST

START_TEST(cut)
{
	struct slice r;
	struct buf b;
	size_t i, ends = 0;

	make(&b);
	for (i = 0; i < b.n; i++) {
		r = guard_copy(slice_head(buf_slice(&b), i));
		(void)record_get(r, 9);
		(void)record_get_u64(r, 2, 0);
		ends += record_is_valid(r);
	}
	/* Only between fields. */
	ck_assert_uint_eq(ends, 4);
	b.p[0] = 2;
	ck_assert(!record_is_valid(buf_slice(&b)));
	ck_assert(!record_is_valid(SLICE_NONE));
	buf_fini(&b);
}
END_TEST

START_TEST(too_long)
{
	struct buf b, big;

	buf_init(&b, 1 << 20);
	buf_init(&big, 1 << 20);
	buf_grew(&big, buf_room(&big, 65536) == NULL ? 0 : 65536);
	record_begin(&b);
	record_add(&b, 1, buf_slice(&big));
	ck_assert(!buf_is_ok(&b));
	buf_fini(&b);
	buf_fini(&big);
}
END_TEST

START_TEST(keys)
{
	static const uint64_t numbers[] = { 1, 255, 256, 65535, 1ULL << 40,
		UINT64_MAX };
	unsigned char a[RECORD_KEY], b[RECORD_KEY];
	size_t i;

	for (i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		ck_assert_uint_eq(record_key_number(record_key(a,
		    numbers[i])), numbers[i]);
		if (i > 0)
			ck_assert_int_lt(slice_cmp(record_key(b,
			    numbers[i - 1]), record_key(a, numbers[i])), 0);
	}
	ck_assert_uint_eq(record_key_number(SLICE("short")), 0);
}
END_TEST

UNIT_SUITE(record, {
	tcase_add_test(tc, fields);
	tcase_add_test(tc, cut);
	tcase_add_test(tc, too_long);
	tcase_add_test(tc, keys);
})
