/* SPDX-License-Identifier: ISC */
/*
 * What smtpd decides within a session: whom it takes mail from, and for whom.
 * RFC 5321 3.3, 3.6.
 */
#include "mta/session.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "conf/conf_server.h"
#include "conf/conf_smtpd.h"
#include "mta/client.h"
#include "mta/lists.h"
#include "mta/names.h"
#include "proto/limits.h"
#include "proto/received.h"
#include "session/queue_tx.h"
#include "session/recipients.h"
#include "session/smtp_intake.h"
#include "session/smtp_session.h"
#include "session/tls_front.h"
#include "sys/conn.h"
#include "sys/log.h"
#include "sys/row.h"

struct session {
	struct smtp_session base;
	enum client_kind kind;
	struct names_lookup *name;
	uint64_t unknown; /* recipients that do not exist */
	/* The recipient in question. */
	struct recipient_ask *ask;
	bool is_verify; /* VRFY asks, not RCPT */
};

static struct {
	const struct conf_smtpd *conf;
	struct smtp_server_options options;
	uint64_t accepted, total;
} self;

static struct session *
session_of(const struct smtp_server *smtp)
{
	return LIST_OF(smtp_server_data(smtp), struct session, base);
}

/* ---- the client ---- */

static void
connected(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	if (s->kind == CLIENT_BLOCKED)
		smtp_server_answer(smtp, SMTP_ANSWER(554, 5, 7, 1,
		    "Your address is on this server's block list"));
	else if (s->kind == CLIENT_TRUSTED || s->base.client.addr_len == 0)
		smtp_server_answer(smtp, NULL);
	else
		smtp_session_check(&s->base,
		    (uint64_t)self.conf->connections_per_client);
}

static void
greeted(struct smtp_server *smtp, struct slice name)
{
	const struct session *s = session_of(smtp);

	smtp_server_answer(smtp,
	    s->kind == CLIENT_STRANGER && lists_is_blocked_helo(name)
		? SMTP_ANSWER(550, 5, 7, 1,
		      "This name is on the server's block list")
		: NULL);
}

/* ---- the queue's side ---- */

static void
begin(struct smtp_session *base)
{
	struct session *s = LIST_OF(base, struct session, base);
	struct received r = { .helo = smtp_server_helo(base->smtp),
		.client_name = names_found(s->name),
		.client_ip = slice_str(conn_peer(smtp_server_conn(base->smtp)))
	};

	smtp_intake_write_trace(base, &r);
}

static void
accepted(struct smtp_session *base)
{
	struct session *s = LIST_OF(base, struct session, base);
	const struct smtp_server *smtp = base->smtp;
	struct slice name = names_found(s->name);

	self.accepted++;
	/* event=accepted: the message is in the queue, durable; id is its
	 * name there. */
	log_info("event=accepted session=%s id=%s client=%s name=%s helo=%s "
	    "from=%s nrcpt=%zu size=%llu with=%s",
	    base->client.id, queue_tx_id(base->tx),
	    conn_peer(smtp_server_conn(smtp)),
	    LOG_V(name.n > 0 ? name : SLICE("unknown")),
	    LOG_V(smtp_server_helo(smtp)), LOG_V(buf_slice(&base->sender)),
	    smtp_server_recipients(smtp),
	    (unsigned long long)smtp_server_size(smtp),
	    received_with_word(smtp_server_with(smtp)));
}

static const struct smtp_intake_events intake_events = {
	.begin = begin, .accepted = accepted,
};

/* ---- MAIL ---- */

static void
mail(struct smtp_server *smtp, const struct smtp_mail *m)
{
	struct session *s = session_of(smtp);

	if (s->kind != CLIENT_TRUSTED && lists_is_blocked_sender(&m->from)) {
		smtp_server_answer(smtp, SMTP_ANSWER(550, 5, 7, 1,
		    "This sender is on the server's block list"));
		return;
	}
	smtp_session_set_sender(&s->base, m);
	smtp_intake_open(&s->base, 0, (uint64_t)self.conf->min_free,
	    &intake_events);
}

/* ---- RCPT and VRFY ---- */

