/* SPDX-License-Identifier: ISC */
#include "base/heap.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

enum { MANY = 2000 };

START_TEST(gives_the_smallest)
{
	static struct heap_node nodes[MANY];
	struct heap_node *min;
	struct heap h;
	int64_t last = INT64_MIN;
	int i, n = MANY;

	heap_init(&h);
	srandom(42);
	for (i = 0; i < MANY; i++)
		ck_assert_int_eq(heap_set(&h, &nodes[i], random() % 500), 0);
	/* Moved up and down, taken out of the middle. */
	for (i = 0; i < MANY; i += 3)
		ck_assert_int_eq(heap_set(&h, &nodes[i], random() % 500), 0);
	for (i = 1; i < MANY; i += 7) {
		heap_remove(&h, &nodes[i]);
		heap_remove(&h, &nodes[i]);
		ck_assert_uint_eq(nodes[i].at, 0);
		n--;
	}
	while ((min = heap_min(&h)) != NULL) {
		ck_assert_int_ge(min->key, last);
		last = min->key;
		heap_remove(&h, min);
		n--;
	}
	ck_assert_int_eq(n, 0);
	heap_fini(&h);
}
END_TEST

UNIT_SUITE(heap, { tcase_add_test(tc, gives_the_smallest); })
