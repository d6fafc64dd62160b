/* SPDX-License-Identifier: ISC */
#include "base/utf8.h"

#include "tests/unit/unit.h"

static const struct {
	const char *in;
	size_t n;
	uint32_t cp;
} cases[] = {
	{ "a", 1, 'a' },
	{ "\xc3\xa9z", 2, 0xe9 },
	{ "\xe2\x82\xac", 3, 0x20ac },
	{ "\xf0\x9f\x90\xb4", 4, 0x1f434 },
	{ "", 0, 0 },
	{ "\xc3", 0, 0 },
	{ "\xc3z", 0, 0 },
	{ "\xc0\x80", 0, 0 },
	{ "\xe0\x9f\xbf", 0, 0 },
	{ "\xed\xa0\x80", 0, 0 },
	{ "\xf4\x90\x80\x80", 0, 0 },
	{ "\xf0\x9f\x90", 0, 0 },
	{ "\xa9", 0, 0 },
};

START_TEST(next)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	uint32_t cp = 0;
	size_t n = utf8_next(in, &cp);

	ck_assert_msg(n == cases[_i].n && cp == cases[_i].cp, "%d: %zu %x", _i,
	    n, cp);
	ck_assert_int_eq(utf8_is_valid(in),
	    cases[_i].n > 0 || in.n == 0);
}
END_TEST

START_TEST(every_code_point_returns)
{
	struct buf b;
	uint32_t cp, got;

	buf_init(&b, 8);
	for (cp = 0; cp < 0x110000; cp += cp < 0x3000 ? 1 : 13) {
		buf_reset(&b);
		utf8_add(&b, cp);
		ck_assert_uint_eq(utf8_next(buf_slice(&b), &got), b.n);
		ck_assert_uint_eq(got,
		    cp >= 0xd800 && cp <= 0xdfff ? 0xfffd : cp);
	}
	buf_fini(&b);
}
END_TEST

UNIT_SUITE(utf8, {
	tcase_add_loop_test(tc, next, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, every_code_point_returns);
})
