/* SPDX-License-Identifier: ISC */
/* Mail on its way in: transactions of smtpd, submission and pickup. */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include "sys/ipc.h"

struct message;
struct live;

/* Handlers of TX_*. */
void intake_open(struct ipc_link *l, const union ipc_any *m, int fd);
void intake_rcpt(struct ipc_link *l, const union ipc_any *m, int fd);
void intake_body(struct ipc_link *l, const union ipc_any *m, int fd);
void intake_file(struct ipc_link *l, const union ipc_any *m, int fd);
void intake_commit(struct ipc_link *l, const union ipc_any *m, int fd);
void intake_abort(struct ipc_link *l, const union ipc_any *m, int fd);
/* A submitter is gone: what was not committed is forgotten. */
void intake_peer_lost(struct ipc_link *l);
/* Transactions that are open or being made durable. */
size_t intake_open_count(void);

/*
 * The queue's own mail (bounces, notices): `l` holds envelope and body, and is
 * taken over. `done` when it is durable (ok) or refused.
 */
void intake_own(struct live *l, void (*done)(void *arg, bool ok), void *arg);

#endif
