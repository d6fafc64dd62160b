/* SPDX-License-Identifier: ISC */
/*
 * Giving a message to the queue: the client's side of TX_OPEN … TX_DONE. Calls
 * may be made straight after each other; what goes wrong is told once, by
 * `opened` or `done`. A lost link is a temporary failure. While the queue does
 * not read, nothing more is put on its link: `opened`, `room` and `done` come
 * the later for it, and after a minute it is a temporary failure too.
 */
#ifndef SESSION_QUEUE_TX_H
#define SESSION_QUEUE_TX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/status.h"

struct ipc_link;
struct loop;
struct queue_tx;

struct queue_tx_envelope {
	struct slice sender; /* as address_add writes it; empty: null */
	struct slice envid;  /* xtext */
	struct slice session, client; /* for the log */
	uint64_t size;       /* as announced; 0: not said */
	uint64_t floor;      /* refuse with less free disk, bytes */
	uint64_t account;    /* of whom; 0: nobody here */
	uint8_t body, ret;   /* enum smtp_body, smtp_ret */
	bool is_utf8;
};

/* All are called from the loop, never inside a call below. */
struct queue_tx_events {
	/* The queue takes it (queue_tx_id holds) or refuses it: `no` is then
	 * what to tell the client, later or for good. May be NULL. */
	void (*opened)(void *arg, const struct status *no);
	/* queue_tx_is_full() does not hold any more. May be NULL. */
	void (*room)(void *arg);
	/* OUTCOME_DONE: the message is durable. Else nothing was kept. */
	void (*done)(void *arg, const struct status *result);
};

/* Opens one over `queue`, or NULL for none: that is a failure told later.
 * Views are used inside the call only. NULL: out of memory. */
struct queue_tx *queue_tx_open(struct loop *loop, struct ipc_link *queue,
    const struct queue_tx_envelope *e, const struct queue_tx_events *events,
    void *arg);
/* Gives it up unless `done` came; nothing is called any more. Sets NULL. */
void queue_tx_free(struct queue_tx **t);

/* Has `opened` come, or is it certain that it failed? */
bool queue_tx_is_open(const struct queue_tx *t);
bool queue_tx_has_failed(const struct queue_tx *t);
/* The message's id in the queue's text form; "" before `opened`. Valid as
 * long as `t`. */
const char *queue_tx_id(const struct queue_tx *t);
/* notify: enum smtp_notify; orcpt: "type;xtext" or empty. */
void queue_tx_rcpt(struct queue_tx *t, struct slice address, uint8_t notify,
    struct slice orcpt);
/* The message's octets in order, at most 64 KiB at a time. */
void queue_tx_write(struct queue_tx *t, struct slice bytes);
/* Write no more until `room`. */
bool queue_tx_is_full(const struct queue_tx *t);
/* The message is complete: `done` follows. */
void queue_tx_commit(struct queue_tx *t);

#endif
