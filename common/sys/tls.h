/* SPDX-License-Identifier: ISC */
/*
 * What TLS connections share: certificates by name, session tickets, policy.
 * Private keys are not here: `keys` holds them and signs on request (messages
 * SIGN_ASK, SIGN_ANSWER) behind an OpenSSL provider of our own. TLS 1.2 and
 * up, no RSA key exchange, AEAD suites.
 */
#ifndef SYS_TLS_H
#define SYS_TLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct tls_server;
struct tls_client;
struct ipc_link;

/* Loads OpenSSL's default provider and our own, before any jail; allocates
 * what cannot be opened later. Once per process. fatal() when it fails. */
void tls_init(void);

/*
 * An empty set of certificates: TLS is not possible until tls_server_use().
 * `sign` gives the link on which to ask for a signature, or NULL when keys is
 * away: the handshake then fails.
 */
struct tls_server *tls_server_new(struct ipc_link *(*sign)(void));
/* After the last connection that uses it. */
void tls_server_free(struct tls_server **s);
/* Collects a certificate of the next generation (message CERT): PEM chain,
 * further names (LF between), number of its key. 0; -1 with `why`. */
int tls_server_add(struct tls_server *s, uint32_t key, struct slice names,
    struct slice chain, struct buf *why) __attribute__((warn_unused_result));
/* The collected set becomes current for new handshakes. */
void tls_server_use(struct tls_server *s);
bool tls_server_is_usable(const struct tls_server *s);
/* Maps the ticket keys that master rotates (sys/tls_tickets.h); the descriptor
 * stays the caller's. Without them no tickets are given. */
void tls_server_tickets(struct tls_server *s, int memfd);

/* Opportunistic client: no certificate ends a handshake, TLS 1.2 and up,
 * sessions resumed by peer name. */
struct tls_client *tls_client_new(void);
/* Authorities (PEM certificates in a file) against which the peers' chains are
 * checked, for what conn_tls_is_verified() answers. To be read before the jail; the
 * descriptor stays the caller's. 0; -1 with `why`. */
int tls_client_trust(struct tls_client *t, int fd, struct buf *why)
    __attribute__((warn_unused_result));
void tls_client_free(struct tls_client **t);

#endif
