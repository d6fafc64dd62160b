/* SPDX-License-Identifier: ISC */
/*
 * Counters in sliding windows, kept in memory, the least recently used
 * forgotten first. A window is approximated by two buckets: with `part` of the
 * present one gone by, the count is present + previous * (1 - part). That is
 * exact for an even flow, never lets through more than twice the limit within
 * one window in the worst case, and costs one entry per key.
 *
 * Times are given in milliseconds of one clock that does not go back. The same
 * key with another window is another counter.
 */
#ifndef AUTH_RATES_H
#define AUTH_RATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "base/slice.h"

enum { RATE_KEY_MAX = 400, RATE_WINDOW_MAX = 30 * 86400 };

struct rate {
	struct list lru;
	uint32_t window_s;
	uint32_t now, before; /* of the present bucket, the one before it */
	int64_t began_ms;     /* the present bucket */
	struct list dirty;    /* changed since it was last saved */
	bool is_saved;	      /* a form of it is in the table */
	size_t key_n;
	char key[]; /* without a NUL */
};

struct rates {
	struct map map;
	struct list lru;   /* least recently used first */
	struct list dirty; /* longest so first */
	size_t n, max;
	/* One is about to be forgotten; may be NULL. */
	void (*forgotten)(void *arg, const struct rate *r);
	void *arg;
};

struct rate_answer {
	bool is_allowed;
	uint32_t count;	  /* with this cost, if it was allowed */
	uint32_t retry_s; /* when not: after this it may be */
};

void rates_init(struct rates *r, size_t max);
void rates_fini(struct rates *r);
/* Fewer: the least recently used go at once. */
void rates_set_max(struct rates *r, size_t max);

/*
 * Counts `cost` under the key if that stays within `limit`; what is refused is
 * not counted. Cost 0 only looks whether a cost of 1 would be allowed. Windows
 * are taken as 1 s to RATE_WINDOW_MAX, keys cut at RATE_KEY_MAX (then their
 * end becomes a checksum). Out of memory everything is allowed.
 */
struct rate_answer rates_ask(struct rates *r, struct slice key,
    uint32_t window_s, uint32_t cost, uint32_t limit, int64_t now_ms);
/* The count as it is now, rounded down. */
uint32_t rate_count(const struct rate *e, int64_t now_ms);
/* Can it be forgotten without anybody noticing? */
bool rate_is_over(const struct rate *e, int64_t now_ms);

/* One as it was saved; as the most recently used. Ignored when out of bounds,
 * or there already. */
void rates_restore(struct rates *r, const struct rate *saved,
    struct slice key);
/* Forgets all windows of a key, or with a '*' at its end of all keys that
 * begin so. How many there were. */
size_t rates_clear(struct rates *r, struct slice key);
/* Forgets up to `n` that are over, from the least recently used on. */
void rates_expire(struct rates *r, size_t n, int64_t now_ms);

#endif
