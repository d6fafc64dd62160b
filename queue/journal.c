/* SPDX-License-Identifier: ISC */
/*
 * Append-only. Because reading ends at the first record that does not count,
 * each append first makes sure that the file ends with one that does.
 */
#include "queue/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "queue/slot.h"

enum { FILE_MAX = 1 << 30 };

/* Bytes of the records at the front that count. */
static size_t
valid_part(struct slice s)
{
	struct format_journal j;
	size_t at = 0;
	ssize_t n;

	while ((n = format_journal_next(slice_from(s, at), &j)) > 0)
		at += (size_t)n;
	return at;
}

static int
read_all(int fd, struct buf *out)
{
	struct stat st;
	ssize_t n;
	char *p;

	if (fstat(fd, &st) < 0)
		return -1;
	p = buf_room(out, (size_t)st.st_size);
	if (p == NULL) {
		errno = out->err == ENOMEM ? ENOMEM : EFBIG;
		return -1;
	}
	n = fsio_pread(fd, p, (size_t)st.st_size, 0);
	if (n < 0)
		return -1;
	buf_grew(out, (size_t)n);
	return 0;
}

/* Finds where to append; cuts off what does not count. */
static int
find_end(int fd, off_t *end_r)
{
	struct buf b;
	size_t end;
	int result;

	buf_init(&b, FILE_MAX);
	result = read_all(fd, &b);
	end = result < 0 ? 0 : valid_part(buf_slice(&b));
	if (result == 0 && end < b.n)
		result = fsio_truncate(fd, (off_t)end);
	buf_fini(&b);
	*end_r = (off_t)end;
	return result;
}

/* Writes at `end` and flushes. A first flush carries the file's name too. */
static int
append_at(int fd, off_t end, struct slice records, bool made)
{
	if (fsio_pwrite(fd, records.p, records.n, end) < 0)
		return -1;
	return made ? fsio_fsync(fd) : fsio_fdatasync(fd);
}

int
journal_append(int dir, uint64_t id, struct slice records, bool strict,
    bool *usable_r)
{
	char path[SLOT_PATH], folder[SLOT_PATH];
	bool made = false;
	int fd, result = -1, error;
	off_t end = 0;

	*usable_r = true;
	slot_id_path("journal", id, path);
	slot_id_dir("journal", id, folder);
	fd = fsio_open(dir, path, O_RDWR);
	if (fd < 0 && errno == ENOENT) {
		fd = fsio_create(dir, path, O_RDWR);
		made = true;
	}
	if (fd < 0)
		return -1;
	if (!made && find_end(fd, &end) < 0)
		goto out;
	result = append_at(fd, end, records, made);
	if (result == 0 && made && strict)
		result = fsio_fsync_dir(dir, folder);
	error = errno;
	if (result < 0 && fsio_truncate(fd, end) < 0)
		*usable_r = false;
	errno = error;
out:
	error = errno;
	(void)close(fd);
	errno = error;
	return result;
}

int
journal_load(int dir, uint64_t id, struct buf *out)
{
	size_t start = out->n;
	char path[SLOT_PATH];
	int fd, result, error;

	slot_id_path("journal", id, path);
	fd = fsio_open(dir, path, O_RDONLY);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	result = read_all(fd, out);
	error = errno;
	(void)close(fd);
	errno = error;
	if (result == 0)
		buf_cut(out, start + valid_part(slice_from(buf_slice(out),
		    start)));
	return result;
}

uint32_t
journal_count(struct slice records)
{
	struct format_journal j;
	uint32_t total = 0;
	ssize_t n;

	while ((n = format_journal_next(records, &j)) > 0) {
		if (j.kind == FORMAT_EXPANSION && j.n <= UINT32_MAX - total)
			total += j.n;
		records = slice_from(records, (size_t)n);
	}
	return total;
}

/* Moves the recipients into an array with room for `more`. */
static int
make_room(struct region *mem, struct spool_envelope *e, uint32_t more)
{
	struct spool_rcpt *rcpts;

	if (more == 0)
		return 0;
	rcpts = region_alloc(mem,
	    ((size_t)e->n_rcpts + more) * sizeof *rcpts);
	if (rcpts == NULL) {
		errno = ENOMEM;
		return -1;
	}
	memcpy(rcpts, e->rcpts, e->n_rcpts * sizeof *rcpts);
	e->rcpts = rcpts;
	return 0;
}

static void
expand(struct spool_envelope *e, struct format_journal *j)
{
	struct spool_rcpt *source = &e->rcpts[j->rcpt], *target;

	if (source->mark == SPOOL_EXPANDED)
		return;
	source->mark = SPOOL_EXPANDED;
	for (; j->n > 0; j->n--) {
		target = &e->rcpts[e->n_rcpts];
		if (format_target_next(&j->targets, target) < 0)
			return;
		target->group = source->group;
		target->parent = j->rcpt;
		e->n_rcpts++;
	}
}

int
journal_play(struct slice records, struct region *mem,
    struct spool_envelope *e)
{
	struct format_journal j;
	ssize_t n;

	if (make_room(mem, e, journal_count(records)) < 0)
		return -1;
	while ((n = format_journal_next(records, &j)) > 0) {
		if (j.rcpt >= e->n_rcpts) {
			errno = EBADMSG;
			return -1;
		}
		if (j.kind == FORMAT_EXPANSION)
			expand(e, &j);
		else if (j.kind == FORMAT_MARK && j.mark != SPOOL_EXPANDED)
			e->rcpts[j.rcpt].mark = j.mark;
		records = slice_from(records, (size_t)n);
	}
	return 0;
}
