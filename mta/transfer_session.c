/* SPDX-License-Identifier: ISC */
/*
 * One host of a transfer: a session with it, as many transactions as its limits
 * ask for, and what its end means for the recipients. RFC 5321 5.1, RFC 3207,
 * RFC 9422.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/queue_id.h"
#include "mta/relay.h"
#include "mta/secrets.h"
#include "mta/transfer_priv.h"
#include "sys/conn.h"
#include "sys/log.h"

enum { SUBMISSIONS_PORT = 465 }; /* RFC 8314 3.3: TLS from the first byte */

static void
log_host_failed(const struct transfer *t, const struct status *s)
{
	struct buf text, e;

	buf_init(&text, 512);
	buf_init(&e, 32);
	ip_add(&text, &t->host.ip);
	enhanced_add(&e, s->enhanced);
	log_info("event=host_failed id=%s host=%s addr=%s port=%u code=%d "
	    "status=%s text=%s", queue_id_text(t->mail.id), LOG_S(t->host.host),
	    text.p, t->host.port, s->code, e.p, LOG_V(s->text));
	buf_fini(&text);
	buf_fini(&e);
}

/* ---- one transaction ---- */

static struct slice
domain_of(struct slice address)
{
	ptrdiff_t at = slice_rchr(address, '@');

	return at < 0 ? SLICE_NONE : slice_from(address, (size_t)at + 1);
}

/* Is that a domain more than the `n` recipients of the batch have? */
static bool
is_new_domain(const struct transfer *t, size_t n, struct slice address)
{
	struct slice domain = domain_of(address);

	while (n-- > 0)
		if (slice_ieq(domain, domain_of(t->batch_rcpts[n].address)))
			return false;
	return true;
}

/* The recipients that this host has not been asked about, as many as it takes
 * at a time (RFC 9422 4.2, 4.3). */
static size_t
fill_batch(struct transfer *t)
{
	const struct smtp_caps *caps = smtp_client_caps(t->c->client);
	size_t i, n = 0, n_domains = 0, max = (size_t)relay_conf()->recipients;
	bool is_new;

	if (caps->rcpt_max > 0 && caps->rcpt_max < max)
		max = caps->rcpt_max;
	for (i = 0; i < t->n && n < max; i++) {
		if (t->rcpts[i].is_over || t->rcpts[i].is_tried)
			continue;
		is_new = caps->rcpt_domain_max > 0 &&
		    is_new_domain(t, n, t->rcpts[i].smtp.address);
		if (is_new && n_domains == caps->rcpt_domain_max)
			continue;
		n_domains += is_new;
		t->rcpts[i].is_tried = true;
		t->batch_rcpts[n] = t->rcpts[i].smtp;
		t->batch_of[n++] = i;
	}
	return n;
}

static void
set_batch(struct transfer *t, size_t n)
{
	struct smtp_client_mail *m = &t->batch;

	*m = (struct smtp_client_mail){ .sender = t->mail.sender,
		.envid = t->mail.envid, .ret = t->mail.ret,
		.body_type = t->mail.body_type, .is_utf8 = t->mail.is_utf8,
		.is_probe = t->mail.is_probe,
		.is_careful = t->mail.is_again, .rcpts = t->batch_rcpts,
		.n_rcpts = n };
	if (t->fd >= 0)
		smtp_content_from_file(&m->content, t->fd, t->file_size);
	else
		smtp_content_from_memory(&m->content, buf_slice(&t->body));
}

/* The batch was not answered: it may be put to the same host again. */
static void
forget_batch(struct transfer *t)
{
	size_t i;

	for (i = 0; i < t->batch.n_rcpts; i++)
		t->rcpts[t->batch_of[i]].is_tried = false;
}

static struct connection_limits
limits(void)
{
	const struct conf_relay *conf = relay_conf();

	return (struct connection_limits){
		.idle_ms = daemon_is_stopping() ? 0 : conf->idle_timeout,
		.messages = (unsigned)conf->messages_per_connection
	};
}

