/* SPDX-License-Identifier: ISC */
/*
 * The administrator's verbs on the queue. Arguments are pairs (sys/row.h):
 *
 *   queue list     after, limit (at most 1,000); a row a message: id, state,
 *                  size, arrival, next, attempts, sender, recipients, text;
 *                  a row with only `next` when there is more
 *   queue show     id; rows: the message, then one a recipient
 *   queue flush    id, or none for all: tried now
 *   queue hold, queue release, queue remove    id
 */
#ifndef QUEUE_ADMIN_H
#define QUEUE_ADMIN_H

#include "sys/ipc.h"

void admin_run(struct ipc_link *l, uint64_t req, struct slice verb,
    struct slice args);

#endif
