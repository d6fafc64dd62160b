/* SPDX-License-Identifier: ISC */
#include "proto/address.h"

#include <string.h>

#include "tests/unit/unit.h"

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10
#define A255 A50 A50 A50 A50 A50 "aaaaa"

enum { U = ADDRESS_UTF8, N = ADDRESS_NULL, P = ADDRESS_POSTMASTER };

/* want: the canonical form, or NULL and then `error` says why not. */
static const struct {
	const char *in;
	unsigned flags;
	const char *want, *rest;
	enum address_error error;
} paths[] = {
	{ "<joe@a.test>", 0, "joe@a.test", "" },
	{ "<Joe@A.Test> SIZE=1", 0, "Joe@a.test", " SIZE=1" },
	{ "<joe.b+x@a>", 0, "joe.b+x@a", "" },
	{ "<\"joe\"@a.test>", 0, "joe@a.test", "" },
	{ "<\"j\\oe\"@a.test>", 0, "joe@a.test", "" },
	{ "<\"joe b\"@a.test>", 0, "\"joe b\"@a.test", "" },
	{ "<\"joe>,\\\"\\\\\"@a.test>", 0, "\"joe>,\\\"\\\\\"@a.test", "" },
	{ "<\"\"@a.test>", 0, "\"\"@a.test", "" },
	{ "<\"a..b\"@a.test>", 0, "\"a..b\"@a.test", "" },
	{ "<\"a@b\"@a.test>", 0, "\"a@b\"@a.test", "" },
	{ "<@r.test:joe@a.test>", 0, "joe@a.test", "" },
	{ "<@r.test,@s.test:joe@a.test>", 0, "joe@a.test", "" },
	{ "<joe@[192.0.2.1]>", 0, "joe@[192.0.2.1]", "" },
	{ "<joe@[IPV6:::1]>", 0, "joe@[IPv6:::1]", "" },
	{ "<>", N, "", "" },
	{ "<> BODY=7BIT", N, "", " BODY=7BIT" },
	{ "<PostMaster>", P, "PostMaster", "" },
	{ "<\"postmaster\">", P, "postmaster", "" },
	{ "<j\xc3\xb6@b\xc3\xbc.test>", U, "j\xc3\xb6@b\xc3\xbc.test", "" },
	{ "<\"j\xc3\xb6 \\\\\xc3\xb6\"@a>", U, "\"j\xc3\xb6 \\\\\xc3\xb6\"@a",
	    "" },
	{ "<" A255 "@a.test>", 0, A255 "@a.test", "" },

	{ "<" A255 "a@a.test>", 0, NULL, NULL, ADDRESS_TOO_LONG },
	{ "<a@" A255 "a>", 0, NULL, NULL, ADDRESS_TOO_LONG },
	{ "<>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<postmaster>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<joe>", P, NULL, NULL, ADDRESS_SYNTAX },
	{ "joe@a.test", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<joe@a.test", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<joe@a.test x>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<joe@>", 0, NULL, NULL, ADDRESS_DOMAIN },
	{ "<joe@a..b>", 0, NULL, NULL, ADDRESS_DOMAIN },
	{ "<joe@a_b>", 0, NULL, NULL, ADDRESS_DOMAIN },
	{ "<joe@[192.0.2.1>", 0, NULL, NULL, ADDRESS_DOMAIN },
	{ "<joe@[192.0.2.1]x>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<joe@[tag:x]>", 0, NULL, NULL, ADDRESS_DOMAIN },
	{ "<.joe@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<joe.@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<jo..e@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<jo e@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<jo\x01@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<\"joe@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<\"joe\\", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<\"j\tb\"@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<\"j\\\xc3\xb6\"@a>", U, NULL, NULL, ADDRESS_SYNTAX },
	{ "<\"joe\"b@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<@r.test>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<@r.test:>", N, NULL, NULL, ADDRESS_SYNTAX },
	{ "<@r.test,joe@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<@r.test,:joe@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<@[192.0.2.1]:joe@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<@:joe@a>", 0, NULL, NULL, ADDRESS_SYNTAX },
	{ "<j\xc3\xb6@a>", 0, NULL, NULL, ADDRESS_NON_ASCII },
	{ "<j@b\xc3\xbc>", 0, NULL, NULL, ADDRESS_NON_ASCII },
	{ "<j\xc3@a>", U, NULL, NULL, ADDRESS_SYNTAX },
	{ "<j\xc2\x85@a>", U, NULL, NULL, ADDRESS_SYNTAX },
	{ "<", N, NULL, NULL, ADDRESS_SYNTAX },
	{ "", N, NULL, NULL, ADDRESS_SYNTAX },
};

