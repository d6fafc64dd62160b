/* SPDX-License-Identifier: ISC */
/*
 * Answers that still hold, good and bad ones (RFC 2308), by name and type.
 * Bounded in entries and bytes: what was not asked for the longest goes first.
 * Nothing is served past its time.
 */
#ifndef RESOLVER_CACHE_H
#define RESOLVER_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "resolver/answer.h"

struct cache {
	struct map map;
	struct list recent; /* the last one used first */
	size_t n, bytes;
	size_t max_n, max_bytes;
	uint64_t hits, misses, evicted;
};

void cache_init(struct cache *c, size_t max_n, size_t max_bytes);
void cache_fini(struct cache *c);
/* Throws out what is too much under new bounds. 0 turns the cache off. */
void cache_set_bounds(struct cache *c, size_t max_n, size_t max_bytes);
void cache_clear(struct cache *c);
/*
 * The answer about `name` (in the form of dns_name_add), its ttl being the
 * seconds left. False when there is none. The views are valid until the next
 * call that changes the cache.
 */
bool cache_find(struct cache *c, struct slice name, uint16_t type,
    struct answer *out_r);
/* Copies and keeps it for its ttl, in place of an earlier one; with ttl 0, or
 * when it is too large or memory is out, nothing is kept. */
void cache_put(struct cache *c, struct slice name, uint16_t type,
    const struct answer *a);

#endif
