/* SPDX-License-Identifier: ISC */
#include "sys/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static pthread_t loop_thread;
static int gate[2]; /* a job that reads from it waits until it is closed */
static size_t ended, dropped;
static int order[4];

struct task {
	int in, out;
	size_t done;
	bool alien; /* was run in another thread than the loop's */
};

static void
square(void *arg)
{
	struct task *t = arg;

	t->out = t->in * t->in;
	t->alien = !pthread_equal(pthread_self(), loop_thread);
}

static void
wait_at_gate(void *arg)
{
	char c;

	(void)!read(gate[0], &c, 1);
}

static void
look_at_mask(void *arg)
{
	sigset_t *mask = arg;

	(void)pthread_sigmask(SIG_SETMASK, NULL, mask);
}

static void
note(void *arg, bool was_run)
{
	struct task *t = arg;

	ck_assert(pthread_equal(pthread_self(), loop_thread));
	if (t != NULL)
		t->done++;
	if (ended + dropped < 4)
		order[ended + dropped] = t == NULL ? 0 : t->in;
	ended += was_run;
	dropped += !was_run;
}

static bool
is_readable(const struct workers *w, int ms)
{
	struct pollfd p = { .fd = workers_fd(w), .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

/* As a loop does it, until all that is pending has ended. */
static void
run_all(struct workers *w)
{
	while (workers_pending(w) > 0) {
		ck_assert(is_readable(w, 10000));
		(void)workers_collect(w);
	}
}

static struct workers *
start(unsigned threads, size_t limit)
{
	struct workers *w;

	loop_thread = pthread_self();
	ended = dropped = 0;
	ck_assert_int_eq(pipe(gate), 0);
	ck_assert_int_eq(workers_new(threads, limit, &w), 0);
	return w;
}

START_TEST(results)
{
	struct task t[500];
	struct workers *w = start(4, 500);
	int i;

	ck_assert(!is_readable(w, 0));
	for (i = 0; i < 500; i++) {
		t[i] = (struct task){ .in = i };
		ck_assert_int_eq(workers_submit(w, square, note, &t[i]), 0);
	}
	ck_assert_uint_eq(workers_pending(w), 500);
	run_all(w);
	for (i = 0; i < 500; i++) {
		ck_assert_int_eq(t[i].out, i * i);
		ck_assert(t[i].alien);
		ck_assert_uint_eq(t[i].done, 1);
	}
	ck_assert_uint_eq(ended, 500);
	ck_assert(!is_readable(w, 0));
	ck_assert_uint_eq(workers_collect(w), 0);
	workers_free(&w);
	ck_assert_ptr_null(w);
	workers_free(&w);
}
END_TEST

START_TEST(full)
{
	struct workers *w = start(1, 3);
	int i;

	for (i = 0; i < 3; i++)
		ck_assert_int_eq(workers_submit(w, wait_at_gate, note, NULL),
		    0);
	ck_assert_int_eq(workers_submit(w, wait_at_gate, note, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	(void)close(gate[1]);
	/* Ended is not enough: a slot is free once it is collected. */
	ck_assert(is_readable(w, 10000));
	ck_assert_int_eq(workers_submit(w, wait_at_gate, note, NULL), -1);
	run_all(w);
	ck_assert_int_eq(workers_submit(w, wait_at_gate, note, NULL), 0);
	run_all(w);
	ck_assert_uint_eq(ended, 4);
	workers_free(&w);
}
END_TEST

START_TEST(in_order)
{
	struct task t[4] = { { .in = 7 }, { .in = 3 }, { .in = 9 },
		{ .in = 1 } };
	struct workers *w = start(1, 4);
	int i;

	for (i = 0; i < 4; i++)
		ck_assert_int_eq(workers_submit(w, square, note, &t[i]), 0);
	run_all(w);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(order[i], t[i].in);
	workers_free(&w);
}
END_TEST

static void *
open_gate(void *arg)
{
	(void)usleep(50000);
	(void)close(gate[1]);
	return arg;
}

/* What runs is waited for, what waits is dropped, each is told. */
START_TEST(end_at_work)
{
	struct task t[4] = { { 0 } };
	struct workers *w = start(1, 5);
	pthread_t opener;
	int i;

	ck_assert_int_eq(workers_submit(w, wait_at_gate, note, NULL), 0);
	(void)usleep(50000); /* the thread takes it */
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(workers_submit(w, square, note, &t[i]), 0);
	ck_assert_int_eq(pthread_create(&opener, NULL, open_gate, NULL), 0);
	workers_free(&w);
	ck_assert_int_eq(pthread_join(opener, NULL), 0);
	ck_assert_uint_eq(ended, 1);
	ck_assert_uint_eq(dropped, 4);
	for (i = 0; i < 4; i++)
		ck_assert_uint_eq(t[i].done, 1);
}
END_TEST

START_TEST(no_signals)
{
	struct workers *w = start(1, 1);
	sigset_t before, after, mask;

	(void)pthread_sigmask(SIG_SETMASK, NULL, &before);
	(void)sigemptyset(&mask);
	ck_assert_int_eq(workers_submit(w, look_at_mask, note, &mask), 0);
	while (workers_pending(w) > 0 && is_readable(w, 10000))
		(void)workers_collect(w);
	ck_assert_int_eq(sigismember(&mask, SIGTERM), 1);
	ck_assert_int_eq(sigismember(&mask, SIGHUP), 1);
	ck_assert_int_eq(sigismember(&mask, SIGCHLD), 1);
	/* The loop's own mask is as it was. */
	(void)pthread_sigmask(SIG_SETMASK, NULL, &after);
	ck_assert_int_eq(sigismember(&after, SIGTERM),
	    sigismember(&before, SIGTERM));
	workers_free(&w);
}
END_TEST

static struct workers *chained;
static int left;

static void
nothing(void *arg)
{
}

static void
submit_next(void *arg, bool was_run)
{
	if (left-- > 0)
		ck_assert_int_eq(workers_submit(chained, nothing,
		    submit_next, NULL), 0);
}

START_TEST(submit_from_done)
{
	chained = start(2, 1);
	left = 100;
	submit_next(NULL, true);
	run_all(chained);
	ck_assert_int_eq(left, -1);
	workers_free(&chained);
}
END_TEST

START_TEST(bounds)
{
	struct workers *w;

	ck_assert_int_eq(workers_new(0, 1, &w), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(workers_new(WORKERS_MAX + 1, 1, &w), -1);
	ck_assert_int_eq(workers_new(1, 0, &w), -1);
	ck_assert_int_eq(workers_new(1, WORKERS_LIMIT_MAX + 1, &w), -1);
}
END_TEST

UNIT_SUITE(workers, {
	tcase_add_test(tc, results);
	tcase_add_test(tc, full);
	tcase_add_test(tc, in_order);
	tcase_add_test(tc, end_at_work);
	tcase_add_test(tc, no_signals);
	tcase_add_test(tc, submit_from_done);
	tcase_add_test(tc, bounds);
})
