/* SPDX-License-Identifier: ISC */
/*
 * Arguments of the administrator's verbs, as a broken or hostile master could
 * send them: cut at every length, with every byte changed, and at random. The
 * answer is one ADMIN_DONE, whatever comes.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/auth_admin.h"
#include "auth/directory_admin.h"
#include "auth/passwords.h"
#include "auth/rates.h"
#include "auth/state_admin.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "tests/unit/auth/fake_daemon.h"
#include "tests/unit/auth/world.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static struct ipc_link *admin_link;
static struct passwords *passwords;
static struct rates rates;
static struct scratch other;

static void
set_up(void)
{
	static const struct ipc_handlers none = { .lost = NULL };
	struct buf why;
	int fds[2];

	log_set_level(LOG_LEVEL_ERROR);
	world_set_up();
	world_domain("x.test", NULL);
	(void)world_account("x.test@joe");
	world_alias("x.test@al", "joe@x.test");
	scratch_init(&other);
	buf_init(&why, 1024);
	ck_assert_int_eq(passwords_open(TABLE_LMDB, other.dir, &why,
	    &passwords), 0);
	buf_fini(&why);
	rates_init(&rates, 100);
	loop = loop_new();
	ck_assert_int_eq(ipc_pair(fds), 0);
	admin_link = ipc_link_new(loop, fds[0], ROLE_DIRECTORY, ROLE_MASTER, 0,
	    &none);
	ck_assert_ptr_nonnull(admin_link);
}

static void
tear_down(void)
{
	ipc_link_free(&admin_link);
	loop_free(&loop);
	rates_fini(&rates);
	passwords_close(&passwords);
	scratch_fini(&other);
	world_tear_down();
}

static void
run(const char *verb, struct slice args)
{
	struct slice v = slice_str(verb);
	size_t before = fake_answer.done;

	args = guard_copy(args);
	if (strncmp(verb, "password", 8) == 0)
		auth_admin_run(passwords, admin_link, 1, v, args);
	else if (strncmp(verb, "rate", 4) == 0)
		state_admin_run(&rates, admin_link, 1, v, args);
	else
		directory_admin_run(world.settings, world.accounts,
		    admin_link, 1, v, args);
	ck_assert_uint_eq(fake_answer.done, before + 1);
	ck_assert(fake_answer.exit == 0 ||
	    (fake_answer.exit >= 64 && fake_answer.exit <= 78));
	ck_assert_msg(fake_answer.exit == 0 || fake_answer.text[0] != 0,
	    "%s fails without a word", verb);
}

/* Pairs that the verb knows, a blank between all words. */
static const struct {
	const char *verb, *words;
} verbs[] = {
	{ "domain add", "name y.test alias-of x.test" },
	{ "domain list", "after a limit 5" },
	{ "domain remove", "name y.test" },
	{ "account add", "address a@x.test home a/b root 1 quota-bytes 1K "
	    "enabled no" },
	{ "account import", "account x account y" },
	{ "account show", "account joe" },
	{ "account list", "domain x.test after x limit 1" },
	{ "account enable", "account 1" },
	{ "account disable", "account joe@x.test" },
	{ "account quota", "account joe quota-messages none" },
	{ "account rename", "account 9 address k@x.test" },
	{ "account remove", "account 77" },
	{ "alias add", "alias l@x.test target joe target m@far.away" },
	{ "alias list", "limit 1" },
	{ "alias remove", "alias l@x.test target joe" },
	{ "address test", "address joe+x@x.test" },
	{ "password set", "account 1 form $y$abc" },
	{ "password remove", "account 1" },
	{ "password has", "account 1" },
	{ "rate list", "prefix a after b limit 3" },
	{ "rate clear", "key a*" },
};

static void
pack(const char *words, struct buf *out)
{
	struct slice left = slice_str(words), word;

	while (slice_split(&left, ' ', &word))
		row_add(out, word);
}

START_TEST(cut_and_changed)
{
	struct buf args;
	size_t i;
	char old;

	buf_init(&args, 4096);
	pack(verbs[_i].words, &args);
	for (i = 0; i <= args.n; i++)
		run(verbs[_i].verb, slice_head(buf_slice(&args), i));
	for (i = 0; i < args.n; i++) {
		old = args.p[i];
		args.p[i] = (char)(old ^ 0xff);
		run(verbs[_i].verb, buf_slice(&args));
		args.p[i] = (char)(old + 1);
		run(verbs[_i].verb, buf_slice(&args));
		args.p[i] = 0;
		run(verbs[_i].verb, buf_slice(&args));
		args.p[i] = old;
	}
	buf_fini(&args);
}
END_TEST

/* Every key with every kind of odd value. */
START_TEST(odd_values)
{
	static const char *const odd[] = { "", "@", "@@", "\"", "\\", ".", "..",
		"/", "%s%n", "-1", "99999999999999999999", "\xff\xfe",
		"a@x.test", "@x.test", "x.test@", "[1", "[::1]", "18E",
		"16777216T", "default", "none", "1", "0", " ", "\t\r\n" };
	struct slice left, word;
	struct buf args, big;
	size_t i, k;

	buf_init(&args, 60000);
	buf_init(&big, 50000);
	while (big.n < big.max)
		buf_add_char(&big, 'x');
	left = slice_str(verbs[_i].words);
	for (i = 0; slice_split(&left, ' ', &word); i++) {
		if (i % 2 == 1)
			continue;
		for (k = 0; k <= sizeof odd / sizeof *odd; k++) {
			buf_reset(&args);
			row_add(&args, word);
			row_add(&args, k == sizeof odd / sizeof *odd
				? buf_slice(&big) : slice_str(odd[k]));
			run(verbs[_i].verb, buf_slice(&args));
		}
	}
	buf_fini(&args);
	buf_fini(&big);
}
END_TEST

START_TEST(unknown_verbs)
{
	static const char *const names[] = { "", "domain", "domain add ",
		"account", "password", "password set ", "rate", "rate\n" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		run(names[i], SLICE_NONE);
}
END_TEST

UNIT_SUITE(hostile_args, {
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, cut_and_changed, 0,
	    sizeof verbs / sizeof *verbs);
	tcase_add_loop_test(tc, odd_values, 0, sizeof verbs / sizeof *verbs);
	tcase_add_test(tc, unknown_verbs);
})
