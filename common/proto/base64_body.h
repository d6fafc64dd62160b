/* SPDX-License-Identifier: ISC */
/*
 * Base 64 as a body's transfer encoding, RFC 2045 section 6.8: lines, and a
 * reader that passes over what does not belong. For exact values base/base64.h.
 */
#ifndef PROTO_BASE64_BODY_H
#define PROTO_BASE64_BODY_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct base64_encoder {
	char held[57]; /* octets of a line not yet whole */
	size_t n_held;
};

void base64_encoder_init(struct base64_encoder *e);
/* Appends whole lines of 76 characters and CRLF. */
void base64_body_encode(struct base64_encoder *e, struct slice in,
    struct buf *out);
/* Appends the last, shorter line, if there is one. */
void base64_body_encode_end(struct base64_encoder *e, struct buf *out);

struct base64_decoder {
	uint32_t bits; /* of the characters not yet put out */
	unsigned n;    /* how many characters these are, 0 to 3 */
};

void base64_decoder_init(struct base64_decoder *d);
/*
 * Appends what `in` means. Nothing is an error: other characters are ignored,
 * padding ends a group and not the data (some join encoded pieces), a group
 * that stays incomplete gives the octets that it has.
 */
void base64_body_decode(struct base64_decoder *d, struct slice in,
    struct buf *out);
void base64_body_decode_end(struct base64_decoder *d, struct buf *out);

#endif
