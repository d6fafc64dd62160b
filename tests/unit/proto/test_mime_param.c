/* SPDX-License-Identifier: ISC */
#include "proto/mime_param.h"

#include <string.h>

#include "proto/limits.h"
#include "tests/unit/unit.h"

/* name=value; and for extended ones name*=charset'language'value; */
static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "none", "", "" },
	{ "one", "; a=b", "a=b;" },
	{ "quoted", ";a=\"b; c\"; d=e", "a=b; c;d=e;" },
	{ "escapes", "; a=\"b\\\"c\\\\\"", "a=b\"c\\;" },
	{ "empty", "; a=; b=\"\"", "a=;b=;" },
	{ "blanks", " ; a = b ; c= \"d\" ", "a=b;c=d;" },
	{ "comments", "; (x) a (y) = (z) b (w)", "a=b;" },
	{ "comment behind", "; charset=us-ascii (Plain text)",
	    "charset=us-ascii;" },
	{ "parentheses within", "; name=a(1).txt", "name=a(1).txt;" },
	{ "unclosed parenthesis", "; name=a (1.txt", "name=a (1.txt;" },
	{ "blanks within", "; name=my file.txt; b=c", "name=my file.txt;b=c;" },
	{ "specials within", "; boundary=a/b=c:d", "boundary=a/b=c:d;" },
	{ "no semicolon", " charset=x name=y", "charset=x;name=y;" },
	{ "semicolons", ";;; a=b;;", "a=b;" },
	{ "no value", "; a; b=c", "b=c;" },
	{ "no name", "; =a; b=c", "b=c;" },
	{ "unclosed quote", "; a=\"b c; d=e", "a=b c;d=e;" },
	{ "behind a quote", "; a=\"b\"junk; d=e", "a=b;d=e;" },
	{ "8 bit", "; a=\xc3\xa4", "a=\xc3\xa4;" },
	{ "continuation", "; a*0=\"b \"; a*1=c; x=y", "a=b c;x=y;" },
	{ "out of order", "; a*1=c; a*0=b; a*2=d", "a=bcd;" },
	{ "gap", "; a*0=b; a*2=d", "a=b;a*2=d;" },
	{ "no first", "; a*1=b; a*2=c", "a*1=b;a*2=c;" },
	{ "charset", "; a*=utf-8'en'%c3%A4%20b", "a*=utf-8'en'\xc3\xa4 b;" },
	{ "blank charset", "; a*=''b%41", "a*=''bA;" },
	{ "no charset", "; a*=b%41", "a*=''bA;" },
	{ "bad percent", "; a*=''%4%zz%", "a*=''%4%zz%;" },
	{ "RFC 2231 4.1", " title*0*=us-ascii'en'This%20is%20even%20more%20 "
	    "title*1*=%2A%2A%2Afun%2A%2A%2A%20 title*2=\"isn't it!\"",
	    "title*=us-ascii'en'This is even more ***fun*** isn't it!;" },
	{ "plain and extended", "; a=b; a*=utf-8''c", "a=b;a*=utf-8''c;" },
	{ "two families", "; a*0=1; b*0=2; A*1=3; b*1=4", "a=13;b=24;" },
	{ "repeated", "; a=b; a=c", "a=b;a=c;" },
	{ "star alone", "; *=b; *0=c", "*=b;*0=c;" },
};

static void
parse(struct slice in, struct buf *out)
{
	struct mime_param *m;
	struct region r;

	region_init(&r, 100000);
	ck_assert_int_eq(mime_params_parse(&r, in, &m), 0);
	for (; m != NULL; m = m->next) {
		buf_add_slice(out, m->name);
		buf_add_str(out, m->is_extended ? "*=" : "=");
		if (m->is_extended) {
			buf_add_slice(out, m->charset);
			buf_add_char(out, '\'');
			buf_add_slice(out, m->language);
			buf_add_char(out, '\'');
		}
		buf_add_slice(out, m->value);
		buf_add_char(out, ';');
	}
	region_fini(&r);
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

	buf_init(&out, 10000);
	for (n = 0; n < strlen(cases[_i].in); n++)
		parse(guard_copy((struct slice){ cases[_i].in, n }), &out);
	buf_fini(&out);
}
END_TEST

START_TEST(limits)
{
	struct mime_param *m;
	struct region r;
	struct buf in;
	size_t n = 0;
	int i;

	buf_init(&in, 10 << 20);
	for (i = 0; i < 1000; i++)
		buf_addf(&in, "; a*%d=x", i);
	region_init(&r, 100000);
	ck_assert_int_eq(mime_params_parse(&r, buf_slice(&in), &m), 0);
	ck_assert_uint_eq(m->value.n, LIMIT_MIME_PARAMS);
	region_fini(&r);
	region_init(&r, 100);
	ck_assert_int_eq(mime_params_parse(&r, buf_slice(&in), &m), -1);
	region_fini(&r);
	buf_reset(&in);
	for (i = 0; i < 1 << 20; i++)
		buf_add_str(&in, i == 0 ? "a=" : " ( x\"");
	region_init(&r, 10 << 20);
	ck_assert_int_eq(mime_params_parse(&r, buf_slice(&in), &m), 0);
	for (; m != NULL; m = m->next)
		n++;
	ck_assert_uint_eq(n, 1);
	region_fini(&r);
	buf_fini(&in);
}
END_TEST

START_TEST(find)
{
	struct mime_param *m;
	struct region r;

	region_init(&r, 10000);
	ck_assert_int_eq(mime_params_parse(&r, SLICE("; A=b; a=c"), &m), 0);
	ck_assert_ptr_eq(mime_param_find(m, "a"), m);
	ck_assert_ptr_eq(mime_param_find(m, "b"), NULL);
	region_fini(&r);
}
END_TEST

UNIT_SUITE(mime_param, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, whole, 0, n);
	tcase_add_loop_test(tc, cut, 0, n);
	tcase_add_test(tc, limits);
	tcase_add_test(tc, find);
})
