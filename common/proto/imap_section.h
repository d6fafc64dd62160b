/* SPDX-License-Identifier: ISC */
/*
 * The bytes that BODY[section]<partial> asks for (RFC 9051 6.4.5.1): first
 * where they lie in the stored message, then how they are served.
 */
#ifndef PROTO_IMAP_SECTION_H
#define PROTO_IMAP_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/imap_fetch.h"
#include "proto/mime_part.h"

/*
 * Finds the section in the tree. For HEADER.FIELDS the span is the header to
 * choose from with imap_section_fields(). 0, or -1 when there is no such part
 * or it has no such section: NIL in the response.
 */
int imap_section_find(const struct mime_part *root,
    const struct imap_section *s, struct mime_span *span_r)
    __attribute__((warn_unused_result));
/* The part itself, for BINARY; NULL when there is none. */
const struct mime_part *imap_section_part(
    const struct mime_part *root, const uint32_t *parts, size_t n_parts);
/*
 * Appends the fields that HEADER.FIELDS or HEADER.FIELDS.NOT chooses of the
 * stored `header`, in its order, with CRLF at each line, and the blank line if
 * the header has one. Lines that are no field are among the .NOT ones.
 */
void imap_section_fields(
    struct buf *out, const struct imap_section *s, struct slice header);
/*
 * Applies a partial <offset.length> to `size` octets: both are cut to what is
 * there. A start behind the end gives length 0.
 */
void imap_section_clip(uint64_t size, uint64_t *offset, uint64_t *length);

/*
 * Turns stored bytes into served ones, CRLF at each line, and takes a range of
 * those; for messages with lf_lines > 0. Others are served as they lie.
 */
struct imap_serve {
	uint64_t skip, left; /* served octets to leave out, to give */
	bool has_cr;	     /* the last octet was CR */
};

/* The served octets from `offset` on, at most `length`. */
void imap_serve_init(struct imap_serve *v, uint64_t offset, uint64_t length);
/*
 * Takes the next piece of the stored span, from its start on, and appends what
 * falls into the range. v->left is 0 when no more is wanted.
 */
void imap_serve(struct imap_serve *v, struct slice piece, struct buf *out);

#endif
