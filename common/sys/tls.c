/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL made ready for this process, and the policy both sides share: TLS
 * 1.2 and up (RFC 8996), forward secrecy and AEAD suites (RFC 9325). The
 * policy stands here and nowhere else: openssl.cnf is not read.
 */
#include "sys/tls.h"

#include <openssl/async.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "sys/log.h"
#include "sys/tls_keys.h"
#include "sys/tls_priv.h"

/* Handshakes that may wait for a signature at once, each in a fibre of 32 KB
 * that is kept. More than these queue. */
enum { FIBRES_MAX = 64 };

void
tls_init(void)
{
	static OSSL_PROVIDER *standard; /* held as long as the process */
	unsigned char byte;

	if (standard != NULL)
		return;
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
		    OPENSSL_INIT_LOAD_SSL_STRINGS |
		    OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
		NULL) != 1)
		fatal("event=tls_init_failed why=%s", LOG_S(tls_reason()));
	standard = OSSL_PROVIDER_load(NULL, "default");
	if (standard == NULL || tls_keys_init() < 0 ||
	    /* Ours only where it is asked for by name (tls_keys.c). */
	    EVP_set_default_properties(NULL, "?provider=default") != 1 ||
	    ASYNC_init_thread(FIBRES_MAX, 0) != 1 ||
	    RAND_bytes(&byte, 1) != 1)
		fatal("event=tls_init_failed why=%s", LOG_S(tls_reason()));
}

const char *
tls_reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = NULL;

	if (e != 0)
		text = ERR_reason_error_string(e);
	ERR_clear_error();
	return text != NULL ? text : "unknown";
}

SSL_CTX *
tls_new_context(const SSL_METHOD *method, const char *suites)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (ctx == NULL)
		return NULL;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, suites) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	/* An idle connection keeps no record buffers; a peer that just closes
	 * is a peer that closed: the protocols above know their own ends. */
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
		SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
		SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	return ctx;
}
