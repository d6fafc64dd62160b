/* SPDX-License-Identifier: ISC */
/*
 * A message's journal file: what did not fit into its slot's tail. Blocking;
 * used by the threads, one at a time for a message. See FORMAT, "Journal".
 */
#ifndef QUEUE_JOURNAL_H
#define QUEUE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/region.h"
#include "queue/slot_format.h"

/*
 * Appends whole records and flushes them; the file is made when missing, and a
 * cut record at its end is cut off first. 0; -1 with errno: then none of them
 * counts, but if *usable_r is false some may come back: append no more.
 */
int journal_append(int dir, uint64_t id, struct slice records, bool strict,
    bool *usable_r) __attribute__((warn_unused_result));
/*
 * Reads the records that count into `out`. 0, also when there is no journal;
 * -1 with errno.
 */
int journal_load(int dir, uint64_t id, struct buf *out)
    __attribute__((warn_unused_result));
/* How many recipients the expansions in `records` add. */
uint32_t journal_count(struct slice records);
/*
 * Plays records on an envelope: the targets of expansions are added to its
 * recipients (arrays from the region, strings are views into `records`), marks
 * set. Only an expansion marks a recipient as expanded, and it counts once. 0;
 * -1 with ENOMEM or EBADMSG (a recipient that does not exist).
 */
int journal_play(struct slice records, struct region *mem,
    struct spool_envelope *e) __attribute__((warn_unused_result));

#endif
