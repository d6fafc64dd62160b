/* SPDX-License-Identifier: ISC */
#include "proto/imap_token.h"

#include "base/buf.h"
#include "tests/unit/unit.h"

static struct buf out;

/* Each kind of token, written down as text. */
static int
tag(struct imap_cur *c)
{
	struct slice s;

	if (imap_take_tag(c, &s) < 0)
		return -1;
	buf_add_slice(&out, s);
	return 0;
}

#define STRING_KIND(name, take) \
	static int name(struct imap_cur *c) \
	{ \
		struct slice s; \
		if (take(c, &s) < 0) \
			return -1; \
		if (s.p == NULL) \
			buf_add_str(&out, "(NIL)"); \
		buf_add_slice(&out, s); \
		return 0; \
	}
STRING_KIND(atom, imap_take_atom)
STRING_KIND(string, imap_take_string)
STRING_KIND(astring, imap_take_astring)
STRING_KIND(nstring, imap_take_nstring)
STRING_KIND(literal8, imap_take_literal8)
STRING_KIND(mailbox, imap_take_mailbox)
STRING_KIND(pattern, imap_take_pattern)
STRING_KIND(charset, imap_take_charset)
STRING_KIND(objectid, imap_take_objectid)
STRING_KIND(keyword, imap_take_keyword)

#define NUMBER_KIND(name, type, take) \
	static int name(struct imap_cur *c) \
	{ \
		type v; \
		if (take(c, &v) < 0) \
			return -1; \
		buf_addf(&out, "%lld", (long long)v); \
		return 0; \
	}
NUMBER_KIND(number, uint32_t, imap_take_number)
NUMBER_KIND(nz_number, uint32_t, imap_take_nz_number)
NUMBER_KIND(number64, uint64_t, imap_take_number64)
NUMBER_KIND(nz_number64, uint64_t, imap_take_nz_number64)
NUMBER_KIND(date, int32_t, imap_take_date)

static int
datetime(struct imap_cur *c)
{
	struct imap_datetime t;

	if (imap_take_datetime(c, &t) < 0)
		return -1;
	imap_datetime_format(&out, t);
	return 0;
}

static int
seqset(struct imap_cur *c)
{
	struct imap_seqset set;

	if (imap_take_seqset(c, &set) < 0)
		return -1;
	imap_seqset_format(&out, &set);
	return 0;
}

static int
known_set(struct imap_cur *c)
{
	struct imap_seqset set;

	if (imap_take_known_set(c, &set) < 0)
		return -1;
	imap_seqset_format(&out, &set);
	return 0;
}

static void
dump_flags(const struct imap_flags *f)
{
	size_t i;

	buf_addf(&out, "%u", f->system);
	for (i = 0; i < f->n; i++)
		buf_addf(&out, " %.*s", SLICE_FMT(f->keywords[i]));
}

static int
flag_list(struct imap_cur *c)
{
	struct imap_flags f;

	if (imap_take_flag_list(c, &f) < 0)
		return -1;
	dump_flags(&f);
	return 0;
}

static int
flags(struct imap_cur *c)
{
	struct imap_flags f;

	if (imap_take_flags(c, &f) < 0)
		return -1;
	dump_flags(&f);
	return 0;
}

