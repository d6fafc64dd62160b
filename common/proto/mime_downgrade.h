/* SPDX-License-Identifier: ISC */
/*
 * Turns an 8BITMIME message into 7-bit MIME for a peer that lacks the extension
 * (RFC 6152 3): leaves with 8-bit content are encoded, composites relabelled
 * (RFC 2045 6.4). What is signed or encrypted is never touched. Line ends are
 * CRLF, as in the queue.
 */
#ifndef PROTO_MIME_DOWNGRADE_H
#define PROTO_MIME_DOWNGRADE_H

#include "base/buf.h"
#include "base/slice.h"
#include "proto/mime_part.h"

enum mime_downgrade {
	MIME_DOWNGRADE_NOT_NEEDED, /* it has no octet above 127 */
	MIME_DOWNGRADE_POSSIBLE,
	/* All others: it can go to 8BITMIME peers only. */
	MIME_DOWNGRADE_HEADER,	  /* in a header: SMTPUTF8 is needed as well */
	MIME_DOWNGRADE_SEALED,	  /* within multipart/signed or /encrypted */
	MIME_DOWNGRADE_STRUCTURE, /* in a part that may not be encoded (RFC 2046
				     5.2) or that was not looked into */
	MIME_DOWNGRADE_ENCODING,  /* labelled with an encoding unknown to us */
};

enum { MIME_DOWNGRADE_SCRATCH = 262144 };

/* Takes the next bytes of the result. 0, or -1 to give up. */
typedef int mime_sink(void *arg, struct slice bytes);

/* What can be done about the message with this tree. */
enum mime_downgrade mime_downgrade_check(const struct mime_part *root);
/*
 * Writes the message as 7-bit MIME. `root` is its tree; `scratch` has room for
 * MIME_DOWNGRADE_SCRATCH. Text without any label becomes text/plain;
 * charset=unknown-8bit (RFC 1428 3). A message that needs no change, or cannot
 * be changed, is refused: ask mime_downgrade_check() first. 0; -1 refused, no
 * memory, or the sink's.
 */
int mime_downgrade(struct slice message, const struct mime_part *root,
    mime_sink *sink, void *arg, struct buf *scratch)
    __attribute__((warn_unused_result));

#endif
