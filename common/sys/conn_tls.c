/* SPDX-License-Identifier: ISC */
/*
 * The TLS layer of a connection. OpenSSL reads and writes through a BIO of
 * ours: what it writes gathers in the connection's `wire`, which goes out once
 * a turn (a ticket and a greeting in two writes would wait for each other's
 * acknowledgement); what it reads comes out of one recv() a turn, however many
 * records that held.
 *
 * A server's handshake runs in a fibre (SSL_MODE_ASYNC) and may stand still
 * for a signature; then the connection is held: not read, not driven. Fibres
 * are bounded; who finds none waits in line for the next one that comes free.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "sys/conn_priv.h"
#include "sys/log.h"
#include "sys/tls_keys.h"
#include "sys/tls_priv.h"

enum {
	RAW_MAX = 65536,  /* of the peer's bytes taken in at once */
	SEAL_MAX = 16384, /* plain bytes of one record */
	WIRE_HIGH = 65536 /* sealed ahead of the socket */
};

struct conn_tls {
	SSL *ssl;
	struct fifo raw;       /* received, not yet asked for by OpenSSL */
	struct tls_sign *sign; /* a server's, until the handshake is done */
	struct list in_line;   /* for a fibre */
	bool called;           /* a fibre is free, and it is our turn */
	bool eof;
};

static char scratch[RAW_MAX];
static BIO_METHOD *bio_method;
static struct list line = { &line, &line };

/* ---- the BIO ---- */

static int
bio_write(BIO *b, const char *p, size_t n, size_t *done)
{
	struct conn *c = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	*done = 0;
	if (c->phase == CONN_DEAD ||
	    fifo_add(&c->wire, (struct slice){ p, n }) < 0)
		return 0;
	*done = n;
	return 1;
}

/* Fills `raw` from the socket when it is empty. */
static ssize_t
refill(struct conn *c)
{
	ssize_t n;

	if (fifo_size(&c->tls->raw) > 0)
		return 1;
	n = conn_recv(c, scratch, sizeof scratch);
	if (n > 0 && fifo_add(&c->tls->raw,
			 (struct slice){ scratch, (size_t)n }) < 0) {
		conn_fail(c, CONN_ERROR, errno, NULL);
		return -1;
	}
	return n;
}

static int
bio_read(BIO *b, char *p, size_t n, size_t *done)
{
	struct conn *c = BIO_get_data(b);
	struct conn_tls *t = c->tls;
	struct slice v;
	ssize_t r;

	BIO_clear_retry_flags(b);
	*done = 0;
	if (t->eof || c->phase == CONN_DEAD)
		return 0;
	r = refill(c);
	if (r <= 0) {
		t->eof = r == 0;
		if (r < 0 && c->phase != CONN_DEAD)
			BIO_set_retry_read(b);
		return 0;
	}
	v = slice_head(fifo_view(&t->raw), n);
	memcpy(p, v.p, v.n);
	fifo_drop(&t->raw, v.n);
	*done = v.n;
	return 1;
}

static long
bio_ctrl(BIO *b, int command, long number, void *p)
{
	const struct conn *c = BIO_get_data(b);

	(void)number;
	(void)p;
	if (command == BIO_CTRL_EOF)
		return c->tls->eof;
	return command == BIO_CTRL_FLUSH; /* the end of the turn does that */
}

static BIO *
new_bio(struct conn *c)
{
	BIO *b;

	if (bio_method == NULL) {
		bio_method = BIO_meth_new(BIO_get_new_index() |
			BIO_TYPE_SOURCE_SINK, "connection");
		if (bio_method == NULL ||
		    BIO_meth_set_write_ex(bio_method, bio_write) != 1 ||
		    BIO_meth_set_read_ex(bio_method, bio_read) != 1 ||
		    BIO_meth_set_ctrl(bio_method, bio_ctrl) != 1)
			fatal("event=no_memory for=bio");
	}
	b = BIO_new(bio_method);
	if (b == NULL)
		return NULL;
	BIO_set_data(b, c);
	BIO_set_init(b, 1);
	return b;
}

/* ---- fibres ---- */

