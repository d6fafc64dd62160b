/* SPDX-License-Identifier: ISC */
/*
 * The queue's decoders on any bytes: the first byte chooses which. What is
 * accepted must be what the encoder writes again.
 */
#include "queue/slot_format.h"

#include <string.h>

#include "base/crc32c.h"

#include "tests/fuzz/fuzz.h"

static void
state(struct slice in)
{
	unsigned char again[FORMAT_SECTOR];
	struct format_state st, twice;
	unsigned at;

	if (format_state_pick(in, &at, &st) != FORMAT_VALID)
		return;
	FUZZ_ASSERT(at <= 1 && st.text_n <= SPOOL_TEXT_MAX);
	format_state_put(&st, again);
	FUZZ_ASSERT(format_state_get((struct slice){ (char *)again,
	    sizeof again }, &twice) == FORMAT_VALID);
	FUZZ_ASSERT(memcmp(&st, &twice, sizeof st) == 0);
}

static void
record(struct slice in)
{
	struct spool_envelope e;
	struct format_header h;
	struct region mem;
	uint64_t size;
	struct buf b;

	if (format_header_get(in, &h) < 0)
		return;
	region_init(&mem, 1 << 20);
	if (format_envelope_get(in, &h, &mem, &e) == 0) {
		FUZZ_ASSERT(format_record_size(&e, &size) == 0);
		FUZZ_ASSERT(size == FORMAT_HEADER + h.envelope_n);
		buf_init(&b, size);
		format_record_put(&e, h.generation, h.body_outside,
		    h.body_crc, &b);
		FUZZ_ASSERT(b.n == size && memcmp(b.p + FORMAT_HEADER,
		    in.p + FORMAT_HEADER, h.envelope_n) == 0);
		buf_fini(&b);
	}
	region_fini(&mem);
}

/* As an encoder would have sealed it: what only a CRC keeps out comes in. */
static void
sealed(struct slice in)
{
	static char all[4 * FORMAT_SECTOR];
	struct slice s = { all, sizeof all }, got;
	uint32_t crc;
	size_t n, i, k;

	memset(all, 0, sizeof all);
	memcpy(all, in.p, in.n < sizeof all ? in.n : sizeof all);
	for (i = 0; i < 2; i++) {
		memcpy(all + i * FORMAT_SECTOR, "VQst\1", 6);
		crc = crc32c(0, all + i * FORMAT_SECTOR, 508);
		for (k = 0; k < 4; k++)
			all[i * FORMAT_SECTOR + 508 + k] =
			    (char)(crc >> 8 * k);
	}
	state(s);
	n = (unsigned char)all[20] | (size_t)(unsigned char)all[21] << 8 |
	    (size_t)(unsigned char)all[22] << 16;
	memcpy(all, "VQjn", 4);
	memset(all + 8, 0, 12);
	all[23] = 0;
	crc = n <= sizeof all - 24 ? crc32c(0, all + 8, 16 + n) : 0;
	for (k = 0; k < 4; k++)
		all[4 + k] = (char)(crc >> 8 * k);
	n = format_block_next(s, 0, 0, &got);
	FUZZ_ASSERT(n <= sizeof all && (n == 0 || got.n <= n));
}

static void
journal(struct slice in)
{
	struct format_journal j;
	struct spool_rcpt t;
	ssize_t n;

	while ((n = format_journal_next(in, &j)) > 0) {
		FUZZ_ASSERT((size_t)n <= in.n);
		for (; j.n > 0; j.n--)
			FUZZ_ASSERT(format_target_next(&j.targets, &t) == 0);
		in = slice_from(in, (size_t)n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { (const char *)data, size };
	struct format_ids ids;
	struct spool_rcpt t;

	if (size == 0)
		return 0;
	in = slice_from(in, 1);
	switch (data[0] % 6) {
	case 0:
		state(in);
		break;
	case 1:
		record(in);
		break;
	case 2:
		journal(in);
		break;
	case 3:
		(void)format_ids_get(in, &ids);
		break;
	case 5:
		sealed(in);
		break;
	default:
		while (format_target_next(&in, &t) == 0)
			;
	}
	return 0;
}
