/* SPDX-License-Identifier: ISC */
/*
 * Making a message durable: steps 1 to 3 of queue/FORMAT. The loop chooses the
 * slot; a thread settles the body, encodes, writes once and flushes once.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "queue/fsio.h"
#include "queue/spool_priv.h"
#include "sys/log.h"

enum { PAGE = 4096, FIRST = 2 * FORMAT_SECTOR,
	OPEN_TRIES = 4 /* slots that one commit tries to open */ };

struct commit {
	struct job job;
	struct list link; /* in spool.waiting */
	struct spool *spool;
	const struct spool_envelope *envelope;
	struct slice body;
	struct spool_body *file;
	spool_committed *done;
	void *arg;
	struct spool_ref *ref;
	uint64_t record; /* bytes */
	struct slot slot;
	struct slot_fd *pin;
	int fd, error, tries;
	bool touched;  /* the slot is no longer as it was */
	bool unopened; /* the slot is not to be opened, and nothing was done */
};

/* ---- in a thread ---- */

/* Both state sectors: the one that counts as it is, the other NEW. */
static void
put_sectors(const struct commit *c, uint32_t crc, unsigned char both[FIRST])
{
	const struct spool_envelope *e = c->envelope;
	struct format_state was = { .generation = c->slot.generation,
		.sequence = c->slot.sequence };
	struct format_state is = { .generation = c->slot.generation + 1,
		.id = e->id, .state = SPOOL_NEW, .n_rcpts = e->n_first,
		.next_s = e->arrival_us / 1000000, .record_crc = crc };

	format_state_put(&was, both + c->slot.at * FORMAT_SECTOR);
	format_state_put(&is, both + (1 - c->slot.at) * FORMAT_SECTOR);
}

/*
 * One write of whole pages: then the kernel need not read what was in the rest
 * of the last one. `front` holds header and envelope.
 */
static int
write_slot(struct commit *c, struct slice front)
{
	static char zeros[PAGE];
	unsigned char both[FIRST];
	struct iovec iov[4];
	size_t rest;
	uint32_t crc;

	crc = crc32c(0, front.p, front.n);
	crc = crc32c(crc, c->body.p, c->body.n);
	put_sectors(c, crc, both);
	rest = (PAGE - (FIRST + c->record) % PAGE) % PAGE;
	iov[0] = (struct iovec){ both, sizeof both };
	iov[1] = (struct iovec){ (void *)(uintptr_t)front.p, front.n };
	iov[2] = (struct iovec){ (void *)(uintptr_t)c->body.p, c->body.n };
	iov[3] = (struct iovec){ zeros, rest };
	c->touched = true;
	return fsio_pwritev(c->fd, iov, 4, 0);
}

/* Opens what the cache did not have; makes a one-off slot under tmp/. */
static int
open_slot(struct commit *c)
{
	char path[SLOT_PATH];

	if (c->slot.kind == SLOT_ONE) {
		slot_tmp_path(SLOT_ONE, c->slot.number, path);
		c->fd = fsio_create(c->spool->dir, path, O_RDWR);
	} else if (c->pin == NULL) {
		slot_path((enum slot_kind)c->slot.kind, c->slot.number, path);
		c->fd = fsio_open(c->spool->dir, path, O_RDWR);
	} else {
		c->fd = c->pin->fd;
	}
	return c->fd < 0 ? -1 : 0;
}

static int
flush_slot(struct commit *c)
{
	char from[SLOT_PATH], to[SLOT_PATH], folder[SLOT_PATH];

	if (c->slot.kind != SLOT_ONE)
		return fsio_fdatasync(c->fd);
	slot_tmp_path(SLOT_ONE, c->slot.number, from);
	slot_path(SLOT_ONE, c->slot.number, to);
	slot_dir(c->slot.number, folder);
	if (fsio_fsync(c->fd) < 0 ||
	    fsio_rename_new(c->spool->dir, from, to) < 0)
		return -1;
	return fsio_fsync_dir(c->spool->dir, folder);
}

