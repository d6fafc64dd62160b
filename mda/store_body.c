/* SPDX-License-Identifier: ISC */
/*
 * Bodies that are there: reading, examining, linking, deleting, naming. A file
 * of another program may have bare LF line ends; it is served with CRLF, so
 * that everything above counts the bytes a client will see.
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

enum { CHUNK = 65536 };

/* ---- reading ---- */

struct get_job {
	struct store_job job;
	struct store_body body;
	bool crlf;
	uint64_t offset;
	size_t n;
	store_got *done;
	void *arg;
};

static int
open_body(struct store *s, const struct store_body *b)
{
	enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK };
	const char *path = store_path(b->folder, b->place, b->id, b->letters);
	struct stat st;
	int fd;

	fd = openat(s->root, path, FLAGS);
	if (fd < 0 && errno == ENOENT) {
		path = store_path_find(s, b, NULL);
		fd = path == NULL ? -1 : openat(s->root, path, FLAGS);
	}
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		(void)close(fd);
		errno = ENOENT;
		return -1;
	}
	return fd;
}

/* Up to n bytes at an offset; -1 with errno. */
static ssize_t
read_at(int fd, char *to, size_t n, uint64_t offset)
{
	size_t have = 0;
	ssize_t got;

	while (have < n) {
		got = pread(fd, to + have, n - have, (off_t)(offset + have));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static int
read_plain(int fd, const struct get_job *g, struct buf *out)
{
	struct stat st;
	ssize_t got;
	size_t n = g->n;
	char *room;

	if (fstat(fd, &st) < 0)
		return -1;
	if (g->offset >= (uint64_t)st.st_size)
		return 0;
	if (n > (uint64_t)st.st_size - g->offset)
		n = (size_t)((uint64_t)st.st_size - g->offset);
	room = buf_room(out, n);
	if (room == NULL) {
		errno = ENOMEM;
		return -1;
	}
	got = read_at(fd, room, n, g->offset);
	if (got < 0)
		return -1;
	buf_grew(out, (size_t)got);
	return 0;
}

/* Goes on where the last piece of the same body ended, if that is before. */
static struct store_lf_place
lf_begin(struct store *s, const struct get_job *g)
{
	struct store_lf_place at = { .stored = 0 };
	struct buf name;

	buf_init(&name, 1024);
	buf_add_str(&name, g->body.folder);
	buf_add_char(&name, '/');
	buf_add_slice(&name, g->body.id);
	if (slice_eq(buf_slice(&name), buf_slice(&s->lf.name)) &&
	    s->lf.served <= g->offset) {
		at = s->lf;
	} else {
		buf_reset(&s->lf.name);
		buf_add_slice(&s->lf.name, buf_slice(&name));
	}
	buf_fini(&name);
	return at;
}

/* Adds what of a chunk, as served, is from the offset on. */
static void
serve_chunk(struct store_lf_place *at, struct slice in,
    const struct get_job *g, struct buf *out)
{
	uint64_t end = g->offset + g->n;
	size_t i;

	for (i = 0; i < in.n && at->served < end; i++) {
		if (in.p[i] == '\n' && at->last != '\r') {
			if (at->served >= g->offset)
				buf_add_char(out, '\r');
			at->served++;
		}
		if (at->served >= g->offset)
			buf_add_char(out, in.p[i]);
		at->served++;
		at->stored++;
		at->last = in.p[i];
	}
}

static int
read_lf(struct store *s, int fd, const struct get_job *g, struct buf *out)
{
	struct store_lf_place at = lf_begin(s, g);
	char *chunk = store_alloc(CHUNK);
	ssize_t got = 0;

	while (at.served < g->offset + g->n) {
		got = read_at(fd, chunk, CHUNK, at.stored);
		if (got <= 0)
			break;
		serve_chunk(&at, (struct slice){ chunk, (size_t)got }, g, out);
	}
	free(chunk);
	/* Both bytes of a line end may be one too many. */
	buf_cut(out, g->n);
	if (at.served <= g->offset + g->n) {
		s->lf.stored = at.stored;
		s->lf.served = at.served;
		s->lf.last = at.last;
	} else {
		buf_reset(&s->lf.name);
	}
	return got < 0 || !buf_is_ok(out) ? -1 : 0;
}

static void
run_get(struct store *s, struct store_job *job)
{
	struct get_job *g = LIST_OF(job, struct get_job, job);
	enum store_result r = STORE_OK;
	struct buf out;
	int fd, rc;

	buf_init(&out, g->n + 2);
	fd = open_body(s, &g->body);
	if (fd < 0) {
		r = store_errno("read", g->body.folder);
	} else {
		rc = g->crlf ? read_plain(fd, g, &out) :
		    read_lf(s, fd, g, &out);
		if (rc < 0)
			r = store_errno("read", g->body.folder);
		(void)close(fd);
	}
	g->done(g->arg, r, buf_slice(&out));
	buf_fini(&out);
	store_body_fini(&g->body);
	free(g);
}

void
store_get_body(struct store *s, const struct store_body *b, bool crlf,
    uint64_t offset, size_t n, store_got *done, void *arg)
{
	struct get_job *g = store_alloc(sizeof *g);

	g->job.run = run_get;
	store_body_copy(&g->body, b);
	g->crlf = crlf;
	g->offset = offset;
	g->n = n;
	g->done = done;
	g->arg = arg;
	store_add_job(s, &g->job);
}

/* ---- examining ---- */

struct examine_job {
	struct store_job job;
	struct store_body body;
	store_examined *done;
	void *arg;
};

static uint64_t
count_bare_lf(struct slice in, char *last)
{
	const char *at = in.p, *end = in.p + in.n, *nl;
	uint64_t n = 0;

	while (at < end && (nl = memchr(at, '\n', (size_t)(end - at))) !=
	    NULL) {
		n += (nl == in.p ? *last : nl[-1]) != '\r';
		at = nl + 1;
	}
	if (in.n > 0)
		*last = end[-1];
	return n;
}

static int
examine(int fd, char *chunk, struct store_facts *f, char *head)
{
	struct stat st;
	char last = 0;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return -1;
	f->mtime = st.st_mtim.tv_sec;
	while ((got = read_at(fd, chunk, CHUNK, f->size)) > 0) {
		if (f->size == 0) {
			memcpy(head, chunk, (size_t)got);
			f->head = (struct slice){ head, (size_t)got };
		}
		f->size += (uint64_t)got;
		f->served += (uint64_t)got + count_bare_lf(
		    (struct slice){ chunk, (size_t)got }, &last);
	}
	return got < 0 ? -1 : 0;
}

static void
run_examine(struct store *s, struct store_job *job)
{
	struct examine_job *x = LIST_OF(job, struct examine_job, job);
	struct store_facts f = { .head = SLICE_NONE };
	enum store_result r = STORE_OK;
	char *chunk = store_alloc(CHUNK), *head = store_alloc(STORE_HEAD);
	int fd = open_body(s, &x->body);

	if (fd < 0 || examine(fd, chunk, &f, head) < 0)
		r = store_errno("examine", x->body.folder);
	if (fd >= 0)
		(void)close(fd);
	x->done(x->arg, r, &f);
	free(head);
	free(chunk);
	store_body_fini(&x->body);
	free(x);
}

void
store_examine_body(struct store *s, const struct store_body *b,
    store_examined *done, void *arg)
{
	struct examine_job *x = store_alloc(sizeof *x);

	x->job.run = run_examine;
	store_body_copy(&x->body, b);
	x->done = done;
	x->arg = arg;
	store_add_job(s, &x->job);
}

/* ---- linking, deleting, naming ---- */

struct name_job {
	struct store_job job;
	struct store_body body, to;
	store_done *done;
	void *arg;
};

static void
add_name_job(struct store *s, void (*run)(struct store *, struct store_job *),
    const struct store_body *b, const struct store_body *to, store_done *done,
    void *arg)
{
	struct name_job *j = store_alloc(sizeof *j);

	j->job.run = run;
	store_body_copy(&j->body, b);
	store_body_copy(&j->to, to);
	j->done = done;
	j->arg = arg;
	store_add_job(s, &j->job);
}

static void
end_name_job(struct name_job *j, enum store_result r)
{
	j->done(j->arg, r);
	store_body_fini(&j->body);
	store_body_fini(&j->to);
	free(j);
}

/* A body that cannot be linked (another file system) is copied. */
static int
copy_file(struct store *s, const char *from, const char *to)
{
	char *chunk;
	ssize_t got = -1;
	struct stat st;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };
	uint64_t at = 0;
	int in = openat(s->root, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int out = openat(s->root, to,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	chunk = store_alloc(CHUNK);
	while (in >= 0 && out >= 0 &&
	    (got = read_at(in, chunk, CHUNK, at)) > 0) {
		if (write(out, chunk, (size_t)got) != got) {
			got = -1;
			break;
		}
		at += (uint64_t)got;
	}
	free(chunk);
	if (got == 0 && fstat(in, &st) == 0) {
		times[1] = st.st_mtim;
		(void)futimens(out, times);
		if (fsync(out) < 0)
			got = -1;
	}
	if (in >= 0)
		(void)close(in);
	if (out >= 0)
		(void)close(out);
	return got == 0 ? 0 : -1;
}

static void
run_link(struct store *s, struct store_job *job)
{
	struct name_job *j = LIST_OF(job, struct name_job, job);
	const char *to = store_path(j->to.folder, BODY_TMP, j->to.id, 0);
	const char *from = store_path_find(s, &j->body, NULL);
	enum store_result r = STORE_OK;
	int rc;

	if (from == NULL) {
		end_name_job(j, STORE_NONE);
		return;
	}
	rc = linkat(s->root, from, s->root, to, 0);
	if (rc < 0 && errno == EEXIST) {
		/* Left there by a crash. */
		(void)unlinkat(s->root, to, 0);
		rc = linkat(s->root, from, s->root, to, 0);
	}
	if (rc < 0 && (errno == EXDEV || errno == EPERM || errno == EMLINK))
		rc = copy_file(s, from, to);
	if (rc < 0)
		r = store_errno("link", to);
	end_name_job(j, r);
}

void
store_link_body(struct store *s, const struct store_body *b,
    const char *to_folder, struct slice to_id, store_done *done, void *arg)
{
	add_name_job(s, run_link, b,
	    &(struct store_body){ .folder = to_folder, .id = to_id }, done,
	    arg);
}

static void
run_delete(struct store *s, struct store_job *job)
{
	struct name_job *j = LIST_OF(job, struct name_job, job);
	enum store_result r = STORE_OK;
	const char *path;

	stamp_begin(s, j->body.folder, STAMP_NEW | STAMP_CUR);
	path = store_path(j->body.folder, j->body.place, j->body.id,
	    j->body.letters);
	if (unlinkat(s->root, path, 0) < 0) {
		path = errno != ENOENT ? NULL :
		    store_path_find(s, &j->body, NULL);
		if (path != NULL && unlinkat(s->root, path, 0) < 0)
			path = NULL;
		if (path == NULL && errno != ENOENT)
			r = store_errno("delete", j->body.folder);
	}
	stamp_end(s, j->body.folder, STAMP_NEW | STAMP_CUR);
	end_name_job(j, r);
}

void
store_delete_body(struct store *s, const struct store_body *b,
    store_done *done, void *arg)
{
	add_name_job(s, run_delete, b,
	    &(struct store_body){ .folder = "", .id = SLICE("") }, done, arg);
}

static void
run_name(struct store *s, struct store_job *job)
{
	struct name_job *j = LIST_OF(job, struct name_job, job);
	enum store_result r = STORE_OK;
	const char *from, *to;
	int rc;

	stamp_begin(s, j->body.folder, STAMP_NEW | STAMP_CUR);
	from = store_path(j->body.folder, j->body.place, j->body.id,
	    j->body.letters);
	to = store_path(j->body.folder, j->to.place, j->body.id,
	    j->to.letters);
	rc = renameat(s->root, from, s->root, to);
	if (rc < 0 && errno == ENOENT) {
		from = store_path_find(s, &j->body, NULL);
		rc = from == NULL ? -1 :
		    strcmp(from, to) == 0 ? 0 :
		    renameat(s->root, from, s->root, to);
	}
	if (rc < 0)
		r = store_errno("name", j->body.folder);
	stamp_end(s, j->body.folder, STAMP_NEW | STAMP_CUR);
	end_name_job(j, r);
}

void
store_name_body(struct store *s, const struct store_body *b,
    enum body_place place, uint32_t letters, store_done *done, void *arg)
{
	add_name_job(s, run_name, b, &(struct store_body){ .folder = "",
		.id = SLICE(""), .place = place, .letters = letters }, done,
	    arg);
}
