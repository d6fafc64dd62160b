/* SPDX-License-Identifier: ISC */
/*
 * A growing buffer with a maximum fixed at its start. Invariants: p is never
 * NULL, p[n] == 0, n <= max. The error is sticky: an addition that does not
 * fit (or finds no memory) adds nothing, sets err, and all later additions do
 * nothing, so straight-line callers check buf_ok() once at the end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct buf {
	char *p;
	size_t n, cap, max;
	int err; /* 0, or the errno of the first failure: ENOBUFS or ENOMEM */
};

/* Makes *b an empty buffer of at most `max` bytes. Allocates nothing yet. */
void buf_init(struct buf *b, size_t max);
/* Frees the memory; *b may be used again after buf_init. */
void buf_fini(struct buf *b);
/* As buf_fini, but wipes the bytes first: for secrets. */
void buf_fini_secret(struct buf *b);
/* Forgets bytes and error, keeps the memory. */
void buf_reset(struct buf *b);
/* Forgets bytes and error and gives the memory back. */
void buf_release(struct buf *b);

void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_slice(struct buf *b, struct slice s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_addv(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
/*
 * Room for `n` more bytes at the end, to be written by the caller and then
 * counted with buf_grew(). NULL when there is no room: then err is set.
 */
char *buf_room(struct buf *b, size_t n);
void buf_grew(struct buf *b, size_t n);
/* Takes `n` bytes (at most all) off the front. */
void buf_drop(struct buf *b, size_t n);
/* Cuts to the first `n` bytes; longer is left alone. */
void buf_cut(struct buf *b, size_t n);

struct slice buf_slice(const struct buf *b);
bool buf_is_ok(const struct buf *b);

#endif
