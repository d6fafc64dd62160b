/* SPDX-License-Identifier: ISC */
/* The inside of an SMTP client session, shared by smtp_client.c (connection,
 * ends), smtp_client_hello.c, smtp_client_auth.c, smtp_client_tx.c. */
#ifndef SESSION_SMTP_CLIENT_PRIV_H
#define SESSION_SMTP_CLIENT_PRIV_H

#include "base/buf.h"
#include "proto/dot.h"
#include "proto/sasl_client.h"
#include "proto/smtp_reply.h"
#include "session/smtp_client.h"
#include "session/smtp_plan.h"
#include "sys/conn.h"

/* What is known of a recipient. */
enum smtp_tx_rcpt {
	SMTP_TX_PENDING,
	SMTP_TX_ACCEPTED, /* waits for the final reply */
	SMTP_TX_ANSWERED  /* its result was told */
};

/*
 * A transaction. Two places are kept, as commands run ahead of their answers:
 * what is to be sent next (send, send_rcpt) and what the next reply answers
 * (the client's state, recv_rcpt).
 */
struct smtp_tx {
	const struct smtp_client_mail *mail;
	unsigned char *rcpts; /* enum smtp_tx_rcpt */
	size_t n_accepted;
	enum smtp_client_state send; /* READY: all was sent */
	size_t send_rcpt, recv_rcpt;
	struct smtp_plan plan;
	struct dot_encoder dot;
	bool is_dead; /* everybody has a result; only replies are awaited */
	bool is_open; /* the server has it open: RSET ends it */
};

/* A login, wiped once it is done. */
struct smtp_auth {
	bool is_wanted, has_begun;
	struct buf name, password, nonce;
	unsigned char exporter[32];
	struct sasl_client sasl;
};

struct smtp_client {
	struct conn *conn;
	struct smtp_client_conf conf;
	const struct smtp_client_events *events;
	void *arg;
	enum smtp_client_state state;
	int64_t phase_end; /* bound on the whole of MAIL to DATA */
	struct smtp_reply_parser parser;
	struct buf text; /* of the last reply */
	struct buf helo_name, tls_name, peer_name, why;
	struct smtp_caps caps;
	struct smtp_auth auth;
	struct smtp_tx tx;
	unsigned count;
	bool was_secured;   /* TLS stands, but no reply has come through it */
	bool is_unreadable; /* the content; the end comes from the loop */
	uint8_t entered; /* callbacks of ours on the stack */
	bool is_gone;	 /* freed by its owner inside one */
};

/* The only way from state to state; sets the deadline of the new one. */
void smtp_client_enter(struct smtp_client *c, enum smtp_client_state state);
/* The deadline of the state begins anew: there was progress. */
void smtp_client_wait(struct smtp_client *c);
/* All content was sent: its answer may take its time, whatever is before. */
void smtp_client_content_out(struct smtp_client *c);
/* One command line, given without its end. */
void smtp_client_say(struct smtp_client *c, struct slice line);

/* ---- ends: `ended` is called, and then *c may be gone ---- */

/* The server said so. */
void smtp_client_end_reply(struct smtp_client *c,
    const struct smtp_reply *reply);
/* The same, but whatever it said, it is "later". */
void smtp_client_end_later(struct smtp_client *c,
    const struct smtp_reply *reply);
/* Something else did; `text` is put before "while …". */
void smtp_client_end_local(struct smtp_client *c, struct enhanced e,
    const char *text);
/* A reply that cannot be one to what was said. */
void smtp_client_end_protocol(struct smtp_client *c,
    const struct smtp_reply *reply);

/* ---- smtp_client_hello.c ---- */

/* EHLO or LHLO. */
void smtp_hello_begin(struct smtp_client *c);
void smtp_hello_start_tls(struct smtp_client *c);
void smtp_hello_on_greeting(struct smtp_client *c,
    const struct smtp_reply *reply);
void smtp_hello_on_ehlo(struct smtp_client *c, const struct smtp_reply *reply);
void smtp_hello_on_helo(struct smtp_client *c, const struct smtp_reply *reply);
void smtp_hello_on_starttls(struct smtp_client *c,
    const struct smtp_reply *reply);
/* The session stands now. */
void smtp_client_stand(struct smtp_client *c);

/* ---- smtp_client_auth.c ---- */

void smtp_auth_init(struct smtp_auth *a,
    const struct smtp_client_login *login);
void smtp_auth_fini(struct smtp_auth *a);
void smtp_auth_begin(struct smtp_client *c);
void smtp_auth_on_reply(struct smtp_client *c, const struct smtp_reply *reply);

/* ---- smtp_client_tx.c ---- */

void smtp_tx_on_mail(struct smtp_client *c, const struct smtp_reply *reply);
void smtp_tx_on_rcpt(struct smtp_client *c, const struct smtp_reply *reply);
void smtp_tx_on_data(struct smtp_client *c, const struct smtp_reply *reply);
void smtp_tx_on_dot(struct smtp_client *c, const struct smtp_reply *reply);
void smtp_tx_on_rset(struct smtp_client *c, const struct smtp_reply *reply);
/* There is room again for output. */
void smtp_tx_pump(struct smtp_client *c);
void smtp_tx_fini(struct smtp_tx *t);
/* Has the content gone out, unanswered, so that it may have been taken? */
bool smtp_tx_is_unknown(const struct smtp_client *c);

#endif
