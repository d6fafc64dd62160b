/* SPDX-License-Identifier: ISC */
/*
 * The certificates of a role that speaks TLS as a server: what master hands
 * over (messages CERT, CERT_END, the file "tls-tickets"), with signatures asked
 * of `keys`. One set per process.
 */
#ifndef SESSION_TLS_FRONT_H
#define SESSION_TLS_FRONT_H

#include "base/slice.h"
#include "sys/ipc.h"

struct tls_server;

/* Loads what cannot be opened in the jail: for `configure` or `before_jail`; a
 * second call does nothing. */
void tls_front_init(void);
/* For conn_start_tls_server(); NULL as long as there is no certificate: then
 * TLS is not to be offered. Read anew at each use. */
struct tls_server *tls_front_server(void);

/* For the role's handlers. */
ipc_handler tls_front_on_cert, tls_front_on_cert_end;
/* For struct role: file. Takes the descriptor over, whatever its name. */
void tls_front_file(struct slice name, int fd);

#endif