#define TEN "0123456789"
#define CENTURY TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
	int (*take)(struct imap_cur *);
	const char *in, *want; /* NULL: the error */
	enum imap_error error;
	const char *rest;
} cases[] = {
	{ tag, "A001 NOOP", "A001", 0, " NOOP" },
	{ tag, "a]", "a]", 0, "" },
	{ tag, "a+b", "a", 0, "+b" },
	{ tag, "+", NULL, IMAP_ERROR_TAG, NULL },
	{ tag, "", NULL, IMAP_ERROR_TAG, NULL },
	{ atom, "FETCH 1", "FETCH", 0, " 1" },
	{ atom, "a]", "a", 0, "]" },
	{ atom, "\xc3\xa4", NULL, IMAP_ERROR_ATOM, NULL },
	{ atom, "\"a\"", NULL, IMAP_ERROR_ATOM, NULL },
	{ atom, "", NULL, IMAP_ERROR_MISSING, NULL },
	{ atom, "a\x7f", "a", 0, "\x7f" },
	{ string, "\"\" ", "", 0, " " },
	{ string, "\"a b\"", "a b", 0, "" },
	{ string, "\"a\\\"b\\\\\" x", "a\"b\\", 0, " x" },
	{ string, "\"\xc3\xa4\"", "\xc3\xa4", 0, "" },
	{ string, "\"\xe4\"", NULL, IMAP_ERROR_UTF8, NULL },
	{ string, "\"a\\b\"", NULL, IMAP_ERROR_QUOTED, NULL },
	{ string, "\"a", NULL, IMAP_ERROR_QUOTED, NULL },
	{ string, "\"a\\", NULL, IMAP_ERROR_QUOTED, NULL },
	{ string, "\"a\\\"", NULL, IMAP_ERROR_QUOTED, NULL },
	{ string, "\"a\r\nb\"", NULL, IMAP_ERROR_QUOTED, NULL },
	{ string, "{3}\r\nfoo bar", "foo", 0, " bar" },
	{ string, "{3+}\r\nf\r\n", "f\r\n", 0, "" },
	{ string, "{0}\r\n", "", 0, "" },
	{ string, "{4}\r\nfoo", NULL, IMAP_ERROR_LITERAL, NULL },
	{ string, "{3}\nfoo", NULL, IMAP_ERROR_LITERAL, NULL },
	{ string, "{3-}\r\nfoo", NULL, IMAP_ERROR_LITERAL, NULL },
	{ string, "{}\r\n", NULL, IMAP_ERROR_LITERAL, NULL },
	{ string, "{99999999999999999999}\r\n", NULL, IMAP_ERROR_LITERAL,
	    NULL },
	{ string, "~{3}\r\nfoo", NULL, IMAP_ERROR_STRING, NULL },
	{ string, "foo", NULL, IMAP_ERROR_STRING, NULL },
	{ literal8, "~{3}\r\nfoo", "foo", 0, "" },
	{ literal8, "{3+}\r\nfoo", "foo", 0, "" },
	{ literal8, "\"foo\"", NULL, IMAP_ERROR_STRING, NULL },
	{ astring, "foo] x", "foo]", 0, " x" },
	{ astring, "\"foo\"", "foo", 0, "" },
	{ astring, "{1}\r\n(", "(", 0, "" },
	{ astring, "NIL", "NIL", 0, "" },
	{ astring, "(foo)", NULL, IMAP_ERROR_STRING, NULL },
	{ nstring, "NIL x", "(NIL)", 0, " x" },
	{ nstring, "nil", "(NIL)", 0, "" },
	{ nstring, "\"NIL\"", "NIL", 0, "" },
	{ nstring, "NILL", NULL, IMAP_ERROR_STRING, NULL },
	{ nstring, "", NULL, IMAP_ERROR_MISSING, NULL },
	{ mailbox, "inbox", "inbox", 0, "" },
	{ mailbox, "\"a b/c\"", "a b/c", 0, "" },
	{ mailbox, "a*", "a", 0, "*" },
	{ pattern, "a/%*] x", "a/%*]", 0, " x" },
	{ pattern, "\"%\"", "%", 0, "" },
	{ charset, "\"UTF-8\"", "UTF-8", 0, "" },
	{ objectid, "M6d99ac-_9 x", "M6d99ac-_9", 0, " x" },
	{ objectid, "(", NULL, IMAP_ERROR_OBJECTID, NULL },
	{ objectid, CENTURY CENTURY CENTURY, NULL, IMAP_ERROR_OBJECTID, NULL },
	{ keyword, "$Forwarded)", "$Forwarded", 0, ")" },
	{ keyword, CENTURY CENTURY CENTURY, NULL, IMAP_ERROR_FLAG, NULL },
	{ number, "0", "0", 0, "" },
	{ number, "4294967295x", "4294967295", 0, "x" },
	{ number, "4294967296", NULL, IMAP_ERROR_NUMBER, NULL },
	{ number, "-1", NULL, IMAP_ERROR_NUMBER, NULL },
	{ nz_number, "0", NULL, IMAP_ERROR_NUMBER, NULL },
	{ nz_number, "7 ", "7", 0, " " },
	{ number64, "9223372036854775807", "9223372036854775807", 0, "" },
	{ number64, "9223372036854775808", NULL, IMAP_ERROR_NUMBER, NULL },
	{ nz_number64, "0", NULL, IMAP_ERROR_NUMBER, NULL },
	{ date, "1-Jan-1970", "0", 0, "" },
	{ date, "\"2-Jan-1970\" x", "1", 0, " x" },
	{ date, "2-Jan-70", NULL, IMAP_ERROR_DATE, NULL },
	{ date, "(", NULL, IMAP_ERROR_DATE, NULL },
	{ datetime, "\" 1-Jan-1970 00:00:00 +0000\"",
	    "\" 1-Jan-1970 00:00:00 +0000\"", 0, "" },
	{ datetime, "1-Jan-1970", NULL, IMAP_ERROR_DATETIME, NULL },
	{ datetime, "\"1-Jan-1970\"", NULL, IMAP_ERROR_DATETIME, NULL },
	{ seqset, "1:*,3 x", "1:*,3", 0, " x" },
	{ seqset, "$", "$", 0, "" },
	{ seqset, "1:", NULL, IMAP_ERROR_SEQSET, NULL },
	{ seqset, "a", NULL, IMAP_ERROR_SEQSET, NULL },
	{ known_set, "1:3,9", "1:3,9", 0, "" },
	{ known_set, "1:*", NULL, IMAP_ERROR_STAR, NULL },
	{ known_set, "$", NULL, IMAP_ERROR_STAR, NULL },
	{ flag_list, "()", "0", 0, "" },
	{ flag_list, "(\\Seen $Junk \\answered a b c d e \\SEEN $JUNK)",
	    "9 $Junk a b c d e", 0, "" },
	{ flag_list, "(\\Recent)", NULL, IMAP_ERROR_FLAG, NULL },
	{ flag_list, "(\\Unheard)", NULL, IMAP_ERROR_FLAG, NULL },
	{ flag_list, "(\\*)", NULL, IMAP_ERROR_FLAG, NULL },
	{ flag_list, "(a  b)", NULL, IMAP_ERROR_FLAG, NULL },
	{ flag_list, "(a b", NULL, IMAP_ERROR_MISSING, NULL },
	{ flag_list, "a", NULL, IMAP_ERROR_OPEN, NULL },
	{ flags, "\\Seen x", "8 x", 0, "" },
	{ flags, "(\\Draft)", "16", 0, "" },
	{ flags, "\\Seen ", NULL, IMAP_ERROR_MISSING, NULL },
};