/* A fibre may have come free: the next in line tries. Each who is called and
 * does not keep the fibre calls the next. */
static void
call_next(void)
{
	struct list *first;
	struct conn_tls *t;
	struct conn *c;

	while ((first = list_first(&line)) != NULL) {
		list_remove(first);
		t = LIST_OF(first, struct conn_tls, in_line);
		c = t->sign->arg;
		if (c->phase == CONN_DEAD)
			continue; /* it would not try any more */
		t->called = true;
		conn_unhold(c);
		return;
	}
}

static void
on_wake(void *arg)
{
	conn_unhold(arg);
}

static struct tls_sign *
sign_new(struct conn *c, struct ipc_link *(*link)(void))
{
	struct tls_sign *s = calloc(1, sizeof *s);

	if (s != NULL) {
		s->link = link;
		s->wake = on_wake;
		s->arg = c;
	}
	return s;
}

/* ---- the layer ---- */

/* The handshake or the stream failed; a socket's own failure was told. */
static void
fail(struct conn *c, bool shaking)
{
	const char *why = tls_reason();

	if (shaking && c->tls->eof)
		why = "closed during the handshake";
	else if (shaking && c->tls->sign != NULL &&
	    c->tls->sign->state == SIGN_FAILED)
		why = "no signature from keys";
	conn_fail(c, CONN_TLS, 0, why);
}

static int
drive(struct conn_tls *t)
{
	int r;

	ERR_clear_error();
	tls_sign_enter(t->sign);
	r = SSL_do_handshake(t->ssl);
	tls_sign_enter(NULL);
	return r == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, r);
}

static void
shaken(struct conn_tls *t)
{
	if (!SSL_is_server(t->ssl))
		tls_client_shaken(t->ssl);
	/* Left on, every read and write would run in a fibre. */
	(void)SSL_clear_mode(t->ssl, SSL_MODE_ASYNC);
	free(t->sign);
	t->sign = NULL;
}

static enum conn_shake
tls_shake(struct conn *c)
{
	struct conn_tls *t = c->tls;
	int e = drive(t);

	t->called = false;
	if (e == SSL_ERROR_WANT_ASYNC_JOB) {
		list_add(&line, &t->in_line);
		return CONN_SHAKE_HELD;
	}
	if (e == SSL_ERROR_WANT_ASYNC)
		return CONN_SHAKE_HELD;
	if (t->sign != NULL)
		call_next();
	if (e == SSL_ERROR_NONE) {
		shaken(t);
		return CONN_SHAKE_DONE;
	}
	if (e == SSL_ERROR_WANT_READ)
		return CONN_SHAKE_AGAIN;
	fail(c, true);
	return CONN_SHAKE_FAILED;
}

