/* SPDX-License-Identifier: ISC */
/*
 * Where deliveries go, and who waits to go there: next hops, local mailboxes
 * ("owner:N"), and relay processes ("*relay:N"), which are full only while a
 * crash suspect wants to be alone in one.
 *
 * A message that waits is not in memory. It is called when there is room, and
 * its place is kept until it comes or does something else.
 */
#ifndef QUEUE_DESTINATION_H
#define QUEUE_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"
#include "sys/loop.h"

struct message;

struct destination {
	char *name;          /* the nexthop, "owner:N" or "*relay:N" */
	uint64_t account;    /* of an owner, else 0 */
	bool is_owner, is_relay;
	size_t active;       /* deliveries out */
	size_t called;       /* messages that were told to come */
	size_t users;        /* who points here */
	struct list waiting; /* of struct message, each counted in users */
	/* A next hop that could not be reached. */
	unsigned failures;   /* in a row */
	int64_t not_before;  /* boot ms */
	char *why;           /* its last words, or ours about it */
	/* A process: who wants to be, or is, alone in it. */
	struct message *alone;
	int64_t not_alone_before; /* boot ms: now it is the others' turn */
	struct loop_timer timer;  /* the end of alone, or of what is known of
				   * failures */
};

/* The one of that name, made if new; counted as used. */
struct destination *destination_take(struct slice name, bool is_owner,
    uint64_t account);
/* The relay process of that instance. */
struct destination *destination_take_relay(uint32_t instance);
/* No longer used by one; it goes when nobody uses it. Sets *d NULL. */
void destination_drop(struct destination **d);

/* Has it room for a delivery of somebody who was not called? */
bool destination_has_room(const struct destination *d);
/* The same for this message, which may have been called. */
bool destination_may_enter(const struct destination *d,
    const struct message *m);
/* A delivery of it goes there: destination_may_enter said yes. */
void destination_enter(struct destination *d, struct message *m);
/* That delivery is over. */
void destination_leave(struct destination *d, struct message *m);
/* The message, which is no longer in memory, waits; takes the caller's use. A
 * suspect waits to be alone there: for a while nobody else enters. */
void destination_wait(struct destination *d, struct message *m);
/* It waits no longer, or does not come though it was called. */
void destination_forget(struct message *m);
/* Calls (schedule_called) those that wait, as far as there is room. */
void destination_release(struct destination *d);

/* The next hop was not to be reached: nothing goes there for a while, which
 * grows with each time in a row; then one delivery, to see. */
void destination_failed(struct destination *d, struct slice why);
void destination_reached(struct destination *d);
/* Is this such a while? */
bool destination_is_down(const struct destination *d);

/* How long this suspect may keep others waiting. */
int64_t destination_alone_ms(const struct message *m);

/* Without the relay processes. */
size_t destination_count(void);
/* Steps through all: *pos from 0. */
struct destination *destination_next(size_t *pos);

#endif
