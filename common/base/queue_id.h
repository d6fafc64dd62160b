/* SPDX-License-Identifier: ISC */
/*
 * The text form of a queue id, the same in every log, header and reply: base 32
 * in digits and lower-case letters without i, l, o, u, most significant first,
 * no padding (queue/FORMAT, "Ids").
 */
#ifndef BASE_QUEUE_ID_H
#define BASE_QUEUE_ID_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { QUEUE_ID_MAX = 13 }; /* characters of any id */

void queue_id_add(struct buf *out, uint64_t id);
/* The same in one of eight buffers used in turn, for a log line. */
const char *queue_id_text(uint64_t id);
/* Either case, O for 0, I and L for 1. 0, or -1 when it is no id. */
int queue_id_parse(struct slice text, uint64_t *id_r)
    __attribute__((warn_unused_result));

#endif
