/* SPDX-License-Identifier: ISC */
#include "proto/encoded_word.h"

#include <string.h>

#include "base/utf8.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "empty", "", "" },
	{ "plain", "a  b", "a  b" },
	{ "folded", "a\r\n b", "a b" },
	{ "q", "=?utf-8?Q?a=C3=a4_b?=", "a\xc3\xa4 b" },
	{ "b", "=?UTF-8?b?w6Q=?=", "\xc3\xa4" },
	{ "within text", "x =?utf-8?q?y?= z", "x y z" },
	{ "blanks between", "=?utf-8?q?a?=  =?utf-8?b?Yg==?=", "ab" },
	{ "fold between", "=?utf-8?q?a?=\r\n =?utf-8?q?_b?=", "a b" },
	{ "text between", "=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b" },
	{ "language", "=?utf-8*de?q?a?=", "a" },
	{ "other charset", "=?iso-8859-1?q?=E4?=", "\xc3\xa4" },
	{ "charset changes", "=?utf-8?q?a?= =?iso-8859-1?q?=E4?=",
	    "a\xc3\xa4" },
	{ "character cut in two", "=?utf-8?q?=C3?= =?utf-8?q?=A4?=",
	    "\xc3\xa4" },
	{ "unknown charset", "a =?x-none?q?a?=\r\n =?x-none?q?b?= c",
	    "a =?x-none?q?a?= =?x-none?q?b?= c" },
	{ "unknown and known", "=?x-none?q?a?= =?utf-8?q?b?=",
	    "=?x-none?q?a?=b" },
	{ "adjacent", "=?utf-8?q?a?==?utf-8?q?b?=", "ab" },
	{ "no blanks around", "x=?utf-8?q?y?=z", "xyz" },
	{ "blanks within", "=?utf-8?q?a b?=", "a b" },
	{ "question mark within", "=?utf-8?q?a?b?=", "a?b" },
	{ "equals sign at the end", "=?utf-8?q?a=?=", "a=" },
	{ "empty word", "=?utf-8?q?" "?=", "" },
	{ "not an encoding", "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
	{ "no charset", "=??q?a?=", "=??q?a?=" },
	{ "unclosed", "=?utf-8?q?a", "=?utf-8?q?a" },
	{ "unclosed, then a word", "=?utf-8?q?a =?utf-8?q?b?=",
	    "=?utf-8?q?a b" },
	{ "cut short", "=?utf-8?q", "=?utf-8?q" },
	{ "bad escape", "=?utf-8?q?=4=zz=41?=", "=4=zzA" },
	{ "no padding", "=?utf-8?b?YWI?=", "ab" },
	{ "padding within", "=?utf-8?b?YQ==Yg==?=", "ab" },
	{ "junk in base 64", "=?utf-8?b?Y W-I=?=", "ab" },
	{ "raw UTF-8", "\xc3\xa4 =?utf-8?q?b?=", "\xc3\xa4 b" },
	{ "raw octets", "\xe4 b", "\xe4 b" },
};

/* UTF-8 and Latin 1; raw text only when it is UTF-8. */
static int
convert(void *arg, struct slice charset, struct slice in, struct buf *out)
{
	size_t i;

	++*(int *)arg;
	if (slice_ieq_str(charset, "utf-8") ||
	    (charset.n == 0 && utf8_is_valid(in))) {
		buf_add_slice(out, in);
		return 0;
	}
	buf_add_str(out, "junk");
	if (!slice_ieq_str(charset, "iso-8859-1"))
		return -1;
	buf_cut(out, out->n - 4);
	for (i = 0; i < in.n; i++)
		if ((unsigned char)in.p[i] < 128) {
			buf_add_char(out, in.p[i]);
		} else {
			buf_add_char(out, (char)(0xc0 | (in.p[i] >> 6 & 3)));
			buf_add_char(out, (char)(0x80 | (in.p[i] & 0x3f)));
		}
	return 0;
}

static void
decode(struct slice in, struct buf *out)
{
	struct buf bytes;
	int calls = 0;

	buf_init(&bytes, in.n);
	encoded_word_decode(out, in, &bytes, convert, &calls);
	ck_assert(buf_is_ok(out));
	buf_fini(&bytes);
}

START_TEST(whole)
{
	struct buf out;

	buf_init(&out, 1000);
	decode(guard_copy(slice_str(cases[_i].in)), &out);
	ck_assert_msg(slice_eq_str(buf_slice(&out), cases[_i].want),
	    "%s: %s", cases[_i].name, out.p);
	buf_fini(&out);
}
END_TEST

START_TEST(cut)
{
	struct buf out;
	size_t n;

	buf_init(&out, 10000);
	for (n = 0; n < strlen(cases[_i].in); n++)
		decode(guard_copy((struct slice){ cases[_i].in, n }), &out);
	buf_fini(&out);
}
END_TEST

START_TEST(joined)
{
	struct buf out, bytes;
	int calls = 0;

	buf_init(&out, 100);
	buf_init(&bytes, 100);
	encoded_word_decode(&out, SLICE("=?utf-8?q?a?= =?UTF-8?b?Yg==?="),
	    &bytes, convert, &calls);
	ck_assert_int_eq(calls, 1);
	buf_fini(&bytes);
	buf_fini(&out);
}
END_TEST

/* Fails by its time limit if the work grows with the square of the input. */
START_TEST(hostile)
{
	static const char *const units[] = { "=?", "=?a?q?", "=?a?q?x ?",
		"=?utf-8?q?a?= ", " " };
	struct buf in, out, bytes;
	int i, calls = 0;

	buf_init(&in, 8 << 20);
	buf_init(&out, 8 << 20);
	buf_init(&bytes, 8 << 20);
	for (i = 0; i < 1 << 18; i++)
		buf_add_str(&in, units[_i]);
	encoded_word_decode(&out, buf_slice(&in), &bytes, convert, &calls);
	ck_assert(buf_is_ok(&out));
	buf_fini(&bytes);
	buf_fini(&out);
	buf_fini(&in);
}
END_TEST

START_TEST(little_room)
{
	struct buf out, bytes;
	int calls = 0;

	buf_init(&out, 100);
	buf_init(&bytes, 2);
	encoded_word_decode(&out, SLICE("=?utf-8?q?abc?="), &bytes, convert,
	    &calls);
	ck_assert(!buf_is_ok(&out));
	buf_fini(&bytes);
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(encoded_word, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, whole, 0, n);
	tcase_add_loop_test(tc, cut, 0, n);
	tcase_add_test(tc, joined);
	tcase_add_loop_test(tc, hostile, 0, 5);
	tcase_add_test(tc, little_room);
})
