/* SPDX-License-Identifier: ISC */
/* How connections begin, accepted or made by us, and who the peer is. */
#include "sys/conn.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "sys/conn_priv.h"
#include "sys/sockaddr.h"

static void
set_peer(struct conn *c, const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_storage ss;
	char text[SOCKADDR_TEXT_MAX] = "";

	memset(&ss, 0, sizeof ss);
	if (len > sizeof ss)
		len = sizeof ss;
	memcpy(&ss, sa, len);
	sockaddr_unmap(&ss, &len);
	(void)sockaddr_format((struct sockaddr *)&ss, len, text);
	memcpy(c->peer_text, text, sizeof c->peer_text - 1);
	if ((ss.ss_family == AF_INET || ss.ss_family == AF_INET6) &&
	    len <= sizeof c->peer) {
		memcpy(&c->peer, &ss, len);
		c->peer_len = (uint8_t)len;
	}
}

static void
set_nodelay(int fd, sa_family_t family)
{
	static const int on = 1;

	if (family == AF_INET || family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

struct conn *
conn_new(struct loop *l, int fd, const struct conn_limits *limits,
    const struct conn_events *events, void *arg)
{
	struct conn *c = conn_make(l, fd, limits, events, arg);
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	if (c == NULL)
		return NULL;
	memset(&ss, 0, sizeof ss);
	if (getpeername(fd, (struct sockaddr *)&ss, &len) < 0)
		len = 0;
	set_peer(c, (struct sockaddr *)&ss, len);
	set_nodelay(fd, ss.ss_family);
	return c;
}

/* A socket on its way to `to`, or -1. */
static int
begin_connect(const struct sockaddr *to, socklen_t to_len,
    const struct sockaddr *from, socklen_t from_len)
{
	static const int on = 1;
	int fd, saved;

	fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd < 0)
		return -1;
	set_nodelay(fd, to->sa_family);
	if (from != NULL) {
		/* The port is chosen at connect(), by the whole four-tuple. */
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		    sizeof on);
		if (bind(fd, from, from_len) < 0)
			goto out;
	}
	if (connect(fd, to, to_len) == 0 || errno == EINPROGRESS)
		return fd;
out:
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

struct conn *
conn_connect(struct loop *l, const struct sockaddr *to, socklen_t to_len,
    const struct sockaddr *from, socklen_t from_len,
    const struct conn_limits *limits, const struct conn_events *events,
    void *arg)
{
	int fd = begin_connect(to, to_len, from, from_len);
	struct conn *c;

	if (fd < 0)
		return NULL;
	c = conn_make(l, fd, limits, events, arg);
	if (c == NULL) {
		(void)close(fd);
		errno = ENOMEM;
		return NULL;
	}
	c->phase = CONN_CONNECTING;
	set_peer(c, to, to_len);
	return c;
}

const char *
conn_peer(const struct conn *c)
{
	return c->peer_text;
}

socklen_t
conn_peer_addr(const struct conn *c, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	memcpy(out, &c->peer, c->peer_len);
	return c->peer_len;
}

uint16_t
conn_peer_port(const struct conn *c)
{
	return sockaddr_port(&c->peer.any, c->peer_len);
}
