/* SPDX-License-Identifier: ISC */
/*
 * Runs smtpd, submission or lmtp with scripted peers and a listening socket of
 * 127.0.0.1 for each service. Prints "port SERVICE NUMBER" and "ready", then a
 * line for each message that the queue (or an owner) got:
 *
 *	queued FROM TO[,TO…] FLAGS BODY      delivered ACCOUNT FROM TO… BODY
 *
 * with the body in base 64. Standard input changes the peers:
 *
 *	generation N   tell the front that the tables changed
 *	queue WORD     later | open-later | drop | up | ok
 *	rate N         allow no more than N in all (submission)
 *	clients N      allow no more than N connections
 *	unknown ADDR   from now on no such user; "known ADDR" undoes it
 *	stop           ask the role to stop
 */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/num.h"
#include "proto/sasl_server.h"
#include "proto/status.h"
#include "sys/addr_kind.h"
#include "sys/auth_result.h"
#include "sys/loop.h"
#include "sys/sandbox.h"
#include "tests/tools/fake_master.h"

enum { TEXT_MAX = 64 << 20, TXS = 64 };

/* A transaction of the queue, or a delivery of an owner. */
struct tx {
	bool used;
	struct ipc_link *l;
	uint64_t number, req, account, first;
	uint32_t rcpts[1000];
	size_t n_rcpts;
	struct buf from, to, body;
	int file;
	unsigned body_type, utf8, ret;
};

static struct {
	struct loop *loop;
	struct fake_master *master;
	enum role_id role;
	struct ipc_link *directory, *queue, *state, *auth, *broker;
	struct loop_io input;
	struct buf line;
	struct tx txs[TXS];
	char queue_word[32];
	char unknown[256];
	uint64_t generation, next_id, rate_left, clients_left;
	struct sasl_server sasl;
	struct sasl_channel channel;
	bool in_sasl;
} self = { .next_id = 1000, .rate_left = UINT64_MAX,
	.clients_left = UINT64_MAX, .generation = 1 };

static struct tx *
tx_find(struct ipc_link *l, uint64_t number)
{
	int i;

	for (i = 0; i < TXS; i++)
		if (self.txs[i].used && self.txs[i].l == l &&
		    self.txs[i].number == number)
			return &self.txs[i];
	return NULL;
}

static struct tx *
tx_new(struct ipc_link *l, uint64_t number)
{
	struct tx *t;
	int i;

	for (i = 0; self.txs[i].used; i++)
		if (i == TXS - 1)
			errx(1, "too many transactions");
	t = &self.txs[i];
	memset(t, 0, sizeof *t);
	t->used = true;
	t->l = l;
	t->number = number;
	t->file = -1;
	buf_init(&t->from, 1000);
	buf_init(&t->to, 1 << 20);
	buf_init(&t->body, TEXT_MAX);
	return t;
}

static void
tx_free(struct tx *t)
{
	if (t->file >= 0)
		(void)close(t->file);
	buf_fini(&t->from);
	buf_fini(&t->to);
	buf_fini(&t->body);
	t->used = false;
}

static void
add_rcpt(struct tx *t, struct slice to, unsigned notify, struct slice orcpt)
{
	if (t->to.n > 0)
		buf_add_char(&t->to, ',');
	buf_add_slice(&t->to, to);
	if (notify != 0)
		buf_addf(&t->to, "!%u", notify);
	if (orcpt.n > 0)
		buf_addf(&t->to, "!%.*s", SLICE_FMT(orcpt));
}

static void
print_body(const struct tx *t)
{
	struct buf text;

	buf_init(&text, TEXT_MAX * 2);
	base64_encode(&text, buf_slice(&t->body));
	(void)printf(" %s\n", text.n == 0 ? "=" : text.p);
	(void)fflush(stdout);
	buf_fini(&text);
}

/* ---- queue ---- */

static bool
queue_is(const char *word)
{
	return strcmp(self.queue_word, word) == 0;
}

static void
on_tx_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_OPEN *o = &m->TX_OPEN;
	struct tx *t;

	(void)fd;
	if (queue_is("open-later")) {
		ipc_send(l, TX_OPENED, -1, .req = o->req,
		    .outcome = OUTCOME_LATER,
		    .text = SLICE("insufficient system storage"));
		return;
	}
	t = tx_new(l, o->tx);
	buf_add_slice(&t->from, o->sender);
	t->account = o->account;
	t->body_type = o->body;
	t->utf8 = o->utf8;
	t->ret = o->ret;
	ipc_send(l, TX_OPENED, -1, .req = o->req, .outcome = OUTCOME_DONE,
	    .id = self.next_id++);
}

