/* SPDX-License-Identifier: ISC */
/* TLS as far as a session can tell: a handshake that succeeds at once, and
 * octets that pass as they are. Linked instead of sys/conn_tls.c. */
#include "sys/conn.h"
#include "sys/conn_priv.h"

static enum conn_shake
shake(struct conn *c)
{
	(void)c;
	return CONN_SHAKE_DONE;
}

static ssize_t
read_plain(struct conn *c, char *p, size_t n)
{
	return conn_recv(c, p, n);
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

	if (v.n > 0 && fifo_add(&c->wire, v) == 0)
		fifo_drop(&c->out, v.n);
}

static void
nothing(struct conn *c)
{
	(void)c;
}

static const struct conn_layer layer = {
	.shake = shake, .read = read_plain, .has_pending = has_pending,
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
	return conn_is_tls(c) ? "TLSv1.3" : "";
}

const char *
conn_tls_cipher(const struct conn *c)
{
	return conn_is_tls(c) ? "FAKE" : "";
}

int
conn_tls_exporter(const struct conn *c, unsigned char out[32])
{
	(void)c;
	(void)out;
	return -1;
}
