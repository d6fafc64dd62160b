/* SPDX-License-Identifier: ISC */
/*
 * Steps through the fields of a stored header (RFC 5322 2.2), whatever its
 * line ends, and picks the ten fields that IMAP's ENVELOPE shows. For headers
 * as they arrived: nothing is refused, a line that is no field is a field
 * without a name.
 */
#ifndef PROTO_RFC822_HEADER_H
#define PROTO_RFC822_HEADER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"

struct rfc822_field {
	struct slice name;  /* without blanks before the colon; may be empty */
	struct slice value; /* behind the colon, still folded, blanks trimmed */
	struct slice raw;   /* all its lines with their ends */
};

/* In the order of the ENVELOPE response. */
enum rfc822_known {
	RFC822_DATE,
	RFC822_SUBJECT,
	RFC822_FROM,
	RFC822_SENDER,
	RFC822_REPLY_TO,
	RFC822_TO,
	RFC822_CC,
	RFC822_BCC,
	RFC822_IN_REPLY_TO,
	RFC822_MESSAGE_ID,
	RFC822_KNOWN,
};

/* Their unfolded values; p == NULL when the field is absent. */
struct rfc822_envelope {
	struct slice value[RFC822_KNOWN];
	/* Where joined values are put together, and how much fits there. */
	char *grown[RFC822_KNOWN];
	size_t room[RFC822_KNOWN];
};

/*
 * Takes the next field off the front of *header. False at the blank line that
 * ends the header, which then stands at the front of *header, and at the end.
 */
bool rfc822_field_next(struct slice *header, struct rfc822_field *f_r);
/* The bytes of `s` up to and with its first LF, or all. */
struct slice rfc822_line(struct slice s);
/* The line without its CRLF or LF. */
struct slice rfc822_line_text(struct slice line);
/*
 * A copy of a value without its line ends (RFC 5322 2.2.3), blanks at both
 * ends trimmed. .p is NULL when the region gave no memory.
 */
struct slice rfc822_unfold(struct region *r, struct slice value);

/*
 * Notes the field in *e when it is one of the ten. Address lists of repeated
 * fields are joined (RFC 5322 4.5.3), of other repeated fields the first
 * counts. 0, or -1 when the region gave no memory.
 */
int rfc822_envelope_add(struct rfc822_envelope *e, struct region *r,
    const struct rfc822_field *f) __attribute__((warn_unused_result));
/* All fields of `header`, which may have its blank line and more behind. */
int rfc822_envelope_read(struct rfc822_envelope *e_r, struct region *r,
    struct slice header) __attribute__((warn_unused_result));

#endif
