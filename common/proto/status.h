/* SPDX-License-Identifier: ISC */
/*
 * What became of a message or recipient, the same everywhere: an outcome, the
 * SMTP reply that says it, an enhanced status code (RFC 3463), and a text.
 */
#ifndef PROTO_STATUS_H
#define PROTO_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum outcome {
	OUTCOME_DONE,	/* the other side has taken responsibility */
	OUTCOME_LATER,	/* try again */
	OUTCOME_FAILED, /* never try again, tell the sender */
};

/* All zero: none. */
struct enhanced {
	uint16_t class, subject, detail;
};

struct status {
	enum outcome outcome;
	int code; /* of SMTP; 0 when no reply was had */
	struct enhanced enhanced;
	struct slice text;
};

/*
 * The meaning of an SMTP reply, and the only place where it is decided. Where
 * `enhanced` is none or contradicts `code` a generic one is put in its place.
 * What is no final reply (3yz, or nonsense) means "later". The text is a view,
 * passed through as it is. RFC 5321 4.2.1.
 */
struct status status_from_reply(int code, struct enhanced enhanced,
    struct slice text);
/*
 * The same for the reply to RCPT, where a 552 without an enhanced code is an
 * old server's "too many recipients", so "later" (RFC 5321 4.5.3.1.10).
 */
struct status status_from_rcpt_reply(int code, struct enhanced enhanced,
    struct slice text);

/*
 * Takes "5.1.1" off the front of *s, with the spaces behind it; it must end
 * there or be followed by one. -1 leaves *s alone. RFC 3463 2, RFC 2034 4.
 */
int enhanced_take(struct slice *s, struct enhanced *e_r)
    __attribute__((warn_unused_result));
bool enhanced_is_none(struct enhanced e);
/* Appends "5.1.1". */
void enhanced_add(struct buf *out, struct enhanced e);

/*
 * Appends text of strangers so that it can stand in a log, a header or a bounce:
 * control characters and line ends become a space each (one for a run), what
 * is not UTF-8 a '?', at most `max` octets, cut between characters.
 */
void status_add_text(struct buf *out, struct slice text, size_t max);
/* The same, and every other character that is not ASCII becomes a '?'. */
void status_add_ascii(struct buf *out, struct slice text, size_t max);

#endif
