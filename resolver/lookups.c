/* SPDX-License-Identifier: ISC */
/*
 * A lookup lives in a map by question from the first asker to the answer. When
 * its askers are gone meanwhile it is dropped if it stands in line; one under
 * way goes on, for the answer is worth keeping, as long as no other wants its
 * place.
 */
#include "resolver/lookups.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "proto/dns_name.h"
#include "resolver/servers.h"
#include "resolver/special.h"
#include "sys/log.h"

enum { KEY_MAX = 2 + DNS_NAME_TEXT_MAX, WAITING_MAX = 4096 };

struct lookup {
	struct lookups *all;
	struct list link; /* in all->line while it waits for a place, or in
			   * all->orphans */
	enum lookup_class class;
	bool is_over;     /* its waiters are being told */
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
	size_t i;

	*ls = (struct lookups){ .loop = l };
	map_init(&ls->by_question);
	for (i = 0; i < LOOKUP_CLASSES; i++) {
		list_init(&ls->line[i]);
		list_init(&ls->orphans[i]);
	}
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

size_t
lookups_active(const struct lookups *ls)
{
	return ls->active[LOOKUP_OWN] + ls->active[LOOKUP_FRONT];
}

size_t
lookups_waiting(const struct lookups *ls)
{
	return ls->waiting[LOOKUP_OWN] + ls->waiting[LOOKUP_FRONT];
}

/* Most queries of this class at once. */
static size_t
most_of(const struct lookups *ls, enum lookup_class class)
{
	return class == LOOKUP_FRONT ? (ls->max_active + 1) / 2
				     : ls->max_active;
}

static bool
has_place(const struct lookups *ls, enum lookup_class class)
{
	return lookups_active(ls) < ls->max_active &&
	    ls->active[class] < most_of(ls, class);
}

static void
stand_in_line(struct lookup *k)
{
	list_add(&k->all->line[k->class], &k->link);
	k->all->waiting[k->class]++;
}

static void
leave_line(struct lookup *k)
{
	list_remove(&k->link);
	k->all->waiting[k->class]--;
}

/* It must be out of the map; its waiters are the caller's business. */
static void
lookup_free(struct lookup *k)
{
	struct lookups *ls = k->all;

	if (k->query != NULL) {
		query_free(&k->query);
		ls->active[k->class]--;
		list_remove(&k->link);
	} else if (list_is_in(&k->link)) {
		leave_line(k);
	}
	free(k);
}

static void
drop(struct lookup *k)
{
	(void)map_remove(&k->all->by_question, key_of(k));
	lookup_free(k);
}

/* By giving up a query that nobody waits for, if there is no other. */
static bool
make_place(struct lookups *ls, enum lookup_class class)
{
	struct list *orphan;

	if (has_place(ls, class))
		return true;
	orphan = list_first(&ls->orphans[class]);
	if (orphan == NULL && ls->active[class] < most_of(ls, class))
		orphan = list_first(&ls->orphans[LOOKUP_CLASSES - 1 - class]);
	if (orphan == NULL)
		return false;
	drop(LIST_OF(orphan, struct lookup, link));
	return has_place(ls, class);
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
	struct lookup_waiter *w;
	struct list *first;

	k->is_over = true;
	if (k->query != NULL)
		list_remove(&k->link);
	(void)map_remove(&ls->by_question, key_of(k));
	if (log_is_debug())
		log_debug("event=dns_answer name=%s type=%s status=%s ttl=%u",
		    LOG_V(name_of(k)), dns_type_name(k->type),
		    dns_status_name(a->status), a->ttl);
	cache_put(&ls->cache, name_of(k), k->type, a);
	while ((first = list_first(&k->waiters)) != NULL) {
		list_remove(first);
		w = LIST_OF(first, struct lookup_waiter, link);
		w->lookup = NULL;
		tell(ls, w, a);
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
	ls->active[k->class]++;
	ls->queries++;
}

/* The next to be started: of the class that has fewer under way. */
static struct lookup *
next_in_line(const struct lookups *ls)
{
	enum lookup_class fewer = ls->active[LOOKUP_FRONT] <
	    ls->active[LOOKUP_OWN] ? LOOKUP_FRONT : LOOKUP_OWN;
	enum lookup_class other = LOOKUP_CLASSES - 1 - fewer;

	if (has_place(ls, fewer) && !list_is_empty(&ls->line[fewer]))
		return LIST_OF(ls->line[fewer].next, struct lookup, link);
	if (has_place(ls, other) && !list_is_empty(&ls->line[other]))
		return LIST_OF(ls->line[other].next, struct lookup, link);
	return NULL;
}

/* Gives free places to those first in line. */
static void
start_waiting(struct lookups *ls)
{
	struct lookup *k;

	while ((k = next_in_line(ls)) != NULL) {
		leave_line(k);
		start(k);
	}
}

/* A new lookup, in the map but not started; NULL when there is no memory. */
static struct lookup *
lookup_new(struct lookups *ls, struct slice key, uint16_t type,
    enum lookup_class class)
{
	struct lookup *k = calloc(1, sizeof *k);

	if (k == NULL)
		return NULL;
	k->all = ls;
	k->class = class;
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

/* Waits for what somebody else asks; in the better of the two lines. */
static void
join(struct lookup *k, struct lookup_waiter *w)
{
	k->all->joined++;
	list_add(&k->waiters, &w->link);
	w->lookup = k;
	if (k->query != NULL) {
		list_remove(&k->link); /* no orphan any more */
	} else if (k->class == LOOKUP_FRONT && w->class == LOOKUP_OWN) {
		leave_line(k);
		k->class = LOOKUP_OWN;
		stand_in_line(k);
		(void)make_place(k->all, LOOKUP_OWN);
		start_waiting(k->all);
	}
}

static void
ask_servers(struct lookups *ls, struct slice key, uint16_t type,
    struct lookup_waiter *w)
{
	struct lookup *k = map_get(&ls->by_question, key);
	bool has_room;

	if (k != NULL) {
		join(k, w);
		return;
	}
	has_room = make_place(ls, w->class);
	k = has_room || ls->waiting[w->class] < WAITING_MAX
	    ? lookup_new(ls, key, type, w->class) : NULL;
	if (k == NULL) {
		tell_status(ls, w, DNS_BUSY, slice_from(key, 2));
		return;
	}
	list_add(&k->waiters, &w->link);
	w->lookup = k;
	if (has_room)
		start(k);
	else
		stand_in_line(k);
}

void
lookups_ask(struct lookups *ls, struct slice name, uint16_t type,
    struct lookup_waiter *w)
{
	struct buf key, records;
	struct slice form;
	struct answer a;

	ls->asked++;
	w->lookup = NULL;
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

/* Does somebody in line wait for a place of this class? */
static bool
is_wanted(const struct lookups *ls, enum lookup_class class)
{
	enum lookup_class other = LOOKUP_CLASSES - 1 - class;

	return !list_is_empty(&ls->line[class]) ||
	    (!list_is_empty(&ls->line[other]) &&
		ls->active[other] < most_of(ls, other));
}

void
lookups_forget(struct lookup_waiter *w)
{
	struct lookup *k = w->lookup;
	struct lookups *ls;

	list_remove(&w->link);
	w->lookup = NULL;
	if (k == NULL || k->is_over || !list_is_empty(&k->waiters))
		return;
	if (k->query == NULL) {
		drop(k);
		return;
	}
	ls = k->all;
	if (is_wanted(ls, k->class)) {
		drop(k);
		start_waiting(ls);
	} else {
		list_add(&ls->orphans[k->class], &k->link);
	}
}
