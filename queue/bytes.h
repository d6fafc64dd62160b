/* SPDX-License-Identifier: ISC */
/* Little-endian numbers and counted strings: how queue/FORMAT writes them,
 * whatever the machine's own order. */
#ifndef QUEUE_BYTES_H
#define QUEUE_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

static inline void
bytes_put(unsigned char *p, uint64_t v, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		p[i] = (unsigned char)(v >> 8 * i);
}

static inline uint64_t
bytes_get(const void *from, unsigned n)
{
	const unsigned char *p = from;
	uint64_t v = 0;
	unsigned i;

	for (i = n; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static inline void
bytes_add(struct buf *out, uint64_t v, unsigned n)
{
	unsigned char b[8];

	bytes_put(b, v, n);
	buf_add(out, b, n);
}

static inline void
bytes_add_string(struct buf *out, struct slice s)
{
	bytes_add(out, s.n, 2);
	buf_add_slice(out, s);
}

/* Takes numbers and strings off the front; sticky failure. */
struct bytes_reader {
	struct slice rest;
	bool failed;
};

static inline uint64_t
bytes_take(struct bytes_reader *r, unsigned n)
{
	uint64_t v;

	if (r->failed || r->rest.n < n) {
		r->failed = true;
		return 0;
	}
	v = bytes_get(r->rest.p, n);
	r->rest = slice_from(r->rest, n);
	return v;
}

static inline struct slice
bytes_take_string(struct bytes_reader *r)
{
	size_t n = (size_t)bytes_take(r, 2);
	struct slice s;

	if (r->failed || r->rest.n < n) {
		r->failed = true;
		return SLICE_NONE;
	}
	s = slice_head(r->rest, n);
	r->rest = slice_from(r->rest, n);
	return s;
}

#endif
