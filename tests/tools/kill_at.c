/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into a role's real binary: ends the process like SIGKILL does,
 * before or after one of the calls that change what the disk holds: the
 * $KILL_AT-th moment, counted over all threads.
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long steps;
static long kill_at = -1;

__attribute__((constructor)) static void
read_environment(void)
{
	const char *text = getenv("KILL_AT");

	/* Not the program that starts it. */
	if (text != NULL &&
	    strcmp(program_invocation_short_name, "queue") == 0)
		kill_at = strtol(text, NULL, 10);
}

/* Odd numbers: before the step; even ones: when it is done. */
static void
step(void)
{
	if (atomic_fetch_add(&steps, 1) + 1 != kill_at)
		return;
	(void)kill(getpid(), SIGKILL);
	__builtin_trap(); /* where a filter refuses that call */
}

#define WRAP(result, name, params, args) \
	result name params \
	{ \
		static result(*real) params; \
		result r; \
		if (real == NULL) \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		step(); \
		r = real args; \
		step(); \
		return r; \
	}

WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, syncfs, (int fd), (fd))
WRAP(ssize_t, pwrite64, (int fd, const void *p, size_t n, off_t at),
    (fd, p, n, at))
WRAP(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off_t at),
    (fd, v, n, at))
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
    (fd, p, n, at))
WRAP(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at),
    (fd, v, n, at))
WRAP(int, renameat, (int a, const char *p, int b, const char *q),
    (a, p, b, q))
WRAP(int, unlinkat, (int a, const char *p, int flags), (a, p, flags))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, ftruncate64, (int fd, off_t n), (fd, n))
