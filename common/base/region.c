/* SPDX-License-Identifier: ISC */
/* Chunked bump allocation; freed as a whole. */
#include "base/region.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 2048 };

struct region_chunk {
	struct region_chunk *next;
	size_t used, cap;
	alignas(max_align_t) char data[];
};

void
region_init(struct region *r, size_t max)
{
	*r = (struct region){ .max = max };
}

void
region_reset(struct region *r)
{
	struct region_chunk *c, *next;

	for (c = r->chunks; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	region_init(r, r->max);
}

void
region_fini(struct region *r)
{
	region_reset(r);
}

static struct region_chunk *
chunk_new(struct region *r, size_t n)
{
	size_t cap = n > CHUNK_SIZE ? n : CHUNK_SIZE;
	struct region_chunk *c = calloc(1, sizeof *c + cap);

	if (c == NULL)
		return NULL;
	c->cap = cap;
	c->next = r->chunks;
	r->chunks = c;
	return c;
}

void *
region_alloc(struct region *r, size_t n)
{
	const size_t a = alignof(max_align_t);
	struct region_chunk *c = r->chunks;
	void *p;

	if (n > SIZE_MAX - a || r->failed) {
		r->failed = true;
		return NULL;
	}
	n = (n + a - 1) / a * a;
	if (n > r->max - r->used) {
		r->failed = true;
		return NULL;
	}
	if (c == NULL || c->cap - c->used < n)
		c = chunk_new(r, n);
	if (c == NULL) {
		r->failed = true;
		return NULL;
	}
	p = c->data + c->used;
	c->used += n;
	r->used += n;
	return p;
}

char *
region_str(struct region *r, struct slice s)
{
	char *p = s.n == SIZE_MAX ? NULL : region_alloc(r, s.n + 1);

	if (p != NULL && s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

struct slice
region_slice(struct region *r, struct slice s)
{
	char *p = region_str(r, s);

	return (struct slice){ p, p == NULL ? 0 : s.n };
}
