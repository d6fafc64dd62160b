/* SPDX-License-Identifier: ISC */
#include "proto/xtext.h"

#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct buf a, b;
	int rc;

	buf_init(&a, 1 << 22);
	buf_init(&b, 1 << 22);
	xtext_encode(&a, in);
	rc = xtext_decode(&b, buf_slice(&a));
	FUZZ_ASSERT(rc == 0 && slice_eq(buf_slice(&b), in));
	buf_reset(&b);
	rc = xtext_decode(&b, in);
	FUZZ_ASSERT(rc == 0 || !xtext_is_printable(in));
	buf_reset(&a);
	buf_reset(&b);
	rc = unitext_decode(&a, in);
	FUZZ_ASSERT((rc == 0) == unitext_is_valid(in));
	FUZZ_ASSERT(rc < 0 || utf8_is_valid(buf_slice(&a)));
	if (rc == 0) {
		unitext_encode_ascii(&b, buf_slice(&a));
		FUZZ_ASSERT(!utf8_has_8bit(buf_slice(&b)));
		FUZZ_ASSERT(unitext_is_valid(buf_slice(&b)));
	}
	buf_fini(&a);
	buf_fini(&b);
	return 0;
}
