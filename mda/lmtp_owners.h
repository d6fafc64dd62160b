/* SPDX-License-Identifier: ISC */
/*
 * One message on its way to several owners at once (DLV_*): each gets the
 * octets as they come, the slowest sets the pace, one that fails drops out
 * with its own answer. Nothing is queued.
 */
#ifndef MDA_LMTP_OWNERS_H
#define MDA_LMTP_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct lmtp_owners;
struct smtp_answer;

struct lmtp_envelope {
	struct slice sender; /* canonical */
	struct slice envid;
	uint8_t body, ret;
	bool is_utf8;
};

/* Called from the loop. */
struct lmtp_owners_events {
	/* Every owner was reached, or certainly not. */
	void (*opened)(void *arg);
	/* lmtp_owners_is_full() does not hold any more. */
	void (*room)(void *arg);
	/* Every recipient has its answer. */
	void (*done)(void *arg);
};

/* NULL when out of memory. */
struct lmtp_owners *lmtp_owners_new(size_t recipients_max,
    const struct lmtp_owners_events *events, void *arg);
/* What is not complete is dropped by the owners. Sets it NULL. */
void lmtp_owners_free(struct lmtp_owners **o);

/* The next recipient (numbers count from 0). -1: no memory, not added. */
int lmtp_owners_add(struct lmtp_owners *o, uint64_t account,
    struct slice address, uint8_t notify, struct slice orcpt)
    __attribute__((warn_unused_result));
/* The recipients are complete: `opened` follows, at once if it can be. */
void lmtp_owners_open(struct lmtp_owners *o);
/* Is there anybody to deliver to? */
bool lmtp_owners_has_any(const struct lmtp_owners *o);
void lmtp_owners_begin(struct lmtp_owners *o, const struct lmtp_envelope *e);
void lmtp_owners_write(struct lmtp_owners *o, struct slice bytes);
bool lmtp_owners_is_full(struct lmtp_owners *o);
/* The message is complete: `done` follows. */
void lmtp_owners_end(struct lmtp_owners *o);
/* The answer of a recipient, behind `done`; or why it was not to be reached,
 * behind `opened`. Valid as long as `o`. */
const struct smtp_answer *lmtp_owners_answer(const struct lmtp_owners *o,
    size_t recipient);

#endif
