/* SPDX-License-Identifier: ISC */
/* Deliveries into this owner's mailboxes, from `queue` and `lmtp`. */
#ifndef MDA_DELIVER_H
#define MDA_DELIVER_H

#include "sys/ipc.h"

/* A deliverer was introduced; takes the descriptor over. */
void deliver_peer(int fd, enum role_id peer, uint32_t instance);

#endif
