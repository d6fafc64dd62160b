/* SPDX-License-Identifier: ISC */
/* Requests from the administrator's command, and their way to the roles. */
#include "master/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "master/child.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"

enum { CLIENTS_MAX = 64, ROLE_ANSWER_MS = 120000, STATUS_ANSWER_MS = 5000 };

/* Verbs by their first word, and who answers them. */
static const struct {
	const char *word;
	enum role_id role;
} routes[] = {
	{ "account", ROLE_DIRECTORY },
	{ "alias", ROLE_DIRECTORY },
	{ "domain", ROLE_DIRECTORY },
	{ "address", ROLE_DIRECTORY },
	{ "password", ROLE_AUTH },
	{ "queue", ROLE_QUEUE },
	{ "rate", ROLE_STATE },
	{ "dns", ROLE_RESOLVER },
};

/* One request on its way through a role. */
struct errand {
	uint64_t serial, req;
	struct gathering *gathering;
};

/* Status of all: one errand a child, the last one ends it. */
struct gathering {
	uint64_t serial, req;
	size_t waiting;
};

static struct {
	struct loop *loop;
	struct loop_io io;
	int fd;
	struct control_verbs verbs;
	size_t clients;
	int64_t started;
} self;

void
control_done(uint64_t serial, uint64_t req, uint8_t exit_code,
    struct slice text)
{
	struct ipc_link *l = ipc_link_find(serial);

	if (l != NULL)
		ipc_send(l, ADMIN_DONE, -1, .req = req, .exit = exit_code,
		    .text = text);
}

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	struct errand *e = arg;
	struct ipc_link *l = ipc_link_find(e->serial);

	(void)fd;
	if (type == IPC_ADMIN_ROW) {
		if (l != NULL)
			ipc_send(l, ADMIN_ROW, -1, .req = e->req,
			    .row = m->ADMIN_ROW.row);
		return;
	}
	if (m == NULL)
		control_done(e->serial, e->req, 75,
		    SLICE("the role that knows this does not answer"));
	else
		control_done(e->serial, e->req, m->ADMIN_DONE.exit,
		    m->ADMIN_DONE.text);
	free(e);
}

static void
send_on(struct ipc_link *client, const struct ipc_ADMIN_RUN *run,
    enum role_id role)
{
	struct child *c = NULL;
	struct errand *e;

	while ((c = children_next(c)) != NULL)
		if (c->row->id == role && c->state == CHILD_READY)
			break;
	if (c == NULL) {
		control_done(ipc_link_serial(client), run->req, 75,
		    SLICE("the role that knows this is not running just now"));
		return;
	}
	e = calloc(1, sizeof *e);
	if (e == NULL)
		fatal("event=no_memory for=errand");
	e->serial = ipc_link_serial(client);
	e->req = run->req;
	(void)ipc_ask(c->link, ADMIN_RUN, -1, ROLE_ANSWER_MS, on_answer, e,
	    .verb = run->verb, .args = run->args);
}

/* ---- status of all ---- */

static void
gathered(struct gathering *g)
{
	if (--g->waiting > 0)
		return;
	control_done(g->serial, g->req, 0, SLICE(""));
	free(g);
}

static void
on_status(void *arg, int type, const union ipc_any *m, int fd)
{
	struct errand *e = arg;
	struct ipc_link *l = ipc_link_find(e->serial);

	(void)fd;
	if (type == IPC_ADMIN_ROW) {
		if (l != NULL)
			ipc_send(l, ADMIN_ROW, -1, .req = e->req,
			    .row = m->ADMIN_ROW.row);
		return;
	}
	gathered(e->gathering);
	free(e);
}

static void
send_own_row(struct ipc_link *l, uint64_t req)
{
	struct buf row;

	buf_init(&row, 16384);
	row_pair_str(&row, "role", "master");
	row_pair_u64(&row, "pid", (uint64_t)getpid());
	row_pair_u64(&row, "uid", geteuid());
	row_pair_str(&row, "jail", "none");
	row_pair_str(&row, "sandbox", "none");
	row_pair_str(&row, "state", "ready");
	row_pair_u64(&row, "uptime",
	    (uint64_t)(clock_boot_ms() - self.started) / 1000);
	self.verbs.status(&row);
	ipc_send(l, ADMIN_ROW, -1, .req = req, .row = buf_slice(&row));
	buf_fini(&row);
}

static void
send_down_row(struct ipc_link *l, uint64_t req, const struct child *c)
{
	struct buf row;

	buf_init(&row, 1024);
	row_pair_str(&row, "role", role_name(c->row->id));
	row_pair_u64(&row, "pid", (uint64_t)c->pid);
	row_pair_str(&row, "state",
	    c->state == CHILD_DOWN ? "waits to be restarted" :
	    c->state == CHILD_LOST ? "ends" : "starting");
	row_pair_u64(&row, "restarts", c->restarts);
	ipc_send(l, ADMIN_ROW, -1, .req = req, .row = buf_slice(&row));
	buf_fini(&row);
}

