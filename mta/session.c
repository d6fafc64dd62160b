/* SPDX-License-Identifier: ISC */
/*
 * What smtpd decides within a session: whom it takes mail from, for whom, and
 * that the queue has it before the client hears 250. The transaction with the
 * queue is opened at MAIL, so that its answer travels while recipients are
 * checked. RFC 5321 3.3, 3.6, 4.4, 4.5.1.
 */
#include "mta/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "conf/conf_server.h"
#include "conf/conf_smtpd.h"
#include "mta/client.h"
#include "mta/lists.h"
#include "mta/names.h"
#include "session/recipients.h"
#include "proto/limits.h"
#include "proto/received.h"
#include "session/front.h"
#include "session/queue_tx.h"
#include "session/smtp_server.h"
#include "session/tls_front.h"
#include "sys/conn.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/row.h"

enum { TRACE_MAX = 8192 };

struct session {
	struct front_client client;
	struct smtp_server *smtp;
	enum client_kind kind;
	struct names_lookup *name;
	void (*closed)(void);
	uint64_t unknown; /* recipients that do not exist */
	/* The transaction. */
	struct queue_tx *tx;
	bool waits_for_queue; /* DATA was said, TX_OPENED did not come yet */
	struct buf sender;    /* canonical */
	struct buf first;     /* recipient */
	/* The recipient in question. */
	struct recipient_ask *ask;
	struct buf rcpt, orcpt;
	uint8_t notify;
	bool is_postmaster; /* without domain */
	bool is_verify;     /* VRFY asks, not RCPT */
};

static struct {
	const struct conf_smtpd *conf;
	const struct conf_server *server;
	struct smtp_server_options options;
	uint64_t accepted, total;
} self;

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

	if (s->kind == CLIENT_BLOCKED)
		smtp_server_answer(smtp, SMTP_ANSWER(554, 5, 7, 1,
		    "Your address is on this server's block list"));
	else if (s->kind == CLIENT_TRUSTED || s->client.addr_len == 0)
		smtp_server_answer(smtp, NULL);
	else
		front_check(&s->client,
		    (uint64_t)self.conf->connections_per_client, on_checked);
}

static void
greeted(struct smtp_server *smtp, struct slice name)
{
	const struct session *s = smtp_server_data(smtp);

	smtp_server_answer(smtp,
	    s->kind == CLIENT_STRANGER && lists_is_blocked_helo(name)
		? SMTP_ANSWER(550, 5, 7, 1,
		      "This name is on the server's block list")
		: NULL);
}

/* ---- the queue's side ---- */

static void
answer_status(struct session *s, const struct status *status)
{
	const struct smtp_answer a = { .code = status->code,
		.enhanced = status->enhanced, .text = status->text };

	smtp_server_answer(s->smtp, &a);
}

/* RFC 5321 4.4. The recipient is shown only when there is no other. */
static void
write_trace(struct session *s)
{
	const struct conn *conn = smtp_server_conn(s->smtp);
	struct received r = { .helo = smtp_server_helo(s->smtp),
		.client_name = names_found(s->name),
		.client_ip = slice_str(conn_peer(conn)),
		.with = smtp_server_with(s->smtp),
		.by = slice_str(self.server->hostname),
		.id = slice_str(queue_tx_id(s->tx)),
		.date = { clock_wall(), clock_utc_offset() } };
	struct address only;
	struct buf text;

	if (conn_is_tls(conn)) {
		r.tls_version = slice_str(conn_tls_version(conn));
		r.tls_cipher = slice_str(conn_tls_cipher(conn));
	}
	if (smtp_server_recipients(s->smtp) == 1 &&
	    address_parse_lenient(buf_slice(&s->first), &only) == 0)
		r.recipient = &only;
	buf_init(&text, TRACE_MAX);
	received_add(&text, &r);
	queue_tx_write(s->tx, buf_slice(&text));
	buf_fini(&text);
}

