/* SPDX-License-Identifier: ISC */
/*
 * A server's certificates and which of them answers to a name: exact, then
 * one level of wildcard (RFC 6125 6.4.3), then the first certificate. Several
 * kinds of key under one name stand side by side; TLS chooses.
 */
#ifndef SYS_TLS_CERT_H
#define SYS_TLS_CERT_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slice.h"

struct tls_cert {
	struct list link;
	int kind; /* EVP_PKEY_get_base_id of its key */
	X509 *leaf;
	STACK_OF(X509) *chain; /* without the leaf; may be NULL */
	EVP_PKEY *key;
};

/* From a PEM chain, leaf first; `key` is the number of its key. NULL with the
 * reason in `why`. */
struct tls_cert *tls_cert_new(uint32_t key, struct slice pem, struct buf *why);
void tls_cert_free(struct tls_cert *c);

enum { TLS_CERT_KINDS = 3 };

/* The certificates under one name, one of each kind of key. */
struct tls_name {
	const struct tls_cert *certs[TLS_CERT_KINDS];
};

struct tls_certs {
	struct list certs; /* owned */
	struct map names;  /* lower case -> struct tls_name, owned */
	struct tls_name first;
};

void tls_certs_init(struct tls_certs *s);
void tls_certs_fini(struct tls_certs *s);
/* Takes the certificate over, also when it fails (-1: out of memory; then the
 * set is to be thrown away). `names`: further ones, LF between. */
int tls_certs_add(struct tls_certs *s, struct tls_cert *cert,
    struct slice names) __attribute__((warn_unused_result));
/* NULL when no certificate is for that name. */
const struct tls_name *tls_certs_find(const struct tls_certs *s,
    const char *name);

#endif
