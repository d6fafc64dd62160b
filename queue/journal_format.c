/* SPDX-License-Identifier: ISC */
/*
 * Records of the journal, and the blocks that hold them in a slot's tail. See
 * queue/FORMAT, "Journal" and "The tail of a slot".
 */
#include <errno.h>
#include <string.h>

#include "base/crc32c.h"
#include "queue/bytes.h"
#include "queue/slot_format.h"

enum { TARGET_MIN = 6, JOURNAL_FRONT = 8, BLOCK_FRONT = 24 };

/* Room for CRC and length; the end fills them in. */
static size_t
journal_begin(struct buf *out, uint8_t kind, uint32_t rcpt)
{
	static const char front[JOURNAL_FRONT];
	size_t start = out->n;

	buf_add(out, front, sizeof front);
	bytes_add(out, kind, 1);
	bytes_add(out, rcpt, 4);
	return start;
}

static void
journal_end(struct buf *out, size_t start)
{
	unsigned char *p;
	size_t n;

	if (!buf_is_ok(out))
		return;
	p = (unsigned char *)out->p + start;
	n = out->n - start - JOURNAL_FRONT;
	if (n > FORMAT_JOURNAL_MAX) {
		buf_cut(out, start);
		out->err = EMSGSIZE;
		return;
	}
	bytes_put(p + 4, n, 4);
	bytes_put(p, crc32c(0, p + 4, n + 4), 4);
}

void
format_expansion_put(uint32_t rcpt, const struct spool_rcpt *targets,
    uint32_t n, struct buf *out)
{
	size_t start = journal_begin(out, FORMAT_EXPANSION, rcpt);
	uint32_t i;

	bytes_add(out, n, 4);
	for (i = 0; i < n; i++) {
		if (targets[i].address.n > FORMAT_STRING ||
		    targets[i].orcpt.n > FORMAT_STRING) {
			buf_cut(out, start);
			out->err = EMSGSIZE;
			return;
		}
		bytes_add(out, targets[i].kind, 1);
		bytes_add(out, targets[i].notify, 1);
		bytes_add_string(out, targets[i].address);
		bytes_add_string(out, targets[i].orcpt);
	}
	journal_end(out, start);
}

void
format_mark_put(uint32_t rcpt, uint8_t mark, struct buf *out)
{
	size_t start = journal_begin(out, FORMAT_MARK, rcpt);

	bytes_add(out, mark, 1);
	journal_end(out, start);
}

/* The number of targets is checked against the bytes by walking them. */
static bool
targets_are_whole(struct slice rest, uint32_t n)
{
	struct spool_rcpt target;
	uint32_t i;

	if ((uint64_t)n * TARGET_MIN > rest.n)
		return false;
	for (i = 0; i < n; i++)
		if (format_target_next(&rest, &target) < 0)
			return false;
	return rest.n == 0;
}

ssize_t
format_journal_next(struct slice in, struct format_journal *r_r)
{
	struct format_journal j = { 0 };
	struct bytes_reader r = { .failed = false };
	uint64_t n;

	if (in.n < JOURNAL_FRONT)
		return 0;
	n = bytes_get(in.p + 4, 4);
	if (n == 0 || n > FORMAT_JOURNAL_MAX)
		return -1;
	if (in.n - JOURNAL_FRONT < n)
		return 0;
	if (bytes_get(in.p, 4) != crc32c(0, in.p + 4, n + 4))
		return -1;
	r.rest = slice_head(slice_from(in, JOURNAL_FRONT), n);
	j.kind = (uint8_t)bytes_take(&r, 1);
	j.rcpt = (uint32_t)bytes_take(&r, 4);
	switch (j.kind) {
	case FORMAT_EXPANSION:
		j.n = (uint32_t)bytes_take(&r, 4);
		j.targets = r.rest;
		if (!targets_are_whole(j.targets, j.n))
			return -1;
		break;
	case FORMAT_MARK:
		j.mark = (uint8_t)bytes_take(&r, 1);
		if (j.mark > SPOOL_EXPANDED || r.rest.n != 0)
			return -1;
		break;
	case FORMAT_NOTE:
		j.text = r.rest;
		break;
	default:
		return -1;
	}
	if (r.failed)
		return -1;
	*r_r = j;
	return (ssize_t)(n + JOURNAL_FRONT);
}

int
format_target_next(struct slice *rest, struct spool_rcpt *target_r)
{
	struct bytes_reader r = { *rest, false };
	struct spool_rcpt t = { 0 };

	t.kind = (uint8_t)bytes_take(&r, 1);
	t.notify = (uint8_t)bytes_take(&r, 1);
	t.address = bytes_take_string(&r);
	t.orcpt = bytes_take_string(&r);
	if (r.failed)
		return -1;
	*rest = r.rest;
	*target_r = t;
	return 0;
}

size_t
format_block_size(size_t n)
{
	return (BLOCK_FRONT + n + FORMAT_SECTOR - 1) / FORMAT_SECTOR *
	    FORMAT_SECTOR;
}

void
format_block_put(struct slice records, uint64_t generation, uint32_t index,
    struct buf *out)
{
	size_t n = format_block_size(records.n);
	unsigned char *p = (unsigned char *)buf_room(out, n);

	if (p == NULL)
		return;
	memset(p, 0, n);
	memcpy(p, "VQjn", 4);
	bytes_put(p + 8, generation, 8);
	bytes_put(p + 16, index, 4);
	bytes_put(p + 20, records.n, 4);
	memcpy(p + BLOCK_FRONT, records.p, records.n);
	bytes_put(p + 4, crc32c(0, p + 8, BLOCK_FRONT - 8 + records.n), 4);
	buf_grew(out, n);
}

size_t
format_block_next(struct slice in, uint64_t generation, uint32_t index,
    struct slice *records_r)
{
	const char *p = in.p;
	size_t n;

	if (in.n < FORMAT_SECTOR || memcmp(p, "VQjn", 4) != 0 ||
	    bytes_get(p + 8, 8) != generation || bytes_get(p + 16, 4) != index)
		return 0;
	n = (size_t)bytes_get(p + 20, 4);
	if (format_block_size(n) > in.n ||
	    bytes_get(p + 4, 4) != crc32c(0, p + 8, BLOCK_FRONT - 8 + n))
		return 0;
	*records_r = (struct slice){ p + BLOCK_FRONT, n };
	return format_block_size(n);
}
