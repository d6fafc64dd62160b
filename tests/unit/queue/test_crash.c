/* SPDX-License-Identifier: ISC */
/*
 * The crash walk: a child runs a script of everything that a queue does and is
 * killed at its n-th durable step, or has that step fail, for every n. What it
 * was promised stands in shared memory; the parent opens the folder again and
 * holds the spool to it.
 */
#include "queue/spool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "tests/unit/queue/script.h"
#include "tests/unit/unit.h"

static struct promises *shared;
static struct world w;

enum how { KILL, KILL_TORN, FAIL_EIO, FAIL_FULL };

/* Runs the script with step n spoilt. False when it had no such step. */
static bool
walk_to(uint64_t n, enum how how)
{
	int status;
	pid_t pid;

	memset(shared, 0, sizeof *shared);
	/* Every other time there are slots from before. */
	if (n % 2 == 0)
		world_drop_slots(&w);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)close(STDERR_FILENO);
		if (how == KILL || how == KILL_TORN)
			fsio_kill_at(n, how == KILL_TORN);
		else
			fsio_fail_at(FSIO_ANY, n, how == FAIL_FULL ? 3 : 0,
			    how == FAIL_FULL ? ENOSPC : EIO);
		script_run(&w, shared, NULL);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		ck_assert_msg(WTERMSIG(status) == SIGKILL, "step %d: signal %d",
		    (int)n, WTERMSIG(status));
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
	script_check(&w, shared, n);
	return shared->steps == 0 || n <= shared->steps;
}

static void
set_up(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	world_init(&w);
	/* The folders are made once: they are not what is walked. */
	ck_assert(world_open(&w));
	world_close(&w);
}

static void
tear_down(void)
{
	world_fini(&w);
}

/* Every second round under the other model; every step under each way. */
START_TEST(walk)
{
	enum how how = (enum how)(_i / 2);
	uint64_t n = 1;

	w.options.strict = _i % 2 == 1;
	while (walk_to(n, how))
		n++;
	ck_assert_uint_gt(n, 100);
}
END_TEST

Suite *suite_crash(void);

Suite *
suite_crash(void)
{
	Suite *suite = suite_create("crash");
	TCase *tc = tcase_create("walk");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 600);
	tcase_add_loop_test(tc, walk, 0, 8);
	suite_add_tcase(suite, tc);
	return suite;
}
