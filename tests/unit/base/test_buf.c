/* SPDX-License-Identifier: ISC */
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "tests/unit/unit.h"

/* Memory that was used before, so that what is not set shows. */
static void
soil(void)
{
	void *p[16];
	int i;

	for (i = 0; i < 16; i++) {
		p[i] = malloc(64);
		ck_assert_ptr_nonnull(p[i]);
		memset(p[i], 'x', 64);
	}
	for (i = 0; i < 16; i++)
		free(p[i]);
}

START_TEST(room_alone_keeps_the_nul)
{
	struct buf b;

	soil();
	buf_init(&b, 100);
	ck_assert_ptr_nonnull(buf_room(&b, 10));
	ck_assert_str_eq(b.p, "");
	buf_add_str(&b, "ab");
	ck_assert_ptr_nonnull(buf_room(&b, 90));
	ck_assert_str_eq(b.p, "ab");
	buf_fini(&b);
}
END_TEST

START_TEST(base64_of_nothing)
{
	struct buf b;

	soil();
	buf_init(&b, 100);
	base64_encode(&b, SLICE(""));
	ck_assert_str_eq(b.p, "");
	buf_fini(&b);
}
END_TEST

UNIT_SUITE(buf, {
	tcase_add_test(tc, room_alone_keeps_the_nul);
	tcase_add_test(tc, base64_of_nothing);
})
