/* SPDX-License-Identifier: ISC */
/*
 * The two ends of a client session in one process: the client under test over
 * a socket pair with scripted time, the server played by the test, and the
 * client's events as lines of text.
 */
#ifndef TESTS_UNIT_SESSION_SMTP_PEER_H
#define TESTS_UNIT_SESSION_SMTP_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "session/smtp_client.h"

enum { PEER_RCPTS_MAX = 300 };

struct smtp_peer {
	struct loop *loop;
	struct smtp_client *client;
	struct smtp_client_conf conf;
	struct smtp_client_mail mail;
	struct smtp_client_rcpt rcpts[PEER_RCPTS_MAX];
	int fd;	       /* the server's end; -1: closed */
	int client_fd; /* not to be closed */
	struct buf heard;  /* what the client said and nobody looked at */
	struct buf events; /* a line each */
	/* Counted for those that do not read the lines. */
	unsigned n_ready, n_over, n_ended, n_results[PEER_RCPTS_MAX];
	unsigned n_done;
	bool is_deaf; /* the server does not read */
	bool frees_in_events; /* the client, in `over` and `ended` */
	struct smtp_client_end end;
};

/* Before peer_start the test may change conf and mail. */
void peer_init(struct smtp_peer *p);
void peer_start(struct smtp_peer *p);
void peer_fini(struct smtp_peer *p);
/* Lets everything happen that can, without time passing. */
void peer_run(struct smtp_peer *p);
/* Reads a little of what is coming. */
void peer_hear_some(struct smtp_peer *p);
void peer_say(struct smtp_peer *p, struct slice bytes);
/* The server closes the connection. */
void peer_eof(struct smtp_peer *p);
void peer_wait(struct smtp_peer *p, int64_t ms);
/* Begins the transaction p->mail; a refusal is an event. */
void peer_send(struct smtp_peer *p);
/* Takes the next line of what the client said; false: there is no whole one.
 * The copy is valid until the next call. */
bool peer_line(struct smtp_peer *p, struct slice *line_r);
/* The same for the events. */
bool peer_event(struct smtp_peer *p, struct slice *event_r);

#endif
