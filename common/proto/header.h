/* SPDX-License-Identifier: ISC */
/*
 * The header of a message, field by field, as views. RFC 5322 2.2, read the
 * way mail really comes: lines may end in LF alone, and what is no field is
 * passed over. Structured values are for other parsers.
 */
#ifndef PROTO_HEADER_H
#define PROTO_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/slice.h"

enum header_kind {
	HEADER_FIELD,
	HEADER_JUNK, /* a line that is no field, nor part of one */
	HEADER_END   /* the empty line, or the end of a message without one */
};

struct header_field {
	enum header_kind kind;
	struct slice name;  /* without blanks before the colon; of a FIELD */
	struct slice value; /* all behind the colon but the last line end */
	struct slice raw;   /* everything, line ends included */
};

/*
 * Looks at the front of `in` for a field (or the like) with all its
 * continuation lines. > 0: octets consumed, *field_r are views. 0: it does not
 * end in `in`, call again with more behind it; with `is_all` (nothing more will
 * come) 0 means that `in` is empty, and *field_r is HEADER_END. -1: no end
 * within LIMIT_HEADER_FIELD octets; the message is not fit to be mail.
 */
ssize_t header_scan(struct slice in, bool is_all, struct header_field *field_r)
    __attribute__((warn_unused_result));

/* The fields of a message (or header) that is in memory as a whole. */
struct header_iter {
	struct slice rest;
	size_t used; /* octets passed; at the end, where the body begins */
	bool is_done;
};

void header_iter_init(struct header_iter *it, struct slice message);
/*
 * The next field; junk is passed over. False at the end of the header. An
 * endless field, or a header longer than LIMIT_HEADER, ends it too: the rest
 * counts as body.
 */
bool header_iter_next(struct header_iter *it, struct header_field *field_r);

/* The first field of that name (ASCII case does not matter). */
bool header_find(struct slice message, struct slice name,
    struct header_field *field_r);
/* How many fields have that name; for "Received", the hops so far. */
size_t header_count(struct slice message, struct slice name);
/* Where the body begins. */
size_t header_length(struct slice message);

/*
 * Appends a value unfolded: line ends dropped, the blanks behind them kept
 * (RFC 5322 2.2.3), none at its ends.
 */
void header_unfold(struct buf *out, struct slice value);

#endif
