/* SPDX-License-Identifier: ISC */
#include "base/map.h"

#include <stdio.h>

#include "tests/unit/unit.h"

enum { MANY = 5000 };
static int values[MANY];

START_TEST(puts_gets_removes)
{
	struct map m;
	uint64_t i;
	void *old;

	map_init(&m);
	ck_assert_ptr_null(map_get(&m, SLICE("x")));
	ck_assert_ptr_null(map_remove(&m, SLICE("x")));
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(map_put(&m, map_u64(&i), &values[i], NULL), 0);
	ck_assert_uint_eq(m.n, MANY);
	for (i = 0; i < MANY; i++)
		ck_assert_ptr_eq(map_get(&m, map_u64(&i)), &values[i]);
	i = 7;
	ck_assert_int_eq(map_put(&m, map_u64(&i), &values[0], &old), 0);
	ck_assert_ptr_eq(old, &values[7]);
	ck_assert_uint_eq(m.n, MANY);
	for (i = 0; i < MANY; i += 2)
		ck_assert_ptr_nonnull(map_remove(&m, map_u64(&i)));
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(map_get(&m, map_u64(&i)) != NULL, i % 2 == 1);
	map_fini(&m);
}
END_TEST

START_TEST(keys_are_bytes)
{
	struct map m;

	map_init(&m);
	ck_assert_int_eq(map_put(&m, SLICE("a\0b"), &values[1], NULL), 0);
	ck_assert_int_eq(map_put(&m, SLICE("a\0c"), &values[2], NULL), 0);
	ck_assert_int_eq(map_put(&m, SLICE(""), &values[3], NULL), 0);
	ck_assert_ptr_eq(map_get(&m, guard_copy(SLICE("a\0c"))), &values[2]);
	ck_assert_ptr_eq(map_get(&m, SLICE_NONE), &values[3]);
	ck_assert_ptr_null(map_get(&m, SLICE("a")));
	map_fini(&m);
}
END_TEST

START_TEST(walks_while_removing)
{
	bool seen[MANY] = { false };
	struct map m;
	struct slice key;
	size_t pos = 0, n = 0;
	uint64_t i;
	int *v;

	map_init(&m);
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(map_put(&m, map_u64(&i), &values[i], NULL), 0);
	while ((v = map_next(&m, &pos, &key)) != NULL) {
		ck_assert(!seen[v - values]);
		seen[v - values] = true;
		n++;
		if ((v - values) % 3 != 0)
			continue;
		ck_assert_ptr_eq(map_remove(&m, key), v);
		map_back(&pos);
	}
	ck_assert_uint_eq(n, MANY);
	map_fini(&m);
}
END_TEST

UNIT_SUITE(map, {
	tcase_add_test(tc, puts_gets_removes);
	tcase_add_test(tc, keys_are_bytes);
	tcase_add_test(tc, walks_while_removing);
})
