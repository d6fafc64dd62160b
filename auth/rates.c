/* SPDX-License-Identifier: ISC */
/* A map for finding, a list for the order of use. */
#include "auth/rates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"

enum { MAP_KEY_MAX = RATE_KEY_MAX + 4 };

/* Key and window: what the map goes by. */
struct map_key {
	size_t n;
	char bytes[MAP_KEY_MAX];
};

static struct slice
make_key(struct map_key *k, struct slice key, uint32_t window_s)
{
	memcpy(k->bytes, &window_s, sizeof window_s);
	if (key.n > 0)
		memcpy(k->bytes + sizeof window_s, key.p, key.n);
	return (struct slice){ k->bytes, sizeof window_s + key.n };
}

static struct slice
rate_key(const struct rate *e)
{
	return (struct slice){ e->key, e->key_n };
}

/* Longer keys are cut; two of them should still not become one. */
static struct slice
bound_key(struct slice key, char room[RATE_KEY_MAX])
{
	char sum[16];
	size_t n;

	if (key.n <= RATE_KEY_MAX)
		return key;
	n = (size_t)snprintf(sum, sizeof sum, "#%08x",
	    crc32c(0, key.p, key.n));
	memcpy(room, key.p, RATE_KEY_MAX - n);
	memcpy(room + RATE_KEY_MAX - n, sum, n);
	return (struct slice){ room, RATE_KEY_MAX };
}

void
rates_init(struct rates *r, size_t max)
{
	*r = (struct rates){ .max = max > 0 ? max : 1 };
	map_init(&r->map);
	list_init(&r->lru);
	list_init(&r->dirty);
}

static void
drop(struct rates *r, struct rate *e)
{
	struct map_key k;

	if (r->forgotten != NULL)
		r->forgotten(r->arg, e);
	(void)map_remove(&r->map, make_key(&k, rate_key(e), e->window_s));
	list_remove(&e->lru);
	list_remove(&e->dirty);
	free(e);
	r->n--;
}

void
rates_fini(struct rates *r)
{
	struct list *it, *tmp;

	r->forgotten = NULL;
	LIST_EACH(it, tmp, &r->lru)
		drop(r, LIST_OF(it, struct rate, lru));
	map_fini(&r->map);
}

void
rates_set_max(struct rates *r, size_t max)
{
	r->max = max > 0 ? max : 1;
	while (r->n > r->max)
		drop(r, LIST_OF(list_first(&r->lru), struct rate, lru));
}

static struct rate *
add(struct rates *r, struct slice key, uint32_t window_s)
{
	struct rate *e = calloc(1, sizeof *e + key.n);
	struct map_key k;

	if (e == NULL)
		return NULL;
	e->window_s = window_s;
	e->key_n = key.n;
	if (key.n > 0)
		memcpy(e->key, key.p, key.n);
	if (map_put(&r->map, make_key(&k, key, window_s), e, NULL) < 0) {
		free(e);
		return NULL;
	}
	list_add(&r->lru, &e->lru);
	r->n++;
	if (r->n > r->max)
		drop(r, LIST_OF(list_first(&r->lru), struct rate, lru));
	return e;
}

/* ---- windows ---- */

static int64_t
window_ms(const struct rate *e)
{
	return (int64_t)e->window_s * 1000;
}

/* Moves the buckets on to now. */
static void
turn(struct rate *e, int64_t now_ms)
{
	int64_t w = window_ms(e), gone = now_ms - e->began_ms;

	if (gone < w)
		return;
	e->before = gone < 2 * w ? e->now : 0;
	e->now = 0;
	e->began_ms = gone < 2 * w ? e->began_ms + w : now_ms;
}

