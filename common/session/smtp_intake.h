/* SPDX-License-Identifier: ISC */
/*
 * The way of a session's message into the queue, for the policies of smtpd and
 * submission: the transaction with the queue is opened at MAIL, so that its
 * answer travels while recipients are checked, and the client hears 250 only
 * when the queue has the message.
 */
#ifndef SESSION_SMTP_INTAKE_H
#define SESSION_SMTP_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "session/smtp_session.h"

struct received;
struct smtp_answer;
struct smtp_server;

struct smtp_intake_events {
	/* The queue gave the message its id and waits for it: write what comes
	 * before the client's octets. */
	void (*begin)(struct smtp_session *s);
	/* It is in the queue, durable; the client is told next. */
	void (*accepted)(struct smtp_session *s);
};

/* From `mail`, with the sender set, or later: opens and answers. `account` is
 * whose it is (0: nobody's here); the queue refuses it with less than `floor`
 * octets of free disk. */
void smtp_intake_open(struct smtp_session *s, uint64_t account, uint64_t floor,
    const struct smtp_intake_events *events);
/* The queue is away, or full: what to answer to RCPT at once, not behind the
 * message. Else NULL. */
const struct smtp_answer *smtp_intake_refusal(const struct smtp_session *s);
/* The recipient in question is one of the message; completed first. */
void smtp_intake_add_rcpt(struct smtp_session *s, struct slice known);
/* From `begin`: the trace, with the queue's id. */
void smtp_intake_write_trace(struct smtp_session *s, struct received *r);

/* For struct smtp_policy: data, body, is_full, end. The first and the last may
 * as well be called when the policy knows more. */
void smtp_intake_data(struct smtp_server *smtp);
void smtp_intake_body(struct smtp_server *smtp, struct slice bytes);
bool smtp_intake_is_full(struct smtp_server *smtp);
void smtp_intake_end(struct smtp_server *smtp);
/* From `reset`, instead of smtp_session_reset(). */
void smtp_intake_reset(struct smtp_session *s);

#endif
