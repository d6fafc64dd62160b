/* SPDX-License-Identifier: ISC */
/*
 * Changing flags and removing messages of an open mailbox. A conditional STORE
 * is a compare-and-set (RFC 7162 3.1.3): compared and set in one commit.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/model.h"

enum { FEW = 8 }; /* messages in a commit when the disk is full */

struct change_op {
	struct op op;
	struct mailbox *m;
	uint32_t *uids;
	size_t n;
	size_t at, end; /* the part being done: all, unless the disk is full */
	size_t limit;
	bool all, force;             /* expunge */
	struct flag_change change;   /* store */
	uint32_t *modified;
	size_t n_modified, n_modified_before; /* of parts that are done */
	mailbox_stored *stored;
	mailbox_done *done;
	void *arg;
};

static struct change_op *
new_op(struct mailbox *m, const uint32_t *uids, size_t n)
{
	struct change_op *c = model_alloc(sizeof *c);

	c->m = m;
	box_pin(m);
	c->limit = SIZE_MAX;
	c->n = n;
	c->uids = model_alloc(n * sizeof *uids);
	if (n > 0)
		memcpy(c->uids, uids, n * sizeof *uids);
	c->op.changes = m;
	return c;
}

static void
free_op(struct change_op *c)
{
	union {
		const struct slice *in;
		void *out;
	} keywords = { c->change.keywords };

	free(keywords.out);
	free(c->modified);
	free(c->uids);
	box_unpin(c->m);
	free(c);
}

static void
begin_part(struct change_op *c, size_t n)
{
	if (c->limit > FEW && store_is_low(c->op.account->store))
		c->limit = FEW;
	c->end = n - c->at > c->limit ? c->at + c->limit : n;
}

/*
 * A change of many messages needs, while it is committed, room for all pages
 * it touches; in parts it needs little more than one part's. So when the disk
 * is full it is done in parts, the only case where it is not one commit. True
 * when the op was put in line again.
 */
static bool
do_more(struct change_op *c, enum mbox_result r)
{
	if (r == MBOX_FULL && c->end - c->at > 1) {
		c->limit = (c->end - c->at + 7) / 8;
	} else if (r == MBOX_OK && c->end < c->n) {
		c->at = c->end;
	} else {
		return false;
	}
	op_add(c->op.account, &c->op);
	return true;
}

/* ---- flags ---- */

static void
change_message(struct txn *t, struct change_op *c, const struct message *msg,
    uint64_t keywords)
{
	const struct flag_change *f = &c->change;
	uint16_t flags = (uint16_t)(f->flags & (FLAG_RECENT - 1));
	struct message to = *msg;

	switch (f->op) {
	case FLAGS_REPLACE:
		to.flags = flags;
		to.keywords = keywords;
		break;
	case FLAGS_ADD:
		to.flags |= flags;
		to.keywords |= keywords;
		break;
	case FLAGS_REMOVE:
		to.flags &= (uint16_t)~flags;
		to.keywords &= ~keywords;
		break;
	}
	if (to.flags != msg->flags || to.keywords != msg->keywords)
		txn_change(t, c->m, msg, &to);
}

/* Removing a keyword that nobody has makes none. */
static int
keyword_bits(struct txn *t, struct change_op *c, uint64_t *bits_r)
{
	const struct flag_change *f = &c->change;
	size_t i;
	int at;

	if (f->op != FLAGS_REMOVE)
		return txn_keywords(t, c->m, f->keywords, f->n_keywords,
		    bits_r);
	*bits_r = 0;
	for (i = 0; i < f->n_keywords; i++) {
		at = mailbox_keyword_find(c->m, f->keywords[i]);
		if (at >= 0)
			*bits_r |= 1ULL << at;
	}
	return 0;
}

static enum mbox_result
prepare_store(struct op *op, struct txn *t)
{
	struct change_op *c = LIST_OF(op, struct change_op, op);
	const struct message *msg;
	uint64_t keywords;
	size_t i, n = 0;

	if (c->m->gone)
		return MBOX_NONEXISTENT;
	begin_part(c, c->n);
	c->n_modified = c->n_modified_before;
	for (i = c->at; i < c->end; i++) {
		msg = box_message(c->m, c->uids[i]);
		if (msg == NULL)
			continue;
		if (c->change.conditional &&
		    msg->modseq > c->change.unchanged_since)
			c->modified[c->n_modified++] = msg->uid;
		else
			n++;
	}
	if (n == 0)
		return MBOX_OK; /* nothing to change: no new keywords */
	if (keyword_bits(t, c, &keywords) < 0)
		return MBOX_NOT_ALLOWED;
	for (i = c->at; i < c->end; i++) {
		msg = box_message(c->m, c->uids[i]);
		if (msg != NULL && (!c->change.conditional ||
		    msg->modseq <= c->change.unchanged_since))
			change_message(t, c, msg, keywords);
	}
	if (c->m->work != NULL)
		c->m->work->changes = true;
	return MBOX_OK;
}

