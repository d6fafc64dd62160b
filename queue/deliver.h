/* SPDX-License-Identifier: ISC */
/*
 * One attempt at a message: recipients are routed by `directory`, aliases
 * expanded and recorded, deliveries handed to owners and relays within the
 * limits of each destination, results gathered.
 */
#ifndef QUEUE_DELIVER_H
#define QUEUE_DELIVER_H

#include "queue/message.h"
#include "sys/ipc.h"

void deliver_init(struct loop *l);
/* Begins an attempt; ends in schedule_attempt_over or schedule_postponed. */
void deliver_begin(struct message *m);
/* A relay process ended (crashed: by a signal that means a bug). */
void deliver_relay_died(uint32_t instance, bool crashed);
void deliver_owner_crashed(uint64_t account);
/* Deliveries that are out now. */
size_t deliver_active(void);

#endif
