/* SPDX-License-Identifier: ISC */
/*
 * The tail of a slot: the sectors behind the record, where journal records go
 * as long as they fit, so that an alias costs no file. See queue/FORMAT, "The
 * tail of a slot". Blocking.
 */
#ifndef QUEUE_TAIL_H
#define QUEUE_TAIL_H

#include <stdint.h>

#include "base/buf.h"
#include "queue/slot.h"

/* Where the next block goes. */
struct tail {
	uint8_t sector; /* of the slot; 0: the slot has no tail */
	uint8_t blocks; /* that are there */
};

/* The empty tail behind a record of `length` bytes. */
struct tail tail_behind(enum slot_kind kind, uint64_t length);
/* Is there room for `n` bytes of records? */
bool tail_has_room(enum slot_kind kind, struct tail t, size_t n);
/* With a block of `n` bytes of records more. */
struct tail tail_after(struct tail t, size_t n);
/* Writes one block; not flushed. 0, or -1 with errno. */
int tail_write(int fd, struct tail t, uint64_t generation,
    struct slice records) __attribute__((warn_unused_result));
/* Appends the records of all blocks from *t on to `out`, but not of more than
 * `blocks` in all, and moves *t behind them. 0, or -1 with errno. */
int tail_read(int fd, enum slot_kind kind, uint64_t generation,
    struct tail *t, uint8_t blocks, struct buf *out)
    __attribute__((warn_unused_result));

#endif
