/* SPDX-License-Identifier: ISC */
/*
 * A few threads for work that must not hold up the loop: slow hashes, flushes
 * of a disk. The loop's thread submits, the threads run, and the loop's thread
 * learns of the end through a descriptor. What a job does must be safe beside
 * the loop; nothing else in a role has to know that there are threads.
 *
 * Start them when the process has its final rights and filter: a thread has
 * the filter of the moment it was made in. Signals stay with the loop.
 */
#ifndef SYS_WORKERS_H
#define SYS_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

struct workers;

/* In a worker thread. */
typedef void workers_run_fn(void *arg);
/* In the loop's thread; was_run is false for a job dropped by workers_free. */
typedef void workers_done_fn(void *arg, bool was_run);

/*
 * `threads` (1 to WORKERS_MAX) threads, and room for `limit` (1 to
 * WORKERS_LIMIT_MAX) jobs from submission to collection. 0, or -1 with errno.
 */
enum { WORKERS_MAX = 64, WORKERS_LIMIT_MAX = 65536 };
int workers_new(unsigned threads, size_t limit, struct workers **workers_r)
    __attribute__((warn_unused_result));
/*
 * Waits for the jobs that are running, drops those that are not, calls `done`
 * for all, frees. *w becomes NULL.
 */
void workers_free(struct workers **w);

/* 0; or -1 with EAGAIN: `limit` jobs are under way, `done` is not called.
 * Jobs begin in the order they were submitted. */
int workers_submit(struct workers *w, workers_run_fn *run,
    workers_done_fn *done, void *arg) __attribute__((warn_unused_result));
/* Readable when jobs have ended. Owned by the workers. */
int workers_fd(const struct workers *w);
/* Calls `done` for each job that has ended, in the order of their ends; done
 * may submit. Returns how many there were. */
size_t workers_collect(struct workers *w);
/* Jobs from submission to collection. */
size_t workers_pending(const struct workers *w);

#endif