START_TEST(path)
{
	struct slice in = guard_copy(slice_str(paths[_i].in)), rest = in;
	enum address_error error = ADDRESS_SYNTAX;
	struct address a;
	struct buf out;
	int rc = address_take_path(&rest, paths[_i].flags, &a, &error);

	ck_assert_msg((rc == 0) == (paths[_i].want != NULL), "%s",
	    paths[_i].in);
	if (rc < 0) {
		ck_assert_msg(error == paths[_i].error, "%s: %d", paths[_i].in,
		    (int)error);
		ck_assert_uint_eq(rest.n, in.n);
		return;
	}
	ck_slice_str(rest, paths[_i].rest);
	buf_init(&out, 600);
	address_add(&out, &a);
	ck_slice_str(buf_slice(&out), paths[_i].want);
	ck_assert_int_eq(address_is_null(&a), paths[_i].want[0] == '\0');
	buf_fini(&out);
}
END_TEST

/* No prefix of a good path is a good path, and none is read past its end. */
START_TEST(every_prefix)
{
	struct slice in = slice_str(paths[_i].in), cut;
	enum address_error error;
	struct address a;
	size_t n;

	for (n = 0; paths[_i].want != NULL && n < in.n; n++) {
		cut = guard_copy(slice_head(in, n));
		if (n > 0 && in.p[n - 1] == '>' && in.p[n] == ' ')
			break;
		ck_assert_int_eq(address_take_path(&cut, U | N | P, &a, &error),
		    -1);
	}
}
END_TEST

START_TEST(whole_mailbox)
{
	enum address_error error;
	struct address a;

	ck_assert_int_eq(address_parse(SLICE("joe@A"), 0, &a, &error), 0);
	ck_slice_str(a.local, "joe");
	ck_slice_str(a.domain, "A");
	ck_assert(!a.is_literal && !a.is_quoted && !a.is_utf8);
	ck_assert_int_eq(address_parse(SLICE("j@a>"), 0, &a, &error), -1);
	ck_assert_int_eq(address_parse(SLICE("j@a "), 0, &a, &error), -1);
	ck_assert_int_eq(address_parse(SLICE("j"), P, &a, &error), -1);
	ck_assert_int_eq(address_parse(SLICE("postmaster"), P, &a, &error), -1);
	ck_assert_int_eq(address_parse(SLICE("\xc3\xb6@a"), U, &a, &error), 0);
	ck_assert(a.is_utf8);
}
END_TEST

static const struct {
	const char *in, *want;
} lenient[] = {
	{ "joe@A.test", "joe@a.test" },
	{ " <joe@a.test>\t", "joe@a.test" },
	{ "joe@a.test.", "joe@a.test" },
	{ "joe..b.@a.test", "\"joe..b.\"@a.test" },
	{ "joe b@a.test", "\"joe b\"@a.test" },
	{ "a@b@a.test", "\"a@b\"@a.test" },
	{ "\"a@b\"", "\"a@b\"" },
	{ "\"a.b\"@c", "a.b@c" },
	{ "joe", "joe" },
	{ "@a.test", "@a.test" },
	{ "j\xc3\xb6@a.test", "j\xc3\xb6@a.test" },
	{ "joe@[192.0.2.1]", "joe@[192.0.2.1]" },
	{ "", NULL },
	{ "<>", NULL },
	{ "@", NULL },
	{ "joe@", NULL },
	{ "joe@.", NULL },
	{ "joe@a b", NULL },
	{ "j\xff@a", NULL },
	{ "j\x01@a", NULL },
	{ A255 "a@a", NULL },
};

