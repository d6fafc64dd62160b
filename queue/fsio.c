/* SPDX-License-Identifier: ISC */
/*
 * Thin wrappers around system calls. Each step asks begin() whether it may run
 * (tests kill or fail it there), so no durable change of the queue can be
 * made that the crash tests do not know of.
 */
#include "queue/fsio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
	atomic_uint_fast64_t steps, kill_at, fail_left, fail_more;
	atomic_int fail_op, fail_errno;
	atomic_bool torn;
	void (*_Atomic seen)(const struct fsio_step *step);
} self;

static _Noreturn void
die(void)
{
	(void)raise(SIGKILL);
	for (;;)
		(void)pause();
}

/* Counts a step. True when this is the one to be killed at. */
static bool
count(void)
{
	uint64_t n = atomic_fetch_add(&self.steps, 1) + 1;

	return n == atomic_load(&self.kill_at);
}

/* Is this the step that a test wants to fail? */
static bool
fails(enum fsio_op op)
{
	int want = atomic_load(&self.fail_op);
	uint64_t left;

	if (want < 0 || (want != (int)op &&
	    (want != FSIO_ANY || op == FSIO_READ_DIR)))
		return false;
	left = atomic_load(&self.fail_left);
	if (left == 0)
		return false;
	if (atomic_fetch_sub(&self.fail_left, 1) > 1)
		return false;
	if (atomic_load(&self.fail_more) > 0) {
		(void)atomic_fetch_sub(&self.fail_more, 1);
		atomic_store(&self.fail_left, 1);
	}
	errno = atomic_load(&self.fail_errno);
	return true;
}

/* 0: go on; -1: fail, errno is set. */
static int
begin(enum fsio_op op)
{
	if (count())
		die();
	return fails(op) ? -1 : 0;
}

static void
tell(const struct fsio_step *step)
{
	void (*seen)(const struct fsio_step *) = atomic_load(&self.seen);

	if (seen != NULL)
		seen(step);
}

