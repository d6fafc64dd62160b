/* SPDX-License-Identifier: ISC */
/*
 * Work for the flushing threads, as structs that their owners embed. What the
 * workers have no room for waits here in order, so submitting cannot fail.
 */
#ifndef QUEUE_JOBS_H
#define QUEUE_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "sys/loop.h"

struct workers;
struct jobs;

struct job {
	struct list link;
	struct jobs *jobs;
	void (*run)(struct job *j);  /* in a thread */
	void (*done)(struct job *j); /* in the loop; may free the job */
};

struct jobs {
	struct workers *workers;
	struct loop_io io;
	struct list backlog;
	size_t under_way; /* submitted, done not yet called */
};

#define JOB_OF(ptr, type) LIST_OF(ptr, type, job)

/* 0, or -1 with errno. */
int jobs_init(struct jobs *j, struct loop *l, unsigned threads)
    __attribute__((warn_unused_result));
/* Call jobs_wait first: what has not run yet would be lost. */
void jobs_fini(struct jobs *j);
void jobs_submit(struct jobs *j, struct job *job);
/* Waits for the end of at least one job and calls `done` for all that have
 * ended. False when none is under way. */
bool jobs_wait(struct jobs *j);

#endif
