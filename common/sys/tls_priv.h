/* SPDX-License-Identifier: ISC */
/* What conn_tls.c needs of tls.c, tls_server.c and tls_client.c. */
#ifndef SYS_TLS_PRIV_H
#define SYS_TLS_PRIV_H

#include <openssl/ssl.h>

#include "sys/tls.h"

/* The policy of both sides: versions, suites, options, memory. NULL when
 * OpenSSL refuses. */
SSL_CTX *tls_new_context(const SSL_METHOD *method, const char *suites);
/* OpenSSL's word for the failure just seen, and forgets it; "unknown". The
 * string is static. */
const char *tls_reason(void);

/* For PEM_read_*: refuses instead of asking at a terminal. */
int tls_no_passphrase(char *out, int size, int writing, void *arg);

/* A connection with the current certificates; NULL with the reason. */
SSL *tls_server_open(struct tls_server *s, const char **why_r);
struct ipc_link *(*tls_server_link(const struct tls_server *s))(void);
/* A connection to `name`, a host or an address, for which the certificate must
 * be; NULL: for nobody known. Only a host is sent, only its sessions resumed. */
SSL *tls_client_open(struct tls_client *t, const char *name,
    const char **why_r);
/* Was there one to compare the certificate with? */
bool tls_client_has_identity(SSL *ssl);
/* The handshake of such a connection is done. */
void tls_client_shaken(SSL *ssl);

#endif
