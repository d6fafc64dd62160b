/* SPDX-License-Identifier: ISC */
/*
 * The tree that mime.h builds from a message: parts, where their bytes lie and
 * what their fields say (RFC 2045, 2046). All memory is the region's that was
 * given to the parser; nothing points into the message itself.
 */
#ifndef PROTO_MIME_PART_H
#define PROTO_MIME_PART_H

#include <stdint.h>

#include "base/slice.h"
#include "proto/mime_param.h"
#include "proto/rfc822_header.h"

/*
 * Bytes of the stored message. Those of other programs may have lines that end
 * in LF alone; IMAP serves them with CRLF, and `served` is their size then.
 */
struct mime_span {
	uint64_t offset, size;
	uint64_t served;
	uint64_t lines; /* line ends, of either kind */
};

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART, /* has one child or more */
	MIME_MESSAGE,	/* its one child is the embedded message */
	/*
	 * Not looked into: beyond a limit (limits.h), a multipart in which no
	 * boundary was found, an encoded message. A leaf for all purposes, but
	 * its type may say otherwise.
	 */
	MIME_OPAQUE,
};

enum mime_encoding {
	MIME_7BIT, /* also when there is no Content-Transfer-Encoding */
	MIME_8BIT,
	MIME_BINARY,
	MIME_QUOTED_PRINTABLE,
	MIME_BASE64,
	MIME_OTHER,
};

enum mime_flag {
	MIME_HEADER_8BIT = 1,
	MIME_HEADER_NUL = 2,
	/* Of the part's own bytes, which for a multipart are its preamble,
	 * epilogue and boundaries. */
	MIME_BODY_8BIT = 4,
	MIME_BODY_NUL = 8,
	MIME_BODY_LONG = 16, /* lines of more than 998 octets */
	/* Fields that are present, if malformed. */
	MIME_HAS_TYPE = 32,
	MIME_HAS_VERSION = 64,
};

struct mime_word {
	struct mime_word *next;
	struct slice text;
};

struct mime_part {
	struct mime_part *parent, *next; /* next: of the same parent */
	struct mime_part *child, *last;	 /* the first and the last child */
	enum mime_kind kind;
	enum mime_encoding encoding;
	unsigned flags; /* enum mime_flag */
	unsigned depth; /* 0 for the message itself */
	/* The header with its blank line, which is missing when the header is
	 * the end of the part. The body of MIME_MESSAGE is header and body of
	 * its child. */
	struct mime_span header, body;
	/* As written; text and plain when absent or malformed, message and
	 * rfc822 when absent in a multipart/digest. */
	struct slice type, subtype;
	struct mime_param *params;
	/* Unfolded; .p == NULL when absent. */
	struct slice encoding_name, id, description, md5, location;
	struct slice disposition;
	struct mime_param *disposition_params;
	struct mime_word *languages;
	/* Of the message itself and of embedded messages, else NULL. */
	struct rfc822_envelope *envelope;
	/* The parser's own. */
	struct slice boundary;
	bool is_open;
};

/* Is it of this type and subtype? NULL for any subtype. */
bool mime_part_is(
    const struct mime_part *part, const char *type, const char *subtype);
/*
 * Notes what one header field says about the part; fields of no interest and
 * repeated ones are ignored. 0, or -1 when the region gave no memory.
 */
int mime_part_add_field(struct mime_part *part, struct region *r,
    const struct rfc822_field *f) __attribute__((warn_unused_result));

#endif
