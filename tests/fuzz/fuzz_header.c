/* SPDX-License-Identifier: ISC */
#include "proto/header.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, rest = in;
	struct header_field f;
	struct buf out;
	size_t fields = 0, k, used = 0;
	ssize_t n;

	buf_init(&out, 1 << 20);
	do {
		/* With the fewest octets that suffice, as with all. */
		n = 0;
		for (k = 0; k <= rest.n && n == 0; k++)
			n = header_scan(slice_head(rest, k), false, &f);
		if (n == 0)
			n = header_scan(rest, true, &f);
		FUZZ_ASSERT(n >= 0 && f.raw.n == (size_t)n);
		FUZZ_ASSERT(f.name.n + f.value.n <= f.raw.n);
		FUZZ_ASSERT(f.kind != HEADER_FIELD || f.name.n > 0);
		fields += f.kind == HEADER_FIELD;
		buf_reset(&out);
		header_unfold(&out, f.value);
		FUZZ_ASSERT(out.n <= f.value.n);
		rest = slice_from(rest, (size_t)n);
		used += (size_t)n;
	} while (f.kind != HEADER_END);
	FUZZ_ASSERT(header_length(in) == used);
	FUZZ_ASSERT(header_count(in, SLICE("Received")) <= fields);
	buf_fini(&out);
	return 0;
}
