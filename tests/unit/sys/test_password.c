/* SPDX-License-Identifier: ISC */
#include "sys/password.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "sys/scram_keys.h"
#include "tests/unit/unit.h"

#define PENCIL "p\xc3\xa9ncil"

/* Made by libxcrypt and libsodium of "pencil" with an accent. */
static const struct {
	const char *name, *stored;
	enum password_result want;
} cases[] = {
	{ "yescrypt", "$y$j75$AnBKspLKxmU6RtvwpO7N8/$135YpZhVTxMKUXKF0OMonc60"
		      "3EiOeKir27VXL98TiY4", PASSWORD_RIGHT },
	{ "gost-yescrypt", "$gy$j75$T7f7zSsrtoi1kgHqMaOe01$J/rzEHxhxwbNDpg3X2"
			   "672w2EdbLekOQD0PpaWQi8eV0", PASSWORD_RIGHT },
	{ "scrypt", "$7$BU..../....2I9gl/DTxm1nP.IbWDkBR/$tszRQMV/d/Q2Ed7v5mQ"
		    "Mi1Fkzy7lwLLx17mh6A.3NE5", PASSWORD_RIGHT },
	{ "bcrypt", "$2b$04$3vMXB/c4fPfW.1Ed9CWHYexKNMY9AtUncovnD9qwbwHDZJx.y"
		    "0JDO", PASSWORD_RIGHT },
	{ "SHA-512", "$6$rounds=1000$zPw0NZR1OT2FbQlZ$YKjE7pjhYkTzhvvtMQXtvPm"
		     "BereIKrICcuZGOoHt1c.IzFkfNLqLzy6FUOWWNifKgYmTSF4/uUJcAq"
		     "LZO5yjK/", PASSWORD_RIGHT },
	{ "SHA-256", "$5$rounds=1000$6fRe3diD1HlbeJPh$cuCe4f7pgxKzSI/o27mStRb"
		     "lf01Xuh/.qevArsKHIx/", PASSWORD_RIGHT },
	{ "MD5", "$1$j4WAYzeB$8T.vNs7lDuaacj2pX/g9D.", PASSWORD_RIGHT },
	{ "Dovecot's name", "{CRYPT}$1$j4WAYzeB$8T.vNs7lDuaacj2pX/g9D.",
	    PASSWORD_RIGHT },
	{ "lower case", "{md5-crypt}$1$j4WAYzeB$8T.vNs7lDuaacj2pX/g9D.",
	    PASSWORD_RIGHT },
	{ "of another", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", PASSWORD_WRONG },
	{ "cut", "$1$j4WAYzeB$8T.vNs7lDuaacj2pX/g9D", PASSWORD_WRONG },
	{ "longer", "$1$j4WAYzeB$8T.vNs7lDuaacj2pX/g9D.x", PASSWORD_WRONG },
	{ "locked", "!$1$j4WAYzeB$8T.vNs7lDuaacj2pX/g9D.", PASSWORD_WRONG },
	{ "starred", "*", PASSWORD_WRONG },
	{ "empty", "", PASSWORD_BAD_FORM },
	{ "DES", "abJnggxhB/yWI", PASSWORD_BAD_FORM },
	{ "plain text", "p\xc3\xa9ncil", PASSWORD_BAD_FORM },
	{ "plain scheme", "{PLAIN}pencil", PASSWORD_BAD_FORM },
	{ "unknown crypt", "$nothing$abc", PASSWORD_BAD_FORM },
	{ "no argon2", "$argon2id$v=19$nonsense", PASSWORD_BAD_FORM },
	{ "no SCRAM", "SCRAM-SHA-256$4096:YQ==$x:y", PASSWORD_BAD_FORM },
};

static const struct password_policy policies[] = {
	{ .scheme = PASSWORD_YESCRYPT },
	{ .scheme = PASSWORD_YESCRYPT, .yescrypt_cost = 1 },
	{ .scheme = PASSWORD_ARGON2ID },
	{ .scheme = PASSWORD_ARGON2ID, .argon2_passes = 1, .argon2_mib = 8 },
	{ .scheme = PASSWORD_SCRAM },
	{ .scheme = PASSWORD_SCRAM, .scram_iterations = 4096 },
};

static const struct password_policy bad_policies[] = {
	{ .scheme = PASSWORD_YESCRYPT, .yescrypt_cost = 12 },
	{ .scheme = PASSWORD_ARGON2ID, .argon2_passes = 21 },
	{ .scheme = PASSWORD_ARGON2ID, .argon2_mib = 7 },
	{ .scheme = PASSWORD_SCRAM, .scram_iterations = 4095 },
	{ .scheme = PASSWORD_SCRAM, .scram_iterations = 1000001 },
};

START_TEST(known)
{
	struct slice stored = guard_copy(slice_str(cases[_i].stored));

	ck_assert_int_eq(password_init(), 0);
	ck_assert_msg(password_check(guard_copy(SLICE(PENCIL)), stored) ==
	    cases[_i].want, "%s", cases[_i].name);
	if (cases[_i].want == PASSWORD_RIGHT)
		ck_assert_msg(password_check(SLICE("pencil"), stored) ==
		    PASSWORD_WRONG, "%s", cases[_i].name);
}
END_TEST

START_TEST(made)
{
	const struct password_policy *policy = &policies[_i];
	struct buf one, two;
	size_t k;

	ck_assert_int_eq(password_init(), 0);
	buf_init(&one, PASSWORD_STORED_MAX);
	buf_init(&two, PASSWORD_STORED_MAX);
	ck_assert_int_eq(password_make(SLICE(PENCIL), policy, &one), 0);
	ck_assert_int_eq(password_make(SLICE(PENCIL), policy, &two), 0);
	ck_assert(!slice_eq(buf_slice(&one), buf_slice(&two)));
	ck_assert_int_eq(password_check(SLICE(PENCIL), buf_slice(&one)),
	    PASSWORD_RIGHT);
	ck_assert_int_eq(password_check(SLICE("pencil"), buf_slice(&one)),
	    PASSWORD_WRONG);
	for (k = 0; k < sizeof policies / sizeof *policies; k++)
		ck_assert_int_eq(password_is_current(buf_slice(&one),
		    &policies[k]), (int)k == _i);
	buf_fini(&one);
	buf_fini(&two);
}
END_TEST

START_TEST(bad_policy)
{
	struct buf out;

	buf_init(&out, PASSWORD_STORED_MAX);
	ck_assert_int_eq(password_init(), 0);
	ck_assert_int_eq(password_make(SLICE("x"), &bad_policies[_i], &out),
	    -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_uint_eq(out.n, 0);
	buf_fini(&out);
}
END_TEST

START_TEST(bad_password)
{
	struct password_policy cheap = { .yescrypt_cost = 1 };
	char text[PASSWORD_MAX + 1];
	struct buf out;

	memset(text, 'x', sizeof text);
	buf_init(&out, PASSWORD_STORED_MAX);
	ck_assert_int_eq(password_make(SLICE(""), &cheap, &out), -1);
	ck_assert_int_eq(password_make(SLICE("a\0b"), &cheap, &out), -1);
	ck_assert_int_eq(password_make((struct slice){ text, sizeof text },
			     &cheap, &out), -1);
	ck_assert_int_eq(password_make((struct slice){ text, PASSWORD_MAX },
			     &cheap, &out), 0);
	ck_assert_int_eq(password_check((struct slice){ text, PASSWORD_MAX },
			     buf_slice(&out)), PASSWORD_RIGHT);
	ck_assert_int_eq(password_check((struct slice){ text, sizeof text },
			     buf_slice(&out)), PASSWORD_WRONG);
	/* What crypt(3) would cut at the NUL. */
	buf_reset(&out);
	ck_assert_int_eq(password_make(SLICE("a"), &cheap, &out), 0);
	ck_assert_int_eq(password_check(SLICE("a\0b"), buf_slice(&out)),
	    PASSWORD_WRONG);
	buf_fini(&out);
	buf_init(&out, 20);
	ck_assert_int_eq(password_make(SLICE("a"), &cheap, &out), -1);
	ck_assert_int_eq(errno, ENOBUFS);
	buf_fini(&out);
}
END_TEST

START_TEST(dummy)
{
	struct buf one, two;

	ck_assert_int_eq(password_init(), 0);
	buf_init(&one, PASSWORD_STORED_MAX);
	buf_init(&two, PASSWORD_STORED_MAX);
	ck_assert_int_eq(password_make_dummy(&policies[_i], &one), 0);
	ck_assert_int_eq(password_make_dummy(&policies[_i], &two), 0);
	ck_assert(!slice_eq(buf_slice(&one), buf_slice(&two)));
	ck_assert(password_is_current(buf_slice(&one), &policies[_i]));
	ck_assert_int_eq(password_check(SLICE("x"), buf_slice(&one)),
	    PASSWORD_WRONG);
	buf_fini(&one);
	buf_fini(&two);
}
END_TEST

static void *
check_many(void *arg)
{
	struct buf *stored = arg;
	int i;

	for (i = 0; i < 20; i++)
		if (password_check(SLICE("right"), buf_slice(stored)) !=
			PASSWORD_RIGHT ||
		    password_check(SLICE("wrong"), buf_slice(stored)) !=
			PASSWORD_WRONG)
			return NULL;
	return arg;
}

START_TEST(threads)
{
	struct password_policy p[] = {
		{ .yescrypt_cost = 1 },
		{ .scheme = PASSWORD_ARGON2ID, .argon2_passes = 1,
		    .argon2_mib = 8 },
		{ .scheme = PASSWORD_SCRAM, .scram_iterations = 4096 },
	};
	pthread_t t[4];
	struct buf stored;
	void *ok;
	int i;

	ck_assert_int_eq(password_init(), 0);
	buf_init(&stored, PASSWORD_STORED_MAX);
	ck_assert_int_eq(password_make(SLICE("right"), &p[_i], &stored), 0);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, check_many,
		    &stored), 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(t[i], &ok), 0);
		ck_assert_ptr_nonnull(ok);
	}
	buf_fini(&stored);
}
END_TEST

UNIT_SUITE(password, {
	int n = (int)(sizeof policies / sizeof *policies);

	tcase_add_loop_test(tc, known, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(tc, made, 0, n);
	tcase_add_loop_test(tc, bad_policy, 0,
	    (int)(sizeof bad_policies / sizeof *bad_policies));
	tcase_add_test(tc, bad_password);
	tcase_add_loop_test(tc, dummy, 0, n);
	tcase_add_loop_test(tc, threads, 0, 3);
})
