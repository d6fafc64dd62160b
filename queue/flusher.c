/* SPDX-License-Identifier: ISC */
/*
 * Writes changes of live messages, gathered for at most 100 ms, as a group:
 * first records in tails and journals, then state sectors, all flushed; then
 * what is no longer wanted is removed. One group runs at a time, so that the
 * order of a message's changes is the order on the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "queue/aside.h"
#include "queue/fsio.h"
#include "queue/journal.h"
#include "queue/spool_priv.h"
#include "sys/log.h"

enum { DELAY_MS = 100, GROUP_MAX = 256, PARTS_MAX = 8, PART_MIN = 8,
	RETRY_MIN_MS = 1000, RETRY_MAX_MS = 60000 };

/* What one thread does of a group. */
struct part {
	struct job job;
	struct group *group;
	size_t from, to;
};

struct group {
	struct spool *spool;
	struct change *changes[GROUP_MAX];
	size_t n;
	int fds[GROUP_MAX], errors[GROUP_MAX];
	int64_t now; /* wall time, for names under corrupt/ */
	struct part parts[PARTS_MAX];
	unsigned left; /* parts not done */
};

/* ---- in a thread ---- */

static void
open_slot(const struct spool *s, struct change *c)
{
	char path[SLOT_PATH];

	c->fd = c->pin != NULL ? c->pin->fd : -1;
	if (c->pin != NULL)
		return;
	slot_path((enum slot_kind)c->ref->kind, c->ref->number, path);
	c->fd = fsio_open(s->dir, path, O_RDWR);
	c->own_fd = c->fd >= 0;
	if (c->fd < 0)
		c->error = errno;
}

/*
 * Records go into the slot's tail, flushed with its state, until one does not
 * fit; from then on into a file. Reading plays them in the same order.
 */
static void
write_records(const struct spool *s, struct change *c)
{
	const struct spool_ref *ref = c->ref;
	struct slice records = buf_slice(&c->journal);
	int result;

	c->in_tail = (ref->flags & REF_JOURNAL) == 0 && c->error == 0 &&
	    tail_has_room((enum slot_kind)ref->kind, ref->tail, records.n);
	if (c->in_tail)
		result = tail_write(c->fd, ref->tail, ref->generation,
		    records);
	else
		result = journal_append(s->dir, ref->id, records,
		    s->options.strict, &c->usable);
	if (result < 0)
		c->journal_error = errno;
}

/*
 * Records first, then the sector that does not count. The two may fail apart:
 * no mark in a sector means anything that only a record can explain.
 */
static void
write_change(const struct spool *s, struct change *c)
{
	unsigned char sector[FORMAT_SECTOR];
	const struct spool_ref *ref = c->ref;

	c->usable = true;
	open_slot(s, c);
	if (c->journal.n > 0 && c->journal_error == 0)
		write_records(s, c);
	if (!c->readable || c->error != 0)
		return;
	format_state_put(&c->st, sector);
	if (fsio_pwrite(c->fd, sector, sizeof sector,
	    (off_t)(1 - ref->at) * FORMAT_SECTOR) < 0)
		c->error = errno;
}

/* Removes what belongs to a message that is over. What stays behind is found
 * at the next start. */
static void
remove_files(const struct spool *s, const struct spool_ref *ref)
{
	char path[SLOT_PATH];

	if ((ref->flags & REF_OUTSIDE) != 0) {
		slot_id_path("body", ref->id, path);
		(void)!fsio_unlink(s->dir, path);
	}
	if ((ref->flags & REF_JOURNAL) != 0) {
		slot_id_path("journal", ref->id, path);
		(void)!fsio_unlink(s->dir, path);
	}
	if (ref->kind == SLOT_ONE) {
		slot_path(SLOT_ONE, ref->number, path);
		(void)!fsio_unlink(s->dir, path);
	}
}

static void
flush_states(struct group *g, size_t from, size_t to)
{
	struct change *c;
	size_t i;

	for (i = from; i < to; i++) {
		c = g->changes[i];
		g->fds[i] = c->error == 0 ? c->fd : -1;
	}
	fsio_flush_many(g->fds + from, g->errors + from, to - from,
	    g->spool->options.strict);
	for (i = from; i < to; i++) {
		c = g->changes[i];
		if (g->fds[i] >= 0)
			c->error = g->errors[i];
		if (c->in_tail && c->journal_error == 0)
			c->journal_error = c->error;
	}
}

