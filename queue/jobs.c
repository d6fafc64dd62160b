/* SPDX-License-Identifier: ISC */
/* Worker threads whose bounded number of places is made unbounded by a list. */
#include "queue/jobs.h"

#include <errno.h>
#include <poll.h>

#include "sys/log.h"
#include "sys/workers.h"

enum { PLACES = 1024 };

static void
run(void *arg)
{
	struct job *job = arg;

	job->run(job);
}

static void done(void *arg, bool was_run);

/* False when all places are taken. */
static bool
hand_over(struct jobs *j, struct job *job)
{
	return workers_submit(j->workers, run, done, job) == 0;
}

static void
feed(struct jobs *j)
{
	struct list *first;

	while ((first = list_first(&j->backlog)) != NULL) {
		if (!hand_over(j, LIST_OF(first, struct job, link)))
			return;
		list_remove(first);
	}
}

static void
done(void *arg, bool was_run)
{
	struct job *job = arg;
	struct jobs *j = job->jobs;

	if (!was_run)
		BUG("a job was dropped");
	j->under_way--;
	feed(j);
	job->done(job);
}

static void
on_ready(void *arg, unsigned what)
{
	struct jobs *j = arg;

	(void)what;
	(void)workers_collect(j->workers);
}

int
jobs_init(struct jobs *j, struct loop *l, unsigned threads)
{
	*j = (struct jobs){ 0 };
	list_init(&j->backlog);
	if (workers_new(threads, PLACES, &j->workers) < 0)
		return -1;
	loop_io_init(&j->io, l, workers_fd(j->workers), on_ready, j);
	loop_io_want(&j->io, LOOP_READ);
	return 0;
}

void
jobs_fini(struct jobs *j)
{
	if (j->workers == NULL)
		return;
	loop_io_remove(&j->io);
	workers_free(&j->workers);
}

void
jobs_submit(struct jobs *j, struct job *job)
{
	job->jobs = j;
	j->under_way++;
	if (!list_is_empty(&j->backlog) || !hand_over(j, job))
		list_add(&j->backlog, &job->link);
}

bool
jobs_wait(struct jobs *j)
{
	struct pollfd p;

	if (j->workers == NULL || j->under_way == 0)
		return false;
	p = (struct pollfd){ .fd = workers_fd(j->workers), .events = POLLIN };
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
	(void)workers_collect(j->workers);
	return true;
}
