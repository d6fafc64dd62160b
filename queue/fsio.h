/* SPDX-License-Identifier: ISC */
/*
 * Every file operation of the queue. Those that change what a disk holds are
 * counted ("steps"), from all threads, so that a test can kill the process at
 * the n-th, or make one fail; the product only counts. Paths are relative to a
 * folder's descriptor, never followed through symbolic links.
 */
#ifndef QUEUE_FSIO_H
#define QUEUE_FSIO_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct iovec;
struct stat;

enum fsio_op {
	FSIO_ANY, /* for fsio_fail_at only */
	FSIO_CREATE,
	FSIO_WRITE,
	FSIO_FDATASYNC,
	FSIO_FSYNC,
	FSIO_SYNCFS,
	FSIO_RENAME,
	FSIO_UNLINK,
	FSIO_MKDIR,
	FSIO_TRUNCATE,
	FSIO_WRITE_OUT, /* no step of its own: part of fsio_flush_many */
	FSIO_READ_DIR, /* no step, and not in FSIO_ANY: for fsio_fail_at only */
	FSIO_OP_COUNT
};

/* What a power cut may leave; see queue/FORMAT. */
enum fsio_model { FSIO_STRICT, FSIO_ORDERED };

/* ---- steps ---- */

/* A new file, mode 0600; `flags` O_RDWR or O_WRONLY. EEXIST if it is there. */
int fsio_create(int dir, const char *path, int flags);
/* All bytes or -1. The iovecs are used up. */
int fsio_pwritev(int fd, struct iovec *iov, int n, off_t offset)
    __attribute__((warn_unused_result));
int fsio_pwrite(int fd, const void *p, size_t n, off_t offset)
    __attribute__((warn_unused_result));
/* At the descriptor's own offset. */
int fsio_write(int fd, const void *p, size_t n)
    __attribute__((warn_unused_result));
int fsio_fdatasync(int fd) __attribute__((warn_unused_result));
int fsio_fsync(int fd) __attribute__((warn_unused_result));
int fsio_syncfs(int fd) __attribute__((warn_unused_result));
/* Flushes a folder: what its names are. */
int fsio_fsync_dir(int dir, const char *path)
    __attribute__((warn_unused_result));
/*
 * Flushes what was written over bytes that the disk already held: one
 * fdatasync each when strict, else all are written out and the last one's
 * fdatasync empties the disk's cache for all. fds[i] < 0 is passed over.
 * errors[i] becomes 0 or an errno.
 */
void fsio_flush_many(const int *fds, int *errors, size_t n, bool strict);
int fsio_rename(int dir, const char *from, const char *to)
    __attribute__((warn_unused_result));
/* The same, but what is there already stays: EEXIST. */
int fsio_rename_new(int dir, const char *from, const char *to)
    __attribute__((warn_unused_result));
int fsio_unlink(int dir, const char *path)
    __attribute__((warn_unused_result));
/* A folder, mode 0700. EEXIST is an error. */
int fsio_mkdir(int dir, const char *path) __attribute__((warn_unused_result));
int fsio_truncate(int fd, off_t size) __attribute__((warn_unused_result));

/* ---- without effect on the disk ---- */

/* An existing file; O_CLOEXEC and O_NOFOLLOW are added. */
int fsio_open(int dir, const char *path, int flags);
/* `n` bytes, or fewer at the end of the file; -1. */
ssize_t fsio_pread(int fd, void *p, size_t n, off_t offset);
/* The next entry. NULL with errno 0 at the end, or with the error: then what
 * was read so far is not all there is. */
struct dirent *fsio_read_dir(DIR *d);
int fsio_stat(int dir, const char *path, struct stat *st)
    __attribute__((warn_unused_result));
/* 0 when nobody has the file open for writing; `fd` is read-only. -1 with
 * EAGAIN when somebody has; else the kernel gives no leases here. */
int fsio_no_writer(int fd) __attribute__((warn_unused_result));
/* Bytes that we may still write to the file system. -1. */
int64_t fsio_room(int fd);
/*
 * The durability model of the file system that `fd` lies on, and its name in
 * *name_r ("ext4"); strict where it is not known to keep order. Reads /proc and
 * /sys: before the jail.
 */
enum fsio_model fsio_model_of(int fd, const char **name_r);

/* ---- for tests only ---- */

/* Steps so far. */
uint64_t fsio_steps(void);
/* SIGKILL instead of step n (counted from now, 1 the next); 0 for never.
 * torn: a write at step n is done by half first. */
void fsio_kill_at(uint64_t n, bool torn);
/* The n-th step of this kind from now fails with `error`, and `more` of that
 * kind after it; n 0 for never. A failed write writes nothing. */
void fsio_fail_at(enum fsio_op op, uint64_t n, uint64_t more, int error);
/*
 * Called in the step's thread: for a write before it is done, for a flush when
 * it begins and when it has succeeded, else after it has succeeded. fd is -1
 * where there is none, paths are relative to `dir`. NULL for none.
 */
struct fsio_step {
	enum fsio_op op;
	bool begins; /* of a flush */
	int dir, fd;
	const char *path, *to;
	const struct iovec *iov;
	int iov_n;
	off_t offset;
};
void fsio_watch(void (*seen)(const struct fsio_step *step));

#endif
