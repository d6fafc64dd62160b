/* SPDX-License-Identifier: ISC */
#include "proto/smtp_reply.h"

#include "proto/limits.h"
#include "tests/unit/unit.h"

/* code 0: not whole yet; -1: malformed. */
static const struct {
	const char *name, *in;
	int code;
	const char *enhanced, *text;
	ssize_t used;
	enum smtp_reply_error error;
} cases[] = {
	{ "one line", "250 OK\r\nX", 250, "0.0.0", "OK", 8 },
	{ "no text", "354\r\n", 354, "0.0.0", "", 5 },
	{ "empty text", "334 \r\n", 334, "0.0.0", "", 6 },
	{ "enhanced", "550 5.1.1 no such user\r\n", 550, "5.1.1",
	    "no such user", 24 },
	{ "enhanced alone", "250 2.0.0\r\n", 250, "2.0.0", "", 11 },
	{ "other class", "550 4.1.1 no\r\n", 550, "0.0.0", "4.1.1 no", 14 },
	{ "two lines", "550-5.7.1 one\r\n550 5.7.1 two\r\n", 550, "5.7.1",
	    "one\ntwo", 30 },
	{ "empty lines", "250-\r\n250-\r\n250 \r\n", 250, "0.0.0", "\n\n", 18 },
	{ "LF alone", "250-a\n250 b\n", 250, "0.0.0", "a\nb", 12 },
	{ "half", "250-a\r\n250 b", 0 },
	{ "more to come", "250-a\r\n", 0 },
	{ "nothing", "", 0 },
	{ "code changes", "250-a\r\n251 b\r\n", -1, NULL, NULL, 0,
	    SMTP_REPLY_CODE_CHANGED },
	{ "no code", "hello\r\n", -1, NULL, NULL, 0, SMTP_REPLY_SYNTAX },
	{ "no code 2", "\r\n", -1, NULL, NULL, 0, SMTP_REPLY_SYNTAX },
	{ "bad class", "150 x\r\n", -1, NULL, NULL, 0, SMTP_REPLY_SYNTAX },
	{ "bad class 2", "650 x\r\n", -1, NULL, NULL, 0, SMTP_REPLY_SYNTAX },
	{ "short code", "25 x\r\n", -1, NULL, NULL, 0, SMTP_REPLY_SYNTAX },
	{ "bad digit", "25x x\r\n", -1, NULL, NULL, 0, SMTP_REPLY_SYNTAX },
	{ "bad mark", "250+x\r\n", -1, NULL, NULL, 0, SMTP_REPLY_SYNTAX },
	{ "line in between", "250-x\r\n\r\n250 y\r\n", -1, NULL, NULL, 0,
	    SMTP_REPLY_SYNTAX },
};

static void
check_case(int i, bool bytewise)
{
	struct slice in = guard_copy(slice_str(cases[i].in));
	enum smtp_reply_error error = SMTP_REPLY_TOO_LONG;
	struct smtp_reply_parser p;
	struct smtp_reply r;
	struct buf text, out;
	ssize_t n = 0;
	size_t k;

	smtp_reply_init(&p);
	buf_init(&text, 1000);
	buf_init(&out, 20);
	for (k = bytewise ? 0 : in.n; k <= in.n && n == 0; k++)
		n = smtp_reply_next(&p, slice_head(in, k), &text, &r, &error);
	if (cases[i].code <= 0) {
		ck_assert_msg(n == cases[i].code, "%s: %zd", cases[i].name, n);
		if (n < 0)
			ck_assert_int_eq(error, cases[i].error);
	} else {
		ck_assert_msg(n == cases[i].used, "%s: %zd", cases[i].name, n);
		ck_assert_int_eq(r.code, cases[i].code);
		enhanced_add(&out, r.enhanced);
		ck_slice_str(buf_slice(&out), cases[i].enhanced);
		ck_slice_str(r.text, cases[i].text);
		ck_assert(!r.is_cut && p.seen == 0 && p.code == 0);
	}
	buf_fini(&text);
	buf_fini(&out);
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

START_TEST(limits)
{
	const struct slice line = SLICE("250-0123456789\r\n");
	enum smtp_reply_error error = SMTP_REPLY_SYNTAX;
	struct smtp_reply_parser p;
	struct smtp_reply r;
	struct buf in, text;

	buf_init(&in, 2 * LIMIT_SMTP_REPLY);
	buf_init(&text, 15);
	smtp_reply_init(&p);
	while (in.n < LIMIT_SMTP_REPLY_LINE)
		buf_add_str(&in, "2");
	ck_assert_int_eq(smtp_reply_next(&p, buf_slice(&in), &text, &r,
	    &error), 0);
	buf_add_str(&in, "2");
	ck_assert_int_eq(smtp_reply_next(&p, buf_slice(&in), &text, &r,
	    &error), -1);
	ck_assert_int_eq(error, SMTP_REPLY_TOO_LONG);
	buf_reset(&in);
	smtp_reply_init(&p);
	while (in.n < LIMIT_SMTP_REPLY)
		buf_add_slice(&in, line);
	error = SMTP_REPLY_SYNTAX;
	ck_assert_int_eq(smtp_reply_next(&p, buf_slice(&in), &text, &r,
	    &error), 0);
	buf_add_slice(&in, line);
	ck_assert_int_eq(smtp_reply_next(&p, buf_slice(&in), &text, &r,
	    &error), -1);
	ck_assert_int_eq(error, SMTP_REPLY_TOO_LONG);

	smtp_reply_init(&p);
	ck_assert_int_eq(smtp_reply_next(&p,
	    SLICE("250-0123456789\r\n250 0123456789\r\n"), &text, &r, &error),
	    32);
	ck_assert(r.is_cut);
	ck_slice_str(r.text, "0123456789\n0123");
	buf_fini(&in);
	buf_fini(&text);
}
END_TEST

UNIT_SUITE(smtp_reply, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, whole, 0, n);
	tcase_add_loop_test(tc, byte_by_byte, 0, n);
	tcase_add_test(tc, limits);
})
