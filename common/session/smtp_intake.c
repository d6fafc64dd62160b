/* SPDX-License-Identifier: ISC */
/* What a session tells its client of the transaction with the queue. */
#include "session/smtp_intake.h"

#include "proto/received.h"
#include "session/queue_tx.h"
#include "sys/conn.h"
#include "sys/daemon.h"

/* ---- the queue's answers ---- */

static void
answer_status(struct smtp_session *s, const struct status *status)
{
	const struct smtp_answer a = { .code = status->code,
		.enhanced = status->enhanced, .text = status->text };

	smtp_server_answer(s->smtp, &a);
}

static void
begin_message(struct smtp_session *s)
{
	s->intake->begin(s);
	smtp_server_answer(s->smtp, NULL);
}

static void
on_opened(void *arg, const struct status *no)
{
	struct smtp_session *s = arg;

	if (!s->waits_for_queue)
		return; /* DATA will find out */
	s->waits_for_queue = false;
	if (no != NULL)
		answer_status(s, no);
	else
		begin_message(s);
}

static void
on_room(void *arg)
{
	struct smtp_session *s = arg;

	smtp_server_room(s->smtp);
}

static void
on_done(void *arg, const struct status *result)
{
	struct smtp_answer a = { .code = 250, .enhanced = { 2, 0, 0 } };
	struct smtp_session *s = arg;
	struct buf text;

	if (result->outcome != OUTCOME_DONE) {
		answer_status(s, result);
		return;
	}
	s->intake->accepted(s);
	buf_init(&text, 128);
	buf_addf(&text, "Ok: queued as %s", queue_tx_id(s->tx));
	a.text = buf_slice(&text);
	smtp_server_answer(s->smtp, &a);
	buf_fini(&text);
}

static const struct queue_tx_events tx_events = {
	.opened = on_opened, .room = on_room, .done = on_done,
};

/* ---- the envelope ---- */

void
smtp_intake_open(struct smtp_session *s, uint64_t account, uint64_t floor,
    const struct smtp_intake_events *events)
{
	const struct smtp_mail *m = smtp_server_mail(s->smtp);
	const struct queue_tx_envelope e = {
		.sender = buf_slice(&s->sender), .envid = m->envid,
		.session = slice_str(s->client.id),
		.client = slice_str(conn_peer(smtp_server_conn(s->smtp))),
		.size = m->size, .floor = floor, .account = account,
		.body = (uint8_t)m->body, .ret = (uint8_t)m->ret,
		.is_utf8 = (m->given & SMTP_PARAM_SMTPUTF8) != 0 };

	s->intake = events;
	s->tx = queue_tx_open(daemon_loop(), daemon_peer(ROLE_QUEUE), &e,
	    &tx_events, s);
	smtp_server_answer(s->smtp, s->tx == NULL
		? SMTP_ANSWER(451, 4, 3, 0, "Out of memory, try again")
		: NULL);
}

const struct smtp_answer *
smtp_intake_refusal(const struct smtp_session *s)
{
	return queue_tx_has_failed(s->tx)
	    ? SMTP_ANSWER(452, 4, 3, 1,
		  "No mail can be taken just now, try again")
	    : NULL;
}

void
smtp_intake_add_rcpt(struct smtp_session *s, struct slice known)
{
	smtp_session_complete_rcpt(s, known);
	queue_tx_rcpt(s->tx, buf_slice(&s->rcpt), s->notify,
	    buf_slice(&s->orcpt));
	smtp_session_note_rcpt(s);
}

/* ---- the message ---- */

void
smtp_intake_write_trace(struct smtp_session *s, struct received *r)
{
	struct buf text;

	r->id = slice_str(queue_tx_id(s->tx));
	buf_init(&text, SMTP_SESSION_TRACE_MAX);
	smtp_session_add_trace(s, &text, r);
	queue_tx_write(s->tx, buf_slice(&text));
	buf_fini(&text);
}

void
smtp_intake_data(struct smtp_server *smtp)
{
	struct smtp_session *s = smtp_server_data(smtp);
	const struct smtp_answer *no = smtp_intake_refusal(s);

	if (no != NULL)
		smtp_server_answer(smtp, no);
	else if (queue_tx_is_open(s->tx))
		begin_message(s);
	else
		s->waits_for_queue = true;
}

void
smtp_intake_body(struct smtp_server *smtp, struct slice bytes)
{
	const struct smtp_session *s = smtp_server_data(smtp);

	queue_tx_write(s->tx, bytes);
}

bool
smtp_intake_is_full(struct smtp_server *smtp)
{
	const struct smtp_session *s = smtp_server_data(smtp);

	return queue_tx_is_full(s->tx);
}

void
smtp_intake_end(struct smtp_server *smtp)
{
	const struct smtp_session *s = smtp_server_data(smtp);

	queue_tx_commit(s->tx);
}

void
smtp_intake_reset(struct smtp_session *s)
{
	queue_tx_free(&s->tx);
	s->waits_for_queue = false;
	smtp_session_reset(s);
}
