/* SPDX-License-Identifier: ISC */
/*
 * Exchanges with name servers. RFC 1035 4.2.1 (UDP), 4.2.2 (TCP: a length of
 * two octets before each message); RFC 5452 9.2 (a new port for each query).
 */
#include "resolver/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/loop.h"

enum {
	/* Larger than what we announce: some servers do not listen. */
	DATAGRAM_MAX = 4096,
	MESSAGE_MAX_TCP = 65535,
	LENGTH_SIZE = 2
};

struct exchange {
	struct loop_io io;
	int fd;
	enum transport how;
	bool is_connected;
	struct buf out, in; /* TCP only */
	const struct exchange_events *events;
	void *arg;
};

/* errno as it is after a call on the socket; 0 when it only has to wait. */
static int
hard_error(void)
{
	return errno == EAGAIN || errno == EINTR ? 0 : errno;
}

/* ---- UDP ---- */

/* One datagram for each event: the callback may free the exchange. */
static void
udp_ready(void *arg, unsigned what)
{
	static char datagram[DATAGRAM_MAX];
	struct exchange *x = arg;
	ssize_t n = recv(x->fd, datagram, sizeof datagram, 0);
	int error = n < 0 ? hard_error() : 0;

	(void)what;
	if (n >= 0)
		x->events->received(x->arg,
		    (struct slice){ datagram, (size_t)n });
	else if (error != 0)
		x->events->failed(x->arg, error);
}

static int
udp_begin(struct exchange *x, struct slice query)
{
	ssize_t n = send(x->fd, query.p, query.n, MSG_NOSIGNAL);

	if (n < 0)
		return -1;
	loop_io_want(&x->io, LOOP_READ);
	return 0;
}

/* ---- TCP ---- */

static int
tcp_write(struct exchange *x)
{
	ssize_t n = send(x->fd, x->out.p, x->out.n, MSG_NOSIGNAL);

	if (n < 0)
		return hard_error();
	buf_drop(&x->out, (size_t)n);
	return 0;
}

/* How many bytes the whole message has with its length, as far as known. */
static size_t
tcp_wanted(const struct exchange *x)
{
	const unsigned char *p = (const unsigned char *)x->in.p;

	if (x->in.n < LENGTH_SIZE)
		return LENGTH_SIZE;
	return LENGTH_SIZE + ((size_t)p[0] << 8 | p[1]);
}

static int
tcp_read(struct exchange *x)
{
	size_t want = tcp_wanted(x) - x->in.n;
	char *to = buf_room(&x->in, want);
	ssize_t n;

	if (to == NULL)
		return ENOMEM;
	n = recv(x->fd, to, want, 0);
	if (n == 0)
		return ECONNRESET;
	if (n < 0)
		return hard_error();
	buf_grew(&x->in, (size_t)n);
	return 0;
}

static void
tcp_ready(void *arg, unsigned what)
{
	struct exchange *x = arg;
	socklen_t len = sizeof(int);
	int error = 0;

	if (!x->is_connected) {
		if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		x->is_connected = true;
	}
	if (error == 0 && x->out.n > 0)
		error = tcp_write(x);
	if (error == 0 && (what & LOOP_READ) != 0)
		error = tcp_read(x);
	if (error != 0) {
		x->events->failed(x->arg, error);
		return;
	}
	loop_io_want(&x->io, LOOP_READ | (x->out.n > 0 ? LOOP_WRITE : 0U));
	if (x->in.n <= LENGTH_SIZE || x->in.n < tcp_wanted(x))
		return;
	/* One message is all that was asked for. */
	loop_io_want(&x->io, 0);
	x->events->received(x->arg, slice_from(buf_slice(&x->in), LENGTH_SIZE));
}

static int
tcp_begin(struct exchange *x, struct slice query)
{
	buf_add_char(&x->out, (char)(query.n >> 8));
	buf_add_char(&x->out, (char)query.n);
	buf_add_slice(&x->out, query);
	if (!buf_is_ok(&x->out)) {
		errno = ENOMEM;
		return -1;
	}
	loop_io_want(&x->io, LOOP_WRITE);
	return 0;
}

/* ---- both ---- */

struct exchange *
exchange_new(struct loop *l, enum transport how, const struct sockaddr *to,
    socklen_t to_len, struct slice query, const struct exchange_events *events,
    void *arg)
{
	bool is_tcp = how == TRANSPORT_TCP;
	struct exchange *x = calloc(1, sizeof *x);
	int error;

	if (x == NULL)
		return NULL;
	x->how = how;
	x->events = events;
	x->arg = arg;
	buf_init(&x->out, LENGTH_SIZE + MESSAGE_MAX_TCP);
	buf_init(&x->in, LENGTH_SIZE + MESSAGE_MAX_TCP);
	x->fd = socket(to->sa_family, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) |
	    SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (x->fd >= 0) {
		loop_io_init(&x->io, l, x->fd, is_tcp ? tcp_ready : udp_ready,
		    x);
		if ((connect(x->fd, to, to_len) == 0 ||
			(is_tcp && errno == EINPROGRESS)) &&
		    (is_tcp ? tcp_begin : udp_begin)(x, query) == 0)
			return x;
	}
	error = errno;
	exchange_free(&x);
	errno = error;
	return NULL;
}

void
exchange_free(struct exchange **xp)
{
	struct exchange *x = *xp;

	*xp = NULL;
	if (x == NULL)
		return;
	if (x->fd >= 0) {
		loop_io_remove(&x->io);
		(void)close(x->fd);
	}
	buf_fini(&x->out);
	buf_fini(&x->in);
	free(x);
}
