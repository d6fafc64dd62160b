/* SPDX-License-Identifier: ISC */
#include "msa/fixup.h"

#include "proto/address.h"
#include "tests/fuzz/fuzz.h"

/* What must be owned are addresses, one a line, as address_add writes them. */
static void
check_owned(struct slice owned)
{
	enum address_error error;
	struct address a;
	struct slice line;
	struct buf again;
	size_t n = 0;

	buf_init(&again, 4096);
	while (slice_split(&owned, '\n', &line)) {
		if (line.n == 0)
			continue;
		n++;
		FUZZ_ASSERT(address_parse(line, ADDRESS_UTF8, &a, &error) ==
		    0);
		buf_reset(&again);
		address_add(&again, &a);
		FUZZ_ASSERT(slice_eq(buf_slice(&again), line));
	}
	FUZZ_ASSERT(n <= FIXUP_AUTHORS_MAX * 2);
	buf_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct fixup_facts facts = { .address = SLICE("a@b.test"),
		.id = SLICE("id"), .host = SLICE("b.test") };
	struct slice in = { (const char *)data, size };
	enum fixup_verdict verdict = FIXUP_KEEP;
	struct header_field h;
	struct buf out;
	struct fixup f;
	ssize_t n;

	fixup_init(&f);
	buf_init(&out, 65536);
	while ((verdict == FIXUP_KEEP || verdict == FIXUP_DROP) &&
	    (n = header_scan(in, true, &h)) > 0 && h.kind != HEADER_END) {
		in = slice_from(in, (size_t)n);
		verdict = fixup_field(&f, &h);
	}
	FUZZ_ASSERT((verdict == FIXUP_REFUSE) == (f.why != FIXUP_FINE));
	if (verdict != FIXUP_REFUSE) {
		check_owned(buf_slice(&f.owned));
		fixup_end(&f, &facts, &out);
		FUZZ_ASSERT(buf_is_ok(&out));
	}
	buf_fini(&out);
	fixup_fini(&f);
	return 0;
}
