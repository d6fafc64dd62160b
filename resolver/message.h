/* SPDX-License-Identifier: ISC */
/*
 * One DNS message: builds queries (RFC 1035 4, with EDNS0 of RFC 6891) and
 * reads answers, which come from strangers. Pure: bytes in, a verdict and
 * copies out. A message that does not answer this very question is told apart
 * from one that does badly: the first is ignored, the second counts.
 */
#ifndef RESOLVER_MESSAGE_H
#define RESOLVER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	/* What we announce to take by UDP: passes everywhere without
	 * fragments. */
	MESSAGE_UDP_MAX = 1232,
	MESSAGE_MAX = 65535,
	/* Most aliases between the name asked for and its records. */
	MESSAGE_ALIASES_MAX = 10
};

struct message_query {
	uint16_t id, type;
	struct slice name;  /* text, as it shall stand in the query */
	bool has_edns;      /* announce MESSAGE_UDP_MAX, hear of errors */
	bool is_tcp;        /* it was asked where nothing is cut off */
	bool is_exact_case; /* the answer must repeat the name bit by bit */
};

enum message_verdict {
	MESSAGE_OTHER,     /* no answer to this query: as if never seen */
	MESSAGE_RECORDS,
	MESSAGE_NXDOMAIN,
	MESSAGE_NODATA,
	MESSAGE_ALIAS,     /* only aliases: ask on for `canonical` */
	MESSAGE_LOOP,      /* more than MESSAGE_ALIASES_MAX aliases */
	MESSAGE_TRUNCATED, /* ask again by TCP */
	MESSAGE_NO_EDNS,   /* the server wants none: ask again without */
	MESSAGE_BOGUS,     /* refused because DNSSEC validation failed */
	MESSAGE_FAILED     /* server failure, refusal, nonsense */
};

struct message_answer {
	bool has_ad;          /* the server vouches for it (RFC 6840 5.8) */
	uint32_t ttl;         /* seconds it may be kept; 0 for not at all */
	unsigned aliases;     /* followed within this message */
	struct buf canonical; /* the name at their end, lower case */
	struct buf records;   /* packed as proto/dns.h says */
};

/* Appends the query. 0; -1 when the name is malformed or out is full. */
int message_build(struct buf *out, const struct message_query *q)
    __attribute__((warn_unused_result));

void message_answer_init(struct message_answer *a);
void message_answer_fini(struct message_answer *a);
/*
 * What `bytes` mean as an answer to `q`; *a is filled with what the verdict
 * speaks of: canonical for all up to MESSAGE_ALIAS, records for
 * MESSAGE_RECORDS only.
 */
enum message_verdict message_parse(struct slice bytes,
    const struct message_query *q, struct message_answer *a)
    __attribute__((warn_unused_result));

#endif
