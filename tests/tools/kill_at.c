/* SPDX-License-Identifier: ISC */
/*
 * Preloaded into a role's real binary: SIGKILL at one of the calls that change
 * what the disk holds. $KILL_AT says at which moment of the program "queue",
 * counted over all threads. $KILL_FILE is a file that the test maps too, to say
 * so again and again to processes forked from the one that reads it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct told {
	atomic_long kill_at; /* 0: not now, and steps are not counted */
	atomic_long steps;
	atomic_long killed;
	atomic_long ahead; /* seconds that their clock is */
	atomic_long late;  /* microseconds: the reader's own messages are */
};

static atomic_long steps;
static long kill_at = -1;
static struct told *told;
static pid_t reader;

__attribute__((constructor)) static void
read_environment(void)
{
	const char *text = getenv("KILL_AT"), *path = getenv("KILL_FILE");
	int fd;

	/* Not the program that starts it. */
	if (text != NULL &&
	    strcmp(program_invocation_short_name, "queue") == 0)
		kill_at = strtol(text, NULL, 10);
	if (path == NULL)
		return;
	reader = getpid();
	fd = open(path, O_RDWR | O_CLOEXEC);
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (told == MAP_FAILED)
		abort();
	(void)close(fd);
}

/* raise(3) and not kill(2), which the filters refuse. */
static void
step(bool is_done)
{
	if (told == NULL) {
		/* Odd numbers: before the step; even ones: when it is done. */
		if (atomic_fetch_add(&steps, 1) + 1 == kill_at)
			(void)raise(SIGKILL);
	} else if (!is_done && told->kill_at > 0 && getpid() != reader &&
	    atomic_fetch_add(&told->steps, 1) + 1 == told->kill_at) {
		told->killed = 1;
		(void)raise(SIGKILL);
	}
}

#define WRAP_IF(counts, result, name, params, args) \
	result name params \
	{ \
		static result(*real) params; \
		bool is_step = (counts); \
		result r; \
		if (real == NULL) \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		if (is_step) \
			step(false); \
		r = real args; \
		if (is_step) \
			step(true); \
		return r; \
	}
#define WRAP(result, name, params, args) \
	WRAP_IF(true, result, name, params, args)

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

/* They change nothing for whoever comes after a SIGKILL, but take their time,
 * in which much happens in the queue's other threads. */
#define IN_QUEUE (told == NULL)
WRAP_IF(IN_QUEUE, int, fsync, (int fd), (fd))
WRAP_IF(IN_QUEUE, int, fdatasync, (int fd), (fd))
WRAP_IF(IN_QUEUE, int, syncfs, (int fd), (fd))

/* What else the store of mail does; not what goes to a peer, or to the log. */
static bool
is_stored(int fd)
{
	struct stat st;

	return !IN_QUEUE && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (fcntl(fd, F_GETFL) & O_APPEND) == 0;
}

WRAP_IF(is_stored(fd), ssize_t, write, (int fd, const void *p, size_t n),
    (fd, p, n))
WRAP_IF(is_stored(fd), ssize_t, writev,
    (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP_IF(!IN_QUEUE, int, mkdirat, (int a, const char *p, mode_t mode),
    (a, p, mode))
WRAP_IF(!IN_QUEUE, int, linkat,
    (int a, const char *p, int b, const char *q, int flags),
    (a, p, b, q, flags))
WRAP_IF(!IN_QUEUE, int, renameat2,
    (int a, const char *p, int b, const char *q, unsigned flags),
    (a, p, b, q, flags))
WRAP_IF(!IN_QUEUE, int, futimens, (int fd, const struct timespec t[2]),
    (fd, t))

int
sendmmsg(int fd, struct mmsghdr *m, unsigned n, int flags)
{
	static int (*real)(int, struct mmsghdr *, unsigned, int);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "sendmmsg");
	if (told != NULL && told->late > 0 && getpid() == reader)
		(void)usleep((useconds_t)told->late);
	return real(fd, m, n, flags);
}

int
clock_gettime(clockid_t which, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	int r;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = real(which, t);
	if (told != NULL && which == CLOCK_REALTIME && r == 0)
		t->tv_sec += told->ahead;
	return r;
}
