/* SPDX-License-Identifier: ISC */
/* The recovery list of a folder as text: writing and reading. Pure. */
#ifndef MDA_UIDLIST_H
#define MDA_UIDLIST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { UIDLIST_STEP = 1000 /* UIDs reserved at a time */ };

/* Each appends one line. The first of a list: */
void uidlist_head(struct buf *b, uint32_t uidvalidity, uint32_t reserved);
/* UIDs below this may be in use. */
void uidlist_reserved(struct buf *b, uint32_t uid);
/* The mailbox's number, which makes its MAILBOXID. */
void uidlist_number(struct buf *b, uint32_t number);
/* A message and its file; its keywords changed; a keyword's name. */
void uidlist_message(struct buf *b, uint32_t uid, uint64_t keywords,
    struct slice id);
void uidlist_keywords(struct buf *b, uint32_t uid, uint64_t keywords);
void uidlist_keyword(struct buf *b, unsigned number, struct slice name);
/* In the account's list: attributes (and subscription) of a mailbox. */
void uidlist_mailbox(struct buf *b, uint32_t attrs, struct slice name);

struct uidlist_head {
	uint32_t uidvalidity, reserved;
};
/* Takes the first line off; -1 when it is none of ours or damaged. */
int uidlist_read_head(struct slice *text, struct uidlist_head *h_r)
    __attribute__((warn_unused_result));
struct uidlist_line {
	char kind;         /* N, I, U, K, W, A: see uidlist.c */
	uint32_t number;   /* reserved, mailbox, UID, keyword, attributes */
	uint64_t keywords; /* U, K */
	struct slice text; /* U: id; W, A: name */
};
/* Takes off the next good line; damaged ones are passed over. False at the
 * end. */
bool uidlist_read_line(struct slice *text, struct uidlist_line *l_r);

#endif
