/* SPDX-License-Identifier: ISC */
/*
 * What lmtp decides within a session: who may use it, which account each
 * recipient is, and that each is answered with its owner's own word. RFC 2033.
 */
#include "mda/lmtp_session.h"

#include <stdlib.h>
#include <unistd.h>

#include "conf/conf_lmtp.h"
#include "conf/conf_server.h"
#include "mda/lmtp_account.h"
#include "mda/lmtp_owners.h"
#include "proto/received.h"
#include "session/smtp_session.h"
#include "session/tls_front.h"
#include "sys/conn.h"
#include "sys/log.h"
#include "sys/networks.h"
#include "sys/row.h"

enum { ERRORS = 100, TRANSACTIONS = 1000000, HOPS = 50 };

struct session {
	struct smtp_session base;
	unsigned messages; /* begun: the trace's id counts them */
	/* The transaction. */
	struct lmtp_owners *owners;
	struct lmtp_lookup *lookup;
};

static struct {
	const struct conf_lmtp *conf;
	struct smtp_server_options options;
	struct networks trusted;
	uint64_t delivered, refused, total;
} self;

static struct session *
session_of(const struct smtp_server *smtp)
{
	return LIST_OF(smtp_server_data(smtp), struct session, base);
}

/* ---- the client ---- */

static bool
is_local(const struct front_client *c)
{
	return c->addr_len == 0 || c->addr.ss_family == AF_UNIX;
}

static bool
is_trusted(const struct session *s)
{
	const struct front_client *c = &s->base.client;

	/* Who may open a UNIX socket says its folder. */
	return is_local(c) || networks_has(&self.trusted,
	    (const struct sockaddr *)&c->addr, c->addr_len);
}

static void
connected(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	smtp_server_answer(smtp, is_trusted(s) ? NULL
		: SMTP_ANSWER(554, 5, 7, 1, "You may not deliver here"));
}

/* ---- the envelope ---- */

static void
on_room(void *arg)
{
	struct session *s = arg;

	smtp_server_room(s->base.smtp);
}

static void on_opened(void *arg);
static void on_done(void *arg);

static const struct lmtp_owners_events owners_events = {
	.opened = on_opened, .room = on_room, .done = on_done,
};

static void
mail(struct smtp_server *smtp, const struct smtp_mail *m)
{
	struct session *s = session_of(smtp);

	smtp_session_set_sender(&s->base, m);
	s->owners = lmtp_owners_new((size_t)self.conf->recipients,
	    &owners_events, s);
	smtp_server_answer(smtp, s->owners == NULL
		? SMTP_ANSWER(451, 4, 3, 0, "Out of memory, try again")
		: NULL);
}

static void
on_account(void *arg, uint64_t account, const struct smtp_answer *no)
{
	struct session *s = arg;

	s->lookup = NULL;
	if (no == NULL &&
	    lmtp_owners_add(s->owners, account, buf_slice(&s->base.rcpt),
		s->base.notify, buf_slice(&s->base.orcpt)) < 0)
		no = SMTP_ANSWER(451, 4, 3, 0, "Out of memory, try again");
	if (no == NULL)
		smtp_session_note_rcpt(&s->base);
	smtp_server_answer(s->base.smtp, no);
}

static void
rcpt(struct smtp_server *smtp, const struct smtp_rcpt *r)
{
	struct session *s = session_of(smtp);

	smtp_session_set_rcpt(&s->base, r);
	s->lookup = lmtp_account_find(buf_slice(&s->base.rcpt), on_account, s);
}

/* ---- the message ---- */

static void
data(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	lmtp_owners_open(s->owners);
}

static void
write_trace(struct session *s)
{
	const struct smtp_server *smtp = s->base.smtp;
	struct received r = { .helo = smtp_server_helo(smtp) };
	struct buf text, id;

	if (!is_local(&s->base.client))
		r.client_ip = slice_str(conn_peer(smtp_server_conn(smtp)));
	buf_init(&id, 64);
	buf_addf(&id, "%s.%u", s->base.client.id, s->messages);
	r.id = buf_slice(&id);
	buf_init(&text, SMTP_SESSION_TRACE_MAX);
	smtp_session_add_trace(&s->base, &text, &r);
	lmtp_owners_write(s->owners, buf_slice(&text));
	buf_fini(&text);
	buf_fini(&id);
}

