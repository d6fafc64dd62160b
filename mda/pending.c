/* SPDX-License-Identifier: ISC */
/*
 * Deliveries that are placed in the Maildir and wait for their row, so that
 * many share a commit: until one second has passed, there are 500 of them, or
 * a session opens their mailbox. After a crash they are found by their names.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mda/model.h"

enum { PENDING_MS = 1000, PENDING_MAX = 500 };

struct slice *
names_dup(const struct slice *names, size_t n)
{
	struct slice *copy;
	size_t bytes = 0, i;
	char *at;

	for (i = 0; i < n; i++)
		bytes += names[i].n;
	copy = model_alloc(n * sizeof *copy + bytes);
	at = (char *)(copy + n);
	for (i = 0; i < n; i++) {
		copy[i] = (struct slice){ at, names[i].n };
		memcpy(at, names[i].p, names[i].n);
		at += names[i].n;
	}
	return copy;
}

void
pending_free(struct pending **pp)
{
	struct pending *p = *pp;

	free(p->id);
	free(p->keywords);
	buf_fini(&p->cache);
	free(p);
	*pp = NULL;
}

static void
count(struct mailbox *m, const struct pending *p, int sign)
{
	struct account *a = m->account;
	uint64_t one = (uint64_t)(int64_t)sign;
	uint64_t size = sign > 0 ? p->msg.size : 0 - p->msg.size;

	m->n_pending += one;
	a->n_pending += one;
	m->waiting.messages += one;
	m->waiting.bytes += size;
	a->pending.messages += one;
	a->pending.bytes += size;
	if ((p->msg.flags & FLAG_SEEN) == 0)
		m->waiting_unseen += (uint32_t)one;
	if ((p->msg.flags & FLAG_DELETED) != 0)
		m->waiting_deleted += (uint32_t)one;
}

uint32_t
pending_commit(struct pending *p, struct mailbox *m, struct txn *t)
{
	p->msg.id = slice_str(p->id);
	p->msg.cache = buf_slice(&p->cache);
	p->msg.delivery = p->delivered ? p->delivery : NULL;
	/* Mail is not refused for a keyword too many: it goes without. */
	if (txn_keywords(t, m, p->keywords, p->n_keywords,
		&p->msg.keywords) < 0)
		p->msg.keywords = 0;
	return txn_add(t, m, &p->msg, 0);
}

void
pending_add(struct mailbox *m, struct pending *p)
{
	struct account *a = m->account;

	list_add(&m->pending, &p->link);
	count(m, p, 1);
	if (a->n_pending >= PENDING_MAX)
		pending_flush(a);
	else if (!loop_timer_is_set(&a->pending_timer))
		loop_timer_set(&a->pending_timer,
		    clock_boot_ms() + PENDING_MS);
}

void
pending_prepare(struct mailbox *m, struct txn *t)
{
	struct list *e;

	for (e = m->pending.next; e != &m->pending; e = e->next)
		(void)pending_commit(LIST_OF(e, struct pending, link), m, t);
	if (m->n_pending > 0)
		txn_box(t, m)->n_pending = m->n_pending;
}

static void
drop_first(struct mailbox *m)
{
	struct pending *p = LIST_OF(list_first(&m->pending), struct pending,
	    link);

	list_remove(&p->link);
	count(m, p, -1);
	pending_free(&p);
}

void
pending_done(struct mailbox *m, size_t n)
{
	while (n-- > 0 && !list_is_empty(&m->pending))
		drop_first(m);
}

void
pending_drop(struct mailbox *m)
{
	while (!list_is_empty(&m->pending))
		drop_first(m);
}

bool
pending_has(const struct mailbox *m, struct slice id)
{
	struct list *e;

	for (e = m->pending.next; e != &m->pending; e = e->next)
		if (slice_eq_str(id, LIST_OF(e, struct pending, link)->id))
			return true;
	return false;
}

static struct pending *
find_delivery(const struct account *a, const char *delivery)
{
	struct pending *p;
	struct list *e;
	size_t i;

	for (i = 0; i < a->n_boxes; i++)
		for (e = a->boxes[i]->pending.next;
		    e != &a->boxes[i]->pending; e = e->next) {
			p = LIST_OF(e, struct pending, link);
			if (p->delivered && memcmp(p->delivery, delivery,
				ROW_DELIVERY_ID) == 0)
				return p;
		}
	return NULL;
}

bool
pending_has_delivery(const struct account *a, const char *delivery)
{
	return a->n_pending > 0 && find_delivery(a, delivery) != NULL;
}

void
pending_release(struct account *a, const char *delivery)
{
	struct pending *p = a->n_pending == 0 ? NULL :
	    find_delivery(a, delivery);

	if (p != NULL)
		p->delivered = false;
}

/* ---- their commit ---- */

struct flush {
	struct op op;
	struct mailbox *m;
	size_t n;
};

static enum mbox_result
prepare_flush(struct op *op, struct txn *t)
{
	struct flush *f = LIST_OF(op, struct flush, op);

	if (f->m->gone || (f->m->work != NULL && f->m->work->n_pending > 0))
		return MBOX_OK; /* another one took them along */
	f->n = f->m->n_pending;
	pending_prepare(f->m, t);
	return MBOX_OK;
}

static void
finish_flush(struct op *op, enum mbox_result r)
{
	struct flush *f = LIST_OF(op, struct flush, op);
	struct account *a = op->account;

	if (r == MBOX_OK)
		pending_done(f->m, f->n);
	else if (!loop_timer_is_set(&a->pending_timer))
		loop_timer_set(&a->pending_timer,
		    clock_boot_ms() + 10 * PENDING_MS);
	box_unpin(f->m);
	free(f);
}

void
pending_flush(struct account *a)
{
	struct flush *f;
	size_t i;

	loop_timer_clear(&a->pending_timer);
	if (a->broken)
		return;
	for (i = 0; i < a->n_boxes; i++) {
		if (a->boxes[i]->n_pending == 0)
			continue;
		f = model_alloc(sizeof *f);
		f->m = a->boxes[i];
		box_pin(f->m);
		f->op.prepare = prepare_flush;
		f->op.finish = finish_flush;
		f->op.lazy = true;
		op_add(a, &f->op);
	}
}
