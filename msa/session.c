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
#include "session/smtp_server.h"
#include "session/tls_front.h"
#include "sys/conn.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/row.h"

enum { ASK_MS = 10000, HOUR_S = 3600 };

static struct {
	const struct conf_submission *conf;
	const struct conf_server *server;
	struct smtp_server_options options;
	uint64_t accepted, total;
} self;

const struct conf_submission *
session_conf(void)
{
	return self.conf;
}

const struct conf_server *
session_server(void)
{
	return self.server;
}

/* ---- the client ---- */

static void
on_checked(struct front_client *c, bool is_allowed)
{
	struct session *s = LIST_OF(c, struct session, client);

	smtp_server_answer(s->smtp, is_allowed ? NULL
	    : SMTP_ANSWER(421, 4, 7, 0,
		"Too many connections from your address"));
}

static void
connected(struct smtp_server *smtp)
{
	struct session *s = smtp_server_data(smtp);

	front_check(&s->client, (uint64_t)self.conf->connections_per_client,
	    on_checked);
}

/* ---- the queue's side ---- */

static void
answer_status(struct session *s, const struct status *status)
{
	const struct smtp_answer a = { .code = status->code,
		.enhanced = status->enhanced, .text = status->text };

	smtp_server_answer(s->smtp, &a);
}

static void
begin_message(struct session *s)
{
	letter_begin(s);
	smtp_server_answer(s->smtp, NULL);
}

static void
on_opened(void *arg, const struct status *no)
{
	struct session *s = arg;

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
	struct session *s = arg;

	smtp_server_room(s->smtp);
}

static void
on_done(void *arg, const struct status *result)
{
	struct session *s = arg;
	struct smtp_answer a = { .code = 250, .enhanced = { 2, 0, 0 } };
	const char *id = queue_tx_id(s->tx);
	struct buf text;

	if (result->outcome != OUTCOME_DONE) {
		answer_status(s, result);
		return;
	}
	self.accepted++;
	/* event=accepted: the message is in the queue, durable; id is its
	 * name there; account says whose login it was. */
	log_info("event=accepted session=%s id=%s client=%s account=%llu "
	    "from=%s nrcpt=%zu size=%llu with=%s",
	    s->client.id, id, conn_peer(smtp_server_conn(s->smtp)),
	    (unsigned long long)s->account, LOG_V(buf_slice(&s->sender)),
	    smtp_server_recipients(s->smtp),
	    (unsigned long long)smtp_server_size(s->smtp),
	    received_with_word(smtp_server_with(s->smtp)));
	buf_init(&text, 128);
	buf_addf(&text, "Ok: queued as %s", id);
	a.text = buf_slice(&text);
	smtp_server_answer(s->smtp, &a);
	buf_fini(&text);
}

static const struct queue_tx_events tx_events = {
	.opened = on_opened, .room = on_room, .done = on_done,
};

/* ---- MAIL ---- */

static void
open_transaction(struct session *s)
{
	const struct smtp_mail *m = smtp_server_mail(s->smtp);
	const struct queue_tx_envelope e = {
		.sender = buf_slice(&s->sender), .envid = m->envid,
		.session = slice_str(s->client.id),
		.client = slice_str(conn_peer(smtp_server_conn(s->smtp))),
		.size = m->size, .account = s->account,
		.body = (uint8_t)m->body, .ret = (uint8_t)m->ret,
		.is_utf8 = (m->given & SMTP_PARAM_SMTPUTF8) != 0 };

	s->tx = queue_tx_open(daemon_loop(), daemon_peer(ROLE_QUEUE), &e,
	    &tx_events, s);
	smtp_server_answer(s->smtp, s->tx == NULL
		? SMTP_ANSWER(451, 4, 3, 0, "Out of memory, try again")
		: NULL);
}

