/* SPDX-License-Identifier: ISC */
#include "proto/xtext.h"

#include "tests/unit/unit.h"

static const struct {
	const char *in, *want;
	bool is_printable;
} xtexts[] = {
	{ "QQ314159", "QQ314159", true },
	{ "joe+2Bx+3Dy@a.test", "joe+x=y@a.test", true },
	{ "a+20b", "a b", true },
	{ "+2b+09", "+\t", true },
	{ "+00", NULL, false },
	{ "+0A", "\n", false },
	{ "+C3+BC", "\xc3\xbc", false },
	{ "", "", true },
	{ "a b", NULL, false },
	{ "a=b", NULL, false },
	{ "a+2", NULL, false },
	{ "a+", NULL, false },
	{ "a+2G", NULL, false },
	{ "a+ 2", NULL, false },
	{ "\xc3\xbc", NULL, false },
};

START_TEST(xtext)
{
	struct slice in = guard_copy(slice_str(xtexts[_i].in));
	struct buf out;
	int rc;

	buf_init(&out, 100);
	buf_add_str(&out, "x");
	rc = xtext_decode(&out, in);
	ck_assert_int_eq(xtext_is_printable(in), xtexts[_i].is_printable);
	if (xtexts[_i].want != NULL) {
		ck_assert_int_eq(rc, 0);
		ck_slice_str(slice_from(buf_slice(&out), 1), xtexts[_i].want);
	} else if (_i != 4) { /* +00 decodes, to a NUL */
		ck_assert_int_eq(rc, -1);
		ck_assert_uint_eq(out.n, 1);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(xtext_every_octet)
{
	struct buf coded, plain;
	char all[256];
	int i;

	for (i = 0; i < 256; i++)
		all[i] = (char)i;
	buf_init(&coded, 1000);
	buf_init(&plain, 256);
	xtext_encode(&coded, (struct slice){ all, 256 });
	ck_assert(slice_find(buf_slice(&coded), SLICE("+00+01")) == 0);
	ck_assert_int_eq(xtext_decode(&plain, buf_slice(&coded)), 0);
	ck_slice_eq(buf_slice(&plain), ((struct slice){ all, 256 }));
	buf_reset(&plain);
	buf_add_char(&plain, 'x');
	ck_assert_int_eq(xtext_decode(&plain, buf_slice(&coded)), -1);
	buf_fini(&coded);
	buf_fini(&plain);
}
END_TEST

/* plain -> unitext -> the ASCII form; RFC 6533 section 3. */
static const struct {
	const char *plain, *unitext, *ascii;
} unitexts[] = {
	{ "joe@a.test", "joe@a.test", "joe@a.test" },
	{ "j\xc3\xb6@\xe2\x82\xac.test", "j\xc3\xb6@\xe2\x82\xac.test",
	    "j\\x{F6}@\\x{20AC}.test" },
	{ "a b+c=d\\e", "a\\x{20}b\\x{2B}c\\x{3D}d\\x{5C}e",
	    "a\\x{20}b\\x{2B}c\\x{3D}d\\x{5C}e" },
	{ "\xf0\x9f\x90\xb4", "\xf0\x9f\x90\xb4", "\\x{1F434}" },
};

START_TEST(unitext)
{
	const struct slice plain = slice_str(unitexts[_i].plain);
	struct buf out;

	buf_init(&out, 100);
	unitext_encode(&out, plain);
	ck_slice_str(buf_slice(&out), unitexts[_i].unitext);
	buf_reset(&out);
	unitext_encode_ascii(&out, plain);
	ck_slice_str(buf_slice(&out), unitexts[_i].ascii);
	buf_reset(&out);
	ck_assert_int_eq(unitext_decode(&out,
	    guard_copy(slice_str(unitexts[_i].unitext))), 0);
	ck_slice_eq(buf_slice(&out), plain);
	buf_reset(&out);
	ck_assert_int_eq(unitext_decode(&out,
	    guard_copy(slice_str(unitexts[_i].ascii))), 0);
	ck_slice_eq(buf_slice(&out), plain);
	buf_fini(&out);
}
END_TEST

static const char *const bad[] = {
	"a b", "a+b", "a=b", "a\\b", "\\x{", "\\x{}", "\\x{41}", "\\x{0A}",
	"\\x{7F}", "\\x{85}", "\\x{D800}", "\\x{110000}", "\\x{20", "\\x{2G}",
	"\\X{20}", "\xc3", "\xc2\x85", "\\x{00000020}", "\x7f",
};

START_TEST(unitext_malformed)
{
	struct slice in = guard_copy(slice_str(bad[_i]));
	struct buf out;

	buf_init(&out, 100);
	ck_assert_msg(unitext_decode(&out, in) == -1, "%s", bad[_i]);
	ck_assert_uint_eq(out.n, 0);
	ck_assert(!unitext_is_valid(in));
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(xtext, {
	tcase_add_loop_test(tc, xtext, 0,
	    (int)(sizeof xtexts / sizeof *xtexts));
	tcase_add_test(tc, xtext_every_octet);
	tcase_add_loop_test(tc, unitext, 0,
	    (int)(sizeof unitexts / sizeof *unitexts));
	tcase_add_loop_test(tc, unitext_malformed, 0,
	    (int)(sizeof bad / sizeof *bad));
})
