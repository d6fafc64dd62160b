/* SPDX-License-Identifier: ISC */
/*
 * Reading a live message back: envelope with marks and expansions, body. In
 * the loop's thread, from the page cache as a rule.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "queue/fsio.h"
#include "queue/journal.h"
#include "queue/spool_priv.h"

/* A file that ends too early is damaged. */
static int
read_whole(int fd, void *p, size_t n, off_t offset)
{
	ssize_t got = fsio_pread(fd, p, n, offset);

	if (got < 0)
		return -1;
	if ((size_t)got == n)
		return 0;
	errno = EBADMSG;
	return -1;
}

static int
read_header(int fd, const struct spool_ref *ref, struct format_header *h_r)
{
	char bytes[FORMAT_HEADER];

	if (read_whole(fd, bytes, sizeof bytes, FORMAT_RECORD) < 0)
		return -1;
	errno = EBADMSG;
	if (format_header_get((struct slice){ bytes, sizeof bytes }, h_r) < 0)
		return -1;
	return h_r->generation == ref->generation && h_r->id == ref->id ? 0
									: -1;
}

/* Goes on with `crc` over the bytes of the file from `from` to `to`. */
static int
check_rest(int fd, uint64_t from, uint64_t to, uint32_t *crc)
{
	char piece[8192];
	size_t n;

	for (; from < to; from += n) {
		n = to - from < sizeof piece ? (size_t)(to - from)
					     : sizeof piece;
		if (read_whole(fd, piece, n, (off_t)from) < 0)
			return -1;
		*crc = crc32c(*crc, piece, n);
	}
	return 0;
}

/* Header and envelope into the region; the whole record is checked against
 * the state's CRC. */
static int
read_front(int fd, const struct format_header *h, uint32_t want,
    struct region *mem, struct slice *front_r)
{
	size_t n = FORMAT_HEADER + (size_t)h->envelope_n;
	char *p = region_alloc(mem, n);
	uint32_t crc;

	if (p == NULL) {
		errno = ENOMEM;
		return -1;
	}
	if (read_whole(fd, p, n, FORMAT_RECORD) < 0)
		return -1;
	crc = crc32c(0, p, n);
	if (check_rest(fd, FORMAT_RECORD + n, FORMAT_RECORD + h->length,
	    &crc) < 0)
		return -1;
	*front_r = (struct slice){ p, n };
	errno = EBADMSG;
	return crc == want ? 0 : -1;
}

/* Marks of the state sector count over the journal's expansions, but only an
 * expansion itself says "expanded". */
static void
apply_marks(const struct format_state *st, struct spool_envelope *e)
{
	uint32_t i;
	uint8_t mark;

	for (i = 0; i < e->n_rcpts && i < FORMAT_MARKS; i++) {
		mark = format_mark_get(st, i);
		if (mark == SPOOL_DONE || mark == SPOOL_FAILED)
			e->rcpts[i].mark = mark;
	}
}

/* The records of tail and journal, and marks on their way there, as one view
 * in the region. */
static int
read_records(struct spool *s, const struct spool_ref *ref, int fd,
    uint64_t length, struct region *mem, struct slice *records_r)
{
	enum slot_kind kind = (enum slot_kind)ref->kind;
	struct tail tail = tail_behind(kind, length);
	struct buf b;
	int result = 0;

	*records_r = SLICE_NONE;
	buf_init(&b, SIZE_MAX / 4);
	/* A block that failed may stand behind those that count. */
	if (ref->tail.blocks > 0)
		result = tail_read(fd, kind, ref->generation, &tail,
		    ref->tail.blocks, &b);
	if (result == 0 && (ref->flags & REF_JOURNAL) != 0)
		result = journal_load(s->dir, ref->id, &b);
	change_pending_marks(ref, &b);
	if (result == 0 && b.n > 0) {
		*records_r = region_slice(mem, buf_slice(&b));
		errno = ENOMEM;
		result = records_r->p == NULL ? -1 : 0;
	}
	buf_fini(&b);
	return result;
}

static int
read_envelope(struct spool *s, struct spool_ref *r, int fd,
    struct region *mem, struct spool_envelope *e_r)
{
	struct slice front, records;
	struct format_header h;
	struct format_state st;

	if (change_state(s, r, &st) < 0 || read_header(fd, r, &h) < 0 ||
	    read_front(fd, &h, st.record_crc, mem, &front) < 0 ||
	    format_envelope_get(front, &h, mem, e_r) < 0 ||
	    read_records(s, r, fd, h.length, mem, &records) < 0 ||
	    journal_play(records, mem, e_r) < 0)
		return -1;
	apply_marks(&st, e_r);
	return 0;
}

int
spool_read_envelope(struct spool *s, struct spool_ref *r, struct region *mem,
    struct spool_envelope *e_r)
{
	struct slot_fd *f;
	int result, error;

	f = slot_fds_open(&s->fds, (enum slot_kind)r->kind, r->number);
	if (f == NULL)
		return -1;
	result = read_envelope(s, r, f->fd, mem, e_r);
	error = errno;
	slot_fds_release(&s->fds, &f);
	errno = error;
	return result;
}

/* `n` bytes, fewer at the end of what there is. */
static int
append(int fd, uint64_t offset, size_t n, struct buf *out)
{
	char *p = buf_room(out, n);
	ssize_t got;

	if (p == NULL) {
		errno = out->err;
		return -1;
	}
	got = fsio_pread(fd, p, n, (off_t)offset);
	if (got < 0)
		return -1;
	buf_grew(out, (size_t)got);
	return 0;
}

static int
read_inside(struct spool *s, struct spool_ref *r, uint64_t offset, size_t n,
    struct buf *out)
{
	struct format_header h;
	struct slot_fd *f;
	int result, error;

	f = slot_fds_open(&s->fds, (enum slot_kind)r->kind, r->number);
	if (f == NULL)
		return -1;
	result = read_header(f->fd, r, &h);
	if (result == 0) {
		if (offset > h.body_n)
			offset = h.body_n;
		if (n > h.body_n - offset)
			n = (size_t)(h.body_n - offset);
		result = append(f->fd, FORMAT_RECORD + FORMAT_HEADER +
		    h.envelope_n + offset, n, out);
	}
	error = errno;
	slot_fds_release(&s->fds, &f);
	errno = error;
	return result;
}

int
spool_read_body(struct spool *s, struct spool_ref *r, uint64_t offset,
    size_t n, struct buf *out)
{
	int fd, result, error;

	if ((r->flags & REF_OUTSIDE) == 0)
		return read_inside(s, r, offset, n, out);
	fd = body_read_fd(s->dir, r->id);
	if (fd < 0)
		return -1;
	result = append(fd, offset, n, out);
	error = errno;
	(void)close(fd);
	errno = error;
	return result;
}

int
spool_body_fd(struct spool *s, struct spool_ref *r)
{
	if ((r->flags & REF_OUTSIDE) != 0)
		return body_read_fd(s->dir, r->id);
	errno = ENOENT;
	return -1;
}