static void
run_status(struct ipc_link *l, const struct ipc_ADMIN_RUN *run)
{
	struct gathering *g = calloc(1, sizeof *g);
	struct child *c = NULL;
	struct errand *e;

	if (g == NULL)
		fatal("event=no_memory for=status");
	g->serial = ipc_link_serial(l);
	g->req = run->req;
	g->waiting = 1;
	send_own_row(l, run->req);
	while ((c = children_next(c)) != NULL) {
		if (c->state != CHILD_READY) {
			send_down_row(l, run->req, c);
			continue;
		}
		e = calloc(1, sizeof *e);
		if (e == NULL)
			fatal("event=no_memory for=status");
		*e = (struct errand){ g->serial, g->req, g };
		g->waiting++;
		(void)ipc_ask(c->link, ADMIN_RUN, -1, STATUS_ANSWER_MS,
		    on_status, e, .verb = SLICE("status"));
	}
	gathered(g);
}

/* ---- requests ---- */

static void
on_run(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_ADMIN_RUN *run = &m->ADMIN_RUN;
	struct slice verb = run->verb, word;
	size_t i;

	(void)fd;
	if (!slice_split(&verb, ' ', &word))
		word = SLICE_NONE;
	if (slice_eq_str(run->verb, "status")) {
		run_status(l, run);
		return;
	}
	if (slice_eq_str(run->verb, "stop")) {
		control_done(ipc_link_serial(l), run->req, 0,
		    SLICE("stopping"));
		self.verbs.stop();
		return;
	}
	if (slice_eq_str(run->verb, "reload")) {
		self.verbs.reload(ipc_link_serial(l), run->req);
		return;
	}
	for (i = 0; i < sizeof routes / sizeof *routes; i++) {
		if (slice_eq_str(word, routes[i].word)) {
			send_on(l, run, routes[i].role);
			return;
		}
	}
	control_done(ipc_link_serial(l), run->req, 64,
	    SLICE("the server does not know this request"));
}

static void
on_hello_ok(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)fd;
	if (m->HELLO_OK.table != ipc_table_hash())
		log_warn("event=wrong_build peer=%s", ipc_link_name(l));
}

static void
on_client_lost(struct ipc_link *l)
{
	(void)l;
	self.clients--;
}

static const struct ipc_handlers handlers = {
	.by_type = { [IPC_ADMIN_RUN] = on_run, [IPC_HELLO_OK] = on_hello_ok },
	.lost = on_client_lost,
};

static void
on_connection(void *arg, unsigned what)
{
	struct ucred who;
	socklen_t len = sizeof who;
	struct ipc_link *l;
	int fd;

	(void)arg;
	(void)what;
	fd = accept4(self.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
	    (who.uid != 0 && who.uid != geteuid()) ||
	    self.clients >= CLIENTS_MAX) {
		(void)close(fd);
		return;
	}
	l = ipc_link_new(self.loop, fd, ROLE_MASTER, ROLE_CONTROL,
	    (uint32_t)who.pid, &handlers);
	if (l == NULL) {
		(void)close(fd);
		return;
	}
	self.clients++;
	ipc_send(l, HELLO, -1, .table = ipc_table_hash(),
	    .role = ROLE_CONTROL);
}

int
control_open(struct loop *loop, int run_dir, const struct control_verbs *v,
    struct buf *why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	self.loop = loop;
	self.verbs = *v;
	self.started = clock_boot_ms();
	self.fd = socket(AF_UNIX,
	    SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* By way of the descriptor: run_dir's path may be longer than a
	 * socket's may be. */
	(void)snprintf(un.sun_path, sizeof un.sun_path,
	    "/proc/self/fd/%d/control", run_dir);
	(void)unlinkat(run_dir, "control", 0);
	if (self.fd < 0 ||
	    bind(self.fd, (struct sockaddr *)&un, sizeof un) < 0 ||
	    fchmodat(run_dir, "control", 0600, 0) < 0 ||
	    listen(self.fd, 16) < 0) {
		buf_addf(why, "cannot make the control socket in run_dir: %s",
		    strerror(errno));
		return -1;
	}
	loop_io_init(&self.io, loop, self.fd, on_connection, NULL);
	loop_io_want(&self.io, LOOP_READ);
	return 0;
}

void
control_close(int run_dir)
{
	loop_io_remove(&self.io);
	(void)close(self.fd);
	(void)unlinkat(run_dir, "control", 0);
}
