/* SPDX-License-Identifier: ISC */
#include "proto/rfc822_addr.h"

#include <string.h>

#include "tests/unit/unit.h"

/* name|route|mailbox|host; with ~ for what is absent. */
static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "empty", "", "" },
	{ "bare", "joe@a.test", "~|~|joe|a.test;" },
	{ "name", "Joe Doe <joe@a.test>", "Joe Doe|~|joe|a.test;" },
	{ "quoted name", "\"Doe, \\\"J\\\"\" <j@a>", "Doe, \"J\"|~|j|a;" },
	{ "empty name", "\"\" <j@a>", "~|~|j|a;" },
	{ "dots in name", "J. R. Doe <j@a>", "J. R. Doe|~|j|a;" },
	{ "words and quotes", "A \"B C\" D <j@a>", "A B C D|~|j|a;" },
	{ "list", "a@b, c@d", "~|~|a|b;~|~|c|d;" },
	{ "null members", ",, a@b ,, c@d,", "~|~|a|b;~|~|c|d;" },
	{ "folded", "Joe\r\n\tDoe\r\n <j@a>", "Joe Doe|~|j|a;" },
	{ "comment name", "j@a (Joe (the) Doe)", "Joe (the) Doe|~|j|a;" },
	{ "comment first", "(Joe) j@a", "Joe|~|j|a;" },
	{ "comment after angle", "<j@a> (Joe), k@b", "Joe|~|j|a;~|~|k|b;" },
	{ "comment and name", "Joe <j@a> (x)", "Joe|~|j|a;" },
	{ "comments within", "j(x)@(y)a(z).b", "z|~|j|a.b;" },
	{ "spaces within", "j . k @ a . b", "~|~|j.k|a.b;" },
	{ "quoted local", "\"j k\"@a", "~|~|j k|a;" },
	{ "quoted words", "\"j\".\"k\"@a", "~|~|j.k|a;" },
	{ "quoted @", "\"j@k\"@a", "~|~|j@k|a;" },
	{ "literal", "j@[IPv6:::1]", "~|~|j|[IPv6:::1];" },
	{ "route", "<@a,@b.c:j@d>", "~|@a,@b.c|j|d;" },
	{ "route with name", "J <@a:j@d>", "J|@a|j|d;" },
	{ "route, null members", "<,@a,,@b:j@d>", "~|,@a,,@b|j|d;" },
	{ "no route", "<@a>", "~|~||a;" },
	{ "group", "Us: a@b, C <c@d>;",
	    "~|~|Us|~;~|~|a|b;C|~|c|d;~|~|~|~;" },
	{ "empty group", "undisclosed-recipients:;",
	    "~|~|undisclosed-recipients|~;~|~|~|~;" },
	{ "group in list", "x@y, A B: a@b;, z@y",
	    "~|~|x|y;~|~|A B|~;~|~|a|b;~|~|~|~;~|~|z|y;" },
	{ "group, no comma behind", "A:; z@y", "~|~|A|~;~|~|~|~;~|~|z|y;" },
	{ "unclosed group", "A: a@b", "~|~|A|~;~|~|a|b;~|~|~|~;" },
	{ "group within group", "A: B: a@b;", "~|~|A|~;~|~|a|b;~|~|~|~;" },
	{ "unnamed group", ": a@b;", "~|~|a|b;" },
	{ "no host", "root", "~|~|root|;" },
	{ "no host, angle", "R <root>", "R|~|root|;" },
	{ "nothing after @", "joe@", "~|~|joe|;" },
	{ "nothing before @", "@a", "~|~||a;" },
	{ "empty angle", "Joe <>", "Joe|~||;" },
	{ "name only", "Joe Doe", "Joe Doe|~||;" },
	{ "name with dot only", "J. Doe", "J. Doe|~||;" },
	{ "no brackets", "Joe Doe j@a", "Joe Doe|~|j|a;" },
	{ "no comma", "a@b c@d, e@f", "~|~|a|b;~|~|e|f;" },
	{ "two @", "a@b@c", "~|~|a@b|c;" },
	{ "address as name", "j@a.b <j@a.b>", "j@a.b|~|j|a.b;" },
	{ "unclosed angle", "Joe <j@a", "Joe|~|j|a;" },
	{ "unclosed angle in list", "<j@a, k@b", "~|~|j|a;~|~|k|b;" },
	{ "doubled angle", "J <<j@a>>, k@b", "J|~|j|a;~|~|k|b;" },
	{ "junk behind", "<j@a> junk <x@y>, k@b", "~|~|j|a;~|~|k|b;" },
	{ "space in local", "<j k@a>", "~|~|j k|a;" },
	{ "unclosed quote", "\"Joe <j@a>", "\"Joe|~|j|a;" },
	{ "unclosed comment", "j@a (Joe", "~|~|j|a;" },
	{ "comment, then unclosed one", "a (b\"c) d (e", "a d (e|~||;" },
	{ "stray semicolon", "; a@b; c@d", "~|~|a|b;~|~|c|d;" },
	{ "stray close", "> a@b", "~|~|a|b;" },
	{ "8 bit", "J\xc3\xb6 <j\xc3\xb6@\xc3\xa4>",
	    "J\xc3\xb6|~|j\xc3\xb6|\xc3\xa4;" },
	{ "encoded word", "=?utf-8?Q?J=C3=B6?= <j@a>",
	    "=?utf-8?Q?J=C3=B6?=|~|j|a;" },
};

