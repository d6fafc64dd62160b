/* SPDX-License-Identifier: ISC */
/*
 * What callers record of live messages: marks, status, expansions, their end.
 * Each message with something new has a change, which gathers until the flusher
 * writes it; what is asked about the message in between includes it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "queue/fsio.h"
#include "queue/spool_priv.h"
#include "sys/log.h"

/* The sector that counts, from the disk. */
static int
load_state(struct spool *s, struct spool_ref *ref, struct format_state *st_r)
{
	struct slot_fd *f;
	char sector[FORMAT_SECTOR];
	ssize_t n;

	f = slot_fds_open(&s->fds, (enum slot_kind)ref->kind, ref->number);
	if (f == NULL)
		return -1;
	n = fsio_pread(f->fd, sector, sizeof sector,
	    (off_t)ref->at * FORMAT_SECTOR);
	slot_fds_release(&s->fds, &f);
	if (n < 0)
		return -1;
	errno = EBADMSG;
	if (format_state_get((struct slice){ sector, (size_t)n }, st_r) !=
		FORMAT_VALID ||
	    st_r->generation != ref->generation || st_r->id != ref->id)
		return -1;
	return 0;
}

static void
copy_status(const struct format_state *from, struct format_state *to)
{
	to->state = from->state;
	to->flags = from->flags;
	to->attempts = from->attempts;
	to->crashes = from->crashes;
	to->next_s = from->next_s;
	to->last_s = from->last_s;
	to->text_n = from->text_n;
	memcpy(to->text, from->text, sizeof to->text);
}

/* What was recorded in a change that does not know the rest. */
static void
overlay(const struct change *c, struct format_state *st)
{
	uint32_t i;
	uint8_t mark;

	for (i = 0; i < FORMAT_MARKS; i++) {
		mark = format_mark_get(&c->st, i);
		if (mark != SPOOL_WAITING)
			format_mark_set(st, i, mark);
	}
	if (c->has_status)
		copy_status(&c->st, st);
}

int
change_state(struct spool *s, struct spool_ref *ref,
    struct format_state *st_r)
{
	const struct change *c = ref->change;

	if (c != NULL && c->readable) {
		*st_r = c->st;
		return 0;
	}
	if (load_state(s, ref, st_r) < 0)
		return -1;
	if (c != NULL)
		overlay(c, st_r);
	return 0;
}

void
change_read_again(struct spool *s, struct change *c)
{
	struct format_state st;

	if (load_state(s, c->ref, &st) < 0)
		return;
	overlay(c, &st);
	c->st = st;
	c->readable = true;
}

void
change_copy_marks(struct slice records, struct buf *out)
{
	struct format_journal j;
	ssize_t n;

	while ((n = format_journal_next(records, &j)) > 0) {
		if (j.kind == FORMAT_MARK)
			buf_add(out, records.p, (size_t)n);
		records = slice_from(records, (size_t)n);
	}
}

void
change_pending_marks(const struct spool_ref *ref, struct buf *out)
{
	const struct change *c = ref->change;

	if (c != NULL && c->older != NULL)
		change_copy_marks(buf_slice(&c->older->journal), out);
	if (c != NULL)
		change_copy_marks(buf_slice(&c->journal), out);
}

static struct change *
change_new(struct spool *s, struct spool_ref *ref)
{
	struct change *c = calloc(1, sizeof *c);

	if (c == NULL)
		fatal("no memory for a change of a message");
	c->ref = ref;
	c->fd = -1;
	c->readable = change_state(s, ref, &c->st) == 0;
	if (!c->readable) {
		log_error("event=queue_unreadable id=%016" PRIx64
			  " slot=%08" PRIx32 " error=%s", ref->id,
		    ref->number, LOG_S(strerror(errno)));
		c->st = (struct format_state){ 0 };
		if (ref->change != NULL) {
			overlay(ref->change, &c->st);
			c->has_status = ref->change->has_status;
		}
	}
	buf_init(&c->journal, FORMAT_JOURNAL_MAX);
	list_init(&c->expansions);
	c->older = ref->change;
	ref->change = c;
	flusher_add(s, c);
	return c;
}

