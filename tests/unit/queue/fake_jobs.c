/* SPDX-License-Identifier: ISC */
/*
 * Linked instead of queue/jobs.c: jobs are done one after the other at the end
 * of the loop's turn, without threads, so that a story runs the same each time.
 */
#include "queue/jobs.h"

#include "tests/unit/queue/fake_jobs.h"

static struct {
	struct loop_later later;
	struct jobs *jobs;
	bool is_held;
} self;

static bool
do_all(struct jobs *j)
{
	struct list *first;
	struct job *job;
	bool did = false;

	while ((first = list_first(&j->backlog)) != NULL) {
		list_remove(first);
		job = LIST_OF(first, struct job, link);
		job->run(job);
		j->under_way--;
		job->done(job);
		did = true;
	}
	return did;
}

static void
on_later(void *arg)
{
	if (!self.is_held)
		(void)do_all(arg);
}

void
fake_jobs_hold(bool is_held)
{
	self.is_held = is_held;
	if (!is_held)
		loop_later_ask(&self.later);
}

int
jobs_init(struct jobs *j, struct loop *l, unsigned threads)
{
	(void)threads;
	*j = (struct jobs){ 0 };
	list_init(&j->backlog);
	loop_later_init(&self.later, l, on_later, j);
	self.jobs = j;
	return 0;
}

void
jobs_fini(struct jobs *j)
{
	if (j == self.jobs)
		loop_later_remove(&self.later);
}

void
jobs_submit(struct jobs *j, struct job *job)
{
	job->jobs = j;
	j->under_way++;
	list_add(&j->backlog, &job->link);
	loop_later_ask(&self.later);
}

bool
jobs_wait(struct jobs *j)
{
	return self.jobs == j && do_all(j);
}
