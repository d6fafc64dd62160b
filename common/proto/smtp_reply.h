/* SPDX-License-Identifier: ISC */
/*
 * What an SMTP or LMTP client is told: replies of one or many lines (RFC 5321
 * 4.2.1), enhanced codes (RFC 2034 4) split off.
 */
#ifndef PROTO_SMTP_REPLY_H
#define PROTO_SMTP_REPLY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/status.h"

struct smtp_reply {
	int code; /* 200 to 599 */
	struct enhanced enhanced;
	struct slice text; /* view of the buf that was given; lines end in LF
			    * but for the last. Raw: see status_add_text. */
	bool is_cut;	   /* the text was longer than the buf's limit */
};

/* How far the reply at the front of the input has been looked at. */
struct smtp_reply_parser {
	size_t seen;	  /* whole lines, checked */
	size_t line_seen; /* octets behind them already searched for LF */
	int code;	  /* of the first line; 0 before it */
};

enum smtp_reply_error {
	SMTP_REPLY_SYNTAX,
	SMTP_REPLY_CODE_CHANGED, /* between lines of one reply */
	SMTP_REPLY_TOO_LONG,	 /* a line, or all of it */
};

void smtp_reply_init(struct smtp_reply_parser *p);
/*
 * Looks for a whole reply at the front of `in`. > 0: octets consumed, *reply_r
 * is set and `text` (reset first) holds its text; the parser is ready for the
 * next. 0: call again with the same octets and more behind them. -1: not SMTP,
 * or beyond LIMIT_SMTP_REPLY_LINE or LIMIT_SMTP_REPLY; close the connection.
 * A line may end in LF alone: nothing is smuggled in a reply.
 */
ssize_t smtp_reply_next(struct smtp_reply_parser *p, struct slice in,
    struct buf *text, struct smtp_reply *reply_r,
    enum smtp_reply_error *error_r) __attribute__((warn_unused_result));

#endif
