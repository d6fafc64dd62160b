/* SPDX-License-Identifier: ISC */
/* Accounts and their changes. */
#include "auth/accounts.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>

#include "auth/accounts_priv.h"
#include "auth/changes.h"
#include "tests/unit/auth/world.h"
#include "tests/unit/unit.h"

#define A world.accounts
#define REFUSED(call, code) \
	do { \
		ck_assert_int_eq((call), -1); \
		ck_assert_int_eq(world.why.exit, (code)); \
		ck_assert_uint_gt(world.why.text.n, 0); \
	} while (0)

START_TEST(numbers_are_not_reused)
{
	struct account c;

	world_domain("x.test", NULL);
	ck_assert_uint_eq(world_account("x.test@a"), 1);
	ck_assert_uint_eq(world_account("x.test@b"), 2);
	ck_assert_int_eq(change_remove_account(A, 2, &world.why), 0);
	world_reopen();
	ck_assert_uint_eq(world_account("x.test@b"), 3);
	ck_assert_int_eq(accounts_find(A, 3, &c), 0);
	ck_slice_str(c.home, "x.test/b~3");
	ck_assert_int_eq(accounts_find(A, 2, &c), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_eq(accounts_count(A), 2);
}
END_TEST

START_TEST(home_stays)
{
	struct account c;
	struct name n;

	world_domain("x.test", NULL);
	world_domain("y.test", NULL);
	(void)world_account("x.test@a");
	ck_assert_int_eq(change_rename_account(A, 1, SLICE("y.test@z"),
	    &world.why), 0);
	ck_assert_int_eq(accounts_find(A, 1, &c), 0);
	ck_slice_str(c.home, "x.test/a");
	ck_slice_str(c.key, "y.test@z");
	ck_assert_int_eq(accounts_find_name(A, SLICE("x.test@a"), &n), -1);
	ck_assert_int_eq(accounts_find_name(A, SLICE("y.test@z"), &n), 0);
	ck_assert_uint_eq(n.account, 1);
	/* The old address is free, the old home is not. */
	ck_assert_uint_eq(world_account("x.test@a"), 2);
	ck_assert_int_eq(accounts_find(A, 2, &c), 0);
	ck_slice_str(c.home, "x.test/a~2");
}
END_TEST

START_TEST(all_or_none)
{
	struct account v[3] = { { .key = SLICE("x.test@a") },
		{ .key = SLICE("x.test@b") }, { .key = SLICE("x.test@a") } };
	uint64_t before;
	struct name n;

	world_domain("x.test", NULL);
	before = accounts_generation(A);
	REFUSED(change_add_accounts(A, v, 3, &world.why), EX_DATAERR);
	ck_assert_int_eq(accounts_find_name(A, SLICE("x.test@a"), &n), -1);
	ck_assert_uint_eq(accounts_generation(A), before);
	ck_assert_uint_eq(accounts_count(A), 0);
	/* Two that would share a made-up home. */
	v[2].key = SLICE("x.test@c");
	v[2].home = SLICE("x.test/a");
	REFUSED(change_add_accounts(A, v, 3, &world.why), EX_CANTCREAT);
	v[2].home = SLICE("elsewhere/c");
	ck_assert_int_eq(change_add_accounts(A, v, 3, &world.why), 0);
	ck_assert_uint_eq(v[0].number, 1);
	ck_assert_uint_eq(v[2].number, 3);
	ck_assert_uint_eq(accounts_generation(A), before + 1);
}
END_TEST

START_TEST(first_domain)
{
	ck_assert_uint_eq(accounts_first_domain(A).n, 0);
	world_domain("z.test", NULL);
	world_domain("a.test", NULL);
	world_domain("0.test", "z.test");
	ck_slice_str(accounts_first_domain(A), "z.test");
	world_reopen();
	ck_slice_str(accounts_first_domain(A), "z.test");
	REFUSED(change_remove_domain(A, SLICE("z.test"), &world.why),
	    EX_UNAVAILABLE);
	ck_assert_int_eq(change_remove_domain(A, SLICE("0.test"),
	    &world.why), 0);
	ck_assert_int_eq(change_remove_domain(A, SLICE("z.test"),
	    &world.why), 0);
	ck_slice_str(accounts_first_domain(A), "a.test");
	ck_assert_uint_eq(accounts_n_domains(A), 1);
}
END_TEST

START_TEST(still_in_use)
{
	world_domain("x.test", NULL);
	(void)world_account("x.test@a");
	world_alias("x.test@b", "a@x.test c@far.away");
	REFUSED(change_remove_account(A, 1, &world.why), EX_UNAVAILABLE);
	ck_assert_int_ge(slice_find(buf_slice(&world.why.text),
	    SLICE("b@x.test")), 0);
	REFUSED(change_rename_account(A, 1, SLICE("x.test@n"), &world.why),
	    EX_UNAVAILABLE);
	REFUSED(change_remove_domain(A, SLICE("x.test"), &world.why),
	    EX_UNAVAILABLE);
	ck_assert_int_eq(change_remove_alias(A, SLICE("x.test@b"),
	    &world.why), 0);
	REFUSED(change_remove_alias(A, SLICE("x.test@b"), &world.why),
	    EX_NOUSER);
	ck_assert_int_eq(change_remove_account(A, 1, &world.why), 0);
	ck_assert_int_eq(change_remove_domain(A, SLICE("x.test"),
	    &world.why), 0);
}
END_TEST

START_TEST(usage)
{
	struct usage u;

	world_domain("x.test", NULL);
	(void)world_account("x.test@a");
	(void)world_account("x.test@b");
	accounts_set_usage(A, 1, (struct usage){ 10, 1 });
	accounts_set_usage(A, 2, (struct usage){ 20, 2 });
	world_reopen();
	u = accounts_usage(A, 2);
	ck_assert_uint_eq(u.bytes, 20);
	ck_assert_uint_eq(u.messages, 2);
	ck_assert_uint_eq(accounts_usage(A, 3).bytes, 0);
	ck_assert_int_eq(change_remove_account(A, 2, &world.why), 0);
	world_reopen();
	ck_assert_uint_eq(accounts_usage(A, 2).bytes, 0);
	ck_assert_uint_eq(accounts_usage(A, 1).bytes, 10);
}
END_TEST

/* A row that is none of ours is "later", never "no such user". */
START_TEST(damaged)
{
	struct account c;
	struct domain d;
	struct name n;

	world_domain("x.test", NULL);
	(void)world_account("x.test@a");
	ck_assert_int_eq(table_put(A->names, SLICE("x.test@a"),
	    SLICE("\x01\x07")), 0);
	ck_assert_int_eq(accounts_find_name(A, SLICE("x.test@a"), &n), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(table_put(A->domains, SLICE("x.test"), SLICE("")),
	    0);
	ck_assert_int_eq(accounts_find_domain(A, SLICE("x.test"), &d), -1);
	ck_assert_int_eq(errno, EBADMSG);
	ck_assert_int_eq(table_put(A->accounts,
	    SLICE("\0\0\0\0\0\0\0\x01"), SLICE("\x02")), 0);
	ck_assert_int_eq(accounts_find(A, 1, &c), -1);
	ck_assert_int_eq(errno, EBADMSG);
	route_find(world.settings, A, SLICE("a@x.test"), NULL, &world.route);
	ck_assert_int_eq(world.route.kind, ADDR_LATER);
}
END_TEST

UNIT_SUITE(accounts, {
	tcase_add_checked_fixture(tc, world_set_up, world_tear_down);
	tcase_add_test(tc, numbers_are_not_reused);
	tcase_add_test(tc, home_stays);
	tcase_add_test(tc, all_or_none);
	tcase_add_test(tc, first_domain);
	tcase_add_test(tc, still_in_use);
	tcase_add_test(tc, usage);
	tcase_add_test(tc, damaged);
})
