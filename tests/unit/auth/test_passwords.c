/* SPDX-License-Identifier: ISC */
#include "auth/passwords.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/sys/scratch.h"
#include "tests/unit/unit.h"

#define SCRAM_FORM "SCRAM-SHA-256$4096:MDEyMzQ1Njc4OWFiY2RlZg==$" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct scratch scratch;
static struct passwords *p;

static void
open_it(void)
{
	struct buf why;

	buf_init(&why, 1024);
	ck_assert_msg(passwords_open(TABLE_LMDB, scratch.dir, &why, &p) == 0,
	    "%s", why.p);
	buf_fini(&why);
}

static void
set_up(void)
{
	scratch_init(&scratch);
	open_it();
}

static void
tear_down(void)
{
	passwords_close(&p);
	scratch_fini(&scratch);
}

START_TEST(rows)
{
	struct stored s;

	stored_init(&s);
	ck_assert_int_eq(passwords_find(p, 7, &s), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(stored_form(&s).n, 0);
	ck_assert_int_eq(passwords_put(p, 7, 99, SLICE("$y$a"), SLICE("k")),
	    0);
	ck_assert_int_eq(passwords_put(p, 8, 1, SLICE_NONE, SLICE("k8")), 0);
	passwords_close(&p);
	open_it();
	ck_assert_int_eq(passwords_find(p, 7, &s), 0);
	ck_slice_str(stored_form(&s), "$y$a");
	ck_slice_str(buf_slice(&s.scram), "k");
	ck_assert_int_eq(s.changed, 99);
	ck_assert_int_eq(passwords_find(p, 8, &s), 0);
	ck_slice_str(stored_form(&s), "k8");
	ck_assert_int_eq(passwords_remove(p, 7), 0);
	ck_assert_int_eq(passwords_remove(p, 7), 0);
	ck_assert_int_eq(passwords_find(p, 7, &s), -1);
	stored_fini(&s);
}
END_TEST

START_TEST(secret)
{
	struct buf before;

	buf_init(&before, 64);
	buf_add_slice(&before, passwords_secret(p));
	ck_assert_uint_eq(before.n, 32);
	passwords_close(&p);
	open_it();
	ck_slice_eq(passwords_secret(p), buf_slice(&before));
	buf_fini(&before);
}
END_TEST

static const struct {
	const char *form;
	enum stored_kind kind;
} forms[] = {
	{ "$y$j9T$abc$def", STORED_CRYPT },
	{ "$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
	  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", STORED_CRYPT },
	{ "{ARGON2ID}$argon2id$v=19$m=8192,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"
	  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", STORED_CRYPT },
	{ "$argon2id$v=19$nonsense", STORED_NONE },
	{ "$2y$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZabcde",
	  STORED_CRYPT },
	{ "{crypt}$1$salt$hash", STORED_CRYPT },
	{ "{CRYPT}!", STORED_CRYPT },
	{ "{SHA512-CRYPT}$6$abc$def", STORED_CRYPT },
	{ "!$y$j9T$abc$def", STORED_CRYPT },
	{ "*", STORED_CRYPT },
	{ SCRAM_FORM, STORED_SCRAM },
	{ "SCRAM-SHA-256$1:a$b:c", STORED_NONE },
	/* Schemes that nobody here can check, and what is only half there. */
	{ "{PBKDF2}$1$abcdefgh$5000$0123456789abcdef0123", STORED_NONE },
	{ "$pbkdf2-sha256$29000$abc$def", STORED_NONE },
	{ "{PLAIN}$ecret$is$it", STORED_NONE },
	{ "{SSHA512}$6$abc$def", STORED_NONE },
	{ "{CRYPT}secret", STORED_NONE },
	{ "{CRYPT}", STORED_NONE },
	{ "$6$abc", STORED_NONE },
	{ "$6$abc$", STORED_NONE },
	{ "$", STORED_NONE },
	{ "", STORED_NONE },
	{ "secret", STORED_NONE },
	{ "{PLAIN}secret", STORED_NONE },
	{ "{", STORED_NONE },
	{ "{}", STORED_NONE },
	{ "abJnggxhB/yWI", STORED_NONE },
	{ "$y$ blank", STORED_NONE },
	{ "$y$\n", STORED_NONE },
	{ "$y$\xc3\xa9", STORED_NONE },
};

START_TEST(kind)
{
	ck_assert_int_eq(stored_kind(guard_copy(slice_str(forms[_i].form))),
	    forms[_i].kind);
}
END_TEST

UNIT_SUITE(passwords, {
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, rows);
	tcase_add_test(tc, secret);
	tcase_add_loop_test(tc, kind, 0, sizeof forms / sizeof *forms);
})