static void
run(struct job *j)
{
	struct part *p = JOB_OF(j, struct part);
	struct group *g = p->group;
	struct spool *s = g->spool;
	struct change *c;
	size_t i;

	for (i = p->from; i < p->to; i++)
		write_change(s, g->changes[i]);
	flush_states(g, p->from, p->to);
	for (i = p->from; i < p->to; i++) {
		c = g->changes[i];
		if (c->own_fd)
			(void)close(c->fd);
		if (c->kind == CHANGE_ASIDE && aside_move(s->dir,
		    (enum slot_kind)c->ref->kind, c->ref->number, c->ref->id,
		    g->now, s->options.strict) < 0)
			c->error = errno;
		else if (c->kind == CHANGE_FREE && c->error == 0)
			remove_files(s, c->ref);
	}
}

/* ---- in the loop: those who wait ---- */

static void
call(struct waiter *w, int error)
{
	void (*done)(void *, int) = w->done;
	void *arg = w->arg;

	list_remove(&w->link);
	free(w);
	done(arg, error);
}

void
flusher_add(struct spool *s, struct change *c)
{
	struct flusher *f = &s->flusher;

	c->number = ++f->numbered;
	list_add(&f->pending, &c->link);
	f->n_pending++;
	if (f->n_pending >= GROUP_MAX)
		flusher_hurry(s);
	else if (!loop_timer_is_set(&f->timer))
		loop_timer_set(&f->timer, clock_boot_ms() + DELAY_MS);
}

void
flusher_again(struct spool *s, struct change *c)
{
	c->failed = false;
	list_remove(&c->link);
	flusher_add(s, c);
}

void
flusher_retry(struct spool *s)
{
	struct list *first;

	while ((first = list_first(&s->flusher.failed)) != NULL)
		flusher_again(s, LIST_OF(first, struct change, link));
}

void
flusher_hurry(struct spool *s)
{
	s->flusher.hurry = true;
	loop_later_ask(&s->flusher.later);
}

void
flusher_wait(struct spool *s, struct waiter *w)
{
	list_add(&s->flusher.waiters, &w->link);
	loop_later_ask(&s->flusher.later);
}

static void
change_free(struct change *c)
{
	buf_fini(&c->journal);
	free(c);
}

/* ---- in the loop: groups ---- */

static void
log_failed(const struct change *c)
{
	int error = c->error != 0 ? c->error : c->journal_error;

	if (error == 0)
		return;
	log_error("event=flush_failed id=%016" PRIx64 " slot=%08" PRIx32
		  " error=%s", c->ref->id, c->ref->number,
	    LOG_S(strerror(error)));
}

/*
 * A live message whose sector could not be written keeps the one it had; the
 * next try has a higher sequence, for nobody knows what the disk took.
 */
static void
end_state(struct change *c)
{
	struct spool_ref *ref = c->ref;

	if (c->readable)
		ref->sequence = c->st.sequence;
	if (c->error == 0 && c->readable)
		ref->at = 1 - ref->at;
	if (!c->usable)
		ref->flags |= REF_STUCK;
	if (c->in_tail && c->journal_error == 0)
		ref->tail = tail_after(ref->tail, c->journal.n);
	if (c->journal.n > 0 && !c->in_tail)
		ref->flags |= REF_JOURNAL;
}

static void
end_message(struct spool *s, struct change *c)
{
	struct spool_ref *ref = c->ref;
	enum slot_kind kind = (enum slot_kind)ref->kind;
	struct slot slot = { .generation = ref->generation,
		.sequence = c->st.sequence, .number = ref->number,
		.kind = ref->kind, .at = ref->at };

	s->counts.live--;
	s->counts.bodies -= (ref->flags & REF_OUTSIDE) != 0;
	if (kind == SLOT_ONE || c->kind == CHANGE_ASIDE || c->error != 0) {
		slot_fds_forget(&s->fds, kind, ref->number);
		slots_count(&s->slots, kind, -1);
	} else {
		slots_put(&s->slots, &slot);
	}
	spool_ref_free(s, ref);
}