static void
on_tx_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->TX_RCPT.tx);

	(void)fd;
	if (t != NULL)
		add_rcpt(t, m->TX_RCPT.address, m->TX_RCPT.notify,
		    m->TX_RCPT.orcpt);
}

static void
on_tx_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->TX_BODY.tx);

	(void)fd;
	if (t != NULL)
		buf_add_slice(&t->body, m->TX_BODY.bytes);
}

static void
on_tx_file(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->TX_FILE.tx);

	(void)fd;
	if (t == NULL)
		errx(1, "TX_FILE for nothing");
	t->file = memfd_create("body", MFD_CLOEXEC);
	buf_reset(&t->body);
	ipc_send(l, TX_FILE_FD, t->file, .req = m->TX_FILE.req);
}

static void
read_file(struct tx *t)
{
	char piece[65536];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(t->file, piece, sizeof piece, at)) > 0) {
		buf_add(&t->body, piece, (size_t)n);
		at += n;
	}
}

static void
on_tx_commit(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->TX_COMMIT.tx);
	bool later = queue_is("later");

	(void)fd;
	if (t == NULL)
		errx(1, "TX_COMMIT for nothing");
	if (t->file >= 0)
		read_file(t);
	if (t->body.n != m->TX_COMMIT.size)
		errx(1, "%zu octets came, not %llu", t->body.n,
		    (unsigned long long)m->TX_COMMIT.size);
	if (!later) {
		(void)printf("queued %s %s account=%llu,body=%u,utf8=%u,ret=%u",
		    t->from.n == 0 ? "<>" : t->from.p, t->to.p,
		    (unsigned long long)t->account, t->body_type, t->utf8,
		    t->ret);
		print_body(t);
	}
	ipc_send(l, TX_DONE, -1, .req = m->TX_COMMIT.req,
	    .outcome = later ? OUTCOME_LATER : OUTCOME_DONE,
	    .code = later ? 452 : 250,
	    .enhanced = later ? SLICE("4.3.1") : SLICE("2.0.0"),
	    .text = later ? SLICE("insufficient system storage")
			  : SLICE("id"));
	tx_free(t);
}

static void
on_tx_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->TX_ABORT.tx);

	(void)fd;
	if (t != NULL)
		tx_free(t);
}

/* ---- directory ---- */

static enum addr_kind
kind_of(struct slice a, uint64_t *account)
{
	ptrdiff_t at = slice_rchr(a, '@');
	struct slice user, domain;

	if (slice_ieq_str(a, "postmaster")) {
		*account = 9;
		return ADDR_ACCOUNT;
	}
	if (at < 0)
		return ADDR_INVALID;
	user = slice_head(a, (size_t)at);
	domain = slice_from(a, (size_t)at + 1);
	if (slice_eq_str(domain, "relay.test"))
		return ADDR_RELAY;
	if (!slice_eq_str(domain, "example.test"))
		return ADDR_REMOTE;
	if (slice_eq_str(a, self.unknown))
		return ADDR_UNKNOWN;
	*account = slice_has_prefix(user, SLICE("mary")) ? 2
	    : slice_has_prefix(user, SLICE("crash")) ? 3
	    : slice_has_prefix(user, SLICE("slow")) ? 4 : 1;
	if (slice_has_prefix(user, SLICE("joe")) || *account > 1 ||
	    slice_eq_str(user, "full"))
		return ADDR_ACCOUNT;
	if (slice_has_prefix(user, SLICE("list")) ||
	    slice_eq_str(user, "alias"))
		return ADDR_ALIAS;
	if (slice_eq_str(user, "off"))
		return ADDR_DISABLED;
	if (slice_eq_str(user, "later"))
		return ADDR_LATER;
	return ADDR_UNKNOWN;
}

static void
on_addr_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_ADDR_ASK *a = &m->ADDR_ASK;
	uint64_t account = 0;
	enum addr_kind kind = kind_of(a->address, &account);

	(void)fd;
	ipc_send(l, ADDR_ANSWER, -1, .req = a->req, .kind = (uint8_t)kind,
	    .over_quota = slice_has_prefix(a->address, SLICE("full@")),
	    .account = account, .generation = self.generation,
	    .address = account == 9 ? SLICE("postmaster@example.test")
				    : a->address);
}