static void
show(struct buf *out, struct slice s, const char *end)
{
	if (s.p == NULL)
		buf_add_char(out, '~');
	buf_add_slice(out, s);
	buf_add_str(out, end);
}

static void
parse(struct slice in, struct buf *out)
{
	struct rfc822_addrs l;
	struct rfc822_addr a;
	struct buf text;

	buf_init(&text, in.n + 8);
	rfc822_addrs_init(&l, in, &text);
	while (rfc822_addrs_next(&l, &a)) {
		show(out, a.name, "|");
		show(out, a.route, "|");
		show(out, a.mailbox, "|");
		show(out, a.host, ";");
	}
	ck_assert(buf_is_ok(&text));
	buf_fini(&text);
}

START_TEST(whole)
{
	struct buf out;

	buf_init(&out, 1000);
	parse(guard_copy(slice_str(cases[_i].in)), &out);
	ck_slice_str(buf_slice(&out), cases[_i].want);
	buf_fini(&out);
}
END_TEST

START_TEST(cut)
{
	struct buf out;
	size_t n;

	buf_init(&out, 1000);
	for (n = 0; n < strlen(cases[_i].in); n++)
		parse(guard_copy((struct slice){ cases[_i].in, n }), &out);
	buf_fini(&out);
}
END_TEST

/* Fails by its time limit if the work grows with the square of the input. */
START_TEST(hostile)
{
	static const char *const units[] = { ",(", "<@a,", "\",", "<", "a:b,",
		"a@b(", "<@,(", "[,", "a ", "@", ":;" };
	struct rfc822_addrs l;
	struct rfc822_addr a;
	struct buf in, text;
	size_t i;

	buf_init(&in, 4 << 20);
	buf_init(&text, (4 << 20) + 8);
	for (i = 0; i < 1 << 18; i++)
		buf_add_str(&in, units[_i]);
	rfc822_addrs_init(&l, buf_slice(&in), &text);
	for (i = 0; rfc822_addrs_next(&l, &a); i++)
		;
	ck_assert(buf_is_ok(&text));
	buf_fini(&text);
	buf_fini(&in);
}
END_TEST

UNIT_SUITE(rfc822_addr, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, whole, 0, n);
	tcase_add_loop_test(tc, cut, 0, n);
	tcase_add_loop_test(tc, hostile, 0, 11);
})
