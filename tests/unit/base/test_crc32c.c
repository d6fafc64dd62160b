/* SPDX-License-Identifier: ISC */
/* Vectors of RFC 3720 appendix B.4. */
#include "base/crc32c.h"

#include <string.h>

#include "tests/unit/unit.h"

START_TEST(vectors)
{
	unsigned char b[32];
	int i;

	memset(b, 0, sizeof b);
	ck_assert_uint_eq(crc32c(0, b, 32), 0x8a9136aaU);
	memset(b, 0xff, sizeof b);
	ck_assert_uint_eq(crc32c(0, b, 32), 0x62a8ab43U);
	for (i = 0; i < 32; i++)
		b[i] = (unsigned char)i;
	ck_assert_uint_eq(crc32c(0, b, 32), 0x46dd794eU);
	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283U);
	ck_assert_uint_eq(crc32c(0, b, 0), 0);
}
END_TEST

START_TEST(continues)
{
	static const char text[] = "the quick brown fox jumps over the dog";
	uint32_t whole = crc32c(0, text, sizeof text);
	size_t i;

	for (i = 0; i <= sizeof text; i++)
		ck_assert_uint_eq(crc32c(crc32c(0, text, i), text + i,
				      sizeof text - i), whole);
}
END_TEST

UNIT_SUITE(crc32c, {
	tcase_add_test(tc, vectors);
	tcase_add_test(tc, continues);
})
