/* SPDX-License-Identifier: ISC */
/*
 * Memory of one lifetime: everything a transaction or lookup allocates dies in
 * one call. A region has a maximum, so that no client can drive it beyond its
 * share; past it (or out of memory) an allocation gives NULL, the region's
 * `failed` is set, and the request is refused.
 */
#ifndef BASE_REGION_H
#define BASE_REGION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct region_chunk;

struct region {
	struct region_chunk *chunks;
	size_t used, max;
	bool failed;
};

/* An empty region of at most `max` bytes. */
void region_init(struct region *r, size_t max);
/* Frees everything ever taken from it; it can be used again. */
void region_reset(struct region *r);
/* As region_reset, at the end of the region's own life. */
void region_fini(struct region *r);

/* `n` zeroed bytes aligned for any type, or NULL. */
void *region_alloc(struct region *r, size_t n);
/* A copy with a NUL behind it that is not counted; .p NULL when it failed. */
struct slice region_slice(struct region *r, struct slice s);
/* A NUL-terminated copy, or NULL. */
char *region_str(struct region *r, struct slice s);

#endif
