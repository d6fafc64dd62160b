/* SPDX-License-Identifier: ISC */
/*
 * What a front may have signed, and the signing. A front that was broken into
 * can ask; what it gets must be of no use but for a handshake of its own: a
 * TLS 1.3 CertificateVerify of a server (RFC 8446 4.4.3) or a TLS 1.2
 * ServerKeyExchange with an ephemeral EC key (RFC 8422 5.4).
 */
#ifndef AUTH_KEYS_SIGN_H
#define AUTH_KEYS_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct evp_pkey_st;

struct keys_request {
	struct slice tbs;    /* the whole text */
	struct slice digest; /* its name; empty for Ed25519 */
	unsigned padding;    /* enum key_padding of sys/tls_keys.h */
	int64_t salt;
};

/* NULL when the key may sign this so; else why not (static). */
const char *keys_sign_refusal(const struct keys_request *r,
    const struct evp_pkey_st *key);
/* The signature into sig[*n_r], *n_r then its length. 0, or -1. For a request
 * that was not refused. */
int keys_sign(const struct keys_request *r, struct evp_pkey_st *key,
    unsigned char *sig, size_t *n_r) __attribute__((warn_unused_result));

#endif