/* The change that new facts of this message go into. */
static struct change *
change_of(struct spool *s, struct spool_ref *ref)
{
	struct change *c = ref->change;

	if (c == NULL || c->running)
		return change_new(s, ref);
	if (c->failed)
		flusher_again(s, c);
	return c;
}

/* ---- what callers record ---- */

static void
check_rcpt(const struct spool_ref *r, uint32_t rcpt)
{
	if (rcpt >= r->n_rcpts)
		BUG("recipient %u of %u", rcpt, r->n_rcpts);
}

void
spool_mark(struct spool *s, struct spool_ref *r, uint32_t rcpt,
    enum spool_mark mark)
{
	struct change *c;

	check_rcpt(r, rcpt);
	c = change_of(s, r);
	if (rcpt < FORMAT_MARKS)
		format_mark_set(&c->st, rcpt, (uint8_t)mark);
	else
		format_mark_put(rcpt, (uint8_t)mark, &c->journal);
}

void
spool_set_status(struct spool *s, struct spool_ref *r,
    const struct spool_status *st)
{
	struct change *c = change_of(s, r);
	struct slice text = slice_head(st->text, SPOOL_TEXT_MAX);

	if (st->state == SPOOL_FREE || st->state > SPOOL_HELD)
		BUG("state %u of a live message", st->state);
	c->has_status = true;
	c->st.state = st->state;
	c->st.flags = st->flags;
	c->st.attempts = st->attempts;
	c->st.crashes = st->crashes;
	c->st.next_s = st->next_s;
	c->st.last_s = st->last_s;
	c->st.text_n = (uint16_t)text.n;
	memset(c->st.text, 0, sizeof c->st.text);
	if (text.n > 0)
		memcpy(c->st.text, text.p, text.n);
}

static struct waiter *
waiter_new(void (*done)(void *arg, int error), void *arg)
{
	struct waiter *w = calloc(1, sizeof *w);

	if (w == NULL)
		fatal("no memory for a flush");
	w->done = done;
	w->arg = arg;
	return w;
}

void
spool_expand(struct spool *s, struct spool_ref *r, uint32_t rcpt,
    const struct spool_rcpt *targets, uint32_t n,
    void (*done)(void *arg, int error), void *arg)
{
	struct waiter *w = waiter_new(done, arg);
	struct change *c;
	size_t before;

	check_rcpt(r, rcpt);
	c = change_of(s, r);
	before = c->journal.n;
	format_expansion_put(rcpt, targets, n, &c->journal);
	w->upto = c->number;
	if (buf_is_ok(&c->journal)) {
		w->targets = n;
		list_add(&c->expansions, &w->link);
		flusher_hurry(s);
	} else {
		/* Too large: told as soon as its turn comes. */
		w->error = c->journal.err;
		buf_cut(&c->journal, before);
		c->journal.err = 0;
		flusher_wait(s, w);
	}
}

/* The message is over; its reference lives on until that is durable. */
static void
end(struct spool *s, struct spool_ref **rp, enum change_kind kind)
{
	struct change *c = change_of(s, *rp);

	c->kind = kind;
	if (!list_is_empty(&s->waiting))
		flusher_hurry(s);
	*rp = NULL;
}

void
spool_finish(struct spool *s, struct spool_ref **r)
{
	end(s, r, CHANGE_FREE);
}

void
spool_set_aside(struct spool *s, struct spool_ref **r, const char *why)
{
	log_error("event=corrupt id=%016" PRIx64 " slot=%08" PRIx32 " why=%s",
	    (*r)->id, (*r)->number, LOG_S(why));
	s->counts.corrupt++;
	end(s, r, CHANGE_ASIDE);
}

void
spool_flush(struct spool *s, void (*done)(void *arg, int error), void *arg)
{
	struct waiter *w = waiter_new(done, arg);

	flusher_retry(s);
	w->upto = s->flusher.numbered;
	flusher_wait(s, w);
}
