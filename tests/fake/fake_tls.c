/* SPDX-License-Identifier: ISC */
#include "tests/fake/fake_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session/tls_front.h"
#include "sys/conn_priv.h"

static bool usable, exporter;

void
fake_tls_set(bool is_usable, bool has_exporter)
{
	usable = is_usable;
	exporter = has_exporter;
}

/* ---- session/tls_front.h ---- */

void
tls_front_init(void)
{
}

struct tls_server *
tls_front_server(void)
{
	static char server;

	return usable ? (struct tls_server *)(void *)&server : NULL;
}

void
tls_front_on_cert(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
}

void
tls_front_on_cert_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	tls_front_on_cert(l, m, fd);
}

void
tls_front_file(struct slice name, int fd)
{
	(void)name;
	(void)fd;
}

/* ---- sys/conn.h ---- */

static enum conn_shake
shake(struct conn *c)
{
	char hello[sizeof FAKE_TLS_HELLO - 1];
	ssize_t n = conn_recv(c, hello, sizeof hello);

	if (n < 0 && errno == EAGAIN)
		return CONN_SHAKE_AGAIN;
	if (n == (ssize_t)sizeof hello &&
	    memcmp(hello, FAKE_TLS_HELLO, sizeof hello) == 0)
		return CONN_SHAKE_DONE;
	conn_fail(c, CONN_TLS, 0, "not a handshake");
	return CONN_SHAKE_FAILED;
}

static bool
has_pending(const struct conn *c)
{
	(void)c;
	return false;
}

static void
seal(struct conn *c)
{
	struct slice v = fifo_view(&c->out);

	if (fifo_add(&c->wire, v) < 0)
		conn_fail(c, CONN_ERROR, ENOMEM, NULL);
	else
		fifo_drop(&c->out, v.n);
}

static void
nothing(struct conn *c)
{
	(void)c;
}

static const struct conn_layer layer = {
	.shake = shake, .read = conn_recv, .has_pending = has_pending,
	.seal = seal, .close = nothing, .free = nothing,
};

void
conn_start_tls_server(struct conn *c, struct tls_server *s)
{
	(void)s;
	conn_set_layer(c, &layer, NULL);
}

const char *
conn_tls_version(const struct conn *c)
{
	return c->secure ? "TLSv1.3" : "";
}

int
conn_tls_exporter(const struct conn *c, unsigned char out[32])
{
	memset(out, 'b', 32);
	return c->secure && exporter ? 0 : -1;
}
