/* SPDX-License-Identifier: ISC */
#include "tests/unit/session/asked.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>

#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/unit.h"

enum { ASKS = 20000, ROUNDS = 20000, TEXT = 1 << 20 };

static struct {
	struct loop *loop;
	struct ipc_link *theirs[ROLE_COUNT], *ours[ROLE_COUNT];
	uint64_t reqs[ASKS];
	unsigned n;
	struct buf told, shown;
} self;

static struct buf *
note(const char *name)
{
	if (self.told.n > 0)
		buf_add_str(&self.told, "; ");
	buf_add_str(&self.told, name);
	return &self.told;
}

static void
asked(uint64_t req)
{
	ck_assert_uint_lt(self.n, ASKS);
	self.reqs[self.n++] = req;
}

/* ---- the queue ---- */

static void
on_tx_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_OPEN *o = &m->TX_OPEN;

	(void)l;
	(void)fd;
	asked(o->req);
	buf_addf(note("open"), " %llu <%.*s> size=%llu account=%llu %u %u %u "
	    "%.*s %.*s %.*s", (unsigned long long)o->tx, SLICE_FMT(o->sender),
	    (unsigned long long)o->size, (unsigned long long)o->account,
	    o->body, o->utf8, o->ret, SLICE_FMT(o->envid),
	    SLICE_FMT(o->session), SLICE_FMT(o->client));
}

static void
on_tx_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_RCPT *r = &m->TX_RCPT;

	(void)l;
	(void)fd;
	buf_addf(note("rcpt"), " %llu <%.*s> %u %.*s",
	    (unsigned long long)r->tx, SLICE_FMT(r->address), r->notify,
	    SLICE_FMT(r->orcpt));
}

static void
on_tx_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	buf_addf(note("body"), " %llu %zu", (unsigned long long)m->TX_BODY.tx,
	    m->TX_BODY.bytes.n);
}

static void
on_tx_file(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	asked(m->req);
	buf_addf(note("file"), " %llu", (unsigned long long)m->TX_FILE.tx);
}

static void
on_tx_commit(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	asked(m->req);
	buf_addf(note("commit"), " %llu %llu",
	    (unsigned long long)m->TX_COMMIT.tx,
	    (unsigned long long)m->TX_COMMIT.size);
}

static void
on_tx_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	buf_addf(note("abort"), " %llu", (unsigned long long)m->TX_ABORT.tx);
}

/* ---- directory and state ---- */

static void
on_addr_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	asked(m->req);
	buf_addf(note("who"), " %.*s", SLICE_FMT(m->ADDR_ASK.address));
}

static void
on_client_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	asked(m->req);
	buf_addf(note("client"), " %.*s %u", SLICE_FMT(m->CLIENT_OPEN.key),
	    m->CLIENT_OPEN.limit);
}

static void
on_client_close(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	buf_addf(note("gone"), " %.*s", SLICE_FMT(m->CLIENT_CLOSE.key));
}

/* ---- all of them ---- */

static void
on_lost(struct ipc_link *l)
{
	int i;

	for (i = 0; i < ROLE_COUNT; i++) {
		if (self.theirs[i] == l)
			self.theirs[i] = NULL;
		if (self.ours[i] == l)
			self.ours[i] = NULL;
	}
}

static const struct ipc_handlers their_handlers = {
	.by_type = {
	    [IPC_TX_OPEN] = on_tx_open, [IPC_TX_RCPT] = on_tx_rcpt,
	    [IPC_TX_BODY] = on_tx_body, [IPC_TX_FILE] = on_tx_file,
	    [IPC_TX_COMMIT] = on_tx_commit, [IPC_TX_ABORT] = on_tx_abort,
	    [IPC_ADDR_ASK] = on_addr_ask,
	    [IPC_CLIENT_OPEN] = on_client_open,
	    [IPC_CLIENT_CLOSE] = on_client_close,
	},
	.lost = on_lost,
};

static struct ipc_handlers our_handlers = { .lost = on_lost };

void
asked_handle(enum ipc_type type, ipc_handler *handler)
{
	our_handlers.by_type[type] = handler;
}

void
asked_begin(void)
{
	fake_clock_set(1000000);
	log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC), LOG_FORMAT_TEXT);
	self.loop = loop_new();
	ck_assert_ptr_nonnull(self.loop);
	buf_init(&self.told, TEXT);
	buf_init(&self.shown, TEXT);
}

struct loop *
asked_loop(void)
{
	return self.loop;
}

void
asked_bring(enum role_id role)
{
	int fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	self.theirs[role] = ipc_link_new(self.loop, fds[0], role, ROLE_SMTPD,
	    5, &their_handlers);
	self.ours[role] = ipc_link_new(self.loop, fds[1], ROLE_SMTPD, role, 0,
	    &our_handlers);
	ck_assert_ptr_nonnull(self.theirs[role]);
	ck_assert_ptr_nonnull(self.ours[role]);
}

void
asked_lose(enum role_id role)
{
	ipc_link_free(&self.theirs[role]);
	asked_settle();
}

struct ipc_link *
asked_end(enum role_id role)
{
	return self.theirs[role];
}

void
asked_settle(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		fake_loop_settle(self.loop);
		if (!fake_loop_poll(self.loop))
			return;
	}
	ck_abort_msg("it never rests");
}

void
asked_pass(int64_t ms)
{
	asked_settle();
	fake_loop_advance(self.loop, ms);
	asked_settle();
}

const char *
asked_told(void)
{
	asked_settle();
	buf_reset(&self.shown);
	buf_add_slice(&self.shown, buf_slice(&self.told));
	buf_reset(&self.told);
	return self.shown.n == 0 ? "" : self.shown.p;
}

uint64_t
asked_req(unsigned n)
{
	ck_assert_uint_lt(n, self.n);
	return self.reqs[n];
}

unsigned
asked_count(void)
{
	return self.n;
}

unsigned
asked_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* ---- instead of sys/daemon.c ---- */

struct ipc_link *
daemon_peer(enum role_id role)
{
	return self.ours[role];
}

uint32_t
daemon_instance(void)
{
	return 5;
}
