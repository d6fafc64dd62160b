/* SPDX-License-Identifier: ISC */
#include "auth/clients.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

START_TEST(counts)
{
	struct clients c;
	char big[1000];
	uint32_t n;
	int i;

	clients_init(&c);
	ck_assert(clients_open(&c, 1, SLICE("a"), 2, &n) && n == 1);
	ck_assert(clients_open(&c, 2, SLICE("a"), 2, &n) && n == 2);
	ck_assert(!clients_open(&c, 2, SLICE("a"), 2, &n) && n == 2);
	ck_assert(clients_open(&c, 2, SLICE("b"), 2, &n) && n == 1);
	clients_close(&c, 2, SLICE("b"));
	clients_close(&c, 2, SLICE("b"));
	clients_close(&c, 3, SLICE("a"));
	ck_assert_uint_eq(c.open, 2);
	/* A holder goes with all it has. */
	for (i = 0; i < 50; i++) {
		big[0] = (char)i;
		ck_assert(clients_open(&c, 1, (struct slice){ big, 1 }, 0,
		    &n));
	}
	clients_drop(&c, 1);
	ck_assert_uint_eq(c.open, 1);
	ck_assert_uint_eq(c.counts.n, 1);
	ck_assert(clients_open(&c, 1, SLICE("a"), 2, &n) && n == 2);
	clients_drop(&c, 1);
	clients_drop(&c, 2);
	clients_drop(&c, 2);
	ck_assert_uint_eq(c.counts.n, 0);
	ck_assert_uint_eq(c.shares.n, 0);
	ck_assert_uint_eq(c.open, 0);
	/* Long keys and none. */
	memset(big, 'x', sizeof big);
	ck_assert(clients_open(&c, 1, (struct slice){ big, sizeof big }, 1,
	    &n));
	ck_assert(!clients_open(&c, 1, (struct slice){ big, 300 }, 1, &n));
	ck_assert(clients_open(&c, 1, SLICE_NONE, 1, &n));
	clients_fini(&c);
}
END_TEST

UNIT_SUITE(clients, {
	tcase_add_test(tc, counts);
})
