/* SPDX-License-Identifier: ISC */
/* Bounded growing buffers. An empty one owns no memory. */
#include "base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char none[1]; /* what an empty buffer points at; never written */

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .p = none, .max = max };
}

void
buf_fini(struct buf *b)
{
	if (b->cap > 0)
		free(b->p);
	buf_init(b, b->max);
}

void
buf_fini_secret(struct buf *b)
{
	if (b->cap > 0)
		explicit_bzero(b->p, b->cap);
	buf_fini(b);
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->err = 0;
	if (b->cap > 0)
		b->p[0] = 0;
}

void
buf_release(struct buf *b)
{
	buf_fini(b);
}

static int
grow(struct buf *b, size_t want)
{
	size_t cap = b->cap == 0 ? 64 : b->cap;
	char *p;

	while (cap < want + 1)
		cap *= 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	p = realloc(b->cap == 0 ? NULL : b->p, cap);
	if (p == NULL)
		return -1;
	/* Also for who asks for room and then adds nothing. */
	p[b->n] = 0;
	b->p = p;
	b->cap = cap;
	return 0;
}

char *
buf_room(struct buf *b, size_t n)
{
	if (b->err != 0)
		return NULL;
	if (n > b->max || b->n > b->max - n) {
		b->err = ENOBUFS;
		return NULL;
	}
	if (b->n + n + 1 > b->cap && grow(b, b->n + n) < 0) {
		b->err = ENOMEM;
		return NULL;
	}
	return b->p + b->n;
}

void
buf_grew(struct buf *b, size_t n)
{
	b->n += n;
	b->p[b->n] = 0;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *to;

	if (n == 0)
		return;
	to = buf_room(b, n);
	if (to == NULL)
		return;
	memcpy(to, p, n);
	buf_grew(b, n);
}

void
buf_add_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.p, s.n);
}

void
buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *to;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n > 0) {
		to = buf_room(b, (size_t)n);
		if (to != NULL) {
			(void)vsnprintf(to, (size_t)n + 1, fmt, again);
			b->n += (size_t)n;
		}
	}
	va_end(again);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(b, fmt, ap);
	va_end(ap);
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		if (b->cap > 0)
			b->p[0] = 0;
		return;
	}
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
	b->p[b->n] = 0;
}

void
buf_cut(struct buf *b, size_t n)
{
	if (n >= b->n)
		return;
	b->n = n;
	b->p[n] = 0;
}

struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){ b->p, b->n };
}

bool
buf_is_ok(const struct buf *b)
{
	return b->err == 0;
}
