/* SPDX-License-Identifier: ISC */
#include "base/num.h"

#include "tests/unit/unit.h"

enum kind { PLAIN, SIGNED, HEX, SIZE, DURATION };

static const struct {
	enum kind kind;
	const char *in;
	int result;
	int64_t want;
} cases[] = {
	{ PLAIN, "0", 0, 0 }, { PLAIN, "007", 0, 7 },
	{ PLAIN, "9223372036854775807", 0, INT64_MAX },
	{ PLAIN, "18446744073709551616", -1, 0 },
	{ PLAIN, "99999999999999999999999", -1, 0 },
	{ PLAIN, "", -1, 0 }, { PLAIN, "-1", -1, 0 }, { PLAIN, "+1", -1, 0 },
	{ PLAIN, " 1", -1, 0 }, { PLAIN, "1 ", -1, 0 }, { PLAIN, "1x", -1, 0 },
	{ SIGNED, "-5", 0, -5 }, { SIGNED, "5", 0, 5 }, { SIGNED, "-", -1, 0 },
	{ SIGNED, "--5", -1, 0 },
	{ HEX, "fF", 0, 255 }, { HEX, "", -1, 0 }, { HEX, "g", -1, 0 },
	{ HEX, "11112222333344445", -1, 0 },
	{ SIZE, "512", 0, 512 }, { SIZE, "64K", 0, 65536 },
	{ SIZE, "2g", 0, 2147483648 }, { SIZE, "1KB", -1, 0 },
	{ SIZE, "K", -1, 0 }, { SIZE, "9999999999999T", -1, 0 },
	{ DURATION, "90", 0, 90000 }, { DURATION, "250ms", 0, 250 },
	{ DURATION, "2h", 0, 7200000 }, { DURATION, "1w", 0, 604800000 },
	{ DURATION, "1y", -1, 0 }, { DURATION, "", -1, 0 },
	{ DURATION, "999999999999999999w", -1, 0 },
};

START_TEST(reads)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	uint64_t u = 1234567;
	int64_t s = 1234567;
	int result = -2;

	switch (cases[_i].kind) {
	case PLAIN:
		result = num_parse(in, 0, UINT64_MAX, &u);
		break;
	case SIGNED:
		result = num_parse_signed(in, INT64_MIN + 1, INT64_MAX, &s);
		u = (uint64_t)s;
		break;
	case HEX:
		result = num_parse_hex(in, &u);
		break;
	case SIZE:
		result = num_parse_size(in, &u);
		break;
	case DURATION:
		result = num_parse_duration(in, &u);
		break;
	}
	ck_assert_msg(result == cases[_i].result, "\"%s\"", cases[_i].in);
	ck_assert_msg((int64_t)u == (result == 0 ? cases[_i].want : 1234567),
	    "\"%s\" gave %lld", cases[_i].in, (long long)u);
}
END_TEST

START_TEST(bounds)
{
	struct slice s = SLICE("123rest");
	uint64_t v;

	ck_assert_int_lt(num_parse(SLICE("5"), 6, 10, &v), 0);
	ck_assert_int_lt(num_parse(SLICE("11"), 6, 10, &v), 0);
	ck_assert_int_eq(num_parse(SLICE("10"), 6, 10, &v), 0);
	ck_assert_int_eq(num_take(&s, 1000, &v), 0);
	ck_assert_uint_eq(v, 123);
	ck_slice_str(s, "rest");
}
END_TEST

UNIT_SUITE(num, {
	tcase_add_loop_test(tc, reads, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, bounds);
})
