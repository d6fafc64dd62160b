/* SPDX-License-Identifier: ISC */
/*
 * Route lines: where mail for domains goes that are not ours. Pure.
 *
 *	example.org=mx.example.net        that host, port 25
 *	example.org=[192.0.2.1]:2525      that address, that port
 *	.example.org=lmtp:host:24         any domain below it, by LMTP
 *	example.org=mx:example.net        by the MX of another domain
 *	*=host                            every other domain
 *
 * The right side becomes a next hop: "mx:DOMAIN", "smtp:HOST:PORT" or
 * "lmtp:HOST:PORT", where HOST is a name or an address, an IPv6 one in
 * brackets, and PORT is always there (24 for LMTP, else 25).
 */
#ifndef AUTH_ROUTES_H
#define AUTH_ROUTES_H

#include "base/buf.h"
#include "base/slice.h"

struct route_line {
	struct slice domain; /* with its dot in front; "*" for all */
	struct slice target; /* as written */
};

/* -1 with a sentence: no "=", or the left side is none of the forms. */
int routes_parse_line(struct slice line, struct route_line *line_r,
    struct buf *why) __attribute__((warn_unused_result));
/* "example.org", ".example.org" or "*": does it name one? */
int routes_check_pattern(struct slice pattern, struct buf *why)
    __attribute__((warn_unused_result));
/* Adds the next hop that a right side (or a smarthost) means. -1 with a
 * sentence; then nothing was added. */
int routes_parse_target(struct slice target, struct buf *nexthop,
    struct buf *why) __attribute__((warn_unused_result));

#endif
