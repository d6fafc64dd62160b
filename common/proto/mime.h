/* SPDX-License-Identifier: ISC */
/*
 * Parses the MIME structure of a message (RFC 2045, 2046, 2231) as it streams
 * by, in pieces of any size, into a tree of parts (mime_part.h). It takes every
 * message: what is malformed gets the structure that can be made out of it.
 *
 * A boundary line is the whole line: "--", the boundary, "--" after the last
 * part, blanks. RFC 2046 5.1.1 would be content with a line that begins so, but
 * then "--a" and "--ab" cannot both be boundaries. The innermost open multipart
 * goes first; a boundary of an outer one ends the inner ones (5.1.2).
 */
#ifndef PROTO_MIME_H
#define PROTO_MIME_H

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"
#include "proto/mime_part.h"

struct mime_message {
	struct mime_part *root; /* also the header and body of the message */
	uint64_t size;		/* as stored */
	uint64_t served;	/* with CRLF at every line: RFC822.SIZE */
	/* 0: the stored bytes are the served ones. */
	uint64_t lf_lines; /* lines that end in LF without CR */
	bool has_nul;	   /* which IMAP can serve only as a literal8 */
};

/* A place in the message, in all three measures. */
struct mime_mark {
	uint64_t at, served, lines;
};

/* Opaque to users. */
struct mime_parser {
	struct region *r;
	struct buf *text; /* a header field, or the start of a line with "--" */
	struct mime_part *root, *cur;
	struct mime_mark now, line, text_end, prev_end;
	uint64_t lf_lines;
	size_t line_at; /* where in `text` the current line begins */
	unsigned n_parts, n_open, line_flags, all_flags;
	bool is_header, is_mid_line, is_kept, has_cr, is_full, is_failed;
};

/*
 * `r` takes the tree and outlives it; LIMIT_MIME_MEMORY is a good maximum for
 * it; with less than four times LIMIT_HEADER left, the rest of the message
 * becomes one opaque part.
 * `text` is scratch of the caller with room for twice LIMIT_HEADER_FIELD; it
 * must not be touched before mime_finish().
 */
void mime_init(struct mime_parser *p, struct region *r, struct buf *text);
void mime_feed(struct mime_parser *p, struct slice in);
/* 0 with the tree, or -1 out of memory. */
int mime_finish(struct mime_parser *p, struct mime_message *message_r)
    __attribute__((warn_unused_result));

#endif
