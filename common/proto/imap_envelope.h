/* SPDX-License-Identifier: ISC */
/* The ENVELOPE of a message as IMAP sends it. RFC 9051 7.5.2, RFC 3501 7.4.2.
 */
#ifndef PROTO_IMAP_ENVELOPE_H
#define PROTO_IMAP_ENVELOPE_H

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"
#include "proto/rfc822_header.h"

/*
 * Appends the parenthesized list. An address that lacks its mailbox or host
 * gets MISSING_MAILBOX or MISSING_DOMAIN there, since NIL would make it a group
 * marker. A NULL envelope gives a list of NILs. `text` is scratch of the caller
 * with room for the longest value and 8 more (for envelopes of a MIME tree,
 * LIMIT_HEADER + 8); where it is too small, out->err is set.
 */
void imap_envelope_write(
    struct buf *out, const struct rfc822_envelope *e, struct buf *text);
/*
 * The same from a header as it is stored, which may have the body behind it.
 * `r` is scratch. 0, or -1 when `r` gave no memory; out->err as above.
 */
int imap_envelope_of_header(struct buf *out, struct slice header,
    struct region *r, struct buf *text) __attribute__((warn_unused_result));

#endif