static void
check(struct slice in, int i, bool is_whole)
{
	struct region region;
	struct imap_cur c;
	int n;

	region_init(&region, 100000);
	buf_reset(&out);
	imap_cur_init(&c, in, &region);
	n = cases[i].take(&c);
	ck_assert((n < 0) == (c.error != IMAP_ERROR_NONE));
	if (is_whole && cases[i].want != NULL) {
		ck_assert_msg(n == 0, "%s: %s", cases[i].in,
		    imap_error_text(c.error));
		ck_slice_str(buf_slice(&out), cases[i].want);
		ck_slice_str(imap_rest(&c), cases[i].rest);
	} else if (is_whole) {
		ck_assert_msg(n < 0, "%s", cases[i].in);
		ck_assert_msg(c.error == cases[i].error, "%s: %s", cases[i].in,
		    imap_error_text(c.error));
	}
	region_fini(&region);
}

START_TEST(token)
{
	struct slice in = slice_str(cases[_i].in);
	size_t k;

	buf_init(&out, 10000);
	for (k = 0; k <= in.n; k++)
		check(guard_copy(slice_head(in, k)), _i, k == in.n);
	buf_fini(&out);
}
END_TEST

START_TEST(literal_with_nul)
{
	struct region region;
	struct imap_cur c;
	struct slice s;

	region_init(&region, 1000);
	imap_cur_init(&c, SLICE("{3}\r\na\0b"), &region);
	ck_assert(imap_take_string(&c, &s) < 0);
	ck_assert(c.error == IMAP_ERROR_LITERAL);
	imap_cur_init(&c, SLICE("~{3}\r\na\0b"), &region);
	ck_assert(imap_take_literal8(&c, &s) == 0);
	ck_slice_eq(s, SLICE("a\0b"));
	imap_cur_init(&c, SLICE("\"a\0b\""), &region);
	ck_assert(imap_take_string(&c, &s) < 0);
	region_fini(&region);
}
END_TEST

START_TEST(nesting)
{
	struct region region;
	struct imap_cur c;
	int i;

	region_init(&region, 1000);
	imap_cur_init(&c, SLICE("((((((((((((((((((((((((((((((((((("), &region);
	for (i = 0; i < 32; i++)
		ck_assert(imap_take_open(&c) == 0);
	ck_assert(imap_take_open(&c) < 0);
	ck_assert(c.error == IMAP_ERROR_NESTING);
	ck_assert(imap_fail(&c, IMAP_ERROR_TAG) < 0);
	ck_assert(c.error == IMAP_ERROR_NESTING);
	region_fini(&region);
}
END_TEST

START_TEST(too_many_flags)
{
	struct imap_flags f;
	struct region region;
	struct imap_cur c;
	struct buf in;
	int i;

	region_init(&region, 100000);
	buf_init(&in, 10000);
	for (i = 0; i < 257; i++)
		buf_addf(&in, "%sk%d", i > 0 ? " " : "(", i);
	buf_add_char(&in, ')');
	imap_cur_init(&c, buf_slice(&in), &region);
	ck_assert(imap_take_flag_list(&c, &f) < 0);
	ck_assert(c.error == IMAP_ERROR_TOO_MANY);
	imap_cur_init(&c, slice_from(buf_slice(&in), 1), &region);
	ck_assert(imap_take_flags(&c, &f) < 0);
	ck_assert(c.error == IMAP_ERROR_TOO_MANY);
	region_fini(&region);
	region_init(&region, 100);
	imap_cur_init(&c, buf_slice(&in), &region);
	ck_assert(imap_take_flag_list(&c, &f) < 0);
	ck_assert(c.error == IMAP_ERROR_MEMORY);
	region_fini(&region);
	buf_fini(&in);
}
END_TEST

START_TEST(every_error_has_a_sentence)
{
	int i;

	for (i = 0; i < IMAP_ERROR_COUNT; i++)
		ck_assert(slice_has_suffix(slice_str(imap_error_text(
		    (enum imap_error)i)), SLICE(".")));
	ck_assert_ptr_nonnull(imap_error_text(IMAP_ERROR_COUNT));
}
END_TEST

UNIT_SUITE(imap_token, {
	tcase_add_loop_test(tc, token, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, literal_with_nul);
	tcase_add_test(tc, nesting);
	tcase_add_test(tc, too_many_flags);
	tcase_add_test(tc, every_error_has_a_sentence);
})
