/* SPDX-License-Identifier: ISC */
/* Session tickets of a server context, sealed with the shared ticket keys. */
#ifndef SYS_TLS_STEK_H
#define SYS_TLS_STEK_H

#include <openssl/ssl.h>

struct tls_tickets;

/*
 * Makes the context seal its tickets with *tickets, which may be NULL until
 * they come: then no tickets are given. The pointer is read at each handshake
 * and must live as long as the context.
 */
int tls_stek_use(SSL_CTX *ctx, struct tls_tickets *const *tickets)
    __attribute__((warn_unused_result));
/* Before a handshake: gives no tickets when there are no keys. */
void tls_stek_prepare(SSL *ssl);

#endif
