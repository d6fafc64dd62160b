/* SPDX-License-Identifier: ISC */
/*
 * corrupt/: where slots go that cannot be read or used, with what belongs to
 * them, for the administrator. They are moved, not copied: that needs no room
 * and cannot be done twice. Blocking; used by the threads.
 */
#ifndef QUEUE_ASIDE_H
#define QUEUE_ASIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/slot.h"

/* Body and journal of `id` (0: not known) first, then the slot. 0; -1 with
 * errno: the slot is where it was. */
int aside_move(int dir, enum slot_kind kind, uint32_t number, uint64_t id,
    int64_t now, bool strict) __attribute__((warn_unused_result));
/* A body or journal whose slot is not known. */
int aside_move_id(int dir, const char *folder, uint64_t id, int64_t now)
    __attribute__((warn_unused_result));

#endif