uint32_t
rate_count(const struct rate *e, int64_t now_ms)
{
	struct rate at = *e;
	uint64_t left, w = (uint64_t)window_ms(e), sum;

	turn(&at, now_ms);
	left = now_ms <= at.began_ms ? w
				     : w - (uint64_t)(now_ms - at.began_ms);
	sum = at.now + at.before * left / w;
	return sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

bool
rate_is_over(const struct rate *e, int64_t now_ms)
{
	return now_ms - e->began_ms >= 2 * window_ms(e);
}

/*
 * When will the count have fallen to `goal`? Within the present bucket the
 * previous one shrinks; afterwards the present one does.
 */
static uint32_t
seconds_until(const struct rate *e, uint32_t goal, int64_t now_ms)
{
	int64_t w = window_ms(e), at;

	if (e->now <= goal && e->before > 0)
		at = e->began_ms + w -
		    (int64_t)((uint64_t)w * (goal - e->now + 1) / e->before);
	else if (e->now > 0)
		at = e->began_ms + 2 * w -
		    (int64_t)((uint64_t)w * ((uint64_t)goal + 1) / e->now);
	else
		at = now_ms;
	return at < now_ms ? 1 : (uint32_t)((at - now_ms) / 1000 + 1);
}

static struct rate_answer
count(struct rate *e, uint32_t cost, uint32_t limit, int64_t now_ms)
{
	uint32_t wanted = cost == 0 ? 1 : cost;
	struct rate_answer a = { true, 0, 0 };

	turn(e, now_ms);
	a.count = rate_count(e, now_ms);
	if ((uint64_t)a.count + wanted > limit) {
		a.is_allowed = false;
		a.retry_s = wanted > limit
		    ? e->window_s
		    : seconds_until(e, limit - wanted, now_ms);
	} else if (cost > 0) {
		e->now = e->now > UINT32_MAX - cost ? UINT32_MAX
						    : e->now + cost;
		a.count += cost;
	}
	return a;
}

struct rate_answer
rates_ask(struct rates *r, struct slice key, uint32_t window_s, uint32_t cost,
    uint32_t limit, int64_t now_ms)
{
	struct rate nobody = { 0 };
	struct rate_answer a;
	char room[RATE_KEY_MAX];
	struct map_key k;
	struct rate *e;

	key = bound_key(key, room);
	if (window_s == 0)
		window_s = 1;
	if (window_s > RATE_WINDOW_MAX)
		window_s = RATE_WINDOW_MAX;
	e = map_get(&r->map, make_key(&k, key, window_s));
	if (e == NULL) {
		nobody.window_s = window_s;
		nobody.began_ms = now_ms;
		/* Looking, or too dear at once, makes no entry. */
		if (cost == 0 || cost > limit ||
		    (e = add(r, key, window_s)) == NULL)
			return count(&nobody, cost, limit, now_ms);
		e->began_ms = now_ms;
	}
	list_remove(&e->lru);
	list_add(&r->lru, &e->lru);
	a = count(e, cost, limit, now_ms);
	if (a.is_allowed && cost > 0 && !list_is_in(&e->dirty))
		list_add(&r->dirty, &e->dirty);
	return a;
}

/* ---- saving and forgetting ---- */

void
rates_restore(struct rates *r, const struct rate *saved, struct slice key)
{
	struct map_key k;
	struct rate *e;

	if (key.n > RATE_KEY_MAX || saved->window_s == 0 ||
	    saved->window_s > RATE_WINDOW_MAX ||
	    map_get(&r->map, make_key(&k, key, saved->window_s)) != NULL)
		return;
	e = add(r, key, saved->window_s);
	if (e == NULL)
		return;
	e->now = saved->now;
	e->before = saved->before;
	e->began_ms = saved->began_ms;
	e->is_saved = true;
}

size_t
rates_clear(struct rates *r, struct slice key)
{
	bool is_prefix = key.n > 0 && key.p[key.n - 1] == '*';
	struct list *it, *tmp;
	struct rate *e;
	size_t n = 0;

	if (is_prefix)
		key.n--;
	LIST_EACH(it, tmp, &r->lru) {
		e = LIST_OF(it, struct rate, lru);
		if (!(is_prefix ? slice_has_prefix(rate_key(e), key)
				: slice_eq(rate_key(e), key)))
			continue;
		drop(r, e);
		n++;
	}
	return n;
}

void
rates_expire(struct rates *r, size_t n, int64_t now_ms)
{
	struct list *it, *tmp;
	struct rate *e;

	LIST_EACH(it, tmp, &r->lru) {
		e = LIST_OF(it, struct rate, lru);
		if (n-- == 0)
			return;
		if (rate_is_over(e, now_ms))
			drop(r, e);
	}
}
