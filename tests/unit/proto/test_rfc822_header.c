/* SPDX-License-Identifier: ISC */
#include "proto/rfc822_header.h"

#include <string.h>

#include "tests/unit/unit.h"

/* name=value; of each field, then what is left. */
static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "empty", "", "" },
	{ "one", "A: b\r\n", "A=b;" },
	{ "no line end", "A: b", "A=b;" },
	{ "blank line", "A: b\r\n\r\nX: y\r\n", "A=b;|\r\nX: y\r\n" },
	{ "LF", "A: b\nC:d\n\nE", "A=b;C=d;|\nE" },
	{ "folded", "A: b\r\n c\r\n\td\r\nE: f\r\n", "A=b\r\n c\r\n\td;E=f;" },
	{ "blanks", "A \t:  b \r\n", "A=b;" },
	{ "no colon", "junk\r\nA: b\r\n", "=junk;A=b;" },
	{ "blank in name", "a b: c\r\n", "=a b: c;" },
	{ "no name", ": c\r\n", "=: c;" },
	{ "continuation first", " x: y\r\nA: b\r\n", "=x: y;A=b;" },
	{ "white line within", "A: b\r\n \r\n c\r\n", "A=b\r\n \r\n c;" },
	{ "colon in the fold", "A\r\n : b\r\n", "=A\r\n : b;" },
	{ "bare CR", "A: b\rC: d\r\n", "A=b\rC: d;" },
	{ "empty value", "A:\r\nB:\r\n", "A=;B=;" },
};

static void
parse(struct slice in, struct buf *out)
{
	struct rfc822_field f;

	while (rfc822_field_next(&in, &f)) {
		buf_add_slice(out, f.name);
		buf_add_char(out, '=');
		buf_add_slice(out, f.value);
		buf_add_char(out, ';');
	}
	if (in.n > 0)
		buf_add_char(out, '|');
	buf_add_slice(out, in);
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

START_TEST(envelope)
{
	struct rfc822_envelope e;
	struct region r;

	region_init(&r, 10000);
	ck_assert_int_eq(rfc822_envelope_read(&e, &r, guard_copy(slice_str(
	    "to: a@b,\r\n c@d\r\nSUBJECT: x\r\n  y\r\nTo: e@f\r\n"
	    "Subject: z\r\nTo:\r\nTO : g\r\nDate:\r\n\r\nFrom: x\r\n"))), 0);
	ck_slice_str(e.value[RFC822_TO], "a@b, c@d, e@f, , g");
	ck_slice_str(e.value[RFC822_SUBJECT], "x  y");
	ck_assert_ptr_ne(e.value[RFC822_DATE].p, NULL);
	ck_slice_str(e.value[RFC822_DATE], "");
	ck_assert_ptr_eq(e.value[RFC822_FROM].p, NULL);
	region_fini(&r);
}
END_TEST

/* Many small fields must not cost the square of their number. */
START_TEST(many_fields)
{
	struct rfc822_envelope e;
	struct region r;
	struct buf in;
	size_t i;

	buf_init(&in, 1 << 20);
	region_init(&r, 4 << 20);
	for (i = 0; i < 1 << 16; i++)
		buf_add_str(&in, "To:a\n");
	ck_assert_int_eq(rfc822_envelope_read(&e, &r, buf_slice(&in)), 0);
	ck_assert_uint_eq(e.value[RFC822_TO].n, 3 * (1 << 16) - 2);
	region_fini(&r);
	region_init(&r, 1000);
	ck_assert_int_eq(rfc822_envelope_read(&e, &r, buf_slice(&in)), -1);
	region_fini(&r);
	buf_fini(&in);
}
END_TEST

UNIT_SUITE(rfc822_header, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, whole, 0, n);
	tcase_add_loop_test(tc, cut, 0, n);
	tcase_add_test(tc, envelope);
	tcase_add_test(tc, many_fields);
})