static ssize_t
tls_read(struct conn *c, char *p, size_t n)
{
	size_t got = 0;
	int e;

	ERR_clear_error();
	if (SSL_read_ex(c->tls->ssl, p, n, &got) == 1)
		return (ssize_t)got;
	e = SSL_get_error(c->tls->ssl, 0);
	if (e == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (e != SSL_ERROR_WANT_READ)
		fail(c, false);
	errno = EAGAIN;
	return -1;
}

static bool
tls_has_pending(const struct conn *c)
{
	return SSL_pending(c->tls->ssl) > 0 || fifo_size(&c->tls->raw) > 0;
}

static void
tls_seal(struct conn *c)
{
	struct slice v;
	size_t done;

	while (fifo_size(&c->out) > 0 && fifo_size(&c->wire) < WIRE_HIGH) {
		v = slice_head(fifo_view(&c->out), SEAL_MAX);
		ERR_clear_error();
		if (SSL_write_ex(c->tls->ssl, v.p, v.n, &done) != 1) {
			fail(c, false);
			return;
		}
		fifo_drop(&c->out, done);
	}
}

static void
tls_close(struct conn *c)
{
	ERR_clear_error();
	(void)SSL_shutdown(c->tls->ssl);
	ERR_clear_error();
}

static void
tls_free(struct conn *c)
{
	struct conn_tls *t = c->tls;
	bool pass_on = t->called;

	if (t->sign != NULL && t->sign->state == SIGN_WAITING) {
		tls_sign_abort(t->sign);
		(void)drive(t); /* lets the fibre run to its end */
		pass_on = true;
	}
	list_remove(&t->in_line);
	/* However it ended, its session may be taken up again: since TLS 1.1
	 * a missing close_notify spoils none (RFC 5246 7.2.1). */
	if (c->secure)
		SSL_set_shutdown(t->ssl,
		    SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	fifo_fini(&t->raw);
	free(t->sign);
	free(t);
	c->tls = NULL;
	ERR_clear_error();
	if (pass_on)
		call_next();
}

static const struct conn_layer layer = {
	.shake = tls_shake,
	.read = tls_read,
	.has_pending = tls_has_pending,
	.seal = tls_seal,
	.close = tls_close,
	.free = tls_free,
};

/* Takes `ssl` over; NULL: `why` says why there is none. */
static void
start(struct conn *c, SSL *ssl, struct tls_sign *sign, const char *why)
{
	struct conn_tls *t = calloc(1, sizeof *t);
	BIO *bio = ssl == NULL ? NULL : new_bio(c);

	if (c->layer != NULL)
		BUG("TLS is started twice");
	if (t == NULL || bio == NULL) {
		conn_fail(c, CONN_TLS, 0, ssl == NULL ? why : "no memory");
		SSL_free(ssl);
		BIO_free(bio);
		free(sign);
		free(t);
		return;
	}
	SSL_set_bio(ssl, bio, bio);
	t->ssl = ssl;
	t->sign = sign;
	fifo_init(&t->raw, RAW_MAX);
	conn_set_layer(c, &layer, t);
}

void
conn_start_tls_server(struct conn *c, struct tls_server *s)
{
	const char *why = "no memory";
	struct tls_sign *sign = sign_new(c, tls_server_link(s));
	SSL *ssl = sign == NULL ? NULL : tls_server_open(s, &why);

	start(c, ssl, sign, why);
}

void
conn_start_tls_client(struct conn *c, struct tls_client *t, const char *name)
{
	const char *why = NULL;
	SSL *ssl = tls_client_open(t, name, &why);

	start(c, ssl, NULL, why);
}

/* ---- what is known of it ---- */

static const SSL *
secure(const struct conn *c)
{
	return c->secure && c->tls != NULL ? c->tls->ssl : NULL;
}

const char *
conn_tls_version(const struct conn *c)
{
	return secure(c) == NULL ? "" : SSL_get_version(secure(c));
}

const char *
conn_tls_cipher(const struct conn *c)
{
	return secure(c) == NULL ? "" : SSL_get_cipher_name(secure(c));
}

const char *
conn_tls_sni(const struct conn *c)
{
	const char *name = NULL;

	if (secure(c) != NULL)
		name = SSL_get_servername(secure(c), TLSEXT_NAMETYPE_host_name);
	return name == NULL ? "" : name;
}

bool
conn_tls_is_resumed(const struct conn *c)
{
	return secure(c) != NULL && SSL_session_reused(secure(c));
}

bool
conn_tls_is_verified(const struct conn *c)
{
	/* Without a name to compare with, a chain is good for anybody's. */
	return secure(c) != NULL &&
	    SSL_get0_peer_certificate(secure(c)) != NULL &&
	    tls_client_has_identity(c->tls->ssl) &&
	    SSL_get_verify_result(secure(c)) == X509_V_OK;
}

int
conn_tls_exporter(const struct conn *c, unsigned char out[32])
{
	static const char label[] = "EXPORTER-Channel-Binding";

	/* Below TLS 1.3 two sessions may share a secret unless the master
	 * secret is the extended one (RFC 9266 2). */
	if (secure(c) == NULL ||
	    (SSL_version(secure(c)) < TLS1_3_VERSION &&
		SSL_get_extms_support(c->tls->ssl) != 1))
		return -1;
	if (SSL_export_keying_material(c->tls->ssl, out, 32, label,
		sizeof label - 1, (const unsigned char *)"", 0, 1) != 1)
		return -1;
	return 0;
}