static void
on_sender_owned(void *arg, int type, const union ipc_any *m, int fd)
{
	struct session *s = arg;

	(void)type;
	(void)fd;
	s->ask = NULL;
	if (m == NULL)
		smtp_server_answer(s->smtp, SMTP_ANSWER(451, 4, 3, 0,
		    "The sender cannot be checked just now, try again"));
	else if (!m->OWNS_ANSWER.yes)
		smtp_server_answer(s->smtp, SMTP_ANSWER(553, 5, 7, 1,
		    "This sender is not an address of yours"));
	else
		open_transaction(s);
}

static void
mail(struct smtp_server *smtp, const struct smtp_mail *m)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);
	struct session *s = smtp_server_data(smtp);

	buf_reset(&s->sender);
	address_add(&s->sender, &m->from);
	/* The null sender is for disposition notifications (RFC 8098 3);
	 * whose they are says their From. */
	if (s->sender.n == 0 ||
	    slice_ieq(buf_slice(&s->sender), buf_slice(&s->address)))
		open_transaction(s);
	else if (directory == NULL)
		on_sender_owned(s, -1, NULL, -1);
	else
		s->ask = ipc_ask(directory, OWNS_ASK, -1, ASK_MS,
		    on_sender_owned, s, .account = s->account,
		    .address = buf_slice(&s->sender));
}

/* ---- RCPT ---- */

static const struct smtp_answer *
refusal(const struct recipient *r)
{
	switch (r->kind) {
	case ADDR_ACCOUNT:
		return r->is_over_quota ? SMTP_ANSWER(452, 4, 2, 2,
		    "The mailbox of this recipient is full") : NULL;
	case ADDR_ALIAS:
	case ADDR_RELAY:
	case ADDR_REMOTE:
		return NULL;
	case ADDR_UNKNOWN:
		return SMTP_ANSWER(550, 5, 1, 1, "No such user here");
	case ADDR_DISABLED:
		return SMTP_ANSWER(550, 5, 2, 1,
		    "This mailbox is switched off");
	case ADDR_INVALID:
		return SMTP_ANSWER(553, 5, 1, 3, "Not a valid address");
	case ADDR_LOOP:
		return SMTP_ANSWER(550, 5, 4, 6,
		    "This address leads back to itself");
	case ADDR_LATER:
	case ADDR_KIND_COUNT:
		break;
	}
	return SMTP_ANSWER(451, 4, 3, 0,
	    "The recipient cannot be checked just now, try again");
}

static void
on_recipient(void *arg, const struct recipient *r)
{
	struct session *s = arg;
	const struct smtp_answer *no = refusal(r);

	s->rcpt_ask = NULL;
	if (no == NULL) {
		if (!slice_has(buf_slice(&s->rcpt), '@')) {
			/* <postmaster>, RFC 5321 4.5.1. */
			if (slice_has(r->address, '@')) {
				buf_reset(&s->rcpt);
				buf_add_slice(&s->rcpt, r->address);
			} else {
				buf_addf(&s->rcpt, "@%s",
				    self.server->hostname);
			}
		}
		queue_tx_rcpt(s->tx, buf_slice(&s->rcpt), s->notify,
		    buf_slice(&s->orcpt));
		if (smtp_server_recipients(s->smtp) == 0) {
			buf_reset(&s->first);
			buf_add_slice(&s->first, buf_slice(&s->rcpt));
		}
	}
	smtp_server_answer(s->smtp, no);
}

