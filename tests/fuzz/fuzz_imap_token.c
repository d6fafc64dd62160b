/* SPDX-License-Identifier: ISC */
/* Each byte before the first LF names a token to take from what follows it. */
#include "proto/imap_token.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

static int
take_number(struct imap_cur *c, unsigned kind)
{
	uint64_t v64;
	uint32_t v;

	switch (kind & 3) {
	case 0:
		return imap_take_number(c, &v);
	case 1:
		return imap_take_nz_number(c, &v);
	case 2:
		return imap_take_number64(c, &v64);
	default:
		return imap_take_nz_number64(c, &v64);
	}
}

static int
take_string(struct imap_cur *c, unsigned kind)
{
	static int (*const takes[])(struct imap_cur *, struct slice *) = {
		imap_take_tag, imap_take_atom, imap_take_string,
		imap_take_astring, imap_take_nstring, imap_take_literal8,
		imap_take_pattern, imap_take_objectid, imap_take_keyword
	};
	struct slice s, before = imap_rest(c);

	if (takes[kind % (sizeof takes / sizeof *takes)](c, &s) < 0)
		return -1;
	FUZZ_ASSERT(s.n <= before.n);
	FUZZ_ASSERT(s.n == 0 || memchr(s.p, s.p[0], s.n) == s.p);
	return 0;
}

static int
take_other(struct imap_cur *c, unsigned kind)
{
	struct imap_datetime t;
	struct imap_seqset set;
	struct imap_flags flags;
	int32_t days;
	bool more;

	switch (kind & 7) {
	case 0:
		return imap_take_space(c);
	case 1:
		return imap_take_open(c);
	case 2:
		return c->depth > 0 ? imap_take_close(c) : 0;
	case 3:
		return imap_take_date(c, &days);
	case 4:
		return imap_take_datetime(c, &t);
	case 5:
		return imap_take_seqset(c, &set);
	case 6:
		return imap_take_flags(c, &flags);
	default:
		return c->depth > 0 ? imap_take_item(c, kind, 100, &more) : 0;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, kinds;
	struct region region;
	struct imap_cur c;
	int failed = 0;
	size_t i;

	if (!slice_split(&in, '\n', &kinds))
		return 0;
	region_init(&region, 65536);
	imap_cur_init(&c, in, &region);
	for (i = 0; i < kinds.n && failed == 0; i++) {
		unsigned kind = (unsigned char)kinds.p[i];

		if (kind < 'A')
			failed = take_number(&c, kind);
		else if (kind < 'a')
			failed = take_other(&c, kind);
		else
			failed = take_string(&c, kind - 'a');
		FUZZ_ASSERT(c.p <= c.end);
		FUZZ_ASSERT((failed < 0) == (c.error != IMAP_ERROR_NONE));
	}
	region_fini(&region);
	return 0;
}
