/* SPDX-License-Identifier: ISC */
/*
 * The client's side: opportunistic (RFC 3207, RFC 7435), so weak ciphers are
 * better than clear text, and no certificate ends a connection. Whether it is
 * one of the peer's is asked by who wants to show it a password.
 * Sessions are kept by peer name, the least recently used leave first; those of
 * TLS 1.3 are used once (RFC 8446 C.4).
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/list.h"
#include "base/map.h"
#include "sys/log.h"
#include "sys/sockaddr.h"
#include "sys/tls_priv.h"

#define SUITES_12 \
	"ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:@SECLEVEL=0"

enum { SESSIONS_MAX = 512 };

struct cached {
	struct list link; /* by use, the latest last */
	SSL_SESSION *session;
	char *name;
};

struct tls_client {
	SSL_CTX *ctx;
	struct map by_name;
	struct list by_use;
	size_t n;
	bool trusts; /* there are authorities to verify against */
};

static void
cached_free(struct tls_client *t, struct cached *e)
{
	(void)map_remove(&t->by_name, slice_str(e->name));
	list_remove(&e->link);
	t->n--;
	SSL_SESSION_free(e->session);
	free(e->name);
	free(e);
}

static void
keep(struct tls_client *t, const char *name, SSL_SESSION *session)
{
	struct cached *e = map_get(&t->by_name, slice_str(name));

	if (e != NULL)
		cached_free(t, e);
	if (t->n >= SESSIONS_MAX)
		cached_free(t,
		    LIST_OF(list_first(&t->by_use), struct cached, link));
	e = calloc(1, sizeof *e);
	if (e != NULL)
		e->name = strdup(name);
	if (e == NULL || e->name == NULL ||
	    map_put(&t->by_name, slice_str(name), e, NULL) < 0) {
		if (e != NULL)
			free(e->name);
		free(e);
		SSL_SESSION_free(session); /* it was only for speed */
		return;
	}
	e->session = session;
	list_add(&t->by_use, &e->link);
	t->n++;
}

/* OpenSSL gives a session away: returning 1 makes it ours. */
static int
on_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls_client *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	if (t == NULL || name == NULL || !SSL_SESSION_is_resumable(session))
		return 0;
	keep(t, name, session);
	return 1;
}

/* In TLS 1.2 a renewed ticket comes in the handshake: the session taken up is
 * spent then, and OpenSSL tells its callback of new sessions only. */
void
tls_client_shaken(SSL *ssl)
{
	SSL_SESSION *s;

	if (!SSL_session_reused(ssl) || SSL_version(ssl) >= TLS1_3_VERSION)
		return;
	s = SSL_get1_session(ssl);
	if (s != NULL && on_session(ssl, s) == 0)
		SSL_SESSION_free(s);
}

static void
resume(struct tls_client *t, SSL *ssl, const char *name)
{
	struct cached *e = map_get(&t->by_name, slice_str(name));

	if (e == NULL)
		return;
	(void)SSL_set_session(ssl, e->session);
	if (SSL_SESSION_get_protocol_version(e->session) >= TLS1_3_VERSION) {
		cached_free(t, e);
		return;
	}
	list_remove(&e->link);
	list_add(&t->by_use, &e->link);
}

struct tls_client *
tls_client_new(void)
{
	struct tls_client *t = calloc(1, sizeof *t);

	tls_init();
	if (t != NULL)
		t->ctx = tls_new_context(TLS_client_method(), SUITES_12);
	if (t == NULL || t->ctx == NULL)
		fatal("event=tls_init_failed why=%s", LOG_S(tls_reason()));
	map_init(&t->by_name);
	list_init(&t->by_use);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
	(void)SSL_CTX_set_session_cache_mode(t->ctx,
	    SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	(void)SSL_CTX_set_app_data(t->ctx, t);
	SSL_CTX_sess_set_new_cb(t->ctx, on_session);
	return t;
}

void
tls_client_free(struct tls_client **tp)
{
	struct tls_client *t = *tp;
	struct list *first;

	*tp = NULL;
	if (t == NULL)
		return;
	while ((first = list_first(&t->by_use)) != NULL)
		cached_free(t, LIST_OF(first, struct cached, link));
	map_fini(&t->by_name);
	/* Connections may outlive us. */
	(void)SSL_CTX_set_app_data(t->ctx, NULL);
	SSL_CTX_free(t->ctx);
	free(t);
}

int
tls_client_trust(struct tls_client *t, int fd, struct buf *why)
{
	X509_STORE *store = SSL_CTX_get_cert_store(t->ctx);
	BIO *in = BIO_new_fd(fd, BIO_NOCLOSE);
	X509 *cert;
	int n = 0;

	ERR_clear_error();
	while (in != NULL &&
	    (cert = PEM_read_bio_X509(in, NULL, tls_no_passphrase, NULL)) !=
		NULL) {
		n += X509_STORE_add_cert(store, cert) == 1;
		X509_free(cert);
	}
	BIO_free(in);
	if (n == 0 ||
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		buf_addf(why, "after %d certificates: %s", n, tls_reason());
		return -1;
	}
	ERR_clear_error();
	t->trusts = true;
	return 0;
}

/* What the certificate must be for. An address is no name that RFC 6066 3
 * allows in SNI. */
static int
set_identity(SSL *ssl, const char *name)
{
	struct cidr a;

	if (cidr_parse(slice_str(name), &a) == 0)
		return X509_VERIFY_PARAM_set1_ip(SSL_get0_param(ssl), a.addr,
		    a.family == AF_INET ? 4 : 16) == 1 ? 0 : -1;
	return SSL_set_tlsext_host_name(ssl, name) == 1 &&
	    SSL_set1_host(ssl, name) == 1 ? 0 : -1;
}

bool
tls_client_has_identity(SSL *ssl)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(ssl);
	char *address = X509_VERIFY_PARAM_get1_ip_asc(p);
	bool has = address != NULL || X509_VERIFY_PARAM_get0_host(p, 0) != NULL;

	OPENSSL_free(address);
	return has;
}

SSL *
tls_client_open(struct tls_client *t, const char *name, const char **why_r)
{
	SSL *ssl = SSL_new(t->ctx);

	if (name != NULL && name[0] == 0)
		name = NULL;
	if (ssl == NULL || (name != NULL && set_identity(ssl, name) < 0)) {
		*why_r = tls_reason();
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	if (name != NULL)
		resume(t, ssl, name);
	return ssl;
}
