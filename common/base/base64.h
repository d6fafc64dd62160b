/* SPDX-License-Identifier: ISC */
/* Base 64 (RFC 4648 section 4) and hexadecimal. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"
#include "base/slice.h"

/* Appends the encoding, padded, without line breaks. */
void base64_encode(struct buf *out, struct slice in);
/*
 * Appends the decoded bytes. Strict: length a multiple of 4, padding only at
 * the end, no other characters, unused bits zero. 0; -1 malformed (nothing was
 * added) or out's limit reached (out->err).
 */
int base64_decode(struct buf *out, struct slice in)
    __attribute__((warn_unused_result));
/* Lower-case hexadecimal. */
void hex_encode(struct buf *out, struct slice in);
/* Either case, even length; -1 malformed or no room. */
int hex_decode(struct buf *out, struct slice in)
    __attribute__((warn_unused_result));

#endif
