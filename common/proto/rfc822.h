/* SPDX-License-Identifier: ISC */
/*
 * The lexical layer of structured header fields (RFC 5322 3.2 and 4.1): atoms,
 * quoted strings, domain literals, specials, with comments and white space
 * between them skipped. It reads what arrives, not what should: it never fails,
 * a quote, bracket or parenthesis that nothing closes is an ordinary octet, and
 * octets above 127 and controls are part of atoms (RFC 6532 3.2).
 */
#ifndef PROTO_RFC822_H
#define PROTO_RFC822_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum rfc822_type {
	RFC822_END,
	RFC822_ATOM,
	RFC822_QUOTED,	/* text: without the quotes, escapes still in it */
	RFC822_LITERAL, /* text: with its brackets */
	RFC822_SPECIAL, /* text: the one octet: < > : ; @ , . or unclosed */
};

struct rfc822_token {
	enum rfc822_type type;
	struct slice text;
	bool is_spaced; /* white space or a comment stood before it */
};

struct rfc822_scan {
	struct slice in;      /* what is left */
	struct slice comment; /* the last comment passed, without its () */
	/* From here on nothing closes these, so nobody searches again. */
	const char *no_quote, *no_comment;
};

void rfc822_scan_init(struct rfc822_scan *s, struct slice in);
/* The next token, a view into the input; RFC822_END for ever at the end. */
enum rfc822_type rfc822_next(struct rfc822_scan *s, struct rfc822_token *t_r);
/* Is `t` the special `c`? */
bool rfc822_is(const struct rfc822_token *t, char c);
/* Skips white space, line ends and comments. Was there anything? */
bool rfc822_skip(struct rfc822_scan *s);
/*
 * Takes a quoted string off the front: *text_r is what is between the quotes.
 * False, with nothing taken, when there is none or nothing closes it.
 */
bool rfc822_take_quoted(struct rfc822_scan *s, struct slice *text_r);
/* Appends the inside of a quoted string or comment: escapes and folds undone.
 */
void rfc822_unescape(struct buf *out, struct slice text);
/* Appends what a token means: that for quoted strings, else its text. */
void rfc822_add(struct buf *out, const struct rfc822_token *t);

/*
 * The next message id of a Message-ID, In-Reply-To or References field
 * (RFC 5322 3.6.4, 4.5.4), replacing what is in `id`: without the angle
 * brackets, comments and white space. Phrases and empty ids are skipped. False
 * at the end, or when an id was longer than `id` takes (id->err tells).
 */
bool rfc822_next_id(struct rfc822_scan *s, struct buf *id);

#endif
