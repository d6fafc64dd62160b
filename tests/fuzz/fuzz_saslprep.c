/* SPDX-License-Identifier: ISC */
#include "sys/saslprep.h"

#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct buf out;

	buf_init(&out, 65536);
	if (saslprep(in, &out) == 0) {
		FUZZ_ASSERT(out.n > 0 && utf8_is_valid(buf_slice(&out)));
		FUZZ_ASSERT(!slice_has(buf_slice(&out), '\0'));
	} else
		FUZZ_ASSERT(out.n == 0);
	buf_fini(&out);
	return 0;
}
