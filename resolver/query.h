/* SPDX-License-Identifier: ISC */
/*
 * One question from beginning to end: which server to ask, by UDP or TCP, how
 * often and how long; follows aliases by further questions.
 */
#ifndef RESOLVER_QUERY_H
#define RESOLVER_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "resolver/answer.h"

struct loop;
struct query;
struct servers;

struct query_limits {
	int64_t try_ms;            /* for one answer of one server */
	uint32_t max_ttl;          /* seconds: longest for records */
	uint32_t max_negative_ttl; /* for NXDOMAIN and NODATA */
	uint32_t failure_ttl;      /* for all that is "later" (RFC 9520) */
	bool has_random_case;      /* vary the case of names in queries */
};

typedef void query_done(void *arg, const struct answer *a);

/*
 * Begins to ask for `name` (in the form of dns_name_add), to have an answer by
 * `deadline` (boot clock, ms). `done` comes once, from the loop, never before
 * this returns; the answer's views are valid until it returns; in it the query
 * must be freed, or be left to query_free later. `limits` must stay; of
 * `servers` a reference is taken. NULL when out of memory.
 */
struct query *query_new(struct loop *l, struct servers *servers,
    const struct query_limits *limits, struct slice name, uint16_t type,
    int64_t deadline, query_done *done, void *arg);
/* Sets *q NULL; harmless when it is NULL already. */
void query_free(struct query **q);

#endif
