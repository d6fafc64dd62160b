/* SPDX-License-Identifier: ISC */
/*
 * Hashing with chains. map_next() walks slot by slot and counts within the
 * chain, so a removed entry moves the walk by one: map_back() corrects that.
 */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct map_entry {
	struct map_entry *next;
	uint64_t hash;
	void *value;
	size_t n;
	char key[];
};

static uint64_t secret[2];
static int have_secret;

static uint64_t
rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t
map_hash(struct slice key)
{
	uint64_t v[4], w;
	size_t i, whole = key.n & ~(size_t)7;

	if (!have_secret) {
		if (getrandom(secret, sizeof secret, 0) != sizeof secret)
			abort();
		have_secret = 1;
	}
	v[0] = secret[0] ^ 0x736f6d6570736575ULL;
	v[1] = secret[1] ^ 0x646f72616e646f6dULL;
	v[2] = secret[0] ^ 0x6c7967656e657261ULL;
	v[3] = secret[1] ^ 0x7465646279746573ULL;
	for (i = 0; i < whole; i += 8) {
		memcpy(&w, key.p + i, 8);
		v[3] ^= w;
		sip_round(v);
		sip_round(v);
		v[0] ^= w;
	}
	w = (uint64_t)key.n << 56;
	for (; i < key.n; i++)
		w |= (uint64_t)(unsigned char)key.p[i] << (8 * (i & 7));
	v[3] ^= w;
	sip_round(v);
	sip_round(v);
	v[0] ^= w;
	v[2] ^= 0xff;
	for (i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
map_init(struct map *m)
{
	*m = (struct map){ 0 };
}

void
map_fini(struct map *m)
{
	struct map_entry *e, *next;
	size_t i;

	for (i = 0; i < m->cap; i++) {
		for (e = m->slots[i]; e != NULL; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(m->slots);
	map_init(m);
}

static struct map_entry **
find(const struct map *m, struct slice key, uint64_t hash)
{
	struct map_entry **at, *e;

	for (at = &m->slots[hash & (m->cap - 1)]; *at != NULL;
	    at = &(*at)->next) {
		e = *at;
		if (e->hash == hash && e->n == key.n &&
		    (key.n == 0 || memcmp(e->key, key.p, key.n) == 0))
			break;
	}
	return at;
}

void *
map_get(const struct map *m, struct slice key)
{
	struct map_entry **at;

	if (m->n == 0)
		return NULL;
	at = find(m, key, map_hash(key));
	return *at == NULL ? NULL : (*at)->value;
}

static int
resize(struct map *m, size_t cap)
{
	struct map_entry **slots = calloc(cap, sizeof *slots), *e, *next;
	size_t i;

	if (slots == NULL)
		return -1;
	for (i = 0; i < m->cap; i++) {
		for (e = m->slots[i]; e != NULL; e = next) {
			next = e->next;
			e->next = slots[e->hash & (cap - 1)];
			slots[e->hash & (cap - 1)] = e;
		}
	}
	free(m->slots);
	m->slots = slots;
	m->cap = cap;
	return 0;
}

int
map_put(struct map *m, struct slice key, void *value, void **old_r)
{
	uint64_t hash = map_hash(key);
	struct map_entry **at, *e;

	if (old_r != NULL)
		*old_r = NULL;
	if (m->n >= m->cap && resize(m, m->cap == 0 ? 16 : m->cap * 2) < 0)
		return -1;
	at = find(m, key, hash);
	if (*at != NULL) {
		if (old_r != NULL)
			*old_r = (*at)->value;
		(*at)->value = value;
		return 0;
	}
	e = malloc(sizeof *e + key.n);
	if (e == NULL)
		return -1;
	*e = (struct map_entry){ .hash = hash, .value = value, .n = key.n };
	if (key.n > 0)
		memcpy(e->key, key.p, key.n);
	*at = e;
	m->n++;
	return 0;
}

void *
map_remove(struct map *m, struct slice key)
{
	struct map_entry **at, *e;
	void *value;

	if (m->n == 0)
		return NULL;
	at = find(m, key, map_hash(key));
	e = *at;
	if (e == NULL)
		return NULL;
	value = e->value;
	*at = e->next;
	free(e);
	m->n--;
	return value;
}

/* A position is slot number << 20 | index in the chain. */
void *
map_next(const struct map *m, size_t *pos, struct slice *key_r)
{
	size_t slot = *pos >> 20, skip = *pos & 0xfffff, i;
	struct map_entry *e;

	for (; slot < m->cap; slot++, skip = 0) {
		for (e = m->slots[slot], i = 0; e != NULL && i < skip; i++)
			e = e->next;
		if (e == NULL)
			continue;
		*pos = slot << 20 | (skip + 1);
		if (key_r != NULL)
			*key_r = (struct slice){ e->key, e->n };
		return e->value;
	}
	*pos = slot << 20;
	return NULL;
}

void
map_back(size_t *pos)
{
	*pos -= 1;
}

struct slice
map_u64(const uint64_t *v)
{
	return (struct slice){ (const char *)v, sizeof *v };
}
