/* SPDX-License-Identifier: ISC */
/*
 * All slots are made at the start and move between three lists: free, waiting,
 * ended. The lock covers the lists; `free` and `pending` belong to the loop's
 * thread alone. With slots for all, neither submitting nor ending can fail for
 * want of memory.
 */
#include "sys/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"

/* Hashes need some tens of KiB; the default of 8 MiB would count against
 * limits on address space. */
enum { STACK = 1 << 20 };

struct job {
	struct list link;
	workers_run_fn *run;
	workers_done_fn *done;
	void *arg;
	bool was_run;
};

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct list waiting, ended; /* under the lock */
	bool stop;		    /* under the lock */
	struct list unused;
	size_t pending;
	int fd;
	unsigned n;
	pthread_t threads[WORKERS_MAX];
	struct job jobs[];
};

static void
take_all(struct list *from, struct list *to)
{
	list_init(to);
	if (list_is_empty(from))
		return;
	to->next = from->next;
	to->prev = from->prev;
	to->next->prev = to->prev->next = to;
	list_init(from);
}

static void
ring(const struct workers *w)
{
	uint64_t one = 1;

	/* It can only fail when it is already readable. */
	(void)!write(w->fd, &one, sizeof one);
}

static void *
work(void *arg)
{
	struct workers *w = arg;
	struct job *job;
	bool first;

	(void)pthread_mutex_lock(&w->lock);
	for (;;) {
		while (list_is_empty(&w->waiting) && !w->stop)
			(void)pthread_cond_wait(&w->wake, &w->lock);
		if (w->stop)
			break;
		job = LIST_OF(w->waiting.next, struct job, link);
		list_remove(&job->link);
		(void)pthread_mutex_unlock(&w->lock);
		job->run(job->arg);
		(void)pthread_mutex_lock(&w->lock);
		job->was_run = true;
		first = list_is_empty(&w->ended);
		list_add(&w->ended, &job->link);
		if (first)
			ring(w);
	}
	(void)pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int
start_threads(struct workers *w, unsigned threads)
{
	sigset_t all, old;
	pthread_attr_t attr;
	int error;

	error = pthread_attr_init(&attr);
	if (error != 0)
		return error;
	(void)pthread_attr_setstacksize(&attr, STACK);
	/* A thread inherits the mask of its maker. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	for (w->n = 0; w->n < threads && error == 0; w->n += error == 0)
		error = pthread_create(&w->threads[w->n], &attr, work, w);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	(void)pthread_attr_destroy(&attr);
	return error;
}

int
workers_new(unsigned threads, size_t limit, struct workers **workers_r)
{
	struct workers *w;
	size_t i;
	int error;

	if (threads == 0 || threads > WORKERS_MAX || limit == 0 ||
	    limit > WORKERS_LIMIT_MAX) {
		errno = EINVAL;
		return -1;
	}
	w = calloc(1, sizeof *w + limit * sizeof *w->jobs);
	if (w == NULL)
		return -1;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->fd < 0) {
		free(w);
		return -1;
	}
	list_init(&w->waiting);
	list_init(&w->ended);
	list_init(&w->unused);
	for (i = 0; i < limit; i++)
		list_add(&w->unused, &w->jobs[i].link);
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->wake, NULL);
	error = start_threads(w, threads);
	*workers_r = w;
	if (error == 0)
		return 0;
	workers_free(workers_r);
	errno = error;
	return -1;
}

/* `done` for a list of jobs that no thread sees any more. */
static size_t
finish(struct workers *w, struct list *jobs)
{
	struct list *it, *next;
	struct job *job, copy;
	size_t n = 0;

	LIST_EACH(it, next, jobs) {
		job = LIST_OF(it, struct job, link);
		copy = *job;
		list_remove(&job->link);
		list_add(&w->unused, &job->link);
		w->pending--;
		n++;
		copy.done(copy.arg, copy.was_run);
	}
	return n;
}

void
workers_free(struct workers **wp)
{
	struct workers *w = *wp;
	struct list jobs;
	unsigned i;

	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&w->lock);
	w->stop = true;
	(void)pthread_cond_broadcast(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
	for (i = 0; i < w->n; i++)
		(void)pthread_join(w->threads[i], NULL);
	/* Alone now. */
	take_all(&w->ended, &jobs);
	(void)finish(w, &jobs);
	take_all(&w->waiting, &jobs);
	(void)finish(w, &jobs);
	(void)pthread_cond_destroy(&w->wake);
	(void)pthread_mutex_destroy(&w->lock);
	(void)close(w->fd);
	free(w);
	*wp = NULL;
}

int
workers_submit(struct workers *w, workers_run_fn *run, workers_done_fn *done,
    void *arg)
{
	struct job *job;

	if (w->stop || list_is_empty(&w->unused)) {
		errno = EAGAIN;
		return -1;
	}
	job = LIST_OF(w->unused.next, struct job, link);
	list_remove(&job->link);
	job->run = run;
	job->done = done;
	job->arg = arg;
	job->was_run = false;
	w->pending++;
	(void)pthread_mutex_lock(&w->lock);
	list_add(&w->waiting, &job->link);
	(void)pthread_cond_signal(&w->wake);
	(void)pthread_mutex_unlock(&w->lock);
	return 0;
}

int
workers_fd(const struct workers *w)
{
	return w->fd;
}

size_t
workers_collect(struct workers *w)
{
	struct list jobs;
	uint64_t count;

	/* First the bell, then the list: the other way round a ring between
	 * the two would be lost. */
	(void)!read(w->fd, &count, sizeof count);
	(void)pthread_mutex_lock(&w->lock);
	take_all(&w->ended, &jobs);
	(void)pthread_mutex_unlock(&w->lock);
	return finish(w, &jobs);
}

size_t
workers_pending(const struct workers *w)
{
	return w->pending;
}