int
fsio_create(int dir, const char *path, int flags)
{
	int fd;

	if (begin(FSIO_CREATE) < 0)
		return -1;
	fd = openat(dir, path,
	    flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		tell(&(struct fsio_step){ .op = FSIO_CREATE, .dir = dir,
		    .fd = fd, .path = path });
	return fd;
}

/* Takes `done` bytes off the front of the vector. */
static void
advance(struct iovec **iov, int *n, size_t done)
{
	while (*n > 0 && done >= (*iov)->iov_len) {
		done -= (*iov)->iov_len;
		(*iov)++;
		(*n)--;
	}
	if (*n > 0) {
		(*iov)->iov_base = (char *)(*iov)->iov_base + done;
		(*iov)->iov_len -= done;
	}
}

static int
write_all(int fd, struct iovec *iov, int n, off_t offset)
{
	ssize_t done;

	advance(&iov, &n, 0);
	while (n > 0) {
		done = pwritev(fd, iov, n > 64 ? 64 : n, offset);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		offset += done;
		advance(&iov, &n, (size_t)done);
	}
	return 0;
}

/* Half of the bytes, then the end: a write that was torn. */
static _Noreturn void
die_torn(int fd, struct iovec *iov, int n, off_t offset)
{
	size_t half = 0;
	int i;

	for (i = 0; i < n; i++)
		half += iov[i].iov_len;
	half /= 2;
	for (i = 0; i < n && atomic_load(&self.torn); i++) {
		if (iov[i].iov_len > half)
			iov[i].iov_len = half;
		half -= iov[i].iov_len;
	}
	if (atomic_load(&self.torn))
		(void)write_all(fd, iov, n, offset);
	die();
}

int
fsio_pwritev(int fd, struct iovec *iov, int n, off_t offset)
{
	if (count())
		die_torn(fd, iov, n, offset);
	if (fails(FSIO_WRITE))
		return -1;
	tell(&(struct fsio_step){ .op = FSIO_WRITE, .dir = -1, .fd = fd,
	    .iov = iov, .iov_n = n, .offset = offset });
	return write_all(fd, iov, n, offset);
}

int
fsio_pwrite(int fd, const void *p, size_t n, off_t offset)
{
	struct iovec iov = { (void *)(uintptr_t)p, n };

	return fsio_pwritev(fd, &iov, 1, offset);
}

int
fsio_write(int fd, const void *p, size_t n)
{
	off_t at = lseek(fd, 0, SEEK_CUR);

	if (at < 0 || fsio_pwrite(fd, p, n, at) < 0)
		return -1;
	return lseek(fd, at + (off_t)n, SEEK_SET) < 0 ? -1 : 0;
}

static int
flush(enum fsio_op op, int fd, int (*call)(int))
{
	struct fsio_step step = { .op = op, .begins = true, .dir = -1,
		.fd = fd };

	if (begin(op) < 0)
		return -1;
	tell(&step);
	if (call(fd) < 0)
		return -1;
	step.begins = false;
	tell(&step);
	return 0;
}

int
fsio_fdatasync(int fd)
{
	return flush(FSIO_FDATASYNC, fd, fdatasync);
}

int
fsio_fsync(int fd)
{
	return flush(FSIO_FSYNC, fd, fsync);
}

int
fsio_syncfs(int fd)
{
	return flush(FSIO_SYNCFS, fd, syncfs);
}

int
fsio_fsync_dir(int dir, const char *path)
{
	int fd, result, error;

	fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -1;
	result = fsio_fsync(fd);
	error = errno;
	(void)close(fd);
	errno = error;
	return result;
}

/* Writes out all files together. */
static void
write_out(const int *fds, int *errors, size_t n)
{
	const unsigned both =
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
	    SYNC_FILE_RANGE_WAIT_AFTER;
	size_t i;

	for (i = 0; i < n; i++)
		if (fds[i] >= 0)
			(void)sync_file_range(fds[i], 0, 0,
			    SYNC_FILE_RANGE_WRITE);
	for (i = 0; i < n; i++) {
		if (fds[i] < 0)
			continue;
		if (sync_file_range(fds[i], 0, 0, both) < 0)
			errors[i] = errno;
		else
			tell(&(struct fsio_step){ .op = FSIO_WRITE_OUT,
			    .dir = -1, .fd = fds[i] });
	}
}

void
fsio_flush_many(const int *fds, int *errors, size_t n, bool strict)
{
	size_t i, last = n;
	int error = 0;

	memset(errors, 0, n * sizeof *errors);
	if (!strict)
		write_out(fds, errors, n);
	for (i = 0; i < n; i++) {
		if (fds[i] < 0 || errors[i] != 0)
			continue;
		if (strict && fsio_fdatasync(fds[i]) < 0)
			errors[i] = errno;
		last = i;
	}
	if (strict || last == n)
		return;
	if (fsio_fdatasync(fds[last]) < 0)
		error = errno;
	for (i = 0; i < n && error != 0; i++)
		if (errors[i] == 0)
			errors[i] = error;
}

int
fsio_rename(int dir, const char *from, const char *to)
{
	if (begin(FSIO_RENAME) < 0 || renameat(dir, from, dir, to) < 0)
		return -1;
	tell(&(struct fsio_step){ .op = FSIO_RENAME, .dir = dir, .fd = -1,
	    .path = from, .to = to });
	return 0;
}

/* For file systems that do not know RENAME_NOREPLACE. Nobody else makes names
 * here, so looking first is enough. */
static int
rename_if_free(int dir, const char *from, const char *to)
{
	struct stat st;

	if (fsio_stat(dir, to, &st) == 0) {
		errno = EEXIST;
		return -1;
	}
	return errno == ENOENT ? renameat(dir, from, dir, to) : -1;
}

int
fsio_rename_new(int dir, const char *from, const char *to)
{
	int result;

	if (begin(FSIO_RENAME) < 0)
		return -1;
	result = renameat2(dir, from, dir, to, RENAME_NOREPLACE);
	if (result < 0 && (errno == EINVAL || errno == ENOSYS))
		result = rename_if_free(dir, from, to);
	if (result == 0)
		tell(&(struct fsio_step){ .op = FSIO_RENAME, .dir = dir,
		    .fd = -1, .path = from, .to = to });
	return result;
}

int
fsio_unlink(int dir, const char *path)
{
	if (begin(FSIO_UNLINK) < 0 || unlinkat(dir, path, 0) < 0)
		return -1;
	tell(&(struct fsio_step){ .op = FSIO_UNLINK, .dir = dir, .fd = -1,
	    .path = path });
	return 0;
}

int
fsio_mkdir(int dir, const char *path)
{
	if (begin(FSIO_MKDIR) < 0 || mkdirat(dir, path, 0700) < 0)
		return -1;
	tell(&(struct fsio_step){ .op = FSIO_MKDIR, .dir = dir, .fd = -1,
	    .path = path });
	return 0;
}

int
fsio_truncate(int fd, off_t size)
{
	if (begin(FSIO_TRUNCATE) < 0 || ftruncate(fd, size) < 0)
		return -1;
	tell(&(struct fsio_step){ .op = FSIO_TRUNCATE, .dir = -1, .fd = fd,
	    .offset = size });
	return 0;
}

int
fsio_open(int dir, const char *path, int flags)
{
	return openat(dir, path, flags | O_CLOEXEC | O_NOFOLLOW);
}

ssize_t
fsio_pread(int fd, void *p, size_t n, off_t offset)
{
	size_t got = 0;
	ssize_t k;

	while (got < n) {
		k = pread(fd, (char *)p + got, n - got, offset + (off_t)got);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -1;
		if (k == 0)
			break;
		got += (size_t)k;
	}
	return (ssize_t)got;
}

struct dirent *
fsio_read_dir(DIR *d)
{
	if (fails(FSIO_READ_DIR))
		return NULL;
	errno = 0;
	return readdir(d);
}

int
fsio_stat(int dir, const char *path, struct stat *st)
{
	return fstatat(dir, path, st, AT_SYMLINK_NOFOLLOW);
}

int
fsio_no_writer(int fd)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return -1;
	/* Nobody else can open it any more; the lease need not stay. */
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

int64_t
fsio_room(int fd)
{
	struct statvfs v;

	if (fstatvfs(fd, &v) < 0)
		return -1;
	return (int64_t)v.f_bavail * (int64_t)v.f_frsize;
}

uint64_t
fsio_steps(void)
{
	return atomic_load(&self.steps);
}

void
fsio_kill_at(uint64_t n, bool torn)
{
	atomic_store(&self.torn, torn);
	atomic_store(&self.kill_at, n == 0 ? 0 : n + atomic_load(&self.steps));
}

void
fsio_fail_at(enum fsio_op op, uint64_t n, uint64_t more, int error)
{
	atomic_store(&self.fail_left, 0);
	atomic_store(&self.fail_op, (int)op);
	atomic_store(&self.fail_errno, error);
	atomic_store(&self.fail_more, more);
	atomic_store(&self.fail_left, n);
}

void
fsio_watch(void (*seen)(const struct fsio_step *step))
{
	atomic_store(&self.seen, seen);
}