static void
end_expansions(struct change *c)
{
	int error = c->kind != CHANGE_STATE ? ECANCELED : c->journal_error;
	struct list *first;
	struct waiter *w;

	while ((first = list_first(&c->expansions)) != NULL) {
		w = LIST_OF(first, struct waiter, link);
		if (error == 0) {
			c->ref->n_rcpts += w->targets;
			c->ref->flags |= REF_EXPANDED;
		}
		call(w, error);
	}
}

/* The disk does not hold what the change says, and might yet. A slot that is
 * gone has nothing to say. */
static bool
has_failed(const struct change *c)
{
	if (c->kind == CHANGE_ASIDE || (c->kind == CHANGE_FREE &&
	    c->error == ENOENT))
		return false;
	return c->error != 0 || c->journal_error != 0 || !c->readable;
}

/* The records that are still to be written: expansions were answered. */
static void
keep_marks(struct change *c, struct slice more, struct buf *out)
{
	buf_init(out, 2 * FORMAT_JOURNAL_MAX);
	if (c->journal_error != 0)
		change_copy_marks(buf_slice(&c->journal), out);
	buf_add_slice(out, more);
}

/* The newer change of this message has its marks in the sector already, but
 * not in the journal. */
static void
leave_to_newer(struct change *c)
{
	struct change *newer = c->ref->change;
	struct buf all;

	keep_marks(c, buf_slice(&newer->journal), &all);
	buf_fini(&newer->journal);
	newer->journal = all;
}

/* Nothing newer is known of this message: it is written again, alone or with
 * what comes in the meantime. */
static void
write_again(struct spool *s, struct change *c)
{
	struct flusher *f = &s->flusher;
	struct buf marks;

	keep_marks(c, SLICE_NONE, &marks);
	buf_fini(&c->journal);
	c->journal = marks;
	c->running = false;
	c->own_fd = false;
	c->in_tail = false;
	c->fd = -1;
	c->error = 0;
	c->journal_error = 0;
	c->failed = true;
	list_add(&f->failed, &c->link);
	if (loop_timer_is_set(&f->retry))
		return;
	f->retry_ms = f->retry_ms == 0 ? RETRY_MIN_MS : f->retry_ms * 2;
	if (f->retry_ms > RETRY_MAX_MS)
		f->retry_ms = RETRY_MAX_MS;
	loop_timer_set(&f->retry, clock_boot_ms() + f->retry_ms);
}

static void
end_change(struct spool *s, struct change *c)
{
	struct spool_ref *ref = c->ref;
	bool failed = has_failed(c);

	slot_fds_release(&s->fds, &c->pin);
	log_failed(c);
	end_state(c);
	end_expansions(c);
	if (ref->change == c && failed && !s->closing) {
		write_again(s, c);
		return;
	}
	if (ref->change == c) {
		ref->change = NULL;
	} else {
		ref->change->older = NULL;
		if (failed)
			leave_to_newer(c);
	}
	if (c->kind != CHANGE_STATE)
		end_message(s, c);
	change_free(c);
}

static void
answer(struct flusher *f, int error)
{
	struct list *it, *next;
	struct waiter *w;

	LIST_EACH(it, next, &f->waiters) {
		w = LIST_OF(it, struct waiter, link);
		if (error != 0)
			w->error = error;
	}
	while ((it = list_first(&f->waiters)) != NULL) {
		w = LIST_OF(it, struct waiter, link);
		if (w->upto > f->done)
			return;
		call(w, w->error);
	}
}

