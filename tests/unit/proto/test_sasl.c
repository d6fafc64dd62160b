/* SPDX-License-Identifier: ISC */
#include "proto/sasl.h"

#include <string.h>

#include "proto/limits.h"
#include "tests/unit/unit.h"

#define IN(lit) { "" lit, sizeof(lit) - 1 }

static const struct {
	const char *name;
	struct slice in;
	int result;
	const char *authzid, *user, *password;
} plain_cases[] = {
	{ "RFC 4616 4", IN("\0tim\0tanstaaftanstaaf"), 0, "", "tim",
	    "tanstaaftanstaaf" },
	{ "authzid", IN("Ursel\0Kurt\0xipj3plmq"), 0, "Ursel", "Kurt",
	    "xipj3plmq" },
	{ "UTF-8", IN("\0\xc3\xa9\0\xe2\x82\xac"), 0, "", "\xc3\xa9",
	    "\xe2\x82\xac" },
	{ "empty", IN(""), -1, NULL, NULL, NULL },
	{ "no NUL", IN("tim"), -1, NULL, NULL, NULL },
	{ "one NUL", IN("\0tim"), -1, NULL, NULL, NULL },
	{ "no name", IN("\0\0secret"), -1, NULL, NULL, NULL },
	{ "no password", IN("\0tim\0"), -1, NULL, NULL, NULL },
	{ "three NUL", IN("\0tim\0secret\0"), -1, NULL, NULL, NULL },
	{ "NUL in password", IN("\0tim\0sec\0ret"), -1, NULL, NULL, NULL },
	{ "latin-1 name", IN("\0t\xefm\0secret"), -1, NULL, NULL, NULL },
	{ "latin-1 password", IN("\0tim\0s\xe9" "cret"), -1, NULL, NULL,
	    NULL },
	{ "bad authzid", IN("\xff\0tim\0secret"), -1, NULL, NULL, NULL },
	{ "overlong NUL", IN("\0tim\0a\xc0\x80"), -1, NULL, NULL, NULL },
};

static const struct {
	const char *name, *in;
	bool initial;
	int result;
	enum sasl_line_error error;
	const char *want;
} line_cases[] = {
	{ "text", "dGlt", false, 0, 0, "tim" },
	{ "padded", "dA==", false, 0, 0, "t" },
	{ "empty", "", false, 0, 0, "" },
	{ "equals, initial", "=", true, 0, 0, "" },
	{ "equals, later", "=", false, -1, SASL_LINE_MALFORMED, NULL },
	{ "star", "*", false, -1, SASL_LINE_CANCELLED, NULL },
	{ "star, initial", "*", true, -1, SASL_LINE_CANCELLED, NULL },
	{ "cut", "dGl", false, -1, SASL_LINE_MALFORMED, NULL },
	{ "space", "dG t", false, -1, SASL_LINE_MALFORMED, NULL },
	{ "bits left over", "dB==", false, -1, SASL_LINE_MALFORMED, NULL },
	{ "pad inside", "dA==dA==", false, -1, SASL_LINE_MALFORMED, NULL },
	{ "too long", "QUFBQUFBQUFBQUFBQUFB", false, -1, SASL_LINE_TOO_LONG,
	    NULL },
};

START_TEST(plain)
{
	struct slice in = guard_copy(plain_cases[_i].in);
	struct sasl_plain p;
	struct buf again;

	ck_assert_msg(sasl_plain_parse(in, &p) == plain_cases[_i].result,
	    "%s", plain_cases[_i].name);
	if (plain_cases[_i].result < 0)
		return;
	ck_slice_str(p.authzid, plain_cases[_i].authzid);
	ck_slice_str(p.name, plain_cases[_i].user);
	ck_slice_str(p.password, plain_cases[_i].password);
	buf_init(&again, LIMIT_SASL_MESSAGE);
	sasl_plain_format(&again, &p);
	ck_slice_eq(buf_slice(&again), in);
	buf_fini_secret(&again);
}
END_TEST

/* Whatever the length it is cut to, nothing behind it is read. */
START_TEST(plain_cut)
{
	struct slice in = plain_cases[_i].in;
	struct sasl_plain p;
	size_t k;

	for (k = 0; k < in.n; k++)
		if (sasl_plain_parse(guard_copy(slice_head(in, k)), &p) == 0)
			ck_assert(p.password.n > 0);
}
END_TEST

START_TEST(plain_limits)
{
	char text[2048];
	struct sasl_plain p;
	size_t n, k;

	memset(text, 'x', sizeof text);
	for (k = 0; k < 2; k++) {
		n = LIMIT_SASL_NAME + k;
		text[0] = 0;
		text[1 + n] = 0;
		ck_assert_int_eq(sasl_plain_parse((struct slice){ text,
				     n + 10 }, &p), k == 0 ? 0 : -1);
		text[1 + n] = 'x';
	}
	text[2] = 0;
	for (k = 0; k < 2; k++)
		ck_assert_int_eq(sasl_plain_parse((struct slice){ text,
		    3 + LIMIT_SASL_PASSWORD + k }, &p), k == 0 ? 0 : -1);
}
END_TEST

START_TEST(line)
{
	struct slice in = guard_copy(slice_str(line_cases[_i].in));
	enum sasl_line_error error = SASL_LINE_CANCELLED;
	struct buf out, again;
	int rc;

	buf_init(&out, 12);
	rc = sasl_line_decode(in, line_cases[_i].initial, &out, &error);
	ck_assert_msg(rc == line_cases[_i].result, "%s", line_cases[_i].name);
	if (rc < 0)
		ck_assert_msg(error == line_cases[_i].error, "%s",
		    line_cases[_i].name);
	else {
		ck_slice_str(buf_slice(&out), line_cases[_i].want);
		buf_init(&again, 100);
		sasl_line_encode(&again, buf_slice(&out),
		    line_cases[_i].initial);
		ck_slice_eq(buf_slice(&again), in);
		buf_fini(&again);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(mechanisms)
{
	enum sasl_mech mech;
	int i;

	for (i = 0; i < SASL_MECHS; i++) {
		ck_assert_int_eq(sasl_mech_find(slice_str(sasl_mech_name(
		    (enum sasl_mech)i)), &mech), 0);
		ck_assert_int_eq(mech, i);
	}
	ck_assert_int_eq(sasl_mech_find(SLICE("plain"), &mech), 0);
	ck_assert_int_eq(sasl_mech_find(SLICE("PLAI"), &mech), -1);
	ck_assert_int_eq(sasl_mech_find(SLICE("PLAIN "), &mech), -1);
	ck_assert_int_eq(sasl_mech_find(SLICE(""), &mech), -1);
	ck_assert_uint_eq(sasl_mech_set(SLICE("CRAM-MD5  login PLAIN")),
	    1U << SASL_PLAIN | 1U << SASL_LOGIN);
	ck_assert_uint_eq(sasl_mech_set(SLICE_NONE), 0);
}
END_TEST

UNIT_SUITE(sasl, {
	int plains = (int)(sizeof plain_cases / sizeof *plain_cases);
	int lines = (int)(sizeof line_cases / sizeof *line_cases);

	tcase_add_loop_test(tc, plain, 0, plains);
	tcase_add_loop_test(tc, plain_cut, 0, plains);
	tcase_add_test(tc, plain_limits);
	tcase_add_loop_test(tc, line, 0, lines);
	tcase_add_test(tc, mechanisms);
})