static void
next_batch(struct transfer *t)
{
	struct connection_limits l = limits();
	struct status why;
	size_t n;

	n = fill_batch(t);
	set_batch(t, n);
	if (n > 0 && connection_is_spent(t->c, &l)) {
		forget_batch(t);
		connection_quit(&t->c);
		t->is_again = true;
	} else if (n > 0) {
		if (smtp_client_send(t->c->client, &t->batch, &why) == 0)
			return;
		transfer_note(t, OUTCOME_HOST, &why);
		log_host_failed(t, &why);
	}
	if (t->c != NULL)
		connections_keep(&t->c, &l);
	transfer_go_on(t);
}

static void
log_sent(const struct transfer *t, const struct transfer_rcpt *r)
{
	const struct conn *c = smtp_client_conn(t->c->client);

	log_info("event=sent id=%s to=%s host=%s addr=%s tls=%s code=%d "
	    "text=%s", queue_id_text(t->mail.id), LOG_V(r->smtp.address),
	    LOG_S(t->host.host), conn_peer(c),
	    conn_is_tls(c) ? conn_tls_version(c) : "no", r->word.code,
	    LOG_V(buf_slice(&r->word.text)));
}

static void
on_result(void *arg, size_t i, const struct smtp_client_result *result)
{
	struct transfer *t = arg;
	struct transfer_rcpt *r = &t->rcpts[t->batch_of[i]];

	t->was_reached = true;
	if (result->is_surplus) {
		r->is_tried = false;
		return;
	}
	/* What is final replaces whatever other hosts said. */
	if (result->status.outcome != OUTCOME_LATER)
		outcome_fini(&r->word);
	outcome_add(&r->word, OUTCOME_RECIPIENT, &result->status,
	    slice_str(t->host.host));
	r->is_dsn_passed = result->is_dsn_passed;
	if (result->status.outcome == OUTCOME_DONE && !t->mail.is_probe)
		log_sent(t, r);
	if (result->status.outcome != OUTCOME_LATER)
		transfer_tell(t, r);
}

static void
on_over(void *arg)
{
	next_batch(arg);
}

/* ---- one host ---- */

static void
log_connected(const struct transfer *t)
{
	const struct conn *c = smtp_client_conn(t->c->client);

	if (conn_is_tls(c))
		log_info("event=connected id=%s host=%s addr=%s port=%u "
		    "tls=%s cipher=%s verified=%s",
		    queue_id_text(t->mail.id), LOG_S(t->host.host),
		    conn_peer(c), t->host.port, conn_tls_version(c), conn_tls_cipher(c),
		    conn_tls_is_verified(c) ? "yes" : "no");
	else
		log_info("event=connected id=%s host=%s addr=%s port=%u "
		    "tls=no", queue_id_text(t->mail.id), LOG_S(t->host.host),
		    conn_peer(c), t->host.port);
}

/* RFC 5321 5.1, where DNS did not show it: the server calls itself by our name.
 * Whatever comes behind us in the list must not be tried either. */
static bool
is_ourselves(const struct transfer *t)
{
	struct slice self = slice_str(relay_hostname());

	return t->nexthop.kind == NEXTHOP_MX && slice_has(self, '.') &&
	    slice_ieq(smtp_client_caps(t->c->client)->name, self);
}

static void
on_ready(void *arg)
{
	struct transfer *t = arg;

	t->was_reached = true;
	log_connected(t);
	if (!is_ourselves(t)) {
		next_batch(t);
		return;
	}
	connection_quit(&t->c);
	transfer_note_ours(t, OUTCOME_FAILED, (struct enhanced){ 5, 4, 6 },
	    "the mail exchanger of this domain is ourselves, and we do not "
	    "know it");
	transfer_finish(t);
}

static bool
may_try_clear(const struct transfer *t, const struct smtp_client_end *end)
{
	return end->is_tls && !t->is_clear;
}

