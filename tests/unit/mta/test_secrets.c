/* SPDX-License-Identifier: ISC */
#include "mta/secrets.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define FILE_TEXT \
	"# logins\n\n" \
	"mail.isp.test joe secret\n" \
	"Other.test:587\tann \t two words # not a comment\r\n" \
	"[2001:db8::1]:25 six pass\n" \
	"192.0.2.1 four pass4\n" \
	"other.test last fallback"

static const struct {
	const char *host;
	uint16_t port;
	const char *name, *password; /* NULL: none */
} finds[] = {
	{ "mail.isp.test", 25, "joe", "secret" },
	{ "MAIL.ISP.TEST", 587, "joe", "secret" },
	{ "other.test", 587, "ann", "two words # not a comment" },
	{ "other.test", 25, "last", "fallback" },
	{ "2001:db8::1", 25, "six", "pass" },
	{ "2001:db8::1", 26, NULL, NULL },
	{ "192.0.2.1", 1, "four", "pass4" },
	{ "isp.test", 25, NULL, NULL },
	{ "", 25, NULL, NULL },
};

START_TEST(find)
{
	struct smtp_client_login login;
	struct secrets *s;
	struct buf why;
	bool has;

	buf_init(&why, 256);
	s = secrets_parse(guard_copy(SLICE(FILE_TEXT)), &why);
	ck_assert_msg(s != NULL, "%s", why.p);
	has = secrets_find(s, slice_str(finds[_i].host), finds[_i].port,
	    &login);
	ck_assert_int_eq(has, finds[_i].name != NULL);
	if (has) {
		ck_slice_str(login.name, finds[_i].name);
		ck_slice_str(login.password, finds[_i].password);
	}
	secrets_free(&s);
	ck_assert_ptr_null(s);
	ck_assert(!secrets_find(NULL, SLICE("x"), 1, &login));
}
END_TEST

/* The complaint names the line and nothing of it. */
static const struct {
	const char *text, *why;
} bads[] = {
	{ "host\n", "line 1 is not HOST USER PASSWORD" },
	{ "\nhost user\n", "line 2 is not HOST USER PASSWORD" },
	{ "host user \n", "line 1 is not HOST USER PASSWORD" },
	{ " host user pass\n", "line 1 is not HOST USER PASSWORD" },
	{ "host:0 user pass\n", "line 1 is not HOST USER PASSWORD" },
	{ "host:x user pass\n", "line 1 is not HOST USER PASSWORD" },
	{ ":25 user pass\n", "line 1 is not HOST USER PASSWORD" },
	{ "[] user pass\n", "line 1 is not HOST USER PASSWORD" },
	{ "host user \xff\n", "line 1 is not HOST USER PASSWORD" },
};

START_TEST(bad)
{
	struct secrets *s;
	struct buf why;

	buf_init(&why, 256);
	s = secrets_parse(guard_copy(slice_str(bads[_i].text)), &why);
	ck_assert_msg(s == NULL, "taken: %s", bads[_i].text);
	ck_assert_str_eq(why.p, bads[_i].why);
	buf_fini(&why);
}
END_TEST

START_TEST(from_file)
{
	struct smtp_client_login login;
	FILE *f = tmpfile();
	struct secrets *s;
	struct buf why;

	ck_assert_ptr_nonnull(f);
	buf_init(&why, 256);
	ck_assert_int_ge(fputs(FILE_TEXT, f), 0);
	ck_assert_int_eq(fflush(f), 0);
	s = secrets_read(fileno(f), &why);
	ck_assert_ptr_nonnull(s);
	ck_assert(secrets_find(s, SLICE("mail.isp.test"), 25, &login));
	secrets_free(&s);
	ck_assert_ptr_null(secrets_read(-1, &why));
	buf_fini(&why);
	(void)fclose(f);
}
END_TEST

UNIT_SUITE(secrets, {
	tcase_add_loop_test(tc, find, 0, sizeof finds / sizeof *finds);
	tcase_add_loop_test(tc, bad, 0, sizeof bads / sizeof *bads);
	tcase_add_test(tc, from_file);
})
