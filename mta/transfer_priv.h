/* SPDX-License-Identifier: ISC */
/* The inside of a transfer, shared by transfer.c (recipients and their words,
 * one host after the other) and transfer_session.c (one host). */
#ifndef MTA_TRANSFER_PRIV_H
#define MTA_TRANSFER_PRIV_H

#include "base/region.h"
#include "mta/connections.h"
#include "mta/hosts.h"
#include "mta/outcome.h"
#include "mta/transfer.h"
#include "session/smtp_client.h"
#include "sys/loop.h"

struct transfer_rcpt {
	struct smtp_client_rcpt smtp;
	uint32_t index;
	bool is_over;  /* its result was told */
	bool is_tried; /* by the host that is being talked to */
	bool is_dsn_passed;
	struct outcome_word word;
};

struct transfer {
	struct region mem;
	struct transfer_mail mail;
	const struct transfer_events *events;
	void *arg;
	struct transfer_rcpt *rcpts;
	size_t n, cap, n_left; /* n_left: without a result */
	struct buf body;
	int fd;
	uint64_t file_size;
	struct loop_later later;
	struct nexthop nexthop;
	struct hosts *hosts;	  /* NULL until they are needed */
	struct host_address host; /* that is being talked to */
	struct connection *c;
	struct smtp_client_mail batch;
	struct smtp_client_rcpt *batch_rcpts;
	size_t *batch_of; /* place in rcpts of each */
	int64_t n_tried;
	int64_t deadline; /* no further address is begun behind it */
	bool is_again;	/* the same address once more */
	bool is_clear;	/* without TLS, which failed there */
	bool was_reached;
};

/* ---- transfer.c ---- */

/* Tells the recipient's result, which is its word as it stands. */
void transfer_tell(struct transfer *t, struct transfer_rcpt *r);
/* A word that holds for everybody who is still waiting. */
void transfer_note(struct transfer *t, enum outcome_source source,
    const struct status *s);
void transfer_note_ours(struct transfer *t, enum outcome outcome,
    struct enhanced e, const char *text);
/* No host, or no recipient, is left: *t may be gone when it returns. */
void transfer_finish(struct transfer *t);
/* On to the next host; the same holds. */
void transfer_go_on(struct transfer *t);

/* ---- transfer_session.c ---- */

/* Talks to t->host on a new connection. 0: transfer_go_on or transfer_finish
 * will be called from the loop. -1: it cannot even be tried. */
int transfer_open_host(struct transfer *t)
    __attribute__((warn_unused_result));
/* The same, now, on a session that stands; *t may be gone when it returns. */
void transfer_adopt(struct transfer *t, struct connection *c);

#endif
