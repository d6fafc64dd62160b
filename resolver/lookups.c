/* SPDX-License-Identifier: ISC */
/*
 * A lookup lives in a map by question from the first asker to the answer, also
 * when all its askers are gone meanwhile: the answer is worth keeping.
 */
#include "resolver/lookups.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/dns_name.h"
#include "resolver/servers.h"
#include "resolver/special.h"
#include "sys/log.h"

enum { KEY_MAX = 2 + DNS_NAME_TEXT_MAX, WAITING_MAX = 8192 };

struct lookup {
	struct lookups *all;
	struct list link; /* in all->line while it waits for a place */
	struct list waiters;
	struct query *query;
	int64_t deadline;
	uint16_t type;
	size_t key_n;
	char key[KEY_MAX]; /* type in two octets, name */
};

void
lookups_init(struct lookups *ls, struct loop *l)
{
	*ls = (struct lookups){ .loop = l };
	map_init(&ls->by_question);
	list_init(&ls->line);
	cache_init(&ls->cache, 0, 0);
}

static struct slice
key_of(const struct lookup *k)
{
	return (struct slice){ k->key, k->key_n };
}

static struct slice
name_of(const struct lookup *k)
{
	return slice_from(key_of(k), 2);
}

/* It must be out of the map; its waiters are the caller's business. */
static void
lookup_free(struct lookup *k)
{
	struct lookups *ls = k->all;

	if (list_is_in(&k->link)) {
		list_remove(&k->link);
		ls->n_waiting--;
	}
	if (k->query != NULL) {
		query_free(&k->query);
		ls->n_active--;
	}
	free(k);
}

void
lookups_fini(struct lookups *ls)
{
	struct list *it, *tmp;
	struct lookup *k;
	size_t pos = 0;

	while ((k = map_next(&ls->by_question, &pos, NULL)) != NULL) {
		LIST_EACH(it, tmp, &k->waiters)
			list_remove(it);
		(void)map_remove(&ls->by_question, key_of(k));
		lookup_free(k);
		map_back(&pos);
	}
	map_fini(&ls->by_question);
	cache_fini(&ls->cache);
	servers_unref(&ls->servers);
}

static bool
are_same(const struct servers *a, const struct servers *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (!ip_is_same(&a->v[i].ip, &b->v[i].ip) ||
		    a->v[i].port != b->v[i].port ||
		    a->v[i].is_trusted != b->v[i].is_trusted)
			return false;
	return true;
}

void
lookups_set_servers(struct lookups *ls, struct servers *servers)
{
	if (ls->servers != NULL) {
		servers_inherit(servers, ls->servers);
		if (!are_same(servers, ls->servers))
			cache_clear(&ls->cache);
		servers_unref(&ls->servers);
	}
	ls->servers = servers;
}

static void
tell(struct lookups *ls, struct lookup_waiter *w, const struct answer *a)
{
	ls->by_status[a->status]++;
	w->done(w, a);
}

static void
tell_status(struct lookups *ls, struct lookup_waiter *w,
    enum dns_status status, struct slice name)
{
	struct answer a = { .status = status, .canonical = name };

	tell(ls, w, &a);
}

static void start_waiting(struct lookups *ls);

/*
 * Hands the answer to all who wait. The lookup leaves the map first, so that a
 * waiter that asks again finds the cache or begins anew; it is freed last,
 * since the answer's views point into its query.
 */
static void
finish(struct lookup *k, const struct answer *a)
{
	struct lookups *ls = k->all;
	struct list *first;

	(void)map_remove(&ls->by_question, key_of(k));
	if (log_is_debug())
		log_debug("event=dns_answer name=%s type=%s status=%s ttl=%u",
		    LOG_V(name_of(k)), dns_type_name(k->type),
		    dns_status_name(a->status), a->ttl);
	cache_put(&ls->cache, name_of(k), k->type, a);
	while ((first = list_first(&k->waiters)) != NULL) {
		list_remove(first);
		tell(ls, LIST_OF(first, struct lookup_waiter, link), a);
	}
	lookup_free(k);
}

static void
on_done(void *arg, const struct answer *a)
{
	struct lookup *k = arg;
	struct lookups *ls = k->all;

	finish(k, a);
	start_waiting(ls);
}

static void
start(struct lookup *k)
{
	struct lookups *ls = k->all;
	struct answer busy = { .status = DNS_BUSY, .canonical = name_of(k) };

	k->query = query_new(ls->loop, ls->servers, &ls->limits, name_of(k),
	    k->type, k->deadline, on_done, k);
	if (k->query == NULL) {
		finish(k, &busy);
		return;
	}
	ls->n_active++;
	ls->queries++;
}

/* Gives free places to those first in line. */
static void
start_waiting(struct lookups *ls)
{
	struct lookup *k;

	while (ls->n_active < ls->max_active && !list_is_empty(&ls->line)) {
		k = LIST_OF(ls->line.next, struct lookup, link);
		list_remove(&k->link);
		ls->n_waiting--;
		start(k);
	}
}

/* A new lookup, in the map but not started; NULL when there is no room. */
static struct lookup *
lookup_new(struct lookups *ls, struct slice key, uint16_t type)
{
	struct lookup *k;

	if (ls->n_active >= ls->max_active && ls->n_waiting >= WAITING_MAX)
		return NULL;
	k = calloc(1, sizeof *k);
	if (k == NULL)
		return NULL;
	k->all = ls;
	k->type = type;
	k->key_n = key.n;
	memcpy(k->key, key.p, key.n);
	k->deadline = clock_boot_ms() + ls->total_ms;
	list_init(&k->waiters);
	if (map_put(&ls->by_question, key, k, NULL) < 0) {
		free(k);
		return NULL;
	}
	return k;
}

static void
ask_servers(struct lookups *ls, struct slice key, uint16_t type,
    struct lookup_waiter *w)
{
	struct lookup *k = map_get(&ls->by_question, key);

	if (k != NULL) {
		ls->joined++;
		list_add(&k->waiters, &w->link);
		return;
	}
	k = lookup_new(ls, key, type);
	if (k == NULL) {
		tell_status(ls, w, DNS_BUSY, slice_from(key, 2));
		return;
	}
	list_add(&k->waiters, &w->link);
	if (ls->n_active < ls->max_active) {
		start(k);
		return;
	}
	list_add(&ls->line, &k->link);
	ls->n_waiting++;
}

void
lookups_ask(struct lookups *ls, struct slice name, uint16_t type,
    struct lookup_waiter *w)
{
	struct buf key, records;
	struct slice form;
	struct answer a;

	ls->asked++;
	buf_init(&key, KEY_MAX);
	buf_init(&records, DNS_RECORDS_MAX);
	buf_add_char(&key, (char)(type >> 8));
	buf_add_char(&key, (char)type);
	if (dns_type_name(type) == NULL || !dns_name_is_valid(name)) {
		tell_status(ls, w, DNS_INVALID, SLICE_NONE);
	} else if (dns_name_add(&key, name) < 0) {
		tell_status(ls, w, DNS_BUSY, SLICE_NONE);
	} else {
		form = slice_from(buf_slice(&key), 2);
		if (special_find(form, type, &records, &a) ||
		    cache_find(&ls->cache, form, type, &a))
			tell(ls, w, &a);
		else
			ask_servers(ls, buf_slice(&key), type, w);
	}
	buf_fini(&key);
	buf_fini(&records);
}

void
lookups_forget(struct lookup_waiter *w)
{
	list_remove(&w->link);
}
