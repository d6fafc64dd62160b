/* SPDX-License-Identifier: ISC */
/*
 * What submission decides within a session: nothing before AUTH, mail only
 * from addresses of the account (RFC 6409 6.1), as much as it may send in an
 * hour, to recipients that can exist. RFC 6409, RFC 4954, RFC 8314.
 */
#include "msa/session.h"

#include <stdlib.h>
#include <unistd.h>

#include "conf/conf_server.h"
#include "conf/conf_submission.h"
#include "msa/session_priv.h"
#include "proto/limits.h"
#include "proto/received.h"
#include "session/queue_tx.h"
#include "session/smtp_intake.h"
#include "session/tls_front.h"
#include "sys/conn.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/row.h"

enum { ASK_MS = 10000, HOUR_S = 3600 };

static struct {
	const struct conf_submission *conf;
	struct smtp_server_options options;
	uint64_t accepted, total;
} self;

const struct conf_submission *
session_conf(void)
{
	return self.conf;
}

/* ---- the client ---- */

static void
connected(struct smtp_server *smtp)
{
	smtp_session_check(smtp_server_data(smtp),
	    (uint64_t)self.conf->connections_per_client);
}

/* ---- the queue's side ---- */

static void
accepted(struct smtp_session *base)
{
	const struct session *s = LIST_OF(base, struct session, base);
	const struct smtp_server *smtp = base->smtp;

	self.accepted++;
	/* event=accepted: the message is in the queue, durable; id is its
	 * name there; account says whose login it was. */
	log_info("event=accepted session=%s id=%s client=%s account=%llu "
	    "from=%s nrcpt=%zu size=%llu with=%s",
	    base->client.id, queue_tx_id(base->tx),
	    conn_peer(smtp_server_conn(smtp)),
	    (unsigned long long)s->account, LOG_V(buf_slice(&base->sender)),
	    smtp_server_recipients(smtp),
	    (unsigned long long)smtp_server_size(smtp),
	    received_with_word(smtp_server_with(smtp)));
}

static const struct smtp_intake_events intake_events = {
	.begin = letter_begin, .accepted = accepted,
};

/* ---- MAIL ---- */

static void
open_transaction(struct session *s)
{
	smtp_intake_open(&s->base, s->account, 0, &intake_events);
}

static void
on_sender_owned(void *arg, int type, const union ipc_any *m, int fd)
{
	struct session *s = arg;

	(void)type;
	(void)fd;
	s->ask = NULL;
	if (m == NULL)
		smtp_server_answer(s->base.smtp, SMTP_ANSWER(451, 4, 3, 0,
		    "The sender cannot be checked just now, try again"));
	else if (!m->OWNS_ANSWER.yes)
		smtp_server_answer(s->base.smtp, SMTP_ANSWER(553, 5, 7, 1,
		    "This sender is not an address of yours"));
	else
		open_transaction(s);
}

static void
mail(struct smtp_server *smtp, const struct smtp_mail *m)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);
	struct session *s = session_of(smtp);
	const struct buf *sender = &s->base.sender;

	smtp_session_set_sender(&s->base, m);
	/* The null sender is for disposition notifications (RFC 8098 3);
	 * whose they are says their From. */
	if (sender->n == 0 ||
	    slice_ieq(buf_slice(sender), buf_slice(&s->address)))
		open_transaction(s);
	else if (directory == NULL)
		on_sender_owned(s, -1, NULL, -1);
	else
		s->ask = ipc_ask(directory, OWNS_ASK, -1, ASK_MS,
		    on_sender_owned, s, .account = s->account,
		    .address = buf_slice(sender));
}

/* ---- RCPT ---- */

static void
on_recipient(void *arg, const struct recipient *r)
{
	struct session *s = arg;
	const struct smtp_answer *no = smtp_session_refusal(r->kind,
	    r->is_over_quota);

	s->rcpt_ask = NULL;
	if (no == NULL)
		smtp_intake_add_rcpt(&s->base, r->address);
	smtp_server_answer(s->base.smtp, no);
}

static void
rcpt(struct smtp_server *smtp, const struct smtp_rcpt *r)
{
	struct session *s = session_of(smtp);
	const struct smtp_answer *no = smtp_intake_refusal(&s->base);

	if (no != NULL) {
		smtp_server_answer(smtp, no);
		return;
	}
	smtp_session_set_rcpt(&s->base, r);
	s->rcpt_ask = recipients_ask(buf_slice(&s->base.rcpt), on_recipient,
	    s);
}

/* ---- DATA ---- */

static void next_step(struct session *s);

