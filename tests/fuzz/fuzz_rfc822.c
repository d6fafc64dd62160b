/* SPDX-License-Identifier: ISC */
/* Tokens, message ids, addresses and fields of arbitrary bytes. */
#include "proto/rfc822.h"

#include "proto/rfc822_addr.h"
#include "proto/rfc822_header.h"
#include "tests/fuzz/fuzz.h"

static void
addresses(struct slice in)
{
	struct rfc822_addrs l;
	struct rfc822_addr a;
	struct buf text;
	int open = 0;

	buf_init(&text, in.n + 8);
	rfc822_addrs_init(&l, in, &text);
	while (rfc822_addrs_next(&l, &a)) {
		if (a.host.p != NULL)
			FUZZ_ASSERT(a.mailbox.p != NULL);
		else
			open += a.mailbox.p != NULL ? 1 : -1;
		FUZZ_ASSERT(open == 0 || open == 1);
	}
	FUZZ_ASSERT(buf_is_ok(&text) && open == 0);
	buf_fini(&text);
}

static void
fields(struct slice in)
{
	struct rfc822_field f;
	size_t n = 0, all = in.n;

	while (rfc822_field_next(&in, &f)) {
		n += f.raw.n;
		FUZZ_ASSERT(f.value.n <= f.raw.n && n <= all);
	}
	FUZZ_ASSERT(n + in.n == all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct rfc822_envelope e;
	struct rfc822_scan s;
	struct region r;
	struct buf id;

	buf_init(&id, 1000);
	rfc822_scan_init(&s, in);
	while (rfc822_next_id(&s, &id))
		FUZZ_ASSERT(id.n > 0);
	buf_fini(&id);
	addresses(in);
	fields(in);
	region_init(&r, 1 << 20);
	if (rfc822_envelope_read(&e, &r, in) < 0)
		FUZZ_ASSERT(r.failed);
	region_fini(&r);
	return 0;
}