static void
on_ended(void *arg, const struct smtp_client_end *end)
{
	struct transfer *t = arg;

	/* Before MAIL was answered by one that stood idle, it was not there. */
	t->was_reached |= !end->is_stale && end->state > SMTP_CLIENT_READY;
	if (end->is_stale || may_try_clear(t, end)) {
		if (end->is_stale)
			forget_batch(t);
		else
			log_host_failed(t, &end->status);
		t->is_clear |= !end->is_stale;
		t->is_again = true;
	} else {
		transfer_note(t,
		    end->status.code == 0 ? OUTCOME_OURS : OUTCOME_HOST,
		    &end->status);
		if (t->n_left > 0)
			log_host_failed(t, &end->status);
	}
	connection_free(&t->c);
	/* It may have taken the message: another host would deliver it a
	 * second time (RFC 1047). */
	if (end->is_unknown) {
		log_warn("event=outcome_unknown id=%s host=%s port=%u "
		    "nrcpt=%zu", queue_id_text(t->mail.id),
		    LOG_S(t->host.host), t->host.port, t->n_left);
		transfer_finish(t);
	} else {
		transfer_go_on(t);
	}
}

static const struct smtp_client_events client_events = {
	.ready = on_ready,
	.result = on_result,
	.over = on_over,
	.ended = on_ended,
};

static void
fill_client_conf(const struct transfer *t, struct smtp_client_conf *c,
    struct smtp_client_login *login)
{
	const struct conf_relay *conf = relay_conf();
	bool is_fixed = t->nexthop.kind != NEXTHOP_MX;

	*c = (struct smtp_client_conf){
		.is_lmtp = t->nexthop.kind == NEXTHOP_LMTP,
		.helo_name = relay_helo_name(),
		.tls_name = t->host.host,
		.tls = t->is_clear ? NULL : relay_tls(),
		.is_tls_required = strcmp(conf->tls, "require") == 0,
		.is_tls_implicit = t->nexthop.kind == NEXTHOP_SMTP &&
		    t->host.port == SUBMISSIONS_PORT && relay_tls() != NULL,
		.connect_ms = conf->connect_timeout,
		.greeting_ms = conf->greeting_timeout,
		.command_ms = conf->command_timeout,
		.data_ms = conf->data_timeout
	};
	/* There is no clear text on that port. */
	c->is_tls_required |= c->is_tls_implicit;
	/* Only to hosts that our administrator named: an MX record is a
	 * stranger's word. */
	if (is_fixed && secrets_find(relay_secrets(),
	    slice_str(t->host.host), t->host.port, login))
		c->login = login;
	c->needs_verified = conf->auth_verified;
}

static int
connect_host(struct transfer *t)
{
	struct smtp_client_login login;
	struct sockaddr_storage to;
	const struct sockaddr *from;
	struct smtp_client_conf c;
	socklen_t to_len, from_len = 0;

	if (relay_sockaddr(&t->host.ip, t->host.port, &to, &to_len) < 0) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	t->c = connection_new(t->mail.nexthop, &t->host, t->nexthop.kind);
	if (t->c == NULL) {
		errno = ENOMEM;
		return -1;
	}
	fill_client_conf(t, &c, &login);
	from = relay_bind_address(to.ss_family, &from_len);
	t->c->client = smtp_client_connect(daemon_loop(),
	    (const struct sockaddr *)&to, to_len, from, from_len, &c,
	    &client_events, t);
	if (t->c->client != NULL)
		return 0;
	connection_free(&t->c);
	return -1;
}

/* 0: events follow. -1: on to the next. */
int
transfer_open_host(struct transfer *t)
{
	struct status s = { OUTCOME_LATER, 0, { 4, 4, 1 }, SLICE_NONE };

	if (t->nexthop.kind != NEXTHOP_MX && relay_secrets_missing()) {
		s.enhanced = (struct enhanced){ 4, 3, 5 };
		s.text = SLICE("our own logins could not be read");
	} else {
		if (connect_host(t) == 0)
			return 0;
		s.text = slice_str(strerror(errno));
	}
	log_host_failed(t, &s);
	transfer_note(t, OUTCOME_OURS, &s);
	return -1;
}

/* A session that stands. */
void
transfer_adopt(struct transfer *t, struct connection *c)
{
	t->c = c;
	/* Whether the host is still there is seen when it answers. */
	smtp_client_set_owner(c->client, &client_events, t);
	next_batch(t);
}
