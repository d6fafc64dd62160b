/* SPDX-License-Identifier: ISC */
/* A tree is bounded in depth and number, and its groups have members. */
#include "proto/imap_search.h"

#include "proto/limits.h"
#include "tests/fuzz/fuzz.h"

static size_t
check(const struct imap_search_node *node, unsigned depth)
{
	const struct imap_search_node *child;
	size_t n = 1, members = 0;

	FUZZ_ASSERT(depth <= 2 * LIMIT_IMAP_NESTING + 2);
	for (child = node->child; child != NULL; child = child->next) {
		n += check(child, depth + 1);
		members++;
	}
	if (node->op == IMAP_SEARCH_AND || node->op == IMAP_SEARCH_OR)
		FUZZ_ASSERT(members >= 2);
	else
		FUZZ_ASSERT(members == 0);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct imap_search s;
	struct region region;
	struct imap_cur c;

	region_init(&region, 1 << 18);
	imap_cur_init(&c, in, &region);
	if (imap_take_search(&c, &s) == 0) {
		FUZZ_ASSERT(imap_is_end(&c));
		FUZZ_ASSERT(check(s.root, 0) <= LIMIT_IMAP_SEARCH_KEYS);
		FUZZ_ASSERT(!s.has_return || s.returns != 0);
	} else {
		FUZZ_ASSERT(c.error != IMAP_ERROR_NONE);
	}
	region_fini(&region);
	return 0;
}
