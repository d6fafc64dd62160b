/* SPDX-License-Identifier: ISC */
/*
 * A message as local programs write it, made into one that can travel: line
 * ends, recipients out of the header for -t, Bcc removed, From added. Pure.
 */
#ifndef MSA_LOCALMAIL_H
#define MSA_LOCALMAIL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

struct localmail {
	bool dot_ends;   /* a line with a single dot ends the message */
	bool at_start;   /* of a line */
	bool after_cr;
	bool after_dot;  /* a dot stands alone on its line so far */
	bool ended;
};

void localmail_init(struct localmail *r, bool dot_ends);
/* Appends the bytes with every line end as CRLF; what stands behind the dot
 * that ended the message is dropped. */
void localmail_read(struct localmail *r, struct slice in, struct buf *out);
/* The input is over: a last line without its end gets one. */
void localmail_end(struct localmail *r, struct buf *out);

/*
 * Writes the message without Bcc fields, and without the "From " line of a mail
 * folder before them; with a From field of `full_name` when
 * it has none and a name was given. take_rcpts: To, Cc and Bcc (or their
 * Resent- forms, if there are any) become R lines of the envelope, counted in
 * *n. -1 when an address cannot be used.
 */
int localmail_finish(struct slice message, bool take_rcpts,
    const char *full_name, struct buf *out, struct buf *envelope, size_t *n)
    __attribute__((warn_unused_result));

#endif
