/* SPDX-License-Identifier: ISC */
/*
 * Texts beside the map: the recovery lists in .veredus/list/, one for each
 * folder and one for the account, and what other servers left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mda/store_priv.h"
#include "sys/log.h"

enum { PIECE = 65536 };

const char *
store_list_path(const char *folder)
{
	struct buf name;
	const char *path;

	if (folder != NULL && folder[0] == 0)
		folder = "INBOX";
	if (folder == NULL)
		folder = "account";
	buf_init(&name, 1024);
	buf_add_str(&name, "list/");
	buf_add_str(&name, folder);
	path = store_path_in(NULL, name.p);
	buf_fini(&name);
	return path;
}

struct list_job {
	struct store_job job;
	char *folder;
	struct buf text;
	bool append, sync;
	store_done *done;
	void *arg;
};

/* After a crash: what is added now would be lost with that line. */
static bool
has_torn_end(int fd)
{
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && st.st_size > 0 &&
	    pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

static int
write_list(struct store *s, const struct list_job *j, const char *path)
{
	int flags = O_CLOEXEC | O_NOFOLLOW |
	    (j->append ? O_RDWR | O_APPEND : O_WRONLY | O_CREAT | O_TRUNC);
	const char *at = j->text.p;
	size_t left = j->text.n;
	ssize_t got = 0;
	int fd, rc;

	fd = openat(s->root, path, flags, 0600);
	if (fd < 0)
		return -1;
	if (j->append && has_torn_end(fd))
		got = write(fd, "\n", 1);
	while (left > 0 && got >= 0) {
		got = write(fd, at, left);
		if (got < 0 && errno == EINTR)
			got = 0;
		if (got > 0) {
			at += got;
			left -= (size_t)got;
		}
	}
	rc = left > 0 || (j->sync && fsync(fd) < 0) ? -1 : 0;
	(void)close(fd);
	return rc;
}

static enum store_result
remove_list(struct store *s, const char *path)
{
	if ((unlinkat(s->root, path, 0) < 0 && errno != ENOENT) ||
	    store_flush_path(s, STORE_DIR "/list") < 0) {
		(void)store_errno("list", path);
		return STORE_UNKNOWN;
	}
	return STORE_FAILED;
}

static void
run_list(struct store *s, struct store_job *job)
{
	struct list_job *j = LIST_OF(job, struct list_job, job);
	const char *path = store_list_path(j->folder);
	const char *tmp = store_path_in(NULL, "list.tmp");
	enum store_result r = STORE_OK;
	int rc;

	rc = write_list(s, j, j->append ? path : tmp);
	if (rc == 0 && !j->append)
		rc = renameat(s->root, tmp, s->root, path);
	if (rc == 0 && !j->append && j->sync)
		rc = store_flush_path(s, STORE_DIR "/list");
	if (rc < 0)
		r = store_errno("list", path);
	if (rc < 0 && j->append && j->sync)
		r = remove_list(s, path);
	j->done(j->arg, r);
	free(j->folder);
	buf_fini(&j->text);
	free(j);
}

void
store_write_list(struct store *s, const char *folder, struct slice text,
    bool append, bool sync, store_done *done, void *arg)
{
	struct list_job *j = store_alloc(sizeof *j);

	j->job.run = run_list;
	j->folder = folder == NULL ? NULL : store_dup(slice_str(folder));
	buf_init(&j->text, SIZE_MAX / 2);
	buf_add_slice(&j->text, text);
	if (!buf_is_ok(&j->text))
		fatal("event=fatal what=store error=\"out of memory\"");
	j->append = append;
	j->sync = sync;
	j->done = done;
	j->arg = arg;
	store_add_job(s, &j->job);
}

static enum store_result
read_text(struct store *s, const char *path, struct buf *out)
{
	int fd = openat(s->root, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
		O_NONBLOCK);
	enum store_result r = STORE_OK;
	ssize_t got = 1;
	struct stat st;
	size_t left;
	char *room;

	if (fd < 0)
		return store_errno("read", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		r = STORE_NONE;
	while (r == STORE_OK && got > 0) {
		left = out->max - out->n;
		left = left < PIECE ? left : PIECE;
		room = left == 0 ? NULL : buf_room(out, left);
		if (room == NULL) {
			r = STORE_FAILED;
			break;
		}
		got = read(fd, room, left);
		if (got < 0)
			r = store_errno("read", path);
		else
			buf_grew(out, (size_t)got);
	}
	(void)close(fd);
	return r;
}

enum store_result
store_read_list(struct store *s, const char *folder, struct buf *out)
{
	return read_text(s, store_list_path(folder), out);
}

enum store_result
store_read_foreign(struct store *s, const char *folder, const char *name,
    struct buf *out)
{
	return read_text(s, store_path_in(folder, name), out);
}
