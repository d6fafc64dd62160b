/* SPDX-License-Identifier: ISC */
/* The echo of a section is itself a section that means the same. */
#include "proto/imap_fetch.h"

#include "tests/fuzz/fuzz.h"

static const struct imap_fetch_item *
first(const struct imap_fetch *f)
{
	return LIST_OF(f->items.next, struct imap_fetch_item, node);
}

static void
check_echo(const struct imap_fetch_item *item, struct region *region)
{
	const struct imap_fetch_item *again;
	struct slice echo = item->echo;
	struct imap_fetch f;
	struct imap_cur c;

	FUZZ_ASSERT(!slice_has(echo, '\r') && !slice_has(echo, '\n'));
	if (item->is_partial)
		echo = slice_head(echo, (size_t)slice_rchr(echo, '<'));
	imap_cur_init(&c, echo, region);
	FUZZ_ASSERT(imap_take_fetch(&c, &f) == 0 || region->failed);
	if (region->failed)
		return;
	again = first(&f);
	FUZZ_ASSERT(imap_is_end(&c) && f.n == 1);
	FUZZ_ASSERT(again->kind == item->kind);
	FUZZ_ASSERT(again->section.text == item->section.text);
	FUZZ_ASSERT(again->section.n_parts == item->section.n_parts);
	FUZZ_ASSERT(again->section.n_fields == item->section.n_fields);
	FUZZ_ASSERT(slice_eq(again->echo, echo));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct region region;
	struct imap_fetch f;
	struct imap_cur c;
	struct list *it;
	size_t n = 0;

	region_init(&region, 1 << 18);
	imap_cur_init(&c, in, &region);
	if (imap_take_fetch(&c, &f) == 0) {
		for (it = f.items.next; it != &f.items; it = it->next, n++)
			check_echo(LIST_OF(it, struct imap_fetch_item, node),
			    &region);
		FUZZ_ASSERT(n == f.n);
	} else {
		FUZZ_ASSERT(c.error != IMAP_ERROR_NONE);
	}
	region_fini(&region);
	return 0;
}
