/* SPDX-License-Identifier: ISC */
/*
 * OpenSSL's ticket callback on the shared keys: AES-256-CBC and HMAC-SHA256
 * (RFC 5077 4). The answer for a ticket that was opened under TLS 1.3 is "give
 * a new one" (2): clients use each ticket once (RFC 8446 C.4), so without it
 * every second connection would be a full handshake.
 */
#include "sys/tls_stek.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "sys/tls_tickets.h"

enum { NOT_OURS = 0, GOOD = 1, GOOD_RENEW = 2, FAILED = -1 };

static int slot = -1; /* of the context's pointer to its tickets */

static struct tls_tickets *
tickets_of(const SSL *ssl)
{
	struct tls_tickets *const *at;

	at = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), slot);
	return at == NULL ? NULL : *at;
}

static int
set_keys(const struct tls_ticket_key *k, const unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	char digest[] = "SHA256";
	unsigned char secret[sizeof k->mac];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret,
		    sizeof secret),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
		    0),
		OSSL_PARAM_construct_end()
	};
	int ok;

	memcpy(secret, k->mac, sizeof secret);
	ok = EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->aes, iv,
		 sealing) == 1 &&
	    EVP_MAC_CTX_set_params(mac, params) == 1;
	OPENSSL_cleanse(secret, sizeof secret);
	return ok ? 0 : -1;
}

static int
on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv,
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	const struct tls_tickets *t = tickets_of(ssl);
	enum tls_ticket_age age = TLS_TICKET_CURRENT;
	struct tls_ticket_key key;
	int r;

	if (t == NULL)
		return NOT_OURS;
	if (sealing) {
		if (tls_tickets_current(t, &key) < 0 ||
		    RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()))
			!= 1)
			return FAILED;
		memcpy(name, key.name, sizeof key.name);
	} else {
		age = tls_tickets_find(t, name, &key);
		if (age == TLS_TICKET_UNKNOWN)
			return NOT_OURS;
	}
	r = set_keys(&key, iv, cipher, mac, sealing);
	OPENSSL_cleanse(&key, sizeof key);
	if (r < 0)
		return FAILED;
	if (!sealing &&
	    (age == TLS_TICKET_OLDER || SSL_version(ssl) == TLS1_3_VERSION))
		return GOOD_RENEW;
	return GOOD;
}

int
tls_stek_use(SSL_CTX *ctx, struct tls_tickets *const *tickets)
{
	static const unsigned char context[] = "veredus";
	void *at = (void *)(uintptr_t)tickets;

	if (slot < 0)
		slot = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (slot < 0 || SSL_CTX_set_ex_data(ctx, slot, at) != 1 ||
	    SSL_CTX_set_session_id_context(ctx, context,
		sizeof context - 1) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) != 1 ||
	    /* One is enough: each connection resumed brings the next. */
	    SSL_CTX_set_num_tickets(ctx, 1) != 1)
		return -1;
	(void)SSL_CTX_set_timeout(ctx, TLS_TICKETS_LIFE_S);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return 0;
}

void
tls_stek_prepare(SSL *ssl)
{
	if (tickets_of(ssl) != NULL)
		return;
	(void)SSL_set_num_tickets(ssl, 0);
	(void)SSL_set_options(ssl, SSL_OP_NO_TICKET);
}
