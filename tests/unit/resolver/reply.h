/* SPDX-License-Identifier: ISC */
/*
 * DNS messages from text, for tests. A reply is made from the query it answers
 * and a list of items between semicolons:
 *
 *	aa tc ad nora noqr     flags (otherwise QR, RD and RA are set)
 *	rcode 3                status
 *	id                     another id than the query's
 *	noq                    no question section
 *	qname NAME, qtype TYPE another question than the query's
 *	an|ns|ar NAME TTL TYPE DATA
 *
 * with A and AAAA: address; MX: preference host; CNAME, PTR, NS: name;
 * TXT: strings of at most 255 letters (`-` is the empty one); TLSA: usage
 * selector matching hex; SOA: minimum; OPT: upper bits of the status and an
 * extended error (0 for none); RAW: type number and hex.
 */
#ifndef TESTS_UNIT_RESOLVER_REPLY_H
#define TESTS_UNIT_RESOLVER_REPLY_H

#include "base/buf.h"
#include "base/slice.h"

void reply_make(struct buf *out, struct slice query, const char *items);

/* What a query says: the name as text in `name`. */
struct asked {
	unsigned id, flags, type, opt_size;
	struct buf name;
};
void reply_read_query(struct slice query, struct asked *out);

#endif