static int
write_message(struct commit *c)
{
	const struct spool_envelope *e = c->envelope;
	struct buf front;
	int result = -1, error;

	/* First, for without a slot nothing has begun. */
	if (open_slot(c) < 0) {
		c->unopened = true;
		return -1;
	}
	if (c->file != NULL && body_settle(c->file, e->body_size,
	    c->spool->options.strict) < 0)
		return -1;
	buf_init(&front, FORMAT_RECORD_MAX);
	format_record_put(e, c->slot.generation + 1, c->file != NULL, 0,
	    &front);
	errno = front.err;
	if (buf_is_ok(&front))
		result = write_slot(c, buf_slice(&front));
	error = errno;
	buf_fini(&front);
	errno = error;
	return result < 0 ? -1 : flush_slot(c);
}

static void
run(struct job *j)
{
	struct commit *c = JOB_OF(j, struct commit);
	char path[SLOT_PATH];

	if (c->error != 0 || write_message(c) == 0)
		return;
	c->error = errno == 0 ? EIO : errno;
	if (c->slot.kind == SLOT_ONE && c->fd >= 0) {
		/* On a full disk its space is wanted back now. */
		slot_tmp_path(SLOT_ONE, c->slot.number, path);
		(void)!fsio_unlink(c->spool->dir, path);
	}
}

/* ---- in the loop ---- */

/* The descriptor that the thread used goes to the cache, or is closed. */
static void
put_fd(struct commit *c, bool trusted)
{
	struct spool *s = c->spool;
	enum slot_kind kind = (enum slot_kind)c->slot.kind;

	if (c->pin != NULL)
		slot_fds_release(&s->fds, &c->pin);
	else if (c->fd >= 0 && trusted)
		slot_fds_give(&s->fds, kind, c->slot.number, c->fd);
	else if (c->fd >= 0)
		(void)close(c->fd);
	if (!trusted)
		slot_fds_forget(&s->fds, kind, c->slot.number);
}

/*
 * A failed flush is not tried again, and the slot is left alone until the next
 * start: nobody knows what it holds.
 */
static void
fail(struct commit *c)
{
	struct spool *s = c->spool;

	/* A one-off slot that is not to be is gone. */
	put_fd(c, !c->touched && c->slot.kind != SLOT_ONE);
	if (c->touched) {
		log_error("event=flush_failed id=%016" PRIx64 " slot=%08" PRIx32
			  " error=%s", c->envelope->id, c->slot.number,
		    LOG_S(strerror(c->error)));
		slots_count(&s->slots, (enum slot_kind)c->slot.kind, -1);
		if (c->file != NULL)
			c->file->keep = true;
	} else if (c->slot.number != 0 && c->slot.kind != SLOT_ONE) {
		slots_put(&s->slots, &c->slot);
	}
	body_discard(&c->file);
	if (c->ref != NULL)
		spool_ref_free(s, c->ref);
	c->ref = NULL;
}

static void
succeed(struct commit *c)
{
	struct spool *s = c->spool;
	struct spool_ref *ref = c->ref;

	*ref = (struct spool_ref){
		.id = c->envelope->id,
		.generation = c->slot.generation + 1,
		.number = c->slot.number,
		.n_rcpts = c->envelope->n_first,
		.kind = c->slot.kind,
		.at = 1 - c->slot.at,
		.flags = c->file != NULL ? REF_OUTSIDE : 0,
		.tail = tail_behind((enum slot_kind)c->slot.kind, c->record),
	};
	s->counts.live++;
	s->counts.bodies += c->file != NULL;
	put_fd(c, true);
	body_free(&c->file);
}

static void proceed(struct commit *c);

/*
 * A slot that cannot be opened is no use to the next commit either, which
 * would get the same one: it is left alone until the next start, and this
 * commit goes on with another. True when it does.
 */
static bool
leave_slot(struct commit *c)
{
	struct spool *s = c->spool;
	enum slot_kind kind = (enum slot_kind)c->slot.kind;

	if (!c->unopened || kind == SLOT_ONE || c->error == EMFILE ||
	    c->error == ENFILE || c->error == ENOMEM)
		return false;
	log_error("event=slot_unusable slot=%08" PRIx32 " error=%s",
	    c->slot.number, LOG_S(strerror(c->error)));
	slot_fds_forget(&s->fds, kind, c->slot.number);
	slots_count(&s->slots, kind, -1);
	c->slot = (struct slot){ 0 };
	c->unopened = false;
	if (s->closing || ++c->tries == OPEN_TRIES)
		return false;
	c->error = 0;
	proceed(c);
	return true;
}