static void
on_expand_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_EXPAND_ASK *a = &m->EXPAND_ASK;

	(void)fd;
	ipc_send(l, EXPAND_ITEM, -1, .req = a->req,
	    .target = SLICE("mary@example.test"));
	if (slice_has_prefix(a->address, SLICE("list")))
		ipc_send(l, EXPAND_ITEM, -1, .req = a->req,
		    .target = SLICE("joe@example.test"));
	ipc_send(l, EXPAND_DONE, -1, .req = a->req, .kind = ADDR_ALIAS);
}

static void
on_owns_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_OWNS_ASK *a = &m->OWNS_ASK;
	uint64_t account = 0;

	(void)fd;
	(void)kind_of(a->address, &account);
	ipc_send(l, OWNS_ANSWER, -1, .req = a->req,
	    .yes = account == a->account);
}

static void
on_generation_ok(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)arg;
	(void)type;
	(void)fd;
	(void)printf(m == NULL ? "generation lost\n" : "generation ok\n");
	(void)fflush(stdout);
}

/* ---- state ---- */

static void
on_rate_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_RATE_ASK *a = &m->RATE_ASK;
	bool ok = a->cost <= self.rate_left;

	(void)fd;
	if (ok)
		self.rate_left -= a->cost;
	ipc_send(l, RATE_ANSWER, -1, .req = a->req, .allowed = ok,
	    .count = 1, .retry_s = ok ? 0 : 1800);
}

static void
on_client_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	bool ok = self.clients_left > 0;

	(void)fd;
	if (ok)
		self.clients_left--;
	ipc_send(l, CLIENT_ANSWER, -1, .req = m->CLIENT_OPEN.req,
	    .allowed = ok, .count = 1);
}

static void
on_client_close(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
	self.clients_left++;
}

/* ---- auth: joe@example.test, "secret"; one exchange at a time ---- */

static void
auth_step(struct ipc_link *l, uint64_t req, enum sasl_step step,
    const struct buf *out)
{
	struct ipc_AUTH_ANSWER a = { .req = req,
		.result = AUTH_MALFORMED };

	if (step == SASL_CHALLENGE) {
		a.result = AUTH_CONTINUE;
		a.challenge = buf_slice(out);
	} else if (step == SASL_PASSWORD) {
		a.result = slice_eq_str(buf_slice(&self.sasl.password),
			       "secret")
		    ? AUTH_OK
		    : slice_eq_str(buf_slice(&self.sasl.password), "off")
		    ? AUTH_DISABLED : AUTH_FAILED;
		a.account = 1;
		a.address = SLICE("joe@example.test");
	}
	ipc_send_raw(l, IPC_AUTH_ANSWER, &a, -1);
	if (a.result != AUTH_CONTINUE) {
		sasl_server_fini(&self.sasl);
		self.in_sasl = false;
	}
}

static void
on_auth_start(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_AUTH_START *a = &m->AUTH_START;
	struct buf out;

	(void)fd;
	buf_init(&out, 8192);
	if (self.in_sasl)
		sasl_server_fini(&self.sasl);
	self.in_sasl = true;
	sasl_server_init(&self.sasl, (enum sasl_mech)a->mech, &self.channel,
	    SLICE("nonce"));
	auth_step(l, a->req, a->has_initial
		? sasl_server_feed(&self.sasl, a->initial, &out)
		: sasl_server_start(&self.sasl, &out), &out);
	buf_fini(&out);
}

static void
on_auth_more(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct buf out;

	(void)fd;
	buf_init(&out, 8192);
	auth_step(l, m->AUTH_MORE.req,
	    sasl_server_feed(&self.sasl, m->AUTH_MORE.response, &out), &out);
	buf_fini(&out);
}

static void
on_auth_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
	if (self.in_sasl)
		sasl_server_fini(&self.sasl);
	self.in_sasl = false;
}

/* ---- broker and owners ---- */

static uint64_t
account_of(const struct ipc_link *l)
{
	return ipc_link_instance(l);
}

static void
on_dlv_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_DLV_OPEN *o = &m->DLV_OPEN;
	struct tx *t = tx_new(l, o->dlv);

	(void)fd;
	t->req = o->req;
	t->body_type = o->body;
	buf_add_slice(&t->from, o->sender);
	if (!o->sync || !o->streamed)
		errx(1, "a delivery of lmtp must be streamed and synced");
}

static void
on_dlv_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->DLV_RCPT.dlv);

	(void)fd;
	t->rcpts[t->n_rcpts++] = m->DLV_RCPT.index;
	add_rcpt(t, m->DLV_RCPT.address, m->DLV_RCPT.notify,
	    m->DLV_RCPT.orcpt);
}

