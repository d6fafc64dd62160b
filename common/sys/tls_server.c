/* SPDX-License-Identifier: ISC */
/*
 * Server contexts: one per generation of certificates, which lives as long as
 * a connection uses it. The certificate is chosen in OpenSSL's certificate
 * callback; a context holds those of the default name already.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/tls_cert.h"
#include "sys/tls_priv.h"
#include "sys/tls_stek.h"
#include "sys/tls_tickets.h"

#define SUITES_12 "ECDHE+AESGCM:ECDHE+CHACHA20"

struct tls_server {
	struct ipc_link *(*sign)(void);
	SSL_CTX *current; /* NULL: no certificates */
	SSL_CTX *next;    /* being collected */
	struct tls_tickets *tickets;
};

static int slot = -1; /* of a context's certificates */

struct tls_server *
tls_server_new(struct ipc_link *(*sign)(void))
{
	struct tls_server *s = calloc(1, sizeof *s);

	if (s == NULL)
		fatal("event=no_memory for=tls_server");
	tls_init();
	s->sign = sign;
	return s;
}

void
tls_server_free(struct tls_server **sp)
{
	struct tls_server *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	SSL_CTX_free(s->current);
	SSL_CTX_free(s->next);
	tls_tickets_unmap(&s->tickets);
	free(s);
}

/* ---- the choice ---- */

static const struct tls_name *
wanted(const SSL *ssl, const struct tls_certs *certs)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	return name == NULL ? NULL : tls_certs_find(certs, name);
}

/* RFC 6066 3: the answer says whether the name meant anything to us. An
 * unknown one is no error: a client that cannot use the default certificate
 * will say so itself. */
static int
on_server_name(SSL *ssl, int *alert, void *arg)
{
	(void)alert;
	return wanted(ssl, arg) != NULL ? SSL_TLSEXT_ERR_OK
					: SSL_TLSEXT_ERR_NOACK;
}

static int
use(SSL *ssl, const struct tls_cert *c)
{
	return SSL_use_cert_and_key(ssl, c->leaf, c->key, c->chain, 1);
}

static int
on_certificate(SSL *ssl, void *arg)
{
	const struct tls_certs *certs = arg;
	const struct tls_name *name = wanted(ssl, certs);
	int i;

	if (name == NULL || name->certs[0] == certs->first.certs[0])
		return 1;
	SSL_certs_clear(ssl);
	for (i = 0; i < TLS_CERT_KINDS && name->certs[i] != NULL; i++)
		if (use(ssl, name->certs[i]) != 1)
			return 0;
	return 1;
}

/* ---- contexts ---- */

static void
on_context_free(void *parent, void *certs, CRYPTO_EX_DATA *ad, int index,
    long argl, void *argp)
{
	(void)parent;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	if (certs == NULL)
		return;
	tls_certs_fini(certs);
	free(certs);
}

static SSL_CTX *
new_context(struct tls_server *s)
{
	struct tls_certs *certs = malloc(sizeof *certs);
	SSL_CTX *ctx = tls_new_context(TLS_server_method(), SUITES_12);

	if (slot < 0)
		slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL,
		    on_context_free);
	if (certs == NULL || ctx == NULL || slot < 0 ||
	    tls_stek_use(ctx, &s->tickets) < 0 ||
	    SSL_CTX_set_ex_data(ctx, slot, certs) != 1) {
		free(certs);
		SSL_CTX_free(ctx);
		return NULL;
	}
	tls_certs_init(certs);
	(void)SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE |
		SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_cert_cb(ctx, on_certificate, certs);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
	(void)SSL_CTX_set_tlsext_servername_arg(ctx, certs);
	return ctx;
}

/* Would OpenSSL's policy take it (size of the key, digest)? */
static int
check(SSL_CTX *ctx, const struct tls_cert *c, struct buf *why)
{
	SSL *ssl = SSL_new(ctx);
	int ok;

	ERR_clear_error();
	ok = ssl != NULL && use(ssl, c) == 1 && SSL_check_private_key(ssl) == 1;
	if (!ok)
		buf_addf(why, "not acceptable: %s", tls_reason());
	SSL_free(ssl);
	return ok ? 0 : -1;
}

int
tls_server_add(struct tls_server *s, uint32_t key, struct slice names,
    struct slice chain, struct buf *why)
{
	struct tls_cert *c;

	if (s->next == NULL)
		s->next = new_context(s);
	if (s->next == NULL) {
		buf_addf(why, "no TLS context: %s", tls_reason());
		return -1;
	}
	c = tls_cert_new(key, chain, why);
	if (c == NULL)
		return -1;
	if (check(s->next, c, why) < 0) {
		tls_cert_free(c);
		return -1;
	}
	if (tls_certs_add(SSL_CTX_get_ex_data(s->next, slot), c, names) < 0)
		fatal("event=no_memory for=certificates");
	return 0;
}

void
tls_server_use(struct tls_server *s)
{
	const struct tls_certs *certs;
	const struct tls_cert *c;
	int i;

	SSL_CTX_free(s->current);
	s->current = s->next;
	s->next = NULL;
	if (s->current == NULL)
		return;
	certs = SSL_CTX_get_ex_data(s->current, slot);
	for (i = 0; i < TLS_CERT_KINDS; i++) {
		c = certs->first.certs[i];
		if (c == NULL)
			break;
		if (SSL_CTX_use_cert_and_key(s->current, c->leaf, c->key,
			c->chain, 1) != 1)
			BUG("a checked certificate is refused");
	}
	if (i > 0)
		return;
	SSL_CTX_free(s->current); /* all that came were refused */
	s->current = NULL;
}

bool
tls_server_is_usable(const struct tls_server *s)
{
	return s->current != NULL;
}

void
tls_server_tickets(struct tls_server *s, int memfd)
{
	struct tls_tickets *fresh = tls_tickets_map(memfd);

	if (fresh == NULL) {
		log_warn("event=tickets_refused");
		return;
	}
	tls_tickets_unmap(&s->tickets);
	s->tickets = fresh;
}

SSL *
tls_server_open(struct tls_server *s, const char **why_r)
{
	SSL *ssl;

	*why_r = "no certificate";
	if (s->current == NULL)
		return NULL;
	ssl = SSL_new(s->current);
	if (ssl == NULL) {
		*why_r = tls_reason();
		return NULL;
	}
	SSL_set_accept_state(ssl);
	/* Until the handshake is done: see conn_tls.c. */
	(void)SSL_set_mode(ssl, SSL_MODE_ASYNC);
	tls_stek_prepare(ssl);
	return ssl;
}

struct ipc_link *(*tls_server_link(const struct tls_server *s))(void)
{
	return s->sign;
}