static void
done(struct job *j)
{
	struct commit *c = JOB_OF(j, struct commit), copy;

	if (c->error != 0 && leave_slot(c))
		return;
	if (c->error == 0)
		succeed(c);
	else
		fail(c);
	copy = *c;
	free(c);
	copy.done(copy.arg, copy.ref, copy.error);
}

static void
submit(struct commit *c)
{
	c->job.run = run;
	c->job.done = done;
	jobs_submit(&c->spool->jobs, &c->job);
}

static void
submit_failed(struct commit *c, int error)
{
	c->error = error;
	submit(c);
}

static int
take_slot(struct commit *c)
{
	struct slots *p = &c->spool->slots;
	enum slot_kind kind = slot_kind_for(c->record);

	if (kind != SLOT_ONE)
		return slots_take(p, kind, &c->slot);
	c->slot = (struct slot){ .number = slots_number(p),
		.kind = SLOT_ONE };
	return 0;
}

/* On a full disk a small message may have a large slot. */
static int
take_any(struct commit *c)
{
	int kind = (int)slot_kind_for(c->record);

	for (; kind < SLOT_ONE; kind++)
		if (slots_take(&c->spool->slots, (enum slot_kind)kind,
		    &c->slot) == 0)
			return 0;
	return -1;
}

/* Goes on with a slot, or waits for one. */
static void
proceed(struct commit *c)
{
	struct spool *s = c->spool;

	if (!s->numbers_known || take_slot(c) < 0) {
		if (s->numbers_known && slots_make(&s->slots,
		    slot_kind_for(c->record)) < 0)
			submit_failed(c, errno);
		else
			list_add(&s->waiting, &c->link);
		return;
	}
	if (c->slot.kind != SLOT_ONE) {
		c->pin = slot_fds_find(&s->fds, (enum slot_kind)c->slot.kind,
		    c->slot.number);
		if (s->scanned)
			slots_tend(&s->slots, (enum slot_kind)c->slot.kind);
	} else if (c->slot.number == 0) {
		c->error = ENOSPC;
	}
	submit(c);
}

void
commit_slots_changed(struct spool *s, enum slot_kind kind, int error)
{
	struct list *it, *next, again;
	struct commit *c;

	list_init(&again);
	LIST_EACH(it, next, &s->waiting) {
		list_remove(it);
		list_add(&again, it);
	}
	while ((it = list_first(&again)) != NULL) {
		c = LIST_OF(it, struct commit, link);
		list_remove(it);
		if (error == 0 || slot_kind_for(c->record) != kind)
			proceed(c);
		else if (take_any(c) == 0)
			submit(c);
		else
			submit_failed(c, error);
	}
}

/* 0, or the errno that refuses it at once. */
static int
check(struct commit *c)
{
	const struct spool_envelope *e = c->envelope;

	if (format_record_size(e, &c->record) < 0)
		return errno;
	if (c->file == NULL)
		c->record += c->body.n;
	if (c->record > FORMAT_RECORD_MAX)
		return EMSGSIZE;
	if (c->file == NULL ? e->body_size != c->body.n : c->body.n != 0)
		return EINVAL;
	if (c->file != NULL && c->file->id != e->id)
		return EINVAL;
	c->ref = spool_ref_new(c->spool);
	return c->ref == NULL ? ENOMEM : 0;
}

void
spool_commit(struct spool *s, const struct spool_envelope *e,
    struct slice body, struct spool_body *b, spool_committed *on_done,
    void *arg)
{
	struct commit *c = calloc(1, sizeof *c);
	int error;

	if (c == NULL)
		fatal("no memory for a commit");
	*c = (struct commit){ .spool = s, .envelope = e, .body = body,
		.file = b, .done = on_done, .arg = arg, .fd = -1 };
	if (b != NULL && b->fd >= 0) {
		(void)close(b->fd);
		b->fd = -1;
	}
	error = s->closing ? ESHUTDOWN : check(c);
	if (error != 0)
		submit_failed(c, error);
	else
		proceed(c);
}