static void
begin_message(struct session *s)
{
	write_trace(s);
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
log_accepted(const struct session *s, const char *id)
{
	struct slice name = names_found(s->name);

	/* event=accepted: the message is in the queue, durable; id is its
	 * name there. */
	log_info("event=accepted session=%s id=%s client=%s name=%s helo=%s "
	    "from=%s nrcpt=%zu size=%llu with=%s",
	    s->client.id, id, conn_peer(smtp_server_conn(s->smtp)),
	    LOG_V(name.n > 0 ? name : SLICE("unknown")),
	    LOG_V(smtp_server_helo(s->smtp)), LOG_V(buf_slice(&s->sender)),
	    smtp_server_recipients(s->smtp),
	    (unsigned long long)smtp_server_size(s->smtp),
	    received_with_word(smtp_server_with(s->smtp)));
}

static void
on_done(void *arg, const struct status *result)
{
	struct session *s = arg;
	struct smtp_answer a = { .code = 250, .enhanced = { 2, 0, 0 } };
	struct buf text;

	if (result->outcome != OUTCOME_DONE) {
		answer_status(s, result);
		return;
	}
	self.accepted++;
	log_accepted(s, queue_tx_id(s->tx));
	buf_init(&text, 128);
	buf_addf(&text, "Ok: queued as %s", queue_tx_id(s->tx));
	a.text = buf_slice(&text);
	smtp_server_answer(s->smtp, &a);
	buf_fini(&text);
}

static const struct queue_tx_events tx_events = {
	.opened = on_opened, .room = on_room, .done = on_done,
};

/* ---- MAIL ---- */

static void
mail(struct smtp_server *smtp, const struct smtp_mail *m)
{
	struct session *s = smtp_server_data(smtp);
	struct queue_tx_envelope e = { .envid = m->envid,
		.session = slice_str(s->client.id),
		.client = slice_str(conn_peer(smtp_server_conn(smtp))),
		.body = (uint8_t)m->body, .ret = (uint8_t)m->ret,
		.is_utf8 = (m->given & SMTP_PARAM_SMTPUTF8) != 0,
		/* What must fit: the queue refuses where it does not. */
		.size = m->size + (uint64_t)self.conf->min_free };

	if (s->kind != CLIENT_TRUSTED && lists_is_blocked_sender(&m->from)) {
		smtp_server_answer(smtp, SMTP_ANSWER(550, 5, 7, 1,
		    "This sender is on the server's block list"));
		return;
	}
	buf_reset(&s->sender);
	address_add(&s->sender, &m->from);
	e.sender = buf_slice(&s->sender);
	s->tx = queue_tx_open(daemon_loop(), daemon_peer(ROLE_QUEUE), &e,
	    &tx_events, s);
	smtp_server_answer(smtp, s->tx == NULL
		? SMTP_ANSWER(451, 4, 3, 0, "Out of memory, try again")
		: NULL);
}

/* ---- RCPT and VRFY ---- */

static const struct smtp_answer *
refusal(struct session *s, const struct recipient *r)
{
	switch (r->kind) {
	case ADDR_ACCOUNT:
		if (r->is_over_quota)
			return SMTP_ANSWER(452, 4, 2, 2,
			    "The mailbox of this recipient is full");
		return NULL;
	case ADDR_ALIAS:
	case ADDR_RELAY:
		return NULL;
	case ADDR_REMOTE:
		return s->kind == CLIENT_TRUSTED ? NULL
		    : SMTP_ANSWER(550, 5, 7, 1, "Relaying denied");
	case ADDR_UNKNOWN:
		if (++s->unknown > (uint64_t)self.conf->unknown_recipients)
			return SMTP_ANSWER(421, 4, 7, 0,
			    "Too many unknown recipients");
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

/* The domainless postmaster gets the domain that the directory says, or our
 * own name (RFC 5321 4.5.1). */
static void
complete_postmaster(struct session *s, const struct recipient *r)
{
	if (!s->is_postmaster)
		return;
	if (slice_has(r->address, '@')) {
		buf_reset(&s->rcpt);
		buf_add_slice(&s->rcpt, r->address);
	} else {
		buf_addf(&s->rcpt, "@%s", self.server->hostname);
	}
}

/* RFC 5321 3.5.1: the mailbox is in a 250. What others take is not known
 * (3.5.3), and only ASCII can be shown (RFC 6531 3.7.4.2): 252. */
static void
answer_verify(struct session *s, const struct recipient *r)
{
	struct smtp_answer a = { .code = 250, .enhanced = { 2, 1, 5 } };
	struct buf text;

	if ((r->kind != ADDR_ACCOUNT && r->kind != ADDR_ALIAS) ||
	    utf8_has_8bit(r->address)) {
		smtp_server_answer(s->smtp, NULL);
		return;
	}
	buf_init(&text, LIMIT_PATH + 4);
	buf_addf(&text, "<%.*s>", SLICE_FMT(r->address));
	a.text = buf_slice(&text);
	smtp_server_answer(s->smtp, &a);
	buf_fini(&text);
}

static void
on_recipient(void *arg, const struct recipient *r)
{
	struct session *s = arg;
	const struct smtp_answer *no = refusal(s, r);

	s->ask = NULL;
	if (s->is_verify) {
		if (no == NULL)
			answer_verify(s, r);
		else
			smtp_server_answer(s->smtp, no);
		return;
	}
	if (no == NULL) {
		complete_postmaster(s, r);
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
	s->is_postmaster = r->to.domain.n == 0;
	s->is_verify = false;
	if (queue_tx_has_failed(s->tx)) {
		/* The disk is full, or the queue is away: say so now, not
		 * behind a message. */
		smtp_server_answer(smtp, SMTP_ANSWER(452, 4, 3, 1,
		    "No mail can be taken just now, try again"));
		return;
	}
	if (s->kind != CLIENT_TRUSTED && !address_is_postmaster(&r->to) &&
	    lists_is_blocked_recipient(&r->to)) {
		smtp_server_answer(smtp, SMTP_ANSWER(550, 5, 7, 1,
		    "This recipient takes no mail"));
		return;
	}
	s->ask = recipients_ask(buf_slice(&s->rcpt), on_recipient, s);
}

/* Only where the administrator wants it told who exists. */
static void
verify(struct smtp_server *smtp, const struct smtp_cmd *cmd)
{
	struct session *s = smtp_server_data(smtp);
	struct address a;

	if (!self.conf->verify) {
		smtp_server_answer(smtp, NULL);
		return;
	}
	if (address_parse_lenient(cmd->arg, &a) < 0 || a.local.n == 0) {
		smtp_server_answer(smtp, SMTP_ANSWER(553, 5, 1, 3,
		    "Not an address"));
		return;
	}
	buf_reset(&s->rcpt);
	address_add(&s->rcpt, &a);
	s->is_verify = true;
	s->ask = recipients_ask(buf_slice(&s->rcpt), on_recipient, s);
}

/* ---- the message ---- */

static void
data(struct smtp_server *smtp)
{
	struct session *s = smtp_server_data(smtp);

	if (queue_tx_has_failed(s->tx))
		smtp_server_answer(smtp, SMTP_ANSWER(452, 4, 3, 1,
		    "No mail can be taken just now, try again"));
	else if (queue_tx_is_open(s->tx))
		begin_message(s);
	else
		s->waits_for_queue = true;
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

static void
end(struct smtp_server *smtp)
{
	struct session *s = smtp_server_data(smtp);

	queue_tx_commit(s->tx);
}

static void
reset(struct smtp_server *smtp)
{
	struct session *s = smtp_server_data(smtp);

	recipients_cancel(&s->ask);
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
	front_done(&s->client);
	names_end(&s->name);
	s->closed();
	free(s);
}

static const struct smtp_policy policy = {
	.connected = connected,
	.greeted = greeted,
	.mail = mail,
	.rcpt = rcpt,
	.data = data,
	.end = end,
	.verify = verify,
	.body = body,
	.is_full = is_full,
	.reset = reset,
	.closed = on_session_closed,
};

/* ---- all of them ---- */

void
sessions_configure(const struct conf_smtpd *conf,
    const struct conf_server *server)
{
	self.conf = conf;
	self.server = server;
	self.options = (struct smtp_server_options){
		.hostname = server->hostname,
		.greeting = conf->greeting,
		.tls = conf->tls ? tls_front_server : NULL,
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
session_new(int fd, void (*closed)(void))
{
	struct session *s = calloc(1, sizeof *s);

	if (s == NULL) {
		(void)close(fd);
		return;
	}
	front_open(&s->client, "smtp", fd);
	s->closed = closed;
	s->kind = client_kind((struct sockaddr *)&s->client.addr,
	    s->client.addr_len);
	buf_init(&s->sender, LIMIT_PATH + 2);
	buf_init(&s->first, LIMIT_PATH + 2);
	buf_init(&s->rcpt, LIMIT_PATH + 2);
	buf_init(&s->orcpt, LIMIT_ORCPT + 128);
	s->smtp = smtp_server_new(daemon_loop(), fd, s->client.id,
	    &self.options, &policy, s, 0);
	if (s->smtp == NULL) {
		(void)close(fd);
		front_done(&s->client);
		free(s);
		return;
	}
	self.total++;
	if (self.conf->client_names && s->kind != CLIENT_BLOCKED)
		s->name = names_begin((struct sockaddr *)&s->client.addr,
		    s->client.addr_len);
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
