/* SPDX-License-Identifier: ISC */
/*
 * The role: takes deliveries from the queue (DLV_OPEN to DLV_END), hands each
 * to a transfer, and gives back what became of the recipients. It holds no
 * file and no mail but what is in work.
 */
#include "mta/relay.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "conf/conf_server.h"
#include "mta/connections.h"
#include "mta/secrets.h"
#include "mta/transfer.h"
#include "proto/limits.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"
#include "sys/sockaddr.h"
#include "sys/tls.h"

/* A delivery of the queue. */
struct delivery {
	struct list link;
	struct ipc_link *peer;
	uint64_t req, number;
	struct transfer *transfer;
	bool has_begun;
};

static struct {
	struct list all;
	size_t n;
	bool is_ready;
	const struct conf_relay *conf;
	struct buf hostname;
	struct {
		struct sockaddr_storage addr;
		socklen_t len; /* 0: any */
	} bind4, bind6;
	struct tls_client *tls;
	struct secrets *secrets;
	bool is_jailed;
	struct loop_timer grace;
	uint64_t taken, sent, later, failed;
} self;

/* ---- what its parts ask ---- */

const struct conf_relay *
relay_conf(void)
{
	return self.conf;
}

const char *
relay_hostname(void)
{
	return self.hostname.p;
}

const char *
relay_helo_name(void)
{
	return self.conf->helo_name[0] != 0 ? self.conf->helo_name
					    : self.hostname.p;
}

struct tls_client *
relay_tls(void)
{
	return strcmp(self.conf->tls, "none") == 0 ? NULL : self.tls;
}

const struct secrets *
relay_secrets(void)
{
	return self.secrets;
}

bool
relay_secrets_missing(void)
{
	return self.conf->secrets_file[0] != 0 && self.secrets == NULL;
}

int
relay_sockaddr(const struct ip *ip, uint16_t port,
    struct sockaddr_storage *to_r, socklen_t *len_r)
{
	struct buf text;
	int r;

	buf_init(&text, IP_TEXT_MAX);
	ip_add(&text, ip);
	r = sockaddr_parse(buf_slice(&text), port, to_r, len_r);
	buf_fini(&text);
	return r;
}

const struct sockaddr *
relay_bind_address(int family, socklen_t *len_r)
{
	if (family == AF_INET6) {
		*len_r = self.bind6.len;
		return *len_r > 0 ? (struct sockaddr *)&self.bind6.addr : NULL;
	}
	*len_r = self.bind4.len;
	return *len_r > 0 ? (struct sockaddr *)&self.bind4.addr : NULL;
}

/* ---- deliveries ---- */

static void
delivery_free(struct delivery *d)
{
	transfer_free(&d->transfer);
	list_remove(&d->link);
	self.n--;
	free(d);
	if (self.n == 0 && daemon_is_stopping())
		daemon_stopped();
}

static void
answer(struct delivery *d, bool host_later)
{
	ipc_send(d->peer, DLV_DONE, -1, .req = d->req,
	    .host_later = host_later);
	delivery_free(d);
}

static void
on_result(void *arg, const struct transfer_result *r)
{
	const struct delivery *d = arg;
	struct buf e;

	buf_init(&e, 32);
	enhanced_add(&e, r->status.enhanced);
	ipc_send(d->peer, DLV_RESULT, -1, .req = d->req, .index = r->index,
	    .outcome = (uint8_t)r->status.outcome,
	    .code = (uint16_t)r->status.code, .dsn = r->is_dsn_passed,
	    .enhanced = buf_slice(&e), .text = r->status.text,
	    .remote = r->remote);
	buf_fini(&e);
	switch (r->status.outcome) {
	case OUTCOME_DONE:
		self.sent++;
		break;
	case OUTCOME_LATER:
		self.later++;
		break;
	case OUTCOME_FAILED:
		self.failed++;
		break;
	}
}

static void
on_done(void *arg, bool host_later)
{
	answer(arg, host_later);
}

static const struct transfer_events transfer_events = {
	.result = on_result,
	.done = on_done,
};

