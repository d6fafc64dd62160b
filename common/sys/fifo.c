/* SPDX-License-Identifier: ISC */
/*
 * Byte queues. Taken bytes are closed up only when they are at least half of
 * the buffer, so that a thousand pipelined commands are moved once, not a
 * thousand times.
 */
#include "sys/fifo.h"

#include <errno.h>

enum { SHRINK_ABOVE = 2048 };

void
fifo_init(struct fifo *f, size_t max)
{
	buf_init(&f->buf, max);
	f->at = 0;
}

void
fifo_fini(struct fifo *f)
{
	buf_fini(&f->buf);
	f->at = 0;
}

static void
close_up(struct fifo *f)
{
	buf_drop(&f->buf, f->at);
	f->at = 0;
}

int
fifo_add(struct fifo *f, struct slice bytes)
{
	int err;

	if (f->at > 0 && (f->at >= f->buf.n / 2 ||
			     bytes.n > f->buf.max - f->buf.n))
		close_up(f);
	buf_add_slice(&f->buf, bytes);
	if (buf_is_ok(&f->buf))
		return 0;
	err = f->buf.err;
	f->buf.err = 0;
	errno = err;
	return -1;
}

struct slice
fifo_view(const struct fifo *f)
{
	return slice_from(buf_slice(&f->buf), f->at);
}

size_t
fifo_size(const struct fifo *f)
{
	return f->buf.n - f->at;
}

void
fifo_drop(struct fifo *f, size_t n)
{
	if (n >= fifo_size(f))
		fifo_fini(f);
	else
		f->at += n;
}

void
fifo_shrink(struct fifo *f)
{
	struct fifo small;

	if (f->buf.cap <= SHRINK_ABOVE || fifo_size(f) > f->buf.cap / 4)
		return;
	fifo_init(&small, f->buf.max);
	if (fifo_add(&small, fifo_view(f)) < 0)
		return;
	fifo_fini(f);
	*f = small;
}
