/* SPDX-License-Identifier: ISC */
#include "proto/rfc822.h"

#include <string.h>

#include "tests/unit/unit.h"

/* Tokens are written as a letter of their type and their text; '_': spaced. */
static const struct {
	const char *name, *in, *want;
} tokens[] = {
	{ "empty", "", "" },
	{ "blank", " \t\r\n ", "" },
	{ "atoms", "a b\tc", "Aa _Ab _Ac " },
	{ "dot", "a.b", "Aa S. Ab " },
	{ "quoted", "\"a b\"c", "Qa b Ac " },
	{ "escape", "\"a\\\"b\"", "Qa\\\"b " },
	{ "unclosed quote", "\"a b", "S\" Aa _Ab " },
	{ "escaped end", "\"a\\\"", "S\" Aa\\ S\" " },
	{ "comment", "a(b)c", "Aa _Ac " },
	{ "nested comment", "(a(b)c\\))d", "_Ad " },
	{ "unclosed comment", "(a (b) c", "S( Aa _S( Ab S) _Ac " },
	{ "literal", "@[1.2 3]x", "S@ L[1.2 3] Ax " },
	{ "unclosed literal", "[a[b]", "S[ Aa L[b] " },
	{ "escaped bracket", "[a\\]b]", "L[a\\]b] " },
	{ "8 bit", "\xc3\xa4\x80", "A\xc3\xa4\x80 " },
	{ "specials", "<>:;,", "S< S> S: S; S, " },
	{ "lone close", ")]\\", "S) S] A\\ " },
};

static void
tokenize(struct slice in, struct buf *out)
{
	struct rfc822_token t;
	struct rfc822_scan s;

	rfc822_scan_init(&s, in);
	while (rfc822_next(&s, &t) != RFC822_END) {
		if (t.is_spaced)
			buf_add_char(out, '_');
		buf_add_char(out, " AQLS"[t.type]);
		buf_add_slice(out, t.text);
		buf_add_char(out, ' ');
	}
}

START_TEST(token)
{
	struct slice in = guard_copy(slice_str(tokens[_i].in));
	struct buf out;

	buf_init(&out, 1000);
	tokenize(in, &out);
	ck_slice_str(buf_slice(&out), tokens[_i].want);
	buf_fini(&out);
}
END_TEST

/* Every prefix of every input is safe against an unreadable page. */
START_TEST(token_cut)
{
	struct buf out;
	size_t n;

	buf_init(&out, 1000);
	for (n = 0; n < strlen(tokens[_i].in); n++) {
		buf_reset(&out);
		tokenize(guard_copy((struct slice){ tokens[_i].in, n }), &out);
		ck_assert(buf_is_ok(&out));
	}
	buf_fini(&out);
}
END_TEST

START_TEST(deep_comment)
{
	struct rfc822_token t;
	struct rfc822_scan s;
	char in[200];

	memset(in, '(', 100);
	memset(in + 100, ')', 100);
	rfc822_scan_init(&s, (struct slice){ in, 200 });
	ck_assert_int_eq(rfc822_next(&s, &t), RFC822_SPECIAL);
	rfc822_scan_init(&s, (struct slice){ in + 70, 60 });
	ck_assert_int_eq(rfc822_next(&s, &t), RFC822_END);
	ck_assert_uint_eq(s.comment.n, 58);
}
END_TEST

/* Fails by its time limit if a search that failed is made again and again. */
START_TEST(unclosed_many)
{
	static const char *const units[] = { "(", "\"", "[", "\\(", "a(" };
	struct rfc822_token t;
	struct rfc822_scan s;
	struct buf in;
	size_t i;

	buf_init(&in, 4 << 20);
	for (i = 0; i < 1 << 20; i++)
		buf_add_str(&in, units[_i]);
	buf_add_char(&in, '"');
	rfc822_scan_init(&s, buf_slice(&in));
	for (i = 0; rfc822_next(&s, &t) != RFC822_END; i++)
		;
	ck_assert_uint_gt(i, 0);
	buf_fini(&in);
}
END_TEST

static const struct {
	const char *name, *in, *want;
} ids[] = {
	{ "one", "<a@b>", "a@b;" },
	{ "several", "<a@b>\r\n\t<c.d@e> <f@g>", "a@b;c.d@e;f@g;" },
	{ "phrases", "Your letter of \"<x>\" (<y@z>) <a@b>", "a@b;" },
	{ "obsolete", "< a . b @ c (d) >", "a.b@c;" },
	{ "quoted", "<\"a b\"@c>", "a b@c;" },
	{ "literal", "<a@[1.2.3.4]>", "a@[1.2.3.4];" },
	{ "no @", "<abc>", "abc;" },
	{ "folded within", "<abc\r\n def@x>", "abcdef@x;" },
	{ "empty", "<> <a@b>", "a@b;" },
	{ "unclosed", "<a@b", "" },
	{ "restarted", "<a <b@c>", "b@c;" },
	{ "bare", "a@b", "" },
	{ "close only", "> > <a@b>>", "a@b;" },
};

START_TEST(id)
{
	struct slice in = guard_copy(slice_str(ids[_i].in));
	struct rfc822_scan s;
	struct buf out, one;

	buf_init(&out, 1000);
	buf_init(&one, 1000);
	rfc822_scan_init(&s, in);
	while (rfc822_next_id(&s, &one)) {
		buf_add_slice(&out, buf_slice(&one));
		buf_add_char(&out, ';');
	}
	ck_slice_str(buf_slice(&out), ids[_i].want);
	buf_fini(&one);
	buf_fini(&out);
}
END_TEST

START_TEST(id_too_long)
{
	struct rfc822_scan s;
	struct buf one;

	buf_init(&one, 4);
	rfc822_scan_init(&s, slice_str("<a@b> <ab@cd>"));
	ck_assert(rfc822_next_id(&s, &one));
	ck_assert(!rfc822_next_id(&s, &one));
	ck_assert(!buf_is_ok(&one));
	buf_fini(&one);
}
END_TEST

UNIT_SUITE(rfc822, {
	int n = (int)(sizeof tokens / sizeof *tokens);

	tcase_add_loop_test(tc, token, 0, n);
	tcase_add_loop_test(tc, token_cut, 0, n);
	tcase_add_test(tc, deep_comment);
	tcase_add_loop_test(tc, unclosed_many, 0, 5);
	tcase_add_loop_test(tc, id, 0, (int)(sizeof ids / sizeof *ids));
	tcase_add_test(tc, id_too_long);
})
