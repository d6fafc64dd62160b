/* SPDX-License-Identifier: ISC */
#include "mta/nexthop.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct nexthop n;

	if (nexthop_parse(in, &n) < 0)
		return 0;
	FUZZ_ASSERT(n.host.n > 0 && n.host.n < in.n);
	FUZZ_ASSERT(n.host.p > in.p && n.host.p + n.host.n <= in.p + in.n);
	FUZZ_ASSERT(!slice_has(n.host, '\0') && !slice_has(n.host, '\n'));
	FUZZ_ASSERT(n.kind != NEXTHOP_MX || n.port == 0);
	return 0;
}
