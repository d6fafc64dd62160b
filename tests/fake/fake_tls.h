/* SPDX-License-Identifier: ISC */
/*
 * TLS that encrypts nothing, linked instead of sys/conn_tls.c and
 * session/tls_front.c: the handshake is the client's line FAKE_TLS_HELLO.
 */
#ifndef TESTS_FAKE_TLS_H
#define TESTS_FAKE_TLS_H

#include <stdbool.h>

#define FAKE_TLS_HELLO "<hello>"

/* Is there a certificate, and a channel binding? */
void fake_tls_set(bool is_usable, bool has_exporter);

#endif
