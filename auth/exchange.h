/* SPDX-License-Identifier: ISC */
/*
 * Authentications under way. A front begins one with AUTH_START, brings
 * responses with AUTH_MORE, and gets one AUTH_ANSWER for each; initial,
 * response and challenge are SASL messages as they are, without base 64. The
 * way of one:
 *
 *	SASL     the mechanism's messages (proto/sasl_server.h)
 *	LOOKUP   whose name is it? (directory)
 *	RATES    too many failures from there? (state)
 *	HASHING  is it the password? (auth/hashing.h), or the proof of SCRAM
 *	TICKET   the broker hears who may come (for `access`)
 *	HELD     wrong: the answer waits, as long for unknown names as for
 *	         wrong passwords
 */
#ifndef AUTH_EXCHANGE_H
#define AUTH_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "sys/ipc.h"

struct conf_auth;
struct loop;
struct passwords;

void exchanges_init(struct loop *l, struct passwords *p);
/* Valid until the next call. */
void exchanges_configure(const struct conf_auth *conf);
void exchanges_fini(void);

/* Handlers of the role. */
void exchange_on_start(struct ipc_link *l, const union ipc_any *m, int fd);
void exchange_on_more(struct ipc_link *l, const union ipc_any *m, int fd);
void exchange_on_abort(struct ipc_link *l, const union ipc_any *m, int fd);
/* A front is gone, and with it its exchanges. */
void exchanges_drop(const struct ipc_link *l);

/* Pairs for `veredus status`. */
void exchanges_status(struct buf *row);

#endif