static void
finish_store(struct op *op, enum mbox_result r)
{
	struct change_op *c = LIST_OF(op, struct change_op, op);

	if (r == MBOX_OK)
		c->n_modified_before = c->n_modified;
	if (do_more(c, r))
		return;
	c->stored(c->arg, r, c->modified, r == MBOX_OK ? c->n_modified : 0);
	free_op(c);
}

static int
cmp_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Each once: a message changes once in a commit. */
static void
unique(struct change_op *c)
{
	size_t i, to = 0;

	if (c->n > 1)
		qsort(c->uids, c->n, sizeof *c->uids, cmp_uid);
	for (i = 0; i < c->n; i++)
		if (i == 0 || c->uids[i] != c->uids[i - 1])
			c->uids[to++] = c->uids[i];
	c->n = to;
}

void
mailbox_store(struct mailbox *m, const uint32_t *uids, size_t n,
    const struct flag_change *change, mailbox_stored *done, void *arg)
{
	struct change_op *c = new_op(m, uids, n);

	unique(c);
	c->modified = model_alloc(c->n * sizeof *c->modified);
	c->change = *change;
	c->change.keywords = names_dup(change->keywords, change->n_keywords);
	c->stored = done;
	c->arg = arg;
	c->op.prepare = prepare_store;
	c->op.finish = finish_store;
	op_add(m->account, &c->op);
}

/* ---- expunging ---- */

/* All that there are now, and have the flag. */
static void
take_all(struct change_op *c)
{
	const struct mailbox *m = c->m;
	size_t i;

	c->all = false;
	free(c->uids);
	c->uids = model_alloc(m->n * sizeof *c->uids);
	c->n = 0;
	for (i = 0; i < m->n; i++)
		if (c->force || (m->messages[i].flags & FLAG_DELETED) != 0)
			c->uids[c->n++] = m->messages[i].uid;
}

static enum mbox_result
prepare_expunge(struct op *op, struct txn *t)
{
	struct change_op *c = LIST_OF(op, struct change_op, op);
	const struct message *msg;
	struct mailbox *m = c->m;
	size_t i;

	if (m->gone)
		return MBOX_NONEXISTENT;
	if (c->all)
		take_all(c);
	begin_part(c, c->n);
	for (i = c->at; i < c->end; i++) {
		msg = box_message(m, c->uids[i]);
		if (msg != NULL &&
		    (c->force || (msg->flags & FLAG_DELETED) != 0))
			txn_expunge(t, m, msg);
	}
	if (m->work != NULL)
		m->work->changes = true;
	return MBOX_OK;
}

static void
finish_expunge(struct op *op, enum mbox_result r)
{
	struct change_op *c = LIST_OF(op, struct change_op, op);

	if (do_more(c, r))
		return;
	c->done(c->arg, r);
	free_op(c);
}

void
mailbox_expunge(struct mailbox *m, const uint32_t *uids, size_t n, bool force,
    mailbox_done *done, void *arg)
{
	struct change_op *c = new_op(m, uids, n);

	unique(c);
	c->all = n == 0 && uids == NULL;
	c->force = force;
	c->done = done;
	c->arg = arg;
	c->op.prepare = prepare_expunge;
	c->op.finish = finish_expunge;
	op_add(m->account, &c->op);
}

/* ---- what is gone ---- */

static int
cmp_range(const void *a, const void *b)
{
	const struct uid_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

bool
mailbox_expunged_since(struct mailbox *m, uint64_t modseq,
    struct uid_range **ranges_r, size_t *n_r)
{
	struct uid_range *ranges;
	size_t i, n = 0, to = 0;

	*ranges_r = NULL;
	*n_r = 0;
	if (modseq < m->row.expunge_floor)
		return false;
	for (i = m->n_expunged; i > 0 &&
	    m->expunged[i - 1].modseq > modseq; i--)
		n++;
	if (n == 0)
		return true;
	ranges = model_alloc(n * sizeof *ranges);
	for (i = 0; i < n; i++)
		ranges[i] = (struct uid_range){
			m->expunged[m->n_expunged - n + i].first,
			m->expunged[m->n_expunged - n + i].last };
	qsort(ranges, n, sizeof *ranges, cmp_range);
	for (i = 1; i < n; i++) {
		if (ranges[to].last + 1 == ranges[i].first)
			ranges[to].last = ranges[i].last;
		else
			ranges[++to] = ranges[i];
	}
	*ranges_r = ranges;
	*n_r = to + 1;
	return true;
}
