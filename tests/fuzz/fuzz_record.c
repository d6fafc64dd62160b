/* SPDX-License-Identifier: ISC */
#include "auth/record.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, v;
	unsigned char tag;
	struct buf copy;
	size_t at = 0;

	buf_init(&copy, 1 << 22);
	record_begin(&copy);
	while (record_next(in, &at, &tag, &v)) {
		FUZZ_ASSERT(at <= size);
		FUZZ_ASSERT(record_get(in, tag).p != NULL);
		(void)record_get_u64(in, tag, 0);
		record_add(&copy, tag, v);
	}
	FUZZ_ASSERT(record_is_valid(buf_slice(&copy)));
	FUZZ_ASSERT(!record_is_valid(in) || slice_eq(in, buf_slice(&copy)));
	buf_fini(&copy);
	return 0;
}