START_TEST(as_people_write)
{
	struct slice in = guard_copy(slice_str(lenient[_i].in));
	struct address a;
	struct buf out;
	int rc = address_parse_lenient(in, &a);

	ck_assert_msg((rc == 0) == (lenient[_i].want != NULL), "%d", _i);
	if (rc < 0)
		return;
	buf_init(&out, 600);
	address_add(&out, &a);
	ck_slice_str(buf_slice(&out), lenient[_i].want);
	buf_fini(&out);
}
END_TEST

static const struct {
	const char *a, *b;
	bool is_equal, is_iequal;
} pairs[] = {
	{ "joe@a.test", "joe@A.TEST", true, true },
	{ "joe@a.test", "Joe@a.test", false, true },
	{ "\"jo\\e\"@a.test", "joe@a.test", true, true },
	{ "\"jo\\\"\"@a.test", "\"jo\\\"\"@a.test", true, true },
	{ "joe@a.test", "joes@a.test", false, false },
	{ "joe@a.test", "joe@b.test", false, false },
	{ "joe", "joe@b.test", false, false },
};

START_TEST(equality)
{
	struct address a, b;

	ck_assert_int_eq(address_parse_lenient(slice_str(pairs[_i].a), &a), 0);
	ck_assert_int_eq(address_parse_lenient(slice_str(pairs[_i].b), &b), 0);
	ck_assert_int_eq(address_is_equal(&a, &b), pairs[_i].is_equal);
	ck_assert_int_eq(address_is_equal(&b, &a), pairs[_i].is_equal);
	ck_assert_int_eq(address_is_iequal(&a, &b), pairs[_i].is_iequal);
}
END_TEST

static const struct {
	const char *local, *delimiters, *user, *detail;
} details[] = {
	{ "joe+list", "+", "joe", "list" },
	{ "joe+a+b", "+", "joe", "a+b" },
	{ "joe-a+b", "+-", "joe", "a+b" },
	{ "joe+", "+", "joe", "" },
	{ "joe", "+", "joe", NULL },
	{ "+joe", "+", "+joe", NULL },
	{ "joe+list", "", "joe+list", NULL },
	{ "MAILER-DAEMON", "-", "MAILER-DAEMON", NULL },
	{ "", "+", "", NULL },
};

START_TEST(detail)
{
	struct slice user, rest;
	bool has = address_split_detail(
	    guard_copy(slice_str(details[_i].local)),
	    slice_str(details[_i].delimiters), &user, &rest);

	ck_assert_int_eq(has, details[_i].detail != NULL);
	ck_slice_str(user, details[_i].user);
	if (has)
		ck_slice_str(rest, details[_i].detail);
}
END_TEST

START_TEST(local_text)
{
	enum address_error error;
	struct address a;
	struct buf out;

	buf_init(&out, 100);
	ck_assert_int_eq(address_parse(SLICE("\"a \\\"b\"@c"), 0, &a, &error),
	    0);
	address_add_local_text(&out, &a);
	ck_slice_str(buf_slice(&out), "a \"b");
	ck_assert(!address_is_postmaster(&a));
	ck_assert_int_eq(address_parse_lenient(SLICE("PostMaster@x"), &a), 0);
	ck_assert(address_is_postmaster(&a));
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(address, {
	int n = (int)(sizeof paths / sizeof *paths);

	tcase_add_loop_test(tc, path, 0, n);
	tcase_add_loop_test(tc, every_prefix, 0, n);
	tcase_add_test(tc, whole_mailbox);
	n = (int)(sizeof lenient / sizeof *lenient);
	tcase_add_loop_test(tc, as_people_write, 0, n);
	tcase_add_loop_test(tc, equality, 0,
	    (int)(sizeof pairs / sizeof *pairs));
	n = (int)(sizeof details / sizeof *details);
	tcase_add_loop_test(tc, detail, 0, n);
	tcase_add_test(tc, local_text);
})
