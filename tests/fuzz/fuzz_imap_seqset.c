/* SPDX-License-Identifier: ISC */
/* A resolved set is ascending and disjoint, and reads back as itself. */
#include "proto/imap_seqset.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

static void
check_order(const struct imap_seqset *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		FUZZ_ASSERT(set->ranges[i].first != 0);
		FUZZ_ASSERT(set->ranges[i].first <= set->ranges[i].last);
		FUZZ_ASSERT(i == 0 || set->ranges[i - 1].last <
		    set->ranges[i].first - 1);
		FUZZ_ASSERT(imap_seqset_has(set, set->ranges[i].first));
		FUZZ_ASSERT(imap_seqset_has(set, set->ranges[i].last));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct imap_seqset set, again;
	struct region region;
	struct slice in;
	struct buf out;
	uint32_t max;

	if (size < sizeof max)
		return 0;
	memcpy(&max, data, sizeof max);
	in = (struct slice){ (const char *)data + sizeof max,
		size - sizeof max };
	region_init(&region, 1 << 20);
	buf_init(&out, 1 << 20);
	if (imap_seqset_parse(in, &region, &set) == 0 && !set.saved) {
		imap_seqset_format(&out, &set);
		imap_seqset_resolve(&set, max);
		check_order(&set);
		buf_reset(&out);
		imap_seqset_format(&out, &set);
		if (set.n > 0) {
			FUZZ_ASSERT(imap_seqset_parse(buf_slice(&out), &region,
			    &again) == 0);
			FUZZ_ASSERT(again.n == set.n);
			FUZZ_ASSERT(memcmp(again.ranges, set.ranges,
			    set.n * sizeof *set.ranges) == 0);
		}
	}
	buf_fini(&out);
	region_fini(&region);
	return 0;
}
