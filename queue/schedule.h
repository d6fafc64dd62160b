/* SPDX-License-Identifier: ISC */
/*
 * When a message is tried, and what happens after an attempt: marks, bounces,
 * the next time, the end.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "queue/message.h"

void schedule_init(struct loop *l);
/* Just made durable, live in memory: tried at once if there is a place. */
void schedule_fresh(struct message *m);
/* Found on disk at start. */
void schedule_found(struct message *m);
/* All recipients that this attempt took on are over. */
void schedule_attempt_over(struct message *m);
/* Not begun after all: live->busy is (NULL: too many go to relays); no attempt
 * counts. */
void schedule_postponed(struct message *m);
/* Is its time over, or a delay notice due? Then it must not just wait on. */
bool schedule_is_late(const struct message *m);
/* A place among those that go to a relay, or false: it has to wait. */
bool schedule_take_remote(struct message *m);
/* There is room where it waits (waits_for). */
void schedule_called(struct message *m);
/* All of its recipients now. */
void schedule_now(struct message *m);
/* The same, as the administrator wants it: also to next hops that were not to
 * be reached a moment ago, and before the time that it asks for. */
void schedule_flush(struct message *m);
void schedule_hold(struct message *m);
void schedule_release(struct message *m);
/* Takes it out of the queue without a bounce. */
void schedule_remove(struct message *m);
/* A process that worked on it crashed. */
void schedule_crashed(struct message *m);

/* By id, or NULL. Steps through all: *pos from 0. */
struct message *schedule_find(uint64_t id);
struct message *schedule_next(size_t *pos);
size_t schedule_count(void);
size_t schedule_in_work(void);
/* Begins nothing new. */
void schedule_stop(void);

#endif
