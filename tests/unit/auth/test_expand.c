/* SPDX-License-Identifier: ISC */
#include "auth/expand.h"

#include <stdlib.h>

#include "tests/unit/auth/world.h"
#include "tests/unit/unit.h"

static void
fill(void)
{
	world_set_up();
	world_domain("x.test", NULL);
	world_domain("y.test", "x.test");
	(void)world_account("x.test@a");
	(void)world_account("x.test@b");
	world_alias("x.test@both", "a@x.test b@x.test");
	world_alias("x.test@one", "a+list@x.test");
	world_alias("x.test@two", "one@y.test");
	world_alias("x.test@ring", "ring+x@x.test");
	world_alias("x.test@mixed", "a@x.test mixed@Y.test");
	world_alias("x.test@long1", "long2@x.test");
	world_alias("x.test@long2", "long1@x.test");
	world_alias("x.test@away", "a@far.away");
}

static const struct {
	const char *address;
	enum addr_kind kind;
} cases[] = {
	{ "both@x.test", ADDR_ALIAS },
	{ "ring@x.test", ADDR_LOOP },
	{ "ring@y.test", ADDR_LOOP },
	{ "mixed@x.test", ADDR_LOOP },
	{ "long1@x.test", ADDR_ALIAS }, /* whoever follows it will see */
	{ "a@x.test", ADDR_ACCOUNT },
	{ "x@far.away", ADDR_REMOTE },
	{ "none@x.test", ADDR_UNKNOWN },
};

START_TEST(step)
{
	expand_find(world.settings, world.accounts,
	    guard_copy(slice_str(cases[_i].address)), &world.route);
	ck_assert_int_eq(world.route.kind, cases[_i].kind);
}
END_TEST

START_TEST(catch_all_of_itself)
{
	world_alias("x.test@", "nobody@x.test");
	expand_find(world.settings, world.accounts, SLICE("any@x.test"),
	    &world.route);
	ck_assert_int_eq(world.route.kind, ADDR_LOOP);
}
END_TEST

static const struct {
	const char *address;
	uint64_t owner; /* 0: nobody */
} owners[] = {
	{ "A@x.test", 1 },
	{ "a+x@y.test", 1 },
	{ "one@x.test", 1 },
	{ "two+z@x.test", 1 },
	{ "both@x.test", 0 },
	{ "ring@x.test", 0 },
	{ "long1@x.test", 0 },
	{ "away@x.test", 0 },
	{ "a@far.away", 0 },
	{ "", 0 },
	{ "postmaster@x.test", 1 },
};

START_TEST(own)
{
	uint64_t who;
	bool owns;

	for (who = 0; who < 4; who++) {
		ck_assert_int_eq(expand_owns(world.settings, world.accounts,
		    who, guard_copy(slice_str(owners[_i].address)), &owns),
		    0);
		ck_assert_int_eq(owns, who != 0 && who == owners[_i].owner);
	}
}
END_TEST

UNIT_SUITE(expand, {
	tcase_add_checked_fixture(tc, fill, world_tear_down);
	tcase_add_loop_test(tc, step, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, catch_all_of_itself);
	tcase_add_loop_test(tc, own, 0, sizeof owners / sizeof *owners);
})
