/* SPDX-License-Identifier: ISC */
#include "base/list.h"

#include "tests/unit/unit.h"

struct item {
	int n;
	struct list link;
};

START_TEST(adds_and_removes)
{
	struct item items[5] = { { .n = 0 } };
	struct list head, *it, *tmp;
	int i, want = 0;

	list_init(&head);
	ck_assert(list_is_empty(&head));
	ck_assert_ptr_null(list_first(&head));
	for (i = 0; i < 5; i++) {
		items[i].n = i;
		ck_assert(!list_is_in(&items[i].link));
		list_add(&head, &items[i].link);
	}
	LIST_EACH(it, tmp, &head) {
		ck_assert_int_eq(LIST_OF(it, struct item, link)->n, want++);
		if (want % 2 == 0)
			list_remove(it);
	}
	ck_assert_int_eq(want, 5);
	list_remove(&items[1].link); /* harmless when it is in none */
	list_add_first(&head, &items[1].link);
	ck_assert_ptr_eq(list_first(&head), &items[1].link);
	ck_assert_ptr_eq(items[1].link.next, &items[0].link);
}
END_TEST

UNIT_SUITE(list, { tcase_add_test(tc, adds_and_removes); })
