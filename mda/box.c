/* SPDX-License-Identifier: ISC */
/*
 * Mailboxes in memory: always there for each row of the account, in the order
 * of their names; with their messages as long as somebody has them open.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mda/model.h"
#include "sys/log.h"

void *
model_alloc(size_t n)
{
	void *p = calloc(1, n == 0 ? 1 : n);

	/* The process is one owner's: it ends and starts again. */
	if (p == NULL)
		fatal("event=fatal what=mailbox error=\"out of memory\"");
	return p;
}

char *
model_dup(struct slice s)
{
	char *p = model_alloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

void
model_grow(void *array, size_t *cap, size_t n, size_t size)
{
	void **p = array;

	if (n < *cap)
		return;
	*cap = *cap == 0 ? 16 : *cap * 2;
	*p = reallocarray(*p, *cap, size);
	if (*p == NULL)
		fatal("event=fatal what=mailbox error=\"out of memory\"");
}

struct mailbox *
box_new(struct account *a, uint32_t number, const struct row_mailbox *row)
{
	struct mailbox *m = model_alloc(sizeof *m);

	m->account = a;
	m->row = *row;
	m->name = model_dup(row->name);
	m->folder = model_dup(row->folder);
	m->row.name = slice_str(m->name);
	m->row.folder = slice_str(m->folder);
	m->recent_from = row->recent_from;
	m->info.number = number;
	list_init(&m->pending);
	list_init(&m->placing);
	list_init(&m->views);
	return m;
}

static void
unload(struct mailbox *m)
{
	free(m->messages);
	m->messages = NULL;
	m->n = m->cap = 0;
	free(m->expunged);
	m->expunged = NULL;
	m->n_expunged = m->cap_expunged = 0;
	free(m->journal);
	m->journal = NULL;
	m->n_journal = m->cap_journal = 0;
	m->loaded = false;
}

void
box_free(struct mailbox **mp)
{
	struct mailbox *m = *mp;
	struct pending *p;
	struct list *e;
	unsigned i;

	while ((e = list_first(&m->pending)) != NULL) {
		p = LIST_OF(e, struct pending, link);
		list_remove(e);
		pending_free(&p);
	}
	unload(m);
	for (i = 0; i < m->n_keywords; i++)
		free(m->keywords[i]);
	list_remove(&m->follow_link);
	free(m->follow);
	free(m->unlinked);
	free(m->name);
	free(m->folder);
	free(m);
	*mp = NULL;
}

/* ---- the account's order ---- */

static size_t
lower(const struct account *a, struct slice name)
{
	size_t from = 0, to = a->n_boxes, mid;

	while (from < to) {
		mid = (from + to) / 2;
		if (slice_cmp(slice_str(a->boxes[mid]->name), name) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct mailbox *
box_find(struct account *a, struct slice name)
{
	size_t i = lower(a, name);

	return i < a->n_boxes && slice_eq_str(name, a->boxes[i]->name) ?
	    a->boxes[i] : NULL;
}

struct mailbox *
box_by_number(struct account *a, uint32_t number)
{
	size_t i;

	for (i = 0; i < a->n_boxes; i++)
		if (a->boxes[i]->info.number == number)
			return a->boxes[i];
	return NULL;
}

struct mailbox *
box_by_folder(struct account *a, struct slice folder)
{
	size_t i;

	for (i = 0; i < a->n_boxes; i++)
		if (slice_eq_str(folder, a->boxes[i]->folder))
			return a->boxes[i];
	return NULL;
}

void
box_insert(struct mailbox *m)
{
	struct account *a = m->account;
	size_t i = lower(a, slice_str(m->name));

	a->boxes = reallocarray(a->boxes, a->n_boxes + 1,
	    sizeof(struct mailbox *));
	if (a->boxes == NULL)
		fatal("event=fatal what=mailbox error=\"out of memory\"");
	memmove(a->boxes + i + 1, a->boxes + i,
	    (a->n_boxes - i) * sizeof(struct mailbox *));
	a->boxes[i] = m;
	a->n_boxes++;
}

void
box_remove(struct mailbox *m)
{
	struct account *a = m->account;
	size_t i = lower(a, slice_str(m->name));

	if (i >= a->n_boxes || a->boxes[i] != m)
		return;
	a->n_boxes--;
	memmove(a->boxes + i, a->boxes + i + 1,
	    (a->n_boxes - i) * sizeof(struct mailbox *));
}

void
box_rename(struct mailbox *m, const char *name, const char *folder)
{
	box_remove(m);
	free(m->name);
	free(m->folder);
	m->name = model_dup(slice_str(name));
	m->folder = model_dup(slice_str(folder));
	m->row.name = slice_str(m->name);
	m->row.folder = slice_str(m->folder);
	box_insert(m);
}

void
box_pin(struct mailbox *m)
{
	m->pins++;
}

void
box_unpin(struct mailbox *m)
{
	m->pins--;
	if (m->pins > 0 || m->opens > 0)
		return;
	if (m->gone)
		box_free(&m);
	else if (m->loaded)
		unload(m);
}

/* ---- messages ---- */

size_t
box_lower(const struct mailbox *m, uint32_t uid)
{
	size_t from = 0, to = m->n, mid;

	while (from < to) {
		mid = (from + to) / 2;
		if (m->messages[mid].uid < uid)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

struct message *
box_message(const struct mailbox *m, uint32_t uid)
{
	size_t i = box_lower(m, uid);

	return i < m->n && m->messages[i].uid == uid ? &m->messages[i] : NULL;
}

const struct mbox_info *
box_info(struct mailbox *m)
{
	const struct row_mailbox *r = &m->row;
	uint32_t waiting = (uint32_t)m->waiting.messages;

	m->info.name = m->name;
	m->info.attrs = r->attrs;
	m->info.uidvalidity = r->uidvalidity;
	m->info.uidnext = r->uidnext + waiting;
	m->info.highest_modseq = r->highest_modseq;
	m->info.messages = r->messages + waiting;
	m->info.unseen = r->unseen + m->waiting_unseen;
	m->info.deleted = r->deleted + m->waiting_deleted;
	m->info.size = r->size + m->waiting.bytes;
	m->info.deleted_size = r->deleted_size;
	m->info.recent = waiting + (m->loaded ?
		(uint32_t)(m->n - box_lower(m, m->recent_from)) :
		m->recent_from == r->recent_from ? r->recent : 0);
	return &m->info;
}

void
box_journal(struct mailbox *m, uint64_t modseq, uint32_t uid,
    enum change_kind kind)
{
	if (list_is_empty(&m->views))
		return;
	model_grow(&m->journal, &m->cap_journal, m->n_journal,
	    sizeof *m->journal);
	m->journal[m->n_journal++] = (struct change){ modseq, uid, kind };
}

void
mailbox_close(struct mailbox **mp)
{
	struct mailbox *m = *mp;

	if (m == NULL)
		return;
	m->opens--;
	box_pin(m);
	if (m->opens == 0)
		relist_ask(m);
	box_unpin(m);
	*mp = NULL;
}

const struct mbox_info *
mailbox_info(const struct mailbox *m)
{
	/* The numbers are put together when somebody looks. */
	return box_info((struct mailbox *)(uintptr_t)m);
}

const struct message *
mailbox_message(const struct mailbox *m, uint32_t uid)
{
	return box_message(m, uid);
}

const char *
mailbox_keyword(const struct mailbox *m, unsigned i)
{
	return i < m->n_keywords ? m->keywords[i] : NULL;
}

int
mailbox_keyword_find(const struct mailbox *m, struct slice name)
{
	unsigned i;

	for (i = 0; i < m->n_keywords; i++)
		if (slice_ieq_str(name, m->keywords[i]))
			return (int)i;
	return -1;
}

struct mailbox *
box_make(struct txn *t, struct slice name, struct slice folder,
    uint32_t attrs, uint32_t uidvalidity)
{
	uint32_t now = (uint32_t)clock_wall();
	/* In a rebuild it may have been there before, and what was expunged
	 * then is not known any more. */
	struct row_mailbox row = { .name = name, .folder = folder,
		.attrs = attrs, .uidvalidity = uidvalidity, .uidnext = 1,
		.recent_from = 1, .highest_modseq = t->version,
		.expunge_floor = t->version };
	struct mailbox *m;

	if (uidvalidity == 0) {
		/* RFC 9051 2.3.1.1: never one that this name had before. */
		row.uidvalidity = t->uidvalidity < now ? now :
		    t->uidvalidity + 1;
	}
	if (row.uidvalidity > t->uidvalidity)
		t->uidvalidity = row.uidvalidity;
	m = box_new(t->account, t->next_mailbox++, &row);
	m->gone = true; /* until it is committed */
	t->head = true;
	txn_box(t, m)->made = true;
	return m;
}