static void
on_opened(void *arg)
{
	struct session *s = arg;
	const struct smtp_mail *m = smtp_server_mail(s->base.smtp);
	const struct lmtp_envelope e = { .sender = buf_slice(&s->base.sender),
		.envid = m->envid, .body = (uint8_t)m->body,
		.ret = (uint8_t)m->ret,
		.is_utf8 = (m->given & SMTP_PARAM_SMTPUTF8) != 0 };

	if (!lmtp_owners_has_any(s->owners)) {
		/* Nobody there: no need to send it all. */
		smtp_server_answer(s->base.smtp,
		    lmtp_owners_answer(s->owners, 0));
		return;
	}
	s->messages++;
	lmtp_owners_begin(s->owners, &e);
	write_trace(s);
	smtp_server_answer(s->base.smtp, NULL);
}

static void
body(struct smtp_server *smtp, struct slice bytes)
{
	struct session *s = session_of(smtp);

	lmtp_owners_write(s->owners, bytes);
}

static bool
is_full(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	return lmtp_owners_is_full(s->owners);
}

static void
end(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	lmtp_owners_end(s->owners);
}

static void
on_done(void *arg)
{
	struct session *s = arg;
	size_t i, n = smtp_server_recipients(s->base.smtp), delivered = 0;
	const struct smtp_answer *a;

	for (i = 0; i < n; i++)
		delivered += lmtp_owners_answer(s->owners, i)->code < 400;
	self.delivered += delivered;
	self.refused += n - delivered;
	/* event=delivered: the owners' answers, of which `delivered` are yes;
	 * each refusal has its own event=rejected. */
	log_info("event=delivered session=%s id=%s.%u client=%s from=%s "
	    "nrcpt=%zu delivered=%zu size=%llu",
	    s->base.client.id, s->base.client.id, s->messages,
	    conn_peer(smtp_server_conn(s->base.smtp)),
	    LOG_V(buf_slice(&s->base.sender)), n, delivered,
	    (unsigned long long)smtp_server_size(s->base.smtp));
	for (i = 0; i < n; i++) {
		a = lmtp_owners_answer(s->owners, i);
		smtp_server_answer_rcpt(s->base.smtp, i, a);
	}
}

/* ---- ends ---- */

static void
reset(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	lmtp_account_cancel(&s->lookup);
	lmtp_owners_free(&s->owners);
	smtp_session_reset(&s->base);
}

static void
on_session_closed(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	reset(smtp);
	smtp_session_close(&s->base);
	free(s);
}

static const struct smtp_policy policy = {
	.connected = connected,
	.mail = mail,
	.rcpt = rcpt,
	.data = data,
	.end = end,
	.body = body,
	.is_full = is_full,
	.reset = reset,
	.closed = on_session_closed,
};

/* ---- all of them ---- */

int
lmtp_sessions_configure(const struct conf_lmtp *conf,
    const struct conf_server *server, struct buf *why)
{
	struct networks trusted;

	if (networks_parse(&conf->trusted_networks, "trusted_networks",
		&trusted, why) < 0)
		return -1;
	networks_fini(&self.trusted);
	self.trusted = trusted;
	self.conf = conf;
	self.options = (struct smtp_server_options){
		.is_lmtp = true,
		.hostname = server->hostname,
		.greeting = "LMTP Veredus",
		.tls = tls_front_server,
		.message_size = (uint64_t)conf->message_size,
		.recipients = (uint64_t)conf->recipients,
		.transactions = TRANSACTIONS,
		.errors = ERRORS,
		.hops = HOPS,
		.command_ms = conf->command_timeout,
		.data_ms = conf->data_timeout,
	};
	return 0;
}

void
lmtp_session_new(const char *service, int fd)
{
	struct session *s = calloc(1, sizeof *s);

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
}

void
lmtp_sessions_status(struct buf *row)
{
	row_pair_u64(row, "sessions", self.total);
	row_pair_u64(row, "delivered", self.delivered);
	row_pair_u64(row, "refused", self.refused);
}
