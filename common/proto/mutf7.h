/* SPDX-License-Identifier: ISC */
/*
 * Modified UTF-7 (RFC 3501 5.1.3), the form of mailbox names on the wire of
 * IMAP4rev1 and in the folder names of Maildir++. Both directions are strict,
 * so that there is one encoding of each name: what decodes encodes back to
 * the same bytes.
 */
#ifndef PROTO_MUTF7_H
#define PROTO_MUTF7_H

#include "base/buf.h"
#include "base/slice.h"

/* Appends the encoding. -1: not UTF-8, or no room (out->err). */
int mutf7_encode(struct buf *out, struct slice utf8)
    __attribute__((warn_unused_result));
/*
 * Appends the UTF-8. -1: not in the one right form (a byte that is not
 * printable ASCII, an open or superfluous shift, ASCII in base 64, a lone
 * surrogate, bits left over), or no room. Something may have been added then.
 */
int mutf7_decode(struct buf *out, struct slice in)
    __attribute__((warn_unused_result));

#endif
