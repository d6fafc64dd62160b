/* SPDX-License-Identifier: ISC */
/*
 * All questions under way. Who asks what somebody else is asking already waits
 * for the same answer; what the cache knows is answered at once; beyond a
 * number of queries the rest stands in line. Strangers make the fronts ask, so
 * these get no more than half of the places, and have a line of their own.
 */
#ifndef RESOLVER_LOOKUPS_H
#define RESOLVER_LOOKUPS_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "resolver/answer.h"
#include "resolver/cache.h"
#include "resolver/query.h"

struct loop;
struct servers;

enum lookup_class { LOOKUP_OWN, LOOKUP_FRONT, LOOKUP_CLASSES };

struct lookups {
	struct loop *loop;
	struct servers *servers; /* for queries from now on; owned */
	struct query_limits limits;
	int64_t total_ms;        /* for an answer in all */
	size_t max_active;       /* queries at once */
	struct cache cache;

	struct map by_question;
	struct list line[LOOKUP_CLASSES]; /* those that wait for a place */
	/* Queries that nobody waits for any more: they run on for the cache
	 * until somebody needs the place. */
	struct list orphans[LOOKUP_CLASSES];
	size_t active[LOOKUP_CLASSES], waiting[LOOKUP_CLASSES];
	uint64_t asked, joined, queries;
	uint64_t by_status[DNS_STATUS_COUNT];
};

struct lookup;

/* Embedded in what the asker keeps of its question. */
struct lookup_waiter {
	struct list link;
	struct lookup *lookup;   /* the one it waits for */
	enum lookup_class class; /* set by the asker */
	/* Called once, perhaps inside lookups_ask; the views are valid until
	 * it returns. It may ask again, but not free the lookups. */
	void (*done)(struct lookup_waiter *w, const struct answer *a);
};

size_t lookups_active(const struct lookups *ls);
size_t lookups_waiting(const struct lookups *ls);
/* Limits are to be set by the caller before the first question. */
void lookups_init(struct lookups *ls, struct loop *l);
/* Forgets all questions without answering. */
void lookups_fini(struct lookups *ls);
/* From now on these are asked; takes the reference over. Empties the cache
 * when they are others than before. */
void lookups_set_servers(struct lookups *ls, struct servers *servers);
/* Asks; any name and type. */
void lookups_ask(struct lookups *ls, struct slice name, uint16_t type,
    struct lookup_waiter *w);
/* The waiter is gone; harmless when it was answered. A question that stands in
 * line is dropped with its last one. */
void lookups_forget(struct lookup_waiter *w);

#endif