static void
group_done(struct job *j)
{
	struct group *g = JOB_OF(j, struct part)->group;
	struct spool *s = g->spool;
	struct flusher *f = &s->flusher;
	int error = 0;
	size_t i;

	if (--g->left > 0)
		return;
	f->running = NULL;
	for (i = 0; i < g->n; i++) {
		if (g->changes[i]->error != 0)
			error = g->changes[i]->error;
		if (g->changes[i]->journal_error != 0)
			error = g->changes[i]->journal_error;
		f->done = g->changes[i]->number;
		end_change(s, g->changes[i]);
	}
	free(g);
	if (error == 0 && list_is_empty(&f->failed))
		f->retry_ms = 0;
	answer(f, error);
	if (!list_is_empty(&s->waiting))
		commit_slots_changed(s, SLOT_8, 0);
	if (f->n_pending >= GROUP_MAX || f->hurry ||
	    !list_is_empty(&f->waiters))
		flusher_kick(s);
	else if (f->n_pending > 0 && !loop_timer_is_set(&f->timer))
		loop_timer_set(&f->timer, clock_boot_ms() + DELAY_MS);
}

/* Fixes what the change is to be on the disk. */
static void
prepare(struct spool *s, struct change *c)
{
	struct spool_ref *ref = c->ref;

	c->running = true;
	c->pin = slot_fds_find(&s->fds, (enum slot_kind)ref->kind,
	    ref->number);
	if (c->kind == CHANGE_FREE) {
		c->st = (struct format_state){ .generation = ref->generation };
		c->readable = true;
		buf_reset(&c->journal);
	}
	if (!c->readable)
		change_read_again(s, c);
	c->st.sequence = ref->sequence + 1;
	if ((ref->flags & REF_JOURNAL) != 0)
		c->st.flags |= SPOOL_HAS_JOURNAL;
	if ((ref->flags & REF_EXPANDED) != 0)
		c->st.flags |= SPOOL_HAS_EXPANSION;
	if ((ref->flags & REF_STUCK) != 0)
		c->journal_error = c->journal.n > 0 ? EIO : 0;
}

/*
 * Under the ordered model one flush covers all, so one thread does all; under
 * the strict one each state is flushed, so the threads share the work.
 */
static void
submit(struct group *g)
{
	size_t parts = g->n / PART_MIN, each;
	struct part *p;

	if (parts < 1 || !g->spool->options.strict)
		parts = 1;
	if (parts > PARTS_MAX)
		parts = PARTS_MAX;
	each = (g->n + parts - 1) / parts;
	for (p = g->parts; p < g->parts + parts; p++) {
		p->group = g;
		p->from = (size_t)(p - g->parts) * each;
		p->to = p->from + each < g->n ? p->from + each : g->n;
		p->job.run = run;
		p->job.done = group_done;
	}
	g->left = (unsigned)parts;
	for (p = g->parts; p < g->parts + parts; p++)
		jobs_submit(&g->spool->jobs, &p->job);
}

void
flusher_kick(struct spool *s)
{
	struct flusher *f = &s->flusher;
	struct change *c;
	struct group *g;
	struct list *it;

	if (f->running != NULL || f->n_pending == 0 || !s->started)
		return;
	g = calloc(1, sizeof *g);
	if (g == NULL)
		fatal("no memory for a group of changes");
	while (g->n < GROUP_MAX && (it = list_first(&f->pending)) != NULL) {
		c = LIST_OF(it, struct change, link);
		list_remove(it);
		f->n_pending--;
		prepare(s, c);
		g->changes[g->n++] = c;
	}
	if (f->n_pending == 0)
		f->hurry = false;
	loop_timer_clear(&f->timer);
	g->spool = s;
	g->now = clock_wall();
	f->running = g;
	submit(g);
}

static void
on_timer(void *arg)
{
	flusher_kick(arg);
}

static void
on_retry(void *arg)
{
	flusher_retry(arg);
}

static void
on_later(void *arg)
{
	struct spool *s = arg;

	answer(&s->flusher, 0);
	flusher_kick(s);
}

void
flusher_init(struct spool *s)
{
	struct flusher *f = &s->flusher;

	list_init(&f->pending);
	list_init(&f->waiters);
	list_init(&f->failed);
	loop_timer_init(&f->timer, s->loop, on_timer, s);
	loop_timer_init(&f->retry, s->loop, on_retry, s);
	loop_later_init(&f->later, s->loop, on_later, s);
}

void
flusher_fini(struct spool *s)
{
	answer(&s->flusher, 0);
	loop_timer_clear(&s->flusher.timer);
	loop_timer_clear(&s->flusher.retry);
	loop_later_remove(&s->flusher.later);
}
