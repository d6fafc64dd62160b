/* SPDX-License-Identifier: ISC */
#include "mda/rows.h"

#include "tests/fuzz/fuzz.h"

/* What decodes must encode to the same bytes. */
#define SAME(type, get, put) \
	do { \
		struct type row_; \
		if (get(in, &row_) == 0) { \
			buf_reset(&out); \
			put(&out, &row_); \
			FUZZ_ASSERT(slice_eq(buf_slice(&out), in)); \
		} \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size }, ranges;
	uint32_t a, b;
	struct row_log log;
	uint64_t c;
	uint16_t d;
	struct buf out;
	char k;

	buf_init(&out, 1 << 22);
	SAME(row_version, row_get_version, row_put_version);
	SAME(row_mailbox, row_get_mailbox, row_put_mailbox);
	SAME(row_message, row_get_message, row_put_message);
	SAME(row_file, row_get_file, row_put_file);
	SAME(row_delivery, row_get_delivery, row_put_delivery);
	SAME(row_work, row_get_work, row_put_work);
	SAME(row_totals, row_get_totals, row_put_totals);
	SAME(row_cache, row_get_cache, row_put_cache);
	SAME(row_log, row_get_log, row_put_log);
	if (row_get_log(in, &log) == 0) {
		ranges = log.ranges;
		while (row_next_range(&ranges, &a, &b))
			continue;
	}
	buf_fini(&out);
	(void)!row_mailbox_of(in, &a);
	(void)!row_message_of(in, &a, &b);
	(void)!row_version_of(in, &c, &a);
	(void)!row_expunged_of(in, &a, &c, &b);
	(void)!row_keyword_of(in, &a, &d);
	(void)!row_named_of(in, &k, &a);
	return 0;
}
