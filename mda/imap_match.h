/* SPDX-License-Identifier: ISC */
/*
 * Does a message match a search (proto/imap_search.h)? Evaluated with what is
 * known of it so far: header and body are opened only if the rest leaves it
 * open.
 */
#ifndef MDA_IMAP_MATCH_H
#define MDA_IMAP_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/region.h"
#include "base/slice.h"
#include "mda/imap_text.h"
#include "mda/mailbox.h"
#include "proto/imap_search.h"

enum imap_truth { IMAP_FALSE, IMAP_TRUE, IMAP_UNKNOWN };

struct imap_match {
	struct region *region;
	struct imap_search_node *root;
	struct slice charset;
	/* BODY and TEXT keys, in the order of a walk through the tree. */
	struct imap_wanted *wanted;
	size_t n_wanted;
	int64_t now;     /* seconds, for OLDER and YOUNGER */
	int utc_offset;  /* minutes: the days of INTERNALDATE */
};

struct imap_match_message {
	const struct mailbox *mailbox;
	const struct message *msg;
	uint32_t seq;
	bool is_recent;
	bool has_header, has_body; /* has_body: m->wanted says what is there */
	struct slice header;
};

/* Message sets in the tree must have been turned into numbers before. Folds
 * the strings of the tree. -1: no memory. */
int imap_match_init(struct imap_match *m, struct region *r,
    const struct imap_search *search) __attribute__((warn_unused_result));
enum imap_truth imap_match(const struct imap_match *m,
    const struct imap_match_message *msg);
/* Nothing was found in the body yet. */
void imap_match_begin_body(struct imap_match *m);

#endif
