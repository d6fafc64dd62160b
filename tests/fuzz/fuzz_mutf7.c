/* SPDX-License-Identifier: ISC */
/* What decodes encodes back to itself, and what is UTF-8 survives both. */
#include "proto/mutf7.h"

#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct buf a, b;

	buf_init(&a, 1 << 16);
	buf_init(&b, 1 << 16);
	if (mutf7_decode(&a, in) == 0) {
		FUZZ_ASSERT(utf8_is_valid(buf_slice(&a)));
		FUZZ_ASSERT(mutf7_encode(&b, buf_slice(&a)) == 0);
		FUZZ_ASSERT(slice_eq(buf_slice(&b), in));
	}
	buf_reset(&a);
	buf_reset(&b);
	if (mutf7_encode(&a, in) == 0) {
		FUZZ_ASSERT(!utf8_has_8bit(buf_slice(&a)));
		FUZZ_ASSERT(mutf7_decode(&b, buf_slice(&a)) == 0);
		FUZZ_ASSERT(slice_eq(buf_slice(&b), in));
	} else {
		FUZZ_ASSERT(!utf8_is_valid(in));
	}
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