/* NULL: there is none that still gathers its parts. */
static struct delivery *
find(const struct ipc_link *l, uint64_t number)
{
	struct delivery *d;
	struct list *it;

	/* The newest is the one that parts come for. */
	for (it = self.all.prev; it != &self.all; it = it->prev) {
		d = LIST_OF(it, struct delivery, link);
		if (d->peer == l && d->number == number)
			return d;
	}
	return NULL;
}

static void
on_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_DLV_OPEN *o = &m->DLV_OPEN;
	const struct transfer_mail mail = { .id = o->id,
		.nexthop = o->nexthop, .sender = o->sender,
		.envid = o->envid, .ret = (enum smtp_ret)o->ret,
		.body_type = (enum smtp_body)o->body,
		.is_utf8 = o->utf8 != 0, .is_probe = o->probe != 0,
		.is_again = o->attempt > 0 };
	struct delivery *d = NULL;

	(void)fd;
	if (!daemon_is_stopping())
		d = calloc(1, sizeof *d);
	if (d != NULL)
		d->transfer = transfer_new(&mail, &transfer_events, d);
	if (d == NULL || d->transfer == NULL) {
		/* No results: the queue tries again later. */
		free(d);
		ipc_send(l, DLV_DONE, -1, .req = o->req);
		return;
	}
	d->peer = l;
	d->req = o->req;
	d->number = o->dlv;
	list_add(&self.all, &d->link);
	self.n++;
	self.taken++;
}

static struct delivery *
find_gathering(const struct ipc_link *l, uint64_t number)
{
	struct delivery *d = find(l, number);

	return d == NULL || d->has_begun ? NULL : d;
}

static void
on_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_DLV_RCPT *r = &m->DLV_RCPT;
	struct delivery *d = find_gathering(l, r->dlv);

	(void)fd;
	if (d != NULL && transfer_add_rcpt(d->transfer, r->index, r->address,
	    r->notify, r->orcpt) < 0)
		answer(d, false);
}

static void
on_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find_gathering(l, m->DLV_BODY.dlv);

	(void)fd;
	if (d != NULL &&
	    transfer_add_body(d->transfer, m->DLV_BODY.bytes) < 0)
		answer(d, false);
}

static void
on_file(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find_gathering(l, m->DLV_FILE.dlv);

	if (d == NULL)
		(void)close(fd);
	else
		transfer_set_file(d->transfer, fd, m->DLV_FILE.size);
}

static void
on_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find_gathering(l, m->DLV_END.dlv);

	(void)fd;
	if (d == NULL)
		return;
	d->has_begun = true;
	transfer_begin(d->transfer);
}

static void
on_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find(l, m->DLV_ABORT.dlv);

	(void)fd;
	if (d != NULL)
		answer(d, false);
}

/* The queue went away and will try again: nobody wants to hear of these. */
static void
on_peer_down(struct ipc_link *l)
{
	struct list *it, *tmp;
	struct delivery *d;

	LIST_EACH(it, tmp, &self.all) {
		d = LIST_OF(it, struct delivery, link);
		if (d->peer == l)
			delivery_free(d);
	}
}

/* ---- configuration ---- */

static int
parse_bind(const char *text, int family, const char *name,
    struct sockaddr_storage *addr_r, socklen_t *len_r, struct buf *why)
{
	*len_r = 0;
	if (text[0] == 0)
		return 0;
	if (sockaddr_parse(slice_str(text), 0, addr_r, len_r) == 0 &&
	    addr_r->ss_family == family)
		return 0;
	*len_r = 0;
	buf_addf(why, "%s: \"%s\" is no such address", name, text);
	return -1;
}

/* Before the jail: what OpenSSL opens later it must have opened by then. */
static void
on_ca_file(int fd)
{
	struct buf why;

	if (self.is_jailed)
		return;
	buf_init(&why, 1024);
	if (tls_client_trust(self.tls, fd, &why) < 0)
		log_warn("event=ca_file_unusable why=%s",
		    LOG_V(buf_slice(&why)));
	buf_fini(&why);
}

