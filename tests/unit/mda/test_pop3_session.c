/* SPDX-License-Identifier: ISC */
#include "mda/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/mda/dialogue.h"
#include "tests/unit/unit.h"

static struct world w;
static struct dialogue d;

static void
setup(void)
{
	world_make(&w);
	ck_assert_int_eq(world_open(&w), 0);
	dialogue_begin(&d, &w);
}

static void
teardown(void)
{
	dialogue_fini(&d);
	world_drop(&w);
}

static const char *const scripts[] = {
	"drop.pop3",
	"quit.pop3",
};

START_TEST(script)
{
	dialogue_run(&d, scripts[_i]);
}
END_TEST

START_TEST(script_bytewise)
{
	d.bytewise = true;
	dialogue_run(&d, scripts[_i]);
}
END_TEST

UNIT_SUITE(pop3_session, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, script, 0, sizeof scripts / sizeof *scripts);
	tcase_add_loop_test(tc, script_bytewise, 0,
	    sizeof scripts / sizeof *scripts);
})
