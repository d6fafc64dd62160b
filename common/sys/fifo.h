/* SPDX-License-Identifier: ISC */
/*
 * A queue of bytes on a struct buf: added at the end, taken off the front
 * without moving what is left each time. An empty one owns no memory.
 */
#ifndef SYS_FIFO_H
#define SYS_FIFO_H

#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct fifo {
	struct buf buf;
	size_t at; /* bytes at the front that were taken already */
};

void fifo_init(struct fifo *f, size_t max);
void fifo_fini(struct fifo *f);
/* 0, or -1 with errno ENOBUFS (over max) or ENOMEM; then nothing was added. */
int fifo_add(struct fifo *f, struct slice bytes)
    __attribute__((warn_unused_result));
/* What is in it: valid until the next fifo_add or fifo_drop. */
struct slice fifo_view(const struct fifo *f);
size_t fifo_size(const struct fifo *f);
/* Takes `n` bytes (at most all) off the front. */
void fifo_drop(struct fifo *f, size_t n);
/* Gives back memory that a few leftover bytes keep. */
void fifo_shrink(struct fifo *f);

#endif