static void
over_limit(struct session *s, uint32_t retry_s)
{
	bool is_messages = s->step == DATA_MESSAGES;
	struct smtp_answer a = { .code = 450, .enhanced = { 4, 7, 1 } };
	unsigned minutes = (retry_s + 59) / 60;
	struct buf text;

	buf_init(&text, 256);
	buf_addf(&text, "You may send %s %lld %s an hour; try again in %u "
	    "minute%s", is_messages ? "no more than" : "to no more than",
	    (long long)(is_messages ? self.conf->messages_per_hour
				    : self.conf->recipients_per_hour),
	    is_messages ? "messages" : "recipients",
	    minutes == 0 ? 1 : minutes, minutes <= 1 ? "" : "s");
	a.text = buf_slice(&text);
	smtp_server_answer(s->base.smtp, &a);
	buf_fini(&text);
}

static void
on_rate(void *arg, int type, const union ipc_any *m, int fd)
{
	struct session *s = arg;

	(void)type;
	(void)fd;
	s->ask = NULL;
	if (m != NULL && !m->RATE_ANSWER.allowed) {
		over_limit(s, m->RATE_ANSWER.retry_s);
		return;
	}
	/* A broken counter must not stop the mail. */
	s->step++;
	next_step(s);
}

/* False: nothing to ask, go on. */
static bool
ask_rate(struct session *s, const char *what, int64_t limit, size_t cost)
{
	struct ipc_link *state = daemon_peer(ROLE_STATE);
	struct buf key;

	if (limit == 0 || state == NULL)
		return false;
	buf_init(&key, 64);
	buf_addf(&key, "%s:%llu", what, (unsigned long long)s->account);
	s->ask = ipc_ask(state, RATE_ASK, -1, ASK_MS, on_rate, s,
	    .cost = (uint32_t)cost, .limit = (uint32_t)limit,
	    .window_s = HOUR_S, .key = buf_slice(&key));
	buf_fini(&key);
	return true;
}

static void
next_step(struct session *s)
{
	if (s->step == DATA_MESSAGES) {
		if (ask_rate(s, "sent", self.conf->messages_per_hour, 1))
			return;
		s->step = DATA_RECIPIENTS;
	}
	if (s->step == DATA_RECIPIENTS) {
		if (ask_rate(s, "sent-to", self.conf->recipients_per_hour,
			smtp_server_recipients(s->base.smtp)))
			return;
		s->step = DATA_QUEUE;
	}
	smtp_intake_data(s->base.smtp);
}

static void
data(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	s->step = DATA_MESSAGES;
	next_step(s);
}

/* ---- ends ---- */

static void
reset(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	recipients_cancel(&s->rcpt_ask);
	ipc_call_cancel(&s->ask);
	letter_reset(s);
	smtp_intake_reset(&s->base);
}

static void
on_session_closed(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	reset(smtp);
	login_forget(s);
	buf_fini(&s->address);
	smtp_session_close(&s->base);
	free(s);
}

static const struct smtp_policy policy = {
	.connected = connected,
	.mail = mail,
	.rcpt = rcpt,
	.data = data,
	.end = letter_end,
	.auth = login_start,
	.auth_more = login_more,
	.auth_abort = login_abort,
	.field = letter_field,
	.header_end = letter_header_end,
	.body = smtp_intake_body,
	.is_full = smtp_intake_is_full,
	.reset = reset,
	.closed = on_session_closed,
};

/* ---- all of them ---- */

void
sessions_configure(const struct conf_submission *conf,
    const struct conf_server *server)
{
	self.conf = conf;
	self.options = (struct smtp_server_options){
		.needs_auth = true,
		.plaintext_auth = conf->plaintext_auth,
		.hostname = server->hostname,
		.greeting = conf->greeting,
		.tls = tls_front_server,
		.mechs = 1U << SASL_PLAIN | 1U << SASL_LOGIN |
		    1U << SASL_SCRAM_SHA_256 |
		    (unsigned)server->channel_binding <<
			SASL_SCRAM_SHA_256_PLUS,
		.message_size = (uint64_t)conf->message_size,
		.recipients = (uint64_t)conf->recipients,
		.transactions = (uint64_t)conf->transactions,
		.errors = (uint64_t)conf->errors,
		.hops = (uint64_t)conf->hops,
		.command_ms = conf->command_timeout,
		.data_ms = conf->data_timeout,
	};
}

void
session_new(const char *service, int fd)
{
	struct session *s = calloc(1, sizeof *s);
	bool tls_first = slice_eq_str(slice_str(service), "submissions");

	if (s == NULL) {
		(void)close(fd);
		return;
	}
	buf_init(&s->address, LIMIT_PATH + 2);
	if (smtp_session_open(&s->base, service, fd, &self.options, &policy,
		tls_first ? SMTP_SERVER_TLS_FIRST : 0) < 0) {
		free(s);
		return;
	}
	self.total++;
}

void
sessions_status(struct buf *row)
{
	row_pair_u64(row, "sessions", self.total);
	row_pair_u64(row, "accepted", self.accepted);
}
