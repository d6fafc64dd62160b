/* SPDX-License-Identifier: ISC */
/* Two maps: counts by key, and each holder's share of them. */
#include "auth/clients.h"

#include <stdlib.h>
#include <string.h>

struct count {
	uint32_t n;
};

struct share {
	uint64_t holder;
	uint32_t n;
	size_t key_n;
	char key[];
};

struct share_key {
	char bytes[sizeof(uint64_t) + CLIENT_KEY_MAX];
};

static struct slice
make_key(struct share_key *k, uint64_t holder, struct slice key)
{
	memcpy(k->bytes, &holder, sizeof holder);
	if (key.n > 0)
		memcpy(k->bytes + sizeof holder, key.p, key.n);
	return (struct slice){ k->bytes, sizeof holder + key.n };
}

void
clients_init(struct clients *c)
{
	map_init(&c->counts);
	map_init(&c->shares);
	c->open = 0;
}

void
clients_fini(struct clients *c)
{
	struct map *maps[] = { &c->counts, &c->shares };
	size_t i, pos;
	void *v;

	for (i = 0; i < 2; i++) {
		pos = 0;
		while ((v = map_next(maps[i], &pos, NULL)) != NULL)
			free(v);
		map_fini(maps[i]);
	}
}

static struct count *
take_count(struct clients *c, struct slice key)
{
	struct count *n = map_get(&c->counts, key);

	if (n != NULL)
		return n;
	n = calloc(1, sizeof *n);
	if (n != NULL && map_put(&c->counts, key, n, NULL) == 0)
		return n;
	free(n);
	return NULL;
}

static struct share *
take_share(struct clients *c, uint64_t holder, struct slice key)
{
	struct share_key k;
	struct share *s = map_get(&c->shares, make_key(&k, holder, key));

	if (s != NULL)
		return s;
	s = calloc(1, sizeof *s + key.n);
	if (s == NULL)
		return NULL;
	s->holder = holder;
	s->key_n = key.n;
	if (key.n > 0)
		memcpy(s->key, key.p, key.n);
	if (map_put(&c->shares, make_key(&k, holder, key), s, NULL) == 0)
		return s;
	free(s);
	return NULL;
}

static void
lessen(struct clients *c, struct slice key, uint32_t by)
{
	struct count *n = map_get(&c->counts, key);

	if (n == NULL)
		return;
	n->n = n->n > by ? n->n - by : 0;
	if (n->n == 0)
		free(map_remove(&c->counts, key));
}

bool
clients_open(struct clients *c, uint64_t holder, struct slice key,
    uint32_t limit, uint32_t *count_r)
{
	struct count *n;
	struct share *s;

	key = slice_head(key, CLIENT_KEY_MAX);
	n = take_count(c, key);
	*count_r = n == NULL ? 0 : n->n;
	if (n == NULL)
		return true; /* no memory to count is no reason to refuse */
	if (limit > 0 && n->n >= limit)
		return false;
	s = take_share(c, holder, key);
	if (s == NULL) {
		lessen(c, key, 0);
		return true;
	}
	s->n++;
	n->n++;
	c->open++;
	*count_r = n->n;
	return true;
}

void
clients_close(struct clients *c, uint64_t holder, struct slice key)
{
	struct share_key k;
	struct slice found;
	struct share *s;

	key = slice_head(key, CLIENT_KEY_MAX);
	found = make_key(&k, holder, key);
	s = map_get(&c->shares, found);
	if (s == NULL)
		return;
	lessen(c, key, 1);
	c->open--;
	if (--s->n == 0)
		free(map_remove(&c->shares, found));
}

void
clients_drop(struct clients *c, uint64_t holder)
{
	struct slice map_key;
	struct share *s;
	size_t pos = 0;

	while ((s = map_next(&c->shares, &pos, &map_key)) != NULL) {
		if (s->holder != holder)
			continue;
		lessen(c, (struct slice){ s->key, s->key_n }, s->n);
		c->open -= s->n;
		(void)map_remove(&c->shares, map_key);
		map_back(&pos);
		free(s);
	}
}