static void
on_dlv_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->DLV_BODY.dlv);

	(void)fd;
	if (account_of(l) == 3) {
		ipc_link_free(&l); /* this owner crashes */
		tx_free(t);
		return;
	}
	buf_add_slice(&t->body, m->DLV_BODY.bytes);
}

static void
on_dlv_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->DLV_END.dlv);
	bool full = account_of(l) == 2 && t->body.n > 500000;
	size_t i;

	(void)fd;
	if (!full) {
		(void)printf("delivered %llu %s %s",
		    (unsigned long long)account_of(l),
		    t->from.n == 0 ? "<>" : t->from.p, t->to.p);
		print_body(t);
	}
	for (i = 0; i < t->n_rcpts; i++)
		ipc_send(l, DLV_RESULT, -1, .req = t->req,
		    .index = t->rcpts[i],
		    .outcome = full ? OUTCOME_LATER : OUTCOME_DONE,
		    .code = full ? 452 : 250,
		    .enhanced = full ? SLICE("4.2.2") : SLICE("2.1.5"),
		    .text = full ? SLICE("the mailbox is full")
				 : SLICE("delivered"));
	ipc_send(l, DLV_DONE, -1, .req = t->req);
	tx_free(t);
}

static void
on_dlv_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = tx_find(l, m->DLV_ABORT.dlv);

	(void)fd;
	if (t != NULL) {
		ipc_send(l, DLV_DONE, -1, .req = t->req);
		tx_free(t);
	}
}

static const struct ipc_handlers owner_handlers = {
	.by_type = { [IPC_DLV_OPEN] = on_dlv_open,
	    [IPC_DLV_RCPT] = on_dlv_rcpt, [IPC_DLV_BODY] = on_dlv_body,
	    [IPC_DLV_END] = on_dlv_end, [IPC_DLV_ABORT] = on_dlv_abort },
};

static void
on_owner_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_OWNER_OPEN *o = &m->OWNER_OPEN;
	int fds[2];

	(void)fd;
	if (o->account == 9) {
		ipc_send(l, OWNER_REFUSED, -1, .req = o->req,
		    .outcome = OUTCOME_LATER, .text = SLICE("too much waits"));
		return;
	}
	if (ipc_pair(fds) < 0)
		err(1, "socketpair");
	ipc_send(l, OWNER_LINK, fds[1], .req = o->req);
	(void)close(fds[1]);
	if (ipc_link_new(self.loop, fds[0], ROLE_OWNER, ROLE_LMTP,
		(uint32_t)o->account, &owner_handlers) == NULL)
		errx(1, "out of memory");
}

static void
on_lost(struct ipc_link *l)
{
	(void)l;
}

static const struct ipc_handlers peer_handlers = {
	.by_type = {
	    [IPC_TX_OPEN] = on_tx_open, [IPC_TX_RCPT] = on_tx_rcpt,
	    [IPC_TX_BODY] = on_tx_body, [IPC_TX_FILE] = on_tx_file,
	    [IPC_TX_COMMIT] = on_tx_commit, [IPC_TX_ABORT] = on_tx_abort,
	    [IPC_ADDR_ASK] = on_addr_ask, [IPC_EXPAND_ASK] = on_expand_ask,
	    [IPC_OWNS_ASK] = on_owns_ask, [IPC_RATE_ASK] = on_rate_ask,
	    [IPC_CLIENT_OPEN] = on_client_open,
	    [IPC_CLIENT_CLOSE] = on_client_close,
	    [IPC_AUTH_START] = on_auth_start, [IPC_AUTH_MORE] = on_auth_more,
	    [IPC_AUTH_ABORT] = on_auth_abort,
	    [IPC_OWNER_OPEN] = on_owner_open,
	},
	.lost = on_lost,
};

/* ---- what standard input says ---- */

static void
queue_up(void)
{
	self.queue = fake_master_peer(self.master, ROLE_QUEUE, &peer_handlers);
}

/* What was sent before has been taken: the role has its new links. */
static void
on_synced(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)m;
	(void)fd;
	if (type == IPC_ADMIN_ROW)
		return;
	(void)printf("%s\n", (const char *)arg);
	(void)fflush(stdout);
}

static void
print_when_synced(const char *word)
{
	static char text[16];

	(void)snprintf(text, sizeof text, "%s", word);
	(void)ipc_ask(fake_master_link(self.master), ADMIN_RUN, -1, 5000,
	    on_synced, text, .verb = SLICE("status"));
}

