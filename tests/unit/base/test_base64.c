/* SPDX-License-Identifier: ISC */
/* Vectors of RFC 4648 section 10, and what must be refused. */
#include "base/base64.h"

#include "tests/unit/unit.h"

static const struct {
	const char *plain, *coded;
} vectors[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
	{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" } };
static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "=Zg=", "Z===",
	"Zg==Zg==", "Zm9v\n", "Zm 9", "Zh==", "Zm9=", "Zm-v", "Zm_v" };

START_TEST(there_and_back)
{
	struct buf b;

	buf_init(&b, 100);
	base64_encode(&b, guard_copy(slice_str(vectors[_i].plain)));
	ck_assert_str_eq(b.p, vectors[_i].coded);
	buf_reset(&b);
	ck_assert_int_eq(base64_decode(&b,
			     guard_copy(slice_str(vectors[_i].coded))), 0);
	ck_assert_str_eq(b.p, vectors[_i].plain);
	buf_fini(&b);
}
END_TEST

START_TEST(refuses)
{
	struct buf b;

	buf_init(&b, 100);
	buf_add_str(&b, "kept");
	ck_assert_msg(base64_decode(&b, guard_copy(slice_str(bad[_i]))) < 0,
	    "\"%s\"", bad[_i]);
	ck_assert_str_eq(b.p, "kept");
	buf_fini(&b);
}
END_TEST

START_TEST(hexadecimal)
{
	struct buf b;

	buf_init(&b, 100);
	hex_encode(&b, SLICE("\x00\xffz"));
	ck_assert_str_eq(b.p, "00ff7a");
	buf_reset(&b);
	ck_assert_int_eq(hex_decode(&b, guard_copy(SLICE("00fF7A"))), 0);
	ck_slice_eq(buf_slice(&b), SLICE("\x00\xffz"));
	ck_assert_int_lt(hex_decode(&b, SLICE("0")), 0);
	ck_assert_int_lt(hex_decode(&b, SLICE("000g")), 0);
	ck_slice_eq(buf_slice(&b), SLICE("\x00\xffz"));
	ck_assert_int_eq(b.p[b.n], 0);
	buf_fini(&b);
}
END_TEST

UNIT_SUITE(base64, {
	tcase_add_loop_test(tc, there_and_back, 0, 7);
	tcase_add_loop_test(tc, refuses, 0,
	    (int)(sizeof bad / sizeof *bad));
	tcase_add_test(tc, hexadecimal);
})
