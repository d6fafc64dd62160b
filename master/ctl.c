/* SPDX-License-Identifier: ISC */
/* The control socket's client end, spoken with the same codec as all links. */
#include "master/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/ipc.h"

enum { EX_TEMPFAIL = 75, EX_PROTOCOL = 76 };

struct ctl {
	int fd;
	uint64_t req;
	char bytes[IPC_MESSAGE_MAX];
};

static int
receive(struct ctl *c, union ipc_any *m)
{
	ssize_t n;

	do
		n = recv(c->fd, c->bytes, sizeof c->bytes, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return -1;
	return ipc_decode((struct slice){ c->bytes, (size_t)n }, m);
}

static int
transmit(struct ctl *c, enum ipc_type type, const void *message)
{
	struct buf b;
	ssize_t n;

	buf_init(&b, IPC_MESSAGE_MAX);
	ipc_encode(&b, type, message);
	n = buf_is_ok(&b) ? send(c->fd, b.p, b.n, MSG_NOSIGNAL) : -1;
	buf_fini_secret(&b);
	return n < 0 ? -1 : 0;
}

struct ctl *
ctl_connect(const char *run_dir, bool *stopped_r, struct buf *why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct ctl *c = calloc(1, sizeof *c);
	union ipc_any m;
	int dir;

	if (c == NULL)
		abort();
	dir = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	(void)snprintf(un.sun_path, sizeof un.sun_path,
	    "/proc/self/fd/%d/control", dir);
	if (dir < 0 || c->fd < 0 ||
	    connect(c->fd, (struct sockaddr *)&un, sizeof un) < 0) {
		*stopped_r = errno == ENOENT || errno == ECONNREFUSED;
		buf_addf(why, *stopped_r
			? "the server is not running (no answer at %s/control)"
			: "cannot reach the server at %s/control: %s",
		    run_dir, strerror(errno));
	} else if (receive(c, &m) != IPC_HELLO) {
		*stopped_r = false;
		buf_addf(why, "%s/control closed the connection: this command "
		    "is for root, or for the user who runs the server",
		    run_dir);
	} else if (m.HELLO.table != ipc_table_hash()) {
		*stopped_r = false;
		buf_add_str(why, "the running server is of another build than "
		    "this command: restart it, or use the command that came "
		    "with it");
	} else {
		(void)close(dir);
		return c;
	}
	if (dir >= 0)
		(void)close(dir);
	ctl_close(&c);
	return NULL;
}

void
ctl_close(struct ctl **cp)
{
	if (*cp == NULL)
		return;
	if ((*cp)->fd >= 0)
		(void)close((*cp)->fd);
	free(*cp);
	*cp = NULL;
}

int
ctl_run(struct ctl *c, const char *verb, struct slice args,
    void (*row)(void *arg, struct slice row), void *arg, struct buf *text)
{
	struct ipc_ADMIN_RUN run = { .req = ++c->req, .verb = slice_str(verb),
		.args = args };
	union ipc_any m;
	int type;

	if (transmit(c, IPC_ADMIN_RUN, &run) < 0) {
		buf_add_str(text, "the server does not listen any more");
		return EX_TEMPFAIL;
	}
	for (;;) {
		type = receive(c, &m);
		if (type < 0) {
			buf_add_str(text, "the server went away");
			return EX_TEMPFAIL;
		}
		if (type == IPC_ADMIN_ROW && m.req == c->req && row != NULL)
			row(arg, m.ADMIN_ROW.row);
		if (type == IPC_ADMIN_DONE && m.req == c->req) {
			buf_add_slice(text, m.ADMIN_DONE.text);
			return m.ADMIN_DONE.exit;
		}
	}
}
