/* SPDX-License-Identifier: ISC */
/* Everything is looked at through descriptors; a symbolic link or a file where
 * a folder belongs is refused, never followed. */
#include "queue/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "queue/slot.h"

static const struct {
	const char *name;
	bool hashed; /* has 256 subfolders */
} folders[] = {
	{ "tmp", false },
	{ "corrupt", false },
	{ "cur", true },
	{ "body", true },
	{ "journal", true },
};

int
layout_lock(int dir, struct buf *why)
{
	int fd = fsio_open(dir, "lock", O_RDWR);

	if (fd < 0 && errno == ENOENT) {
		fd = fsio_create(dir, "lock", O_RDWR);
		layout_give(dir, "lock");
	}
	if (fd < 0 && errno == EEXIST)
		fd = fsio_open(dir, "lock", O_RDWR);
	if (fd < 0) {
		buf_addf(why, "cannot open the queue's lock: %s",
		    strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (errno == EWOULDBLOCK)
		buf_add_str(why, "the queue is in use by another process");
	else
		buf_addf(why, "cannot lock the queue: %s", strerror(errno));
	(void)close(fd);
	return -1;
}

void
layout_give(int dir, const char *path)
{
	struct stat st;

	if (geteuid() == 0 && fstat(dir, &st) == 0 && st.st_uid != 0)
		(void)!fchownat(dir, path, st.st_uid, st.st_gid,
		    AT_SYMLINK_NOFOLLOW);
}

/* 0; *made_r when it was not there. */
static int
make_folder(int dir, const char *path, bool *made_r)
{
	struct stat st;

	if (fsio_stat(dir, path, &st) == 0) {
		errno = ENOTDIR;
		return S_ISDIR(st.st_mode) ? 0 : -1;
	}
	if (errno != ENOENT || fsio_mkdir(dir, path) < 0)
		return -1;
	layout_give(dir, path);
	*made_r = true;
	return 0;
}

static int
make_hashed(int dir, const char *name)
{
	char path[SLOT_PATH];
	bool made = false;
	unsigned i;

	for (i = 0; i < 256; i++) {
		(void)snprintf(path, sizeof path, "%s/%02x", name, i);
		if (make_folder(dir, path, &made) < 0)
			return -1;
	}
	return made ? fsio_fsync_dir(dir, name) : 0;
}

static int
empty_tmp(int dir)
{
	int fd = openat(dir, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	int error;
	DIR *d;

	if (fd < 0)
		return -1;
	d = fdopendir(fd);
	if (d == NULL) {
		(void)close(fd);
		return -1;
	}
	/* What will not go away is somebody's folder: no business of ours. */
	while ((e = fsio_read_dir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)!fsio_unlink(fd, e->d_name);
	error = errno;
	(void)closedir(d);
	errno = error;
	return error == 0 ? 0 : -1;
}

int
layout_prepare(int dir, struct buf *why)
{
	const char *name = "";
	bool made = false;
	size_t i;

	for (i = 0; i < sizeof folders / sizeof *folders; i++) {
		name = folders[i].name;
		if (make_folder(dir, name, &made) < 0 ||
		    (folders[i].hashed && make_hashed(dir, name) < 0))
			break;
	}
	if (i == sizeof folders / sizeof *folders &&
	    (!made || fsio_fsync_dir(dir, ".") == 0) && empty_tmp(dir) == 0)
		return 0;
	buf_addf(why, "cannot prepare the queue's folder %s: %s", name,
	    strerror(errno));
	return -1;
}
