/* SPDX-License-Identifier: ISC */
/*
 * The event loop: descriptors, timers, signals, and work left for the end of
 * the turn. One per process. Deadlines are clock_boot_ms() values. Objects are
 * embedded in the caller's structs; removing one is always allowed, also from
 * inside its own callback. A test may link another loop.c with scripted time.
 */
#ifndef SYS_LOOP_H
#define SYS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "base/list.h"

struct loop;
struct event;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop_io {
	struct loop *loop;
	int fd;
	unsigned want;
	void (*ready)(void *arg, unsigned what);
	void *arg;
	struct event *event;
	unsigned armed;
};

struct loop_timer {
	struct loop *loop;
	struct heap_node node;
	void (*expired)(void *arg);
	void *arg;
};

/* Something to do once, when all events of this turn were handled. */
struct loop_later {
	struct loop *loop;
	struct list link;
	void (*run)(void *arg);
	void *arg;
};

/* NULL when the kernel refuses. */
struct loop *loop_new(void);
void loop_free(struct loop **l);
/* Runs until loop_stop(). */
void loop_run(struct loop *l);
/* One turn: waits for events (not at all when !wait), handles them. */
void loop_turn(struct loop *l, bool wait);
void loop_stop(struct loop *l);

/*
 * Prepares *io for `fd`; nothing is watched until loop_io_want. The descriptor
 * stays the caller's and must be open until loop_io_remove.
 */
void loop_io_init(struct loop_io *io, struct loop *l, int fd,
    void (*ready)(void *arg, unsigned what), void *arg);
/* Watches for LOOP_READ and/or LOOP_WRITE, level-triggered; 0 for neither. */
void loop_io_want(struct loop_io *io, unsigned what);
void loop_io_remove(struct loop_io *io);

void loop_timer_init(struct loop_timer *t, struct loop *l,
    void (*expired)(void *arg), void *arg);
/* Sets or moves it; it fires once, at or after the deadline. */
void loop_timer_set(struct loop_timer *t, int64_t deadline_ms);
/* Harmless when not set. */
void loop_timer_clear(struct loop_timer *t);
bool loop_timer_is_set(const struct loop_timer *t);

void loop_later_init(struct loop_later *d, struct loop *l,
    void (*run)(void *arg), void *arg);
/* Runs it at the end of this turn; asking twice is once. */
void loop_later_ask(struct loop_later *d);
void loop_later_remove(struct loop_later *d);

/* Calls `caught` in the loop, not in the signal handler. 0, or -1. */
int loop_signal(struct loop *l, int signo, void (*caught)(void *arg),
    void *arg) __attribute__((warn_unused_result));

#endif
