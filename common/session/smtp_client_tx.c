/* SPDX-License-Identifier: ISC */
/*
 * Transactions: MAIL, RCPT and the content, each as far ahead of its answer as
 * the server allows. RFC 5321 3.3, 4.1.1.2 to .5; RFC 2920 (PIPELINING) 3.1;
 * RFC 3030 (CHUNKING): the whole message is one BDAT LAST; RFC 2033 4.2 (LMTP:
 * one final reply for each recipient).
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "session/smtp_client_priv.h"
#include "sys/log.h"

/* Content up to this size goes out with the commands, before the answers to
 * them: less than a round trip is worth. */
enum { EARLY_MAX = 32768 };

/* Of a command line: path, ORCPT in its longest form, and room. */
enum { LINE_MAX_OURS = 8192 };

/* ---- what became of recipients ---- */

static void
report(struct smtp_client *c, size_t i, const struct status *s, bool surplus)
{
	struct smtp_client_result r = { .status = *s, .is_surplus = surplus };

	if (c->tx.rcpts[i] == SMTP_TX_ANSWERED)
		return;
	if (c->tx.rcpts[i] == SMTP_TX_ACCEPTED)
		c->tx.n_accepted--;
	c->tx.rcpts[i] = SMTP_TX_ANSWERED;
	r.is_dsn_passed = s->outcome == OUTCOME_DONE &&
	    (c->caps.bits & SMTP_CAP_DSN) != 0;
	c->events->result(c->arg, i, &r);
}

static void
report_all(struct smtp_client *c, const struct status *s)
{
	size_t i;

	for (i = 0; i < c->tx.mail->n_rcpts; i++)
		report(c, i, s, false);
	c->tx.is_dead = true;
}

void
smtp_tx_fini(struct smtp_tx *t)
{
	free(t->rcpts);
	smtp_plan_fini(&t->plan);
	*t = (struct smtp_tx){ .send = SMTP_CLIENT_READY };
}

bool
smtp_tx_is_unknown(const struct smtp_client *c)
{
	const struct smtp_tx *t = &c->tx;

	if (t->send != SMTP_CLIENT_READY || t->is_dead)
		return false;
	if (c->state == SMTP_CLIENT_DOT)
		return t->n_accepted > 0;
	/* The chunk went ahead of the answers. A server gives them all at
	 * once, when it has kept the message: that none came says nothing. */
	return t->plan.is_bdat && (c->state == SMTP_CLIENT_MAIL ||
	    c->state == SMTP_CLIENT_RCPT);
}

/* ---- the end of a transaction ---- */

static void
finish(struct smtp_client *c)
{
	bool is_open = c->tx.is_open;

	smtp_tx_fini(&c->tx);
	if (is_open) {
		smtp_client_say(c, SLICE("RSET"));
		smtp_client_enter(c, SMTP_CLIENT_RSET);
		return;
	}
	smtp_client_enter(c, SMTP_CLIENT_READY);
	c->events->over(c->arg);
}

void
smtp_tx_on_rset(struct smtp_client *c, const struct smtp_reply *r)
{
	if (r->code / 100 != 2) {
		smtp_client_end_reply(c, r);
		return;
	}
	smtp_client_enter(c, SMTP_CLIENT_READY);
	c->events->over(c->arg);
}

/* ---- what is sent next ---- */

/* Has every command that was sent its answer? */
static bool
is_caught_up(const struct smtp_client *c)
{
	const struct smtp_tx *t = &c->tx;

	return c->state == t->send && (t->send != SMTP_CLIENT_RCPT ||
	    t->recv_rcpt == t->send_rcpt);
}

/*
 * A chunk, before the answers to what was said? Then what it means when the
 * connection is lost is not known, so not on one that stood idle and may be
 * gone, before MAIL is answered; and not again after a failed attempt.
 */
static bool
may_send_early(const struct smtp_client *c)
{
	const struct smtp_tx *t = &c->tx;

	return t->plan.content.size <= EARLY_MAX && !t->mail->is_careful &&
	    (c->count == 1 || c->state != SMTP_CLIENT_MAIL);
}

static bool
may_send_content(const struct smtp_client *c)
{
	const struct smtp_tx *t = &c->tx;

	if (t->mail->is_probe)
		return false;
	if ((c->caps.bits & SMTP_CAP_PIPELINING) != 0 &&
	    (!t->plan.is_bdat || may_send_early(c)))
		return true;
	return is_caught_up(c) && t->n_accepted > 0;
}

static bool
may_send(const struct smtp_client *c)
{
	const struct smtp_tx *t = &c->tx;

	if (conn_is_full(c->conn) || c->is_unreadable)
		return false;
	/* A chunk that was announced is sent to its end, come what may. */
	if (t->send == SMTP_CLIENT_BODY)
		return t->plan.is_bdat ||
		    (c->state == SMTP_CLIENT_DOT && !t->is_dead);
	if (t->is_dead || t->send == SMTP_CLIENT_READY)
		return false;
	if (t->send == SMTP_CLIENT_DATA)
		return may_send_content(c);
	return (c->caps.bits & SMTP_CAP_PIPELINING) != 0 || is_caught_up(c);
}

