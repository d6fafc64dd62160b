/* SPDX-License-Identifier: ISC */
/*
 * Tickets that `auth` announced: 16 random bytes that open one account, once,
 * within a time, for one `access` process.
 */
#ifndef MDA_TICKETS_H
#define MDA_TICKETS_H

#include <stdint.h>

#include "base/slice.h"

enum { TICKET_SIZE = 16, TICKETS_MAX = 65536 };

/* 0, or -1: not 16 bytes, already there, or too many. */
int tickets_add(struct slice ticket, uint64_t account, uint32_t instance,
    int64_t valid_until_ms) __attribute__((warn_unused_result));
/*
 * Uses one up. 0 with the account; -1 when there is no such ticket, it is too
 * old, or belongs to another process (it is used up all the same).
 */
int tickets_use(struct slice ticket, uint32_t instance, int64_t now_ms,
    uint64_t *account_r) __attribute__((warn_unused_result));
/* Forgets those that are too old. */
void tickets_expire(int64_t now_ms);

#endif
