/* SPDX-License-Identifier: ISC */
/*
 * The loop with scripted time: linked instead of sys/loop.c, together with
 * fake_clock.c. Timers fire when the test lets time pass; descriptors become
 * ready when the test says so.
 */
#ifndef TESTS_FAKE_LOOP_H
#define TESTS_FAKE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Runs what is due now: timers and work left for the end of the turn. */
void fake_loop_settle(struct loop *l);
/* Lets time pass, firing each timer at its own time. */
void fake_loop_advance(struct loop *l, int64_t ms);
/* Calls the callback of the watched descriptor with those of `what` that it
 * wants. False when it wants none of them. */
bool fake_loop_ready(struct loop *l, int fd, unsigned what);
/* The same for all that are ready by the kernel's word, once each. False when
 * none is. */
bool fake_loop_poll(struct loop *l);
/* When the next timer is due; INT64_MAX: none is set. */
int64_t fake_loop_next(const struct loop *l);
/* How many timers are set. */
unsigned fake_loop_timers(const struct loop *l);

#endif