static void
rcpt(struct smtp_server *smtp, const struct smtp_rcpt *r)
{
	struct session *s = smtp_server_data(smtp);

	buf_reset(&s->rcpt);
	address_add(&s->rcpt, &r->to);
	buf_reset(&s->orcpt);
	if ((r->given & SMTP_PARAM_ORCPT) != 0) {
		buf_add_slice(&s->orcpt, r->orcpt_type);
		buf_add_char(&s->orcpt, ';');
		buf_add_slice(&s->orcpt, r->orcpt);
	}
	s->notify = (uint8_t)r->notify;
	if (queue_tx_has_failed(s->tx))
		smtp_server_answer(smtp, SMTP_ANSWER(452, 4, 3, 1,
		    "No mail can be taken just now, try again"));
	else
		s->rcpt_ask = recipients_ask(buf_slice(&s->rcpt),
		    on_recipient, s);
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
	smtp_server_answer(s->smtp, &a);
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
			smtp_server_recipients(s->smtp)))
			return;
		s->step = DATA_QUEUE;
	}
	if (queue_tx_has_failed(s->tx))
		smtp_server_answer(s->smtp, SMTP_ANSWER(452, 4, 3, 1,
		    "No mail can be taken just now, try again"));
	else if (queue_tx_is_open(s->tx))
		begin_message(s);
	else
		s->waits_for_queue = true;
}

static void
data(struct smtp_server *smtp)
{
	struct session *s = smtp_server_data(smtp);

	s->step = DATA_MESSAGES;
	next_step(s);
}

static void
body(struct smtp_server *smtp, struct slice bytes)
{
	struct session *s = smtp_server_data(smtp);

	queue_tx_write(s->tx, bytes);
}

static bool
is_full(struct smtp_server *smtp)
{
	const struct session *s = smtp_server_data(smtp);

	return queue_tx_is_full(s->tx);
}

/* ---- ends ---- */

static void
reset(struct smtp_server *smtp)
{
	struct session *s = smtp_server_data(smtp);

	recipients_cancel(&s->rcpt_ask);
	ipc_call_cancel(&s->ask);
	letter_reset(s);
	queue_tx_free(&s->tx);
	s->waits_for_queue = false;
	buf_release(&s->sender);
	buf_release(&s->first);
	buf_release(&s->rcpt);
	buf_release(&s->orcpt);
}

static void
on_session_closed(struct smtp_server *smtp)
{
	struct session *s = smtp_server_data(smtp);

	reset(smtp);
	login_forget(s);
	front_done(&s->client);
	buf_fini(&s->address);
	s->closed();
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
	.body = body,
	.is_full = is_full,
	.reset = reset,
	.closed = on_session_closed,
};

/* ---- all of them ---- */

void
sessions_configure(const struct conf_submission *conf,
    const struct conf_server *server)
{
	self.conf = conf;
	self.server = server;
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
session_new(const char *service, int fd, void (*closed)(void))
{
	struct session *s = calloc(1, sizeof *s);
	bool tls_first = slice_eq_str(slice_str(service), "submissions");

	if (s == NULL) {
		(void)close(fd);
		return;
	}
	front_open(&s->client, service, fd);
	s->closed = closed;
	buf_init(&s->address, LIMIT_PATH + 2);
	buf_init(&s->sender, LIMIT_PATH + 2);
	buf_init(&s->first, LIMIT_PATH + 2);
	buf_init(&s->rcpt, LIMIT_PATH + 2);
	buf_init(&s->orcpt, LIMIT_ORCPT + 128);
	s->smtp = smtp_server_new(daemon_loop(), fd, s->client.id,
	    &self.options, &policy, s,
	    tls_first ? SMTP_SERVER_TLS_FIRST : 0);
	if (s->smtp == NULL) {
		(void)close(fd);
		front_done(&s->client);
		free(s);
		return;
	}
	self.total++;
}

void
sessions_stop(void)
{
	struct front_client *c;

	for (c = front_next(NULL); c != NULL; c = front_next(c))
		smtp_server_stop(LIST_OF(c, struct session, client)->smtp);
}

void
sessions_abort(void)
{
	struct front_client *c;

	while ((c = front_next(NULL)) != NULL)
		smtp_server_abort(LIST_OF(c, struct session, client)->smtp);
}

void
sessions_status(struct buf *row)
{
	row_pair_u64(row, "sessions", self.total);
	row_pair_u64(row, "accepted", self.accepted);
}
