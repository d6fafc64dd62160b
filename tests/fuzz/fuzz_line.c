/* SPDX-License-Identifier: ISC */
#include "proto/line.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, got;
	enum line_error error;
	struct line l;
	ssize_t n;

	line_init(&l, 100);
	while ((n = line_next(&l, in, &got, &error)) > 0) {
		FUZZ_ASSERT((size_t)n == got.n + 2);
		FUZZ_ASSERT(!slice_has(got, '\r') && !slice_has(got, '\n'));
		in = slice_from(in, (size_t)n);
	}
	return 0;
}