static void
send_mail(struct smtp_client *c)
{
	struct buf line;

	buf_init(&line, LINE_MAX_OURS);
	smtp_plan_add_mail(&line, &c->tx.plan, c->tx.mail, &c->caps);
	smtp_client_say(c, buf_slice(&line));
	buf_fini(&line);
	c->tx.send = SMTP_CLIENT_RCPT;
}

static void
send_rcpt(struct smtp_client *c)
{
	struct smtp_tx *t = &c->tx;
	struct buf line;

	buf_init(&line, LINE_MAX_OURS);
	smtp_plan_add_rcpt(&line, &t->plan, &t->mail->rcpts[t->send_rcpt]);
	smtp_client_say(c, buf_slice(&line));
	buf_fini(&line);
	if (++t->send_rcpt == t->mail->n_rcpts)
		t->send = SMTP_CLIENT_DATA;
}

static void
send_data(struct smtp_client *c)
{
	struct buf line;

	c->tx.send = SMTP_CLIENT_BODY;
	if (!c->tx.plan.is_bdat) {
		smtp_client_say(c, SLICE("DATA"));
		return;
	}
	buf_init(&line, LINE_MAX_OURS);
	buf_addf(&line, "BDAT %llu LAST",
	    (unsigned long long)c->tx.plan.content.size);
	smtp_client_say(c, buf_slice(&line));
	buf_fini(&line);
	if (c->state == SMTP_CLIENT_DATA)
		smtp_client_enter(c, SMTP_CLIENT_DOT);
}

static void
send_dotted(struct smtp_client *c, struct slice piece)
{
	struct slice out;
	size_t n;

	for (; piece.n > 0; piece = slice_from(piece, n)) {
		n = dot_encode(&c->tx.dot, piece, &out);
		conn_write(c->conn, out);
	}
}

/* A piece of the content. */
static void
send_body(struct smtp_client *c)
{
	struct smtp_tx *t = &c->tx;
	struct slice piece;
	ssize_t n;

	n = smtp_content_next(&t->plan.content, &piece);
	if (n < 0) {
		c->is_unreadable = true;
		conn_set_deadline(c->conn, clock_boot_ms());
		return;
	}
	if (n == 0) {
		if (!t->plan.is_bdat)
			conn_write(c->conn, dot_encode_end(&t->dot));
		t->send = SMTP_CLIENT_READY;
	} else if (t->plan.is_bdat) {
		conn_write(c->conn, piece);
	} else {
		send_dotted(c, piece);
	}
	if (t->send == SMTP_CLIENT_READY)
		smtp_client_content_out(c);
	else if (c->state == SMTP_CLIENT_DOT)
		smtp_client_wait(c);
}

void
smtp_tx_pump(struct smtp_client *c)
{
	while (may_send(c)) {
		switch ((int)c->tx.send) {
		case SMTP_CLIENT_MAIL:
			send_mail(c);
			break;
		case SMTP_CLIENT_RCPT:
			send_rcpt(c);
			break;
		case SMTP_CLIENT_DATA:
			send_data(c);
			break;
		case SMTP_CLIENT_BODY:
			send_body(c);
			break;
		default:
			BUG("nothing to send in state %d", c->tx.send);
		}
	}
}

/* ---- replies ---- */

/* After the answer to MAIL or RCPT: more to send, more answers, or the end? */
static void
go_on(struct smtp_client *c)
{
	struct smtp_tx *t = &c->tx;
	bool is_moot = t->is_dead ||
	    (c->state == SMTP_CLIENT_DATA &&
		(t->n_accepted == 0 || t->mail->is_probe));

	if (is_moot && is_caught_up(c))
		finish(c);
	else
		smtp_tx_pump(c);
}

void
smtp_tx_on_mail(struct smtp_client *c, const struct smtp_reply *r)
{
	struct status s = status_from_reply(r->code, r->enhanced, r->text);

	if (r->code / 100 == 3) {
		smtp_client_end_protocol(c, r);
		return;
	}
	smtp_client_enter(c, SMTP_CLIENT_RCPT);
	if (s.outcome == OUTCOME_DONE)
		c->tx.is_open = true;
	else
		report_all(c, &s);
	go_on(c);
}

/* "Too many": not this recipient's fault, if others were taken before it. */
static bool
is_surplus(const struct smtp_tx *t, const struct status *s)
{
	return s->outcome == OUTCOME_LATER && s->enhanced.subject == 5 &&
	    s->enhanced.detail == 3 && t->n_accepted > 0;
}

