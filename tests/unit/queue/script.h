/* SPDX-License-Identifier: ISC */
/*
 * A script of everything that a queue does, what it was promised at each point
 * of it, and the test whether a folder keeps these promises.
 */
#ifndef TESTS_UNIT_QUEUE_SCRIPT_H
#define TESTS_UNIT_QUEUE_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/unit/queue/world.h"

enum { SCRIPT_MESSAGES = 64 };

struct promise {
	uint64_t id, key;
	bool acked;    /* committed, and said so */
	bool ending;   /* finish or set_aside was asked for */
	bool aside;    /* it was set_aside */
	bool ended;    /* a flush after it was reported */
	bool marked;   /* a recipient done, flushed */
	bool marking;  /* asked for */
	bool expanded; /* a recipient expanded, reported */
	bool expanding;
};

struct promises {
	uint64_t steps; /* that the whole script took; 0 before its end */
	uint64_t max_id;
	size_t n;
	struct promise of[SCRIPT_MESSAGES];
};

/* Runs it; `changed` (may be NULL) is called after each change of *p. */
void script_run(struct world *w, struct promises *p, void (*changed)(void));
/* Opens the folder, holds it to *p, and leaves it empty and closed. `step` is
 * for the messages. */
void script_check(struct world *w, const struct promises *p, uint64_t step);

#endif
