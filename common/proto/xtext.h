/* SPDX-License-Identifier: ISC */
/*
 * The encodings of values in ESMTP parameters: xtext (RFC 3461 section 4) and
 * unitext (RFC 6533 section 3), in which "+2B" and "\x{2B}" stand for a '+'.
 */
#ifndef PROTO_XTEXT_H
#define PROTO_XTEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Appends `in` as xtext; any octet can be encoded. */
void xtext_encode(struct buf *out, struct slice in);
/* Appends what `in` means. -1 malformed (nothing added) or `out` is full. */
int xtext_decode(struct buf *out, struct slice in)
    __attribute__((warn_unused_result));
/* Would xtext_decode take it, and is its meaning printable ASCII and blanks,
 * as ENVID and ORCPT must be (RFC 3461 4.2, 4.4)? */
bool xtext_is_printable(struct slice in);

/*
 * Appends UTF-8 as utf-8-addr-unitext: SP \ + = and controls embedded, wide
 * characters as they are. For peers that offer SMTPUTF8. Ill-formed octets
 * become U+FFFD.
 */
void unitext_encode(struct buf *out, struct slice in);
/* Appends UTF-8 as utf-8-addr-xtext, wide characters embedded too: ASCII. */
void unitext_encode_ascii(struct buf *out, struct slice in);
/*
 * Appends the UTF-8 that any of the three forms means. -1 when malformed
 * (nothing added), when a control character is embedded, or `out` is full.
 */
int unitext_decode(struct buf *out, struct slice in)
    __attribute__((warn_unused_result));
bool unitext_is_valid(struct slice in);

#endif