/* Its reply is the final one. */
static bool
is_bdat_sent(const struct smtp_tx *t)
{
	return t->plan.is_bdat && (t->send == SMTP_CLIENT_BODY ||
	    t->send == SMTP_CLIENT_READY);
}

void
smtp_tx_on_rcpt(struct smtp_client *c, const struct smtp_reply *r)
{
	struct status s =
	    status_from_rcpt_reply(r->code, r->enhanced, r->text);
	struct smtp_tx *t = &c->tx;
	size_t i = t->recv_rcpt;

	if (r->code / 100 == 3) {
		smtp_client_end_protocol(c, r);
		return;
	}
	t->recv_rcpt++;
	if (t->recv_rcpt < t->mail->n_rcpts)
		smtp_client_wait(c);
	else
		smtp_client_enter(c, is_bdat_sent(t) ? SMTP_CLIENT_DOT
						     : SMTP_CLIENT_DATA);
	if (s.outcome != OUTCOME_DONE || t->mail->is_probe) {
		report(c, i, &s, is_surplus(t, &s));
	} else if (t->rcpts[i] == SMTP_TX_PENDING) {
		t->rcpts[i] = SMTP_TX_ACCEPTED;
		t->n_accepted++;
	}
	go_on(c);
}

/* Only to DATA, never to BDAT. */
void
smtp_tx_on_data(struct smtp_client *c, const struct smtp_reply *r)
{
	struct smtp_tx *t = &c->tx;
	struct status s;

	if (r->code / 100 == 2 || t->send != SMTP_CLIENT_BODY) {
		smtp_client_end_protocol(c, r);
		return;
	}
	if (r->code / 100 != 3) {
		s = status_from_reply(r->code, r->enhanced, r->text);
		report_all(c, &s);
		finish(c);
		return;
	}
	smtp_client_enter(c, SMTP_CLIENT_DOT);
	if (t->n_accepted > 0) {
		smtp_tx_pump(c);
		return;
	}
	/* RFC 2920 3.1: nobody was taken, yet it waits for content. */
	smtp_client_say(c, SLICE("."));
	t->send = SMTP_CLIENT_READY;
	t->is_dead = true;
	smtp_client_wait(c);
}

/* The reply came before all was sent. A refusal ends it there: there is no
 * other way to take the message back. Nothing else makes sense. */
static void
on_early_answer(struct smtp_client *c, const struct smtp_reply *r)
{
	struct status s = status_from_reply(r->code, r->enhanced, r->text);

	if (s.outcome != OUTCOME_DONE && r->code / 100 != 3)
		report_all(c, &s);
	smtp_client_end_protocol(c, r);
}

/* RFC 2033 4.2: the next of those that were accepted. */
static size_t
next_accepted(const struct smtp_tx *t)
{
	size_t i;

	for (i = 0; t->rcpts[i] != SMTP_TX_ACCEPTED; i++)
		;
	return i;
}

void
smtp_tx_on_dot(struct smtp_client *c, const struct smtp_reply *r)
{
	struct status s = status_from_reply(r->code, r->enhanced, r->text);
	struct smtp_tx *t = &c->tx;

	if (t->send == SMTP_CLIENT_BODY) {
		on_early_answer(c, r);
		return;
	}
	if (r->code / 100 == 3) {
		smtp_client_end_protocol(c, r);
		return;
	}
	/* A BDAT that failed leaves its transaction open (RFC 3030 2). */
	if (!t->plan.is_bdat || s.outcome == OUTCOME_DONE)
		t->is_open = false;
	if (c->conf.is_lmtp && t->n_accepted > 0) {
		report(c, next_accepted(t), &s, false);
		smtp_client_wait(c);
	} else {
		report_all(c, &s);
	}
	if (t->n_accepted == 0)
		finish(c);
}

/* ---- the beginning ---- */

int
smtp_client_send(struct smtp_client *c, const struct smtp_client_mail *mail,
    struct status *why_r)
{
	const struct status no_memory = { OUTCOME_LATER, 0, { 4, 3, 0 },
		SLICE("out of memory") };
	struct smtp_tx *t = &c->tx;

	if (c->state != SMTP_CLIENT_READY || mail->n_rcpts == 0)
		BUG("a transaction in state %d", c->state);
	*t = (struct smtp_tx){ .mail = mail, .send = SMTP_CLIENT_MAIL };
	t->rcpts = calloc(mail->n_rcpts, 1);
	if (smtp_plan_make(&t->plan, mail, &c->caps, why_r) < 0 ||
	    t->rcpts == NULL) {
		if (t->rcpts == NULL)
			*why_r = no_memory;
		smtp_tx_fini(t);
		return -1;
	}
	dot_encoder_init(&t->dot);
	c->count++;
	smtp_client_enter(c, SMTP_CLIENT_MAIL);
	smtp_tx_pump(c);
	return 0;
}