static const struct smtp_answer *
refusal(struct session *s, const struct recipient *r)
{
	if (r->kind == ADDR_REMOTE && s->kind != CLIENT_TRUSTED)
		return SMTP_ANSWER(550, 5, 7, 1, "Relaying denied");
	if (r->kind == ADDR_UNKNOWN &&
	    ++s->unknown > (uint64_t)self.conf->unknown_recipients)
		return SMTP_ANSWER(421, 4, 7, 0,
		    "Too many unknown recipients");
	return smtp_session_refusal(r->kind, r->is_over_quota);
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
		smtp_server_answer(s->base.smtp, NULL);
		return;
	}
	buf_init(&text, LIMIT_PATH + 4);
	buf_addf(&text, "<%.*s>", SLICE_FMT(r->address));
	a.text = buf_slice(&text);
	smtp_server_answer(s->base.smtp, &a);
	buf_fini(&text);
}

static void
on_recipient(void *arg, const struct recipient *r)
{
	struct session *s = arg;
	const struct smtp_answer *no = refusal(s, r);

	s->ask = NULL;
	if (s->is_verify && no == NULL) {
		answer_verify(s, r);
		return;
	}
	if (no == NULL)
		smtp_intake_add_rcpt(&s->base, r->address);
	smtp_server_answer(s->base.smtp, no);
}

static void
rcpt(struct smtp_server *smtp, const struct smtp_rcpt *r)
{
	struct session *s = session_of(smtp);
	const struct smtp_answer *no = smtp_intake_refusal(&s->base);

	if (no == NULL && s->kind != CLIENT_TRUSTED &&
	    !address_is_postmaster(&r->to) &&
	    lists_is_blocked_recipient(&r->to))
		no = SMTP_ANSWER(550, 5, 7, 1, "This recipient takes no mail");
	if (no != NULL) {
		smtp_server_answer(smtp, no);
		return;
	}
	smtp_session_set_rcpt(&s->base, r);
	s->is_verify = false;
	s->ask = recipients_ask(buf_slice(&s->base.rcpt), on_recipient, s);
}

/* Only where the administrator wants it told who exists. */
static void
verify(struct smtp_server *smtp, const struct smtp_cmd *cmd)
{
	struct session *s = session_of(smtp);
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
	buf_reset(&s->base.rcpt);
	address_add(&s->base.rcpt, &a);
	s->is_verify = true;
	s->ask = recipients_ask(buf_slice(&s->base.rcpt), on_recipient, s);
}

/* ---- ends ---- */

static void
reset(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	recipients_cancel(&s->ask);
	smtp_intake_reset(&s->base);
}

static void
on_session_closed(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	reset(smtp);
	names_end(&s->name);
	smtp_session_close(&s->base);
	free(s);
}

static const struct smtp_policy policy = {
	.connected = connected,
	.greeted = greeted,
	.mail = mail,
	.rcpt = rcpt,
	.data = smtp_intake_data,
	.end = smtp_intake_end,
	.verify = verify,
	.body = smtp_intake_body,
	.is_full = smtp_intake_is_full,
	.reset = reset,
	.closed = on_session_closed,
};

/* ---- all of them ---- */

void
sessions_configure(const struct conf_smtpd *conf,
    const struct conf_server *server)
{
	self.conf = conf;
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
session_new(const char *service, int fd)
{
	struct session *s = calloc(1, sizeof *s);
	const struct front_client *c;

	if (s == NULL) {
		(void)close(fd);
		return;
	}
	if (smtp_session_open(&s->base, service, fd, &self.options, &policy,
		0) < 0) {
		free(s);
		return;
	}
	self.total++;
	c = &s->base.client;
	s->kind = client_kind((const struct sockaddr *)&c->addr, c->addr_len);
	if (self.conf->client_names && s->kind != CLIENT_BLOCKED)
		s->name = names_begin((const struct sockaddr *)&c->addr,
		    c->addr_len);
}

void
sessions_status(struct buf *row)
{
	row_pair_u64(row, "sessions", self.total);
	row_pair_u64(row, "accepted", self.accepted);
}
