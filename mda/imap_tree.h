/* SPDX-License-Identifier: ISC */
/*
 * The MIME tree of one message of the selected mailbox, kept until another one
 * is asked for, since clients fetch the parts of a message one by one.
 */
#ifndef MDA_IMAP_TREE_H
#define MDA_IMAP_TREE_H

#include "mda/imap_session.h"
#include "proto/mime.h"

struct imap_tree {
	struct region region;
	struct buf text;        /* the parser's scratch */
	struct mime_parser parser;
	struct mime_message message;
	uint32_t uid;           /* of the finished tree; 0: none */
	uint64_t offset;        /* read up to here */
	uint32_t reading;       /* the UID under way */
};

/* The finished tree of that message, or NULL. */
const struct mime_part *imap_tree_of(const struct imap_session *s,
    uint32_t uid);
/*
 * Reads on (waits for the model) until imap_tree_of() gives the tree. -1: it
 * cannot be had; s->result says why.
 */
int imap_tree_read(struct imap_session *s, uint32_t uid)
    __attribute__((warn_unused_result));

#endif
