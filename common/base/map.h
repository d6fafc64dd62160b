/* SPDX-License-Identifier: ISC */
/*
 * A hash map from bytes to pointers, keyed with a secret of this process
 * (SipHash), so that a stranger who chooses the keys cannot make it slow.
 * Keys are copied; values are the caller's. Not ordered.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct map_entry;

struct map {
	struct map_entry **slots;
	size_t n, cap;
};

void map_init(struct map *m);
/* Frees the map and its keys, not the values. */
void map_fini(struct map *m);
/* The value under `key`, or NULL. */
void *map_get(const struct map *m, struct slice key);
/*
 * Puts a value (not NULL), replacing an earlier one, which is returned through
 * old_r when old_r is not NULL. 0, or -1 out of memory.
 */
int map_put(struct map *m, struct slice key, void *value, void **old_r)
    __attribute__((warn_unused_result));
/* Removes the key and returns its value, or NULL. */
void *map_remove(struct map *m, struct slice key);
/*
 * Steps through all entries: start with *pos = 0; NULL at the end. The map
 * must not gain entries between steps; the entry just returned may be removed
 * if the walk is then continued with map_back(pos).
 */
void *map_next(const struct map *m, size_t *pos, struct slice *key_r);

/* Tells the walk at *pos that the entry it returned last was removed. */
void map_back(size_t *pos);

/* The key form of a number. Valid as long as *v. */
struct slice map_u64(const uint64_t *v);
/* SipHash-2-4 of the bytes under this process's secret. */
uint64_t map_hash(struct slice key);

#endif
