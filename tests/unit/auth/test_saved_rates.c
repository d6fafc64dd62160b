/* SPDX-License-Identifier: ISC */
#include "auth/saved_rates.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/unit/sys/scratch.h"
#include "tests/unit/unit.h"

enum { FROM = TABLE_BDB, TO = TABLE_LMDB + 1, KEYS = 1300 };

static struct scratch scratch;
static struct rates r;
static struct saved_rates *s;

static void
open_it(int driver)
{
	struct buf why;

	buf_init(&why, 1024);
	rates_init(&r, 5000);
	ck_assert_msg(saved_rates_open((enum table_driver)driver,
	    scratch.dir, &r, &why, &s) == 0, "%s", why.p);
	buf_fini(&why);
}

static void
close_it(void)
{
	saved_rates_close(&s);
	rates_fini(&r);
}

static uint32_t
ask(const char *key, uint32_t window, uint32_t cost)
{
	return rates_ask(&r, slice_str(key), window, cost, 1000,
	    clock_boot_ms()).count;
}

START_TEST(over_a_restart)
{
	char key[16];
	int i;

	scratch_init(&scratch);
	open_it(_i);
	for (i = 0; i < KEYS; i++) {
		(void)snprintf(key, sizeof key, "k%d", i);
		ask(key, 3600, 1 + (uint32_t)i % 9);
	}
	ask("cleared", 3600, 1);
	while (saved_rates_write(s))
		;
	ck_assert(list_is_empty(&r.dirty));
	ck_assert_uint_eq(rates_clear(&r, SLICE("cleared")), 1);
	ask("k5", 3600, 1);
	close_it();

	open_it(_i);
	ck_assert_uint_eq(r.n, KEYS);
	ck_assert_uint_eq(ask("k5", 3600, 0), 7);
	ck_assert_uint_eq(ask("k1299", 3600, 0), 1 + 1299 % 9);
	ck_assert_uint_eq(ask("cleared", 3600, 0), 0);
	/* Cleared, counted again, saved again. */
	ck_assert_uint_eq(rates_clear(&r, SLICE("k5")), 1);
	ask("k5", 3600, 3);
	rates_set_max(&r, 10);
	close_it();

	open_it(_i);
	ck_assert_uint_eq(r.n, 10);
	ck_assert_uint_eq(ask("k5", 3600, 0), 3);
	close_it();
	scratch_fini(&scratch);
}
END_TEST

UNIT_SUITE(saved_rates, {
	tcase_add_loop_test(tc, over_a_restart, FROM, TO);
})
