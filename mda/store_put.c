/* SPDX-License-Identifier: ISC */
/*
 * Writing a body: tmp/BASE, then one rename that refuses to replace to
 * new/BASE,S=SIZE (or cur/ with letters). One flush of the file after the
 * rename carries data and name where the file system keeps metadata in order;
 * under `strict` the file is flushed before and the folder after it. A file
 * torn by a power cut is told by its size, which is in its name.
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

enum { WRITE_BYTES = 65536 };

struct store_put {
	struct store_job job;
	struct list link; /* of the store's puts */
	struct store *store;
	char *folder;
	struct slice base;
	int fd;
	int err;
	int64_t date;
	uint64_t size;
	struct buf bytes; /* not written yet */
	bool sync, replaces;
	uint32_t letters;
	struct store_body replace;
	store_put_done *done;
	void *arg;
};

static int
flush_folder(struct store *s, const char *folder, enum body_place place)
{
	int fd, rc;

	fd = openat(s->root,
	    store_path_in(folder, place == BODY_NEW ? "new" : "cur"),
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	rc = fsync(fd);
	(void)close(fd);
	return rc;
}

static void
free_put(struct store_put *p)
{
	list_remove(&p->link);
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->replaces)
		store_body_fini(&p->replace);
	buf_fini(&p->bytes);
	free(p->folder);
	store_body_fini(&(struct store_body){ .id = p->base });
	free(p);
}

struct store_put *
store_put_begin(struct store *s, const char *folder, struct slice name_base,
    int64_t date)
{
	const char *path = store_path(folder, BODY_TMP, name_base, 0);
	struct store_put *p;
	int fd;

	/* What a crash left under this name is not wanted any more. */
	fd = openat(s->root, path,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return NULL;
	p = store_alloc(sizeof *p);
	p->store = s;
	p->folder = store_dup(slice_str(folder));
	p->base = (struct slice){ store_dup(name_base), name_base.n };
	p->fd = fd;
	p->date = date;
	buf_init(&p->bytes, WRITE_BYTES);
	list_add(&s->puts, &p->link);
	return p;
}

static void
write_all(struct store_put *p, const char *at, size_t n)
{
	ssize_t got;

	while (n > 0 && p->err == 0) {
		got = write(p->fd, at, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			p->err = errno;
			return;
		}
		at += got;
		n -= (size_t)got;
	}
}

static void
write_pending(struct store_put *p)
{
	write_all(p, p->bytes.p, p->bytes.n);
	buf_reset(&p->bytes);
}

void
store_put_write(struct store_put *p, struct slice bytes)
{
	p->size += bytes.n;
	if (p->bytes.n + bytes.n > WRITE_BYTES)
		write_pending(p);
	if (bytes.n > WRITE_BYTES)
		write_all(p, bytes.p, bytes.n);
	else
		buf_add_slice(&p->bytes, bytes);
	if (!buf_is_ok(&p->bytes) && p->err == 0)
		p->err = p->bytes.err;
}

static const char *
tmp_path(const struct store_put *p)
{
	return store_path(p->folder, BODY_TMP, p->base, 0);
}

/* Gives the written file its name; -1 with errno. */
static int
name_it(struct store_put *p, struct slice id)
{
	struct store *s = p->store;
	enum body_place place = p->letters == 0 ? BODY_NEW : BODY_CUR;
	const char *path = NULL, *folder = p->folder;
	unsigned touched = 1U << place;
	int rc;

	if (p->replaces) {
		path = store_path_find(s, &p->replace, NULL);
		folder = p->replace.folder;
		touched = STAMP_NEW | STAMP_CUR;
	}
	stamp_begin(s, folder, touched);
	if (path != NULL) {
		rc = renameat(s->root, tmp_path(p), s->root, path);
	} else {
		path = store_path(p->folder, place, id, p->letters);
		rc = renameat2(s->root, tmp_path(p), s->root, path,
		    RENAME_NOREPLACE);
		/* The name says what is in it: the same, or a torn one. */
		if (rc < 0 && (errno == EEXIST || errno == EINVAL))
			rc = renameat(s->root, tmp_path(p), s->root, path);
	}
	stamp_end(s, folder, touched);
	if (rc < 0)
		return -1;
	if (!p->sync)
		return 0;
	if (fsync(p->fd) == 0 && (!s->o.strict ||
	    flush_folder(s, p->folder, place) == 0))
		return 0;
	rc = errno;
	/* A failed flush: what is on the disk is not known. Take it back. */
	(void)unlinkat(s->root, path, 0);
	errno = rc;
	return -1;
}

static int
finish(struct store_put *p, struct slice id)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ .tv_sec = p->date } };

	write_pending(p);
	if (p->err != 0) {
		errno = p->err;
		return -1;
	}
	if (p->date != 0)
		(void)futimens(p->fd, times);
	if (p->sync && p->store->o.strict && fsync(p->fd) < 0)
		return -1;
	return name_it(p, id);
}

static void
run_put(struct store *s, struct store_job *job)
{
	struct store_put *p = LIST_OF(job, struct store_put, job);
	enum store_result r = STORE_OK;
	struct buf id;

	buf_init(&id, 512);
	buf_add_slice(&id, p->base);
	buf_addf(&id, ",S=%llu", (unsigned long long)p->size);
	if (finish(p, buf_slice(&id)) < 0) {
		r = store_errno("put", p->folder);
		(void)unlinkat(s->root, tmp_path(p), 0);
	}
	p->done(p->arg, r, buf_slice(&id), p->size);
	buf_fini(&id);
	free_put(p);
}

void
store_put_end(struct store_put **pp, bool sync, uint32_t letters,
    const struct store_body *replace, store_put_done *done, void *arg)
{
	struct store_put *p = *pp;

	*pp = NULL;
	p->sync = sync || p->store->o.strict; /* nobody else flushes then */
	p->letters = letters;
	p->done = done;
	p->arg = arg;
	if (replace != NULL) {
		store_body_copy(&p->replace, replace);
		p->replaces = true;
	}
	p->job.run = run_put;
	store_add_job(p->store, &p->job);
}

void
store_put_abort(struct store_put **pp)
{
	struct store_put *p = *pp;

	if (p == NULL)
		return;
	(void)unlinkat(p->store->root, tmp_path(p), 0);
	free_put(p);
	*pp = NULL;
}

void
store_put_renamed(struct store *s, const char *from, const char *to)
{
	struct store_put *p;
	struct list *e;

	for (e = s->puts.next; e != &s->puts; e = e->next) {
		p = LIST_OF(e, struct store_put, link);
		if (strcmp(p->folder, from) != 0)
			continue;
		free(p->folder);
		p->folder = store_dup(slice_str(to));
	}
}
