/* SPDX-License-Identifier: ISC */
#include "proto/address.h"

#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

/* What is written again is the same address and already canonical. */
static void
check_canonical(const struct address *a)
{
	struct buf once, twice;
	struct address again;

	buf_init(&once, 4096);
	buf_init(&twice, 4096);
	address_add(&once, a);
	FUZZ_ASSERT(utf8_is_valid(buf_slice(&once)));
	if (once.n > 0 && address_parse_lenient(buf_slice(&once), &again) == 0) {
		FUZZ_ASSERT(address_is_equal(a, &again));
		address_add(&twice, &again);
		FUZZ_ASSERT(slice_eq(buf_slice(&once), buf_slice(&twice)));
	}
	buf_fini(&once);
	buf_fini(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, rest = in;
	enum address_error error;
	struct address a;

	if (address_take_path(&rest, 7, &a, &error) == 0) {
		FUZZ_ASSERT(rest.n < in.n);
		check_canonical(&a);
	}
	if (address_parse(in, 0, &a, &error) == 0) {
		FUZZ_ASSERT(!a.is_utf8 && a.local.n > 0 && a.domain.n > 0);
		check_canonical(&a);
	}
	if (address_parse_lenient(in, &a) == 0)
		check_canonical(&a);
	return 0;
}
