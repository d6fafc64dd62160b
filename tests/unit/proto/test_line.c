/* SPDX-License-Identifier: ISC */
#include "proto/line.h"

#include "tests/unit/unit.h"

static const struct {
	const char *name, *in, *want;
	ssize_t result;
	enum line_error error;
} cases[] = {
	{ "plain", "NOOP\r\nX", "NOOP", 6, 0 },
	{ "empty line", "\r\n", "", 2, 0 },
	{ "no end", "NOOP\r", NULL, 0, 0 },
	{ "bare LF", "NOOP\nQUIT\r\n", NULL, -1, LINE_BARE_LF },
	{ "LF first", "\n", NULL, -1, LINE_BARE_LF },
	{ "bare CR", "NO\rOP\r\n", NULL, -1, LINE_BARE_CR },
	{ "just fits", "1234567890\r\n", "1234567890", 12, 0 },
	{ "one too long", "12345678901\r\n", NULL, -1, LINE_TOO_LONG },
	{ "no end in sight", "123456789012", NULL, -1, LINE_TOO_LONG },
};

static void
check_case(int i, bool bytewise)
{
	struct slice in = guard_copy(slice_str(cases[i].in)), got;
	enum line_error error = LINE_TOO_LONG;
	struct line l;
	ssize_t n = 0;
	size_t k;

	line_init(&l, 12);
	for (k = bytewise ? 1 : in.n; k <= in.n && n == 0; k++)
		n = line_next(&l, slice_head(in, k), &got, &error);
	ck_assert_msg(n == cases[i].result, "%s: %zd", cases[i].name, n);
	if (n > 0)
		ck_slice_str(got, cases[i].want);
	if (n < 0)
		ck_assert_msg(error == cases[i].error, "%s", cases[i].name);
}

START_TEST(whole)
{
	check_case(_i, false);
}
END_TEST

START_TEST(byte_by_byte)
{
	check_case(_i, true);
}
END_TEST

UNIT_SUITE(line, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, whole, 0, n);
	tcase_add_loop_test(tc, byte_by_byte, 0, n);
})
