/* SPDX-License-Identifier: ISC */
#include "base/queue_id.h"

#include "tests/unit/unit.h"

static const struct {
	uint64_t id;
	const char *text;
} cases[] = {
	{ 0, "0" }, { 31, "z" }, { 32, "10" }, { 1000000, "ygj0" },
	{ UINT64_MAX, "fzzzzzzzzzzzz" },
};
static const char *const bad[] = { "", "u", "1-", "@", "gzzzzzzzzzzzz",
	"00000000000000" };

START_TEST(there_and_back)
{
	struct buf b;
	uint64_t id;

	buf_init(&b, 100);
	queue_id_add(&b, cases[_i].id);
	ck_assert_str_eq(b.p, cases[_i].text);
	ck_assert_str_eq(queue_id_text(cases[_i].id), cases[_i].text);
	ck_assert_int_eq(queue_id_parse(guard_copy(buf_slice(&b)), &id), 0);
	ck_assert_uint_eq(id, cases[_i].id);
	buf_fini(&b);
}
END_TEST

START_TEST(refused)
{
	uint64_t id;

	ck_assert_int_lt(queue_id_parse(guard_copy(slice_str(bad[_i])), &id),
	    0);
}
END_TEST

UNIT_SUITE(queue_id, {
	tcase_add_loop_test(tc, there_and_back, 0,
	    (int)(sizeof cases / sizeof *cases));
	tcase_add_loop_test(tc, refused, 0, (int)(sizeof bad / sizeof *bad));
})