/* Bad ones replace none that are good. */
static void
on_secrets(int fd)
{
	struct secrets *fresh;
	struct buf why;

	buf_init(&why, 1024);
	fresh = secrets_read(fd, &why);
	if (fresh == NULL) {
		log_error("event=secrets_unusable why=%s",
		    LOG_V(buf_slice(&why)));
	} else {
		secrets_free(&self.secrets);
		self.secrets = fresh;
		connections_end(); /* they have the old logins, or none */
	}
	buf_fini(&why);
}

/* Whatever comes first, configuration or file. */
static void
get_ready(void)
{
	if (self.is_ready)
		return;
	list_init(&self.all);
	buf_init(&self.hostname, LIMIT_DOMAIN);
	connections_init(daemon_loop());
	self.tls = tls_client_new();
	self.is_ready = true;
}

static void
on_master_file(struct slice name, int fd)
{
	get_ready();
	if (slice_eq_str(name, "ca-file"))
		on_ca_file(fd);
	else if (slice_eq_str(name, "smarthost-secrets"))
		on_secrets(fd);
	(void)close(fd);
}

static int
configure(const void *values, struct buf *why)
{
	const struct conf_relay *conf = values;
	const char *name = daemon_server()->hostname;
	typeof(self.bind4) four, six;

	if (parse_bind(conf->bind_address, AF_INET, "bind_address",
		&four.addr, &four.len, why) < 0 ||
	    parse_bind(conf->bind_address6, AF_INET6, "bind_address6",
		&six.addr, &six.len, why) < 0)
		return -1;
	get_ready();
	connections_end(); /* they were made under the old settings */
	self.conf = conf;
	if (conf->secrets_file[0] == 0)
		secrets_free(&self.secrets);
	memcpy(&self.bind4, &four, sizeof four);
	memcpy(&self.bind6, &six, sizeof six);
	buf_reset(&self.hostname);
	buf_add_str(&self.hostname, name[0] != 0 ? name : "localhost");
	return 0;
}

/* ---- life ---- */

static void
on_grace_over(void *arg)
{
	struct list *it, *tmp;

	(void)arg;
	LIST_EACH(it, tmp, &self.all)
		answer(LIST_OF(it, struct delivery, link), false);
}

static void
stop(uint32_t grace_ms)
{
	connections_end();
	if (self.n == 0) {
		daemon_stopped();
		return;
	}
	loop_timer_init(&self.grace, daemon_loop(), on_grace_over, NULL);
	loop_timer_set(&self.grace, clock_boot_ms() + grace_ms);
}

static void
status(struct buf *row)
{
	row_pair_u64(row, "deliveries", self.taken);
	row_pair_u64(row, "in_work", self.n);
	row_pair_u64(row, "connections_kept", connections_count());
	row_pair_u64(row, "recipients_sent", self.sent);
	row_pair_u64(row, "recipients_later", self.later);
	row_pair_u64(row, "recipients_failed", self.failed);
}

static void
before_jail(void)
{
	if (self.conf == NULL)
		fatal("event=no_configuration");
	if (relay_secrets_missing())
		log_error("event=secrets_missing file=%s",
		    LOG_S(self.conf->secrets_file));
}

static void
after_jail(void)
{
	self.is_jailed = true;
}

static const struct ipc_handlers handlers = {
	.by_type = {
		[IPC_DLV_OPEN] = on_open,
		[IPC_DLV_RCPT] = on_rcpt,
		[IPC_DLV_BODY] = on_body,
		[IPC_DLV_FILE] = on_file,
		[IPC_DLV_END] = on_end,
		[IPC_DLV_ABORT] = on_abort,
	},
};

const struct role relay_role = {
	.id = ROLE_RELAY,
	.section = &conf_relay_section,
	.handlers = &handlers,
	.sandbox = SANDBOX_CONNECT,
	.before_jail = before_jail,
	.after_jail = after_jail,
	.configure = configure,
	.file = on_master_file,
	.peer_down = on_peer_down,
	.stop = stop,
	.status = status,
};
