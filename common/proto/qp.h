/* SPDX-License-Identifier: ISC */
/*
 * Quoted-printable, RFC 2045 section 6.7, as streams that may be cut anywhere.
 */
#ifndef PROTO_QP_H
#define PROTO_QP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct qp_encoder {
	size_t column;
	char blank;	/* a SP or TAB not yet written, or 0 */
	bool is_after_cr;
	bool is_binary;
};

/*
 * With `is_binary` CR and LF are octets like others; without, CRLF is a line
 * end and stays one (a CR or LF alone is encoded).
 */
void qp_encoder_init(struct qp_encoder *e, bool is_binary);
/* Appends the encoding of `in`, lines of at most 76 octets. */
void qp_encode(struct qp_encoder *e, struct slice in, struct buf *out);
/* Appends what was held back. */
void qp_encode_end(struct qp_encoder *e, struct buf *out);

enum qp_state {
	QP_TEXT,
	QP_EQUALS,    /* behind '=' */
	QP_HEX,	      /* behind '=' and one digit */
	QP_SOFT_BLANK /* behind '=' and blanks: a soft line break is due */
};

struct qp_decoder {
	enum qp_state state;
	char hex;	/* the digit, in QP_HEX */
	char held[80];	/* blanks (and a CR) that a line end would void */
	size_t n_held;
};

void qp_decoder_init(struct qp_decoder *d);
/*
 * Appends what `in` means. Nothing is an error (RFC 2045 6.7, "robust"): blanks
 * before a line end are dropped, a '=' that begins nothing known stays as it
 * is, line ends stay as they come.
 */
void qp_decode(struct qp_decoder *d, struct slice in, struct buf *out);
void qp_decode_end(struct qp_decoder *d, struct buf *out);

#endif
