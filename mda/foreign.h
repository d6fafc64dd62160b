/* SPDX-License-Identifier: ISC */
/*
 * What other mail servers keep beside a Maildir, so that UIDs, keywords and
 * subscriptions survive a change to us: Dovecot's dovecot-uidlist (versions 1
 * and 3), dovecot-keywords and subscriptions, Courier's courierimapuiddb and
 * courierimapsubscribed. Pure.
 */
#ifndef MDA_FOREIGN_H
#define MDA_FOREIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct foreign_head {
	uint32_t uidvalidity, uidnext; /* uidnext 0: not said */
};
/* The first line of a UID list of either; -1 when it is none. */
int foreign_uidlist_head(struct slice *text, struct foreign_head *h_r)
    __attribute__((warn_unused_result));
/* The next file: its UID and its name without ":2,". Lines that make no sense
 * are passed over. False at the end. */
bool foreign_uidlist_line(struct slice *text, uint32_t *uid_r,
    struct slice *id_r);
/* The next of dovecot-keywords: number 0 is the letter a. */
bool foreign_keyword_line(struct slice *text, unsigned *number_r,
    struct slice *name_r);
/*
 * The next subscription, as a name of ours appended to `out` (which is emptied
 * first). False at the end.
 */
struct foreign_subscriptions {
	struct slice text;
	bool tabs;      /* version 2: levels are separated by tabs */
};
void foreign_subscriptions_begin(struct foreign_subscriptions *s,
    struct slice text);
bool foreign_subscriptions_next(struct foreign_subscriptions *s,
    struct buf *out);

#endif
