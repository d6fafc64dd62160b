/* SPDX-License-Identifier: ISC */
/* Blocks of whole sectors, each tied to this use of the slot and to its place:
 * what an earlier message left there is no block of ours. */
#include "queue/tail.h"

#include <errno.h>
#include <stdlib.h>

#include "queue/fsio.h"

static uint64_t
sectors(enum slot_kind kind)
{
	return slot_size(kind) / FORMAT_SECTOR;
}

struct tail
tail_behind(enum slot_kind kind, uint64_t length)
{
	uint64_t first = (FORMAT_RECORD + length + FORMAT_SECTOR - 1) /
	    FORMAT_SECTOR;

	if (kind == SLOT_ONE || first >= sectors(kind))
		return (struct tail){ 0, 0 };
	return (struct tail){ (uint8_t)first, 0 };
}

bool
tail_has_room(enum slot_kind kind, struct tail t, size_t n)
{
	return t.sector != 0 && n <= slot_size(kind) &&
	    format_block_size(n) / FORMAT_SECTOR + t.sector <= sectors(kind);
}

struct tail
tail_after(struct tail t, size_t n)
{
	t.sector = (uint8_t)(t.sector + format_block_size(n) / FORMAT_SECTOR);
	t.blocks++;
	return t;
}

int
tail_write(int fd, struct tail t, uint64_t generation, struct slice records)
{
	struct buf block;
	int result = -1;

	buf_init(&block, format_block_size(records.n));
	format_block_put(records, generation, t.blocks, &block);
	errno = block.err;
	if (buf_is_ok(&block))
		result = fsio_pwrite(fd, block.p, block.n,
		    (off_t)t.sector * FORMAT_SECTOR);
	buf_fini(&block);
	return result;
}

int
tail_read(int fd, enum slot_kind kind, uint64_t generation, struct tail *t,
    uint8_t blocks, struct buf *out)
{
	struct slice rest, records;
	size_t size, n;
	ssize_t got;
	char *p;

	if (t->sector == 0)
		return 0;
	size = (size_t)slot_size(kind) - (size_t)t->sector * FORMAT_SECTOR;
	p = malloc(size);
	if (p == NULL)
		return -1;
	got = fsio_pread(fd, p, size, (off_t)t->sector * FORMAT_SECTOR);
	rest = (struct slice){ p, got < 0 ? 0 : (size_t)got };
	while (t->blocks < blocks && (n = format_block_next(rest, generation,
	    t->blocks, &records)) > 0) {
		buf_add_slice(out, records);
		*t = tail_after(*t, records.n);
		rest = slice_from(rest, n);
	}
	free(p);
	return got < 0 ? -1 : 0;
}
