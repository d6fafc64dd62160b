/* SPDX-License-Identifier: ISC */
/*
 * Address lists of header fields: From, To and the like (RFC 5322 3.4, with the
 * obsolete forms of 4.4), taken apart as IMAP's ENVELOPE wants them. What is
 * malformed is not refused: it gives the parts that can be made out, with an
 * empty mailbox or host where one is missing. Addresses of the SMTP envelope
 * are another, strict grammar: address.h.
 */
#ifndef PROTO_RFC822_ADDR_H
#define PROTO_RFC822_ADDR_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/rfc822.h"

/*
 * Absent parts have p == NULL. Group start: the mailbox is the group's name,
 * no host. Group end: neither. Every group start is followed by its end.
 */
struct rfc822_addr {
	struct slice name;  /* display name, else the comment; may be absent */
	struct slice route; /* "@a,@b" of <@a,@b:joe@c>; may be absent */
	struct slice mailbox; /* quotes undone; empty when it is missing */
	struct slice host;    /* literals in brackets; empty when missing */
};

struct rfc822_addrs {
	struct rfc822_scan scan;
	struct buf *text; /* what the slices of the last address point into */
	bool is_group;
};

/*
 * `in` is the value of the field, folded or not. `text` is the caller's, and is
 * overwritten; it needs room for the longest address (in.n + 8 is enough).
 */
void rfc822_addrs_init(
    struct rfc822_addrs *l, struct slice in, struct buf *text);
/*
 * The next element, valid until the next call. False at the end; also when
 * `text` was too small (text->err tells).
 */
bool rfc822_addrs_next(struct rfc822_addrs *l, struct rfc822_addr *addr_r);

#endif
