/* SPDX-License-Identifier: ISC */
/* The cache: one heap object per answer, in a map and in a list by use. */
#include "resolver/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/dns_name.h"

enum {
	KEY_MAX = 2 + DNS_NAME_TEXT_MAX,
	/* What an entry takes in map and heap beside its own bytes. */
	OVERHEAD = 96,
	/* One answer may take at most this part of the whole. */
	SHARE = 8
};

struct entry {
	struct list link;
	int64_t ends; /* boot clock, ms */
	enum dns_status status;
	bool is_secure;
	size_t key_n, canonical_n, records_n;
	char data[]; /* key, canonical name, records */
};

/* The type in two octets and the name; its length, or 0. */
static size_t
make_key(char key[KEY_MAX], struct slice name, uint16_t type)
{
	if (name.n == 0 || name.n > DNS_NAME_TEXT_MAX)
		return 0;
	key[0] = (char)(type >> 8);
	key[1] = (char)type;
	memcpy(key + 2, name.p, name.n);
	return name.n + 2;
}

static size_t
entry_size(const struct entry *e)
{
	return sizeof *e + e->key_n * 2 + e->canonical_n + e->records_n +
	    OVERHEAD;
}

static void
drop(struct cache *c, struct entry *e)
{
	(void)map_remove(&c->map, (struct slice){ e->data, e->key_n });
	list_remove(&e->link);
	c->n--;
	c->bytes -= entry_size(e);
	free(e);
}

void
cache_init(struct cache *c, size_t max_n, size_t max_bytes)
{
	*c = (struct cache){ .max_n = max_n, .max_bytes = max_bytes };
	map_init(&c->map);
	list_init(&c->recent);
}

void
cache_clear(struct cache *c)
{
	while (!list_is_empty(&c->recent))
		drop(c, LIST_OF(c->recent.next, struct entry, link));
}

void
cache_fini(struct cache *c)
{
	cache_clear(c);
	map_fini(&c->map);
}

void
cache_set_bounds(struct cache *c, size_t max_n, size_t max_bytes)
{
	c->max_n = max_n;
	c->max_bytes = max_bytes;
	while (c->n > max_n || c->bytes > max_bytes)
		drop(c, LIST_OF(c->recent.prev, struct entry, link));
}

bool
cache_find(struct cache *c, struct slice name, uint16_t type,
    struct answer *out_r)
{
	char key[KEY_MAX];
	size_t n = make_key(key, name, type);
	int64_t now = clock_boot_ms();
	struct entry *e;

	e = n == 0 ? NULL : map_get(&c->map, (struct slice){ key, n });
	if (e != NULL && e->ends <= now) {
		drop(c, e);
		e = NULL;
	}
	if (e == NULL) {
		c->misses++;
		return false;
	}
	c->hits++;
	list_remove(&e->link);
	list_add_first(&c->recent, &e->link);
	*out_r = (struct answer){ e->status, e->is_secure,
		(uint32_t)((e->ends - now + 999) / 1000),
		{ e->data + e->key_n, e->canonical_n },
		{ e->data + e->key_n + e->canonical_n, e->records_n } };
	return true;
}

static struct entry *
entry_new(struct slice key, const struct answer *a)
{
	struct entry *e;
	char *p;

	e = malloc(sizeof *e + key.n + a->canonical.n + a->records.n);
	if (e == NULL)
		return NULL;
	*e = (struct entry){
		.ends = clock_boot_ms() + (int64_t)a->ttl * 1000,
		.status = a->status, .is_secure = a->is_secure,
		.key_n = key.n, .canonical_n = a->canonical.n,
		.records_n = a->records.n
	};
	p = e->data;
	memcpy(p, key.p, key.n);
	p += key.n;
	if (a->canonical.n > 0)
		memcpy(p, a->canonical.p, a->canonical.n);
	p += a->canonical.n;
	if (a->records.n > 0)
		memcpy(p, a->records.p, a->records.n);
	return e;
}

void
cache_put(struct cache *c, struct slice name, uint16_t type,
    const struct answer *a)
{
	char bytes[KEY_MAX];
	struct slice key = { bytes, make_key(bytes, name, type) };
	struct entry *e, *old;

	if (key.n == 0)
		return;
	old = map_get(&c->map, key);
	if (old != NULL)
		drop(c, old);
	if (a->ttl == 0 || c->max_n == 0)
		return;
	e = entry_new(key, a);
	if (e == NULL)
		return;
	if (entry_size(e) > c->max_bytes / SHARE ||
	    map_put(&c->map, key, e, NULL) < 0) {
		free(e);
		return;
	}
	list_add_first(&c->recent, &e->link);
	c->n++;
	c->bytes += entry_size(e);
	while (c->n > c->max_n || c->bytes > c->max_bytes) {
		drop(c, LIST_OF(c->recent.prev, struct entry, link));
		c->evicted++;
	}
}
