/* SPDX-License-Identifier: ISC */
/* Links to owner processes, opened by the broker and kept while they last. */
#ifndef QUEUE_OWNERS_H
#define QUEUE_OWNERS_H

#include "proto/status.h"
#include "sys/ipc.h"

/*
 * The link to an account's owner: `done` comes from the loop, or at once when
 * the link is there already; l NULL: outcome and text say why not.
 */
typedef void owners_done(void *arg, struct ipc_link *l, enum outcome outcome,
    struct slice text);
void owners_open(uint64_t account, owners_done *done, void *arg);
/* Tells the owner, if it runs, that a delivery is released. */
void owners_released(uint64_t account, uint64_t id, uint32_t group);
size_t owners_count(void);

#endif