static uint64_t
number(struct slice s)
{
	uint64_t n;

	if (num_parse(s, 0, UINT64_MAX, &n) < 0)
		errx(64, "\"%.*s\" is no number", SLICE_FMT(s));
	return n;
}

static void
on_queue_word(struct slice word)
{
	int i;

	(void)snprintf(self.queue_word, sizeof self.queue_word, "%.*s",
	    SLICE_FMT(word));
	if (queue_is("drop")) {
		for (i = 0; i < TXS; i++)
			if (self.txs[i].used)
				tx_free(&self.txs[i]);
		ipc_link_free(&self.queue);
	} else if (queue_is("up")) {
		queue_up();
	}
}

static void
on_line(struct slice line)
{
	struct slice word;

	if (!slice_split(&line, ' ', &word))
		return;
	if (slice_eq_str(word, "generation")) {
		self.generation = number(line);
		(void)ipc_ask(self.directory, GENERATION, -1, 5000,
		    on_generation_ok, NULL, .generation = self.generation);
	} else if (slice_eq_str(word, "queue")) {
		on_queue_word(line);
	} else if (slice_eq_str(word, "rate")) {
		self.rate_left = number(line);
	} else if (slice_eq_str(word, "clients")) {
		self.clients_left = number(line);
	} else if (slice_eq_str(word, "unknown")) {
		(void)snprintf(self.unknown, sizeof self.unknown, "%.*s",
		    SLICE_FMT(line));
	} else if (slice_eq_str(word, "stop")) {
		ipc_send(fake_master_link(self.master), STOP, -1,
		    .grace_ms = 2000);
		(void)printf("ok\n");
		(void)fflush(stdout);
		return;
	}
	print_when_synced("ok");
}

static void
on_input(void *arg, unsigned what)
{
	char *room = buf_room(&self.line, 4096), *end;
	ssize_t n = room == NULL ? 0 : read(0, room, 4096);

	(void)arg;
	(void)what;
	if (n <= 0) {
		loop_stop(self.loop);
		return;
	}
	buf_grew(&self.line, (size_t)n);
	while ((end = memchr(self.line.p, '\n', self.line.n)) != NULL) {
		n = end - self.line.p;
		on_line((struct slice){ self.line.p, (size_t)n });
		buf_drop(&self.line, (size_t)n + 1);
	}
}

/* ---- beginning ---- */

static void
listen_for(const char *service)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, len) < 0 ||
	    listen(fd, 100) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		err(1, "socket");
	ipc_send(fake_master_link(self.master), LISTEN_FD, fd,
	    .service = slice_str(service), .address = SLICE("127.0.0.1:0"));
	(void)close(fd);
	(void)printf("port %s %u\n", service, ntohs(sa.sin_port));
}

static void
on_conf(bool is_ok, struct slice text)
{
	if (!is_ok)
		errx(1, "%.*s", SLICE_FMT(text));
}

static struct ipc_link *
peer(enum role_id role)
{
	return fake_master_peer(self.master, role, &peer_handlers);
}

static void
on_ready(void)
{
	self.directory = peer(ROLE_DIRECTORY);
	self.state = peer(ROLE_STATE);
	if (self.role != ROLE_LMTP)
		queue_up();
	else
		self.broker = peer(ROLE_BROKER);
	if (self.role == ROLE_SUBMISSION)
		self.auth = peer(ROLE_AUTH);
	loop_io_init(&self.input, self.loop, 0, on_input, NULL);
	loop_io_want(&self.input, LOOP_READ);
	print_when_synced("ready");
}

int
main(int argc, char **argv)
{
	int i;

	if (argc < 3)
		errx(64, "usage: front PROGRAM ROLE [option]...");
	self.role = role_by_name(argv[2]);
	buf_init(&self.line, 1 << 20);
	self.loop = loop_new();
	if (self.loop == NULL)
		errx(1, "no loop");
	self.master = fake_master_start(self.loop, argv[1], self.role,
	    SANDBOX_ACCEPT);
	for (i = 3; i < argc; i++)
		fake_master_conf(self.master, slice_str(argv[i]));
	fake_master_conf_end(self.master, on_conf);
	if (self.role == ROLE_SMTPD)
		listen_for("smtp");
	else if (self.role == ROLE_SUBMISSION)
		listen_for("submission");
	else
		listen_for("lmtp");
	fake_master_go(self.master, on_ready);
	loop_run(self.loop);
	return fake_master_stop(&self.master);
}
