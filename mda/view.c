/* SPDX-License-Identifier: ISC */
/*
 * Views: what one session has been told. Its sequence numbers are an array of
 * UIDs that changes only in view_sync. What happened meanwhile stands in the
 * mailbox's journal; a view remembers how far it has read there. Expunges are
 * told from the highest number down, so that each is right at its moment
 * (RFC 9051 7.5.1). Who is told may want it in parts: what is told is forgotten
 * here, so that the next part goes on there.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/model.h"

/* Changes in the journal, beyond four of each message, that some view has not
 * read. */
enum { JOURNAL_SPARE = 16384 };

struct known {
	uint32_t uid;
	uint64_t modseq;
};

struct view {
	struct list link;   /* of the mailbox's views */
	struct list notify; /* of the account's */
	struct mailbox *m;
	bool read_only;
	struct view_events events;
	void *arg;
	uint32_t *uids;
	size_t n, cap;
	uint32_t last;      /* the highest UID it ever had */
	uint64_t at;        /* in the journal */
	unsigned n_keywords;
	uint32_t *gone, *changed; /* read from the journal, not told yet */
	size_t n_gone, cap_gone, n_changed, cap_changed;
	bool is_unsorted;   /* these two */
	bool is_telling;    /* in parts: no more is read meanwhile */
	struct known *known;
	size_t n_known, cap_known;
	struct uid_range *recent;
	size_t n_ranges, cap_ranges;
};

static int
cmp_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static size_t
lower(const struct view *v, uint32_t uid)
{
	size_t from = 0, to = v->n, mid;

	while (from < to) {
		mid = (from + to) / 2;
		if (v->uids[mid] < uid)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* ---- \Recent ---- */

/* The first view that may change the mailbox takes what is new (RFC 3501
 * 2.3.2); one that may not is shown it without taking it. */
static void
claim_recent(struct view *v, uint32_t from, uint32_t to)
{
	struct mailbox *m = v->m;

	from = from < m->recent_from ? m->recent_from : from;
	if (from > to)
		return;
	model_grow(&v->recent, &v->cap_ranges, v->n_ranges,
	    sizeof *v->recent);
	v->recent[v->n_ranges++] = (struct uid_range){ from, to };
	if (v->read_only)
		return;
	m->recent_from = to + 1;
	mailbox_touch(m);
}

static bool
is_recent(const struct view *v, uint32_t uid)
{
	size_t from = 0, to = v->n_ranges, mid;

	while (from < to) {
		mid = (from + to) / 2;
		if (uid < v->recent[mid].first)
			to = mid;
		else if (uid > v->recent[mid].last)
			from = mid + 1;
		else
			return true;
	}
	return false;
}

/* ---- the journal ---- */

void
view_notify(struct account *a)
{
	struct view *v;
	struct list *e;

	while ((e = list_first(&a->notify)) != NULL) {
		v = LIST_OF(e, struct view, notify);
		list_remove(e);
		if (v->events.changed != NULL)
			v->events.changed(v->arg);
	}
}

/* Forgets what all views have read. */
static void
trim_journal(struct mailbox *m)
{
	uint64_t least = m->journal_base + m->n_journal;
	const struct view *v;
	struct list *e;
	size_t n;

	for (e = m->views.next; e != &m->views; e = e->next) {
		v = LIST_OF(e, struct view, link);
		least = v->at < least ? v->at : least;
	}
	n = (size_t)(least - m->journal_base);
	if (n == 0 || (n < m->n_journal && n < 1024))
		return;
	memmove(m->journal, m->journal + n,
	    (m->n_journal - n) * sizeof *m->journal);
	m->n_journal -= n;
	m->journal_base = least;
}

static void
push(uint32_t **array, size_t *cap, size_t *n, uint32_t uid)
{
	model_grow(array, cap, *n, sizeof **array);
	(*array)[(*n)++] = uid;
}

/* Ascending, each once. */
static size_t
sort_uids(uint32_t *uids, size_t n)
{
	size_t i, to = 0;

	if (n > 1)
		qsort(uids, n, sizeof *uids, cmp_uid);
	for (i = 0; i < n; i++)
		if (i == 0 || uids[i] != uids[i - 1])
			uids[to++] = uids[i];
	return to;
}

static void
sort_read(struct view *v)
{
	if (!v->is_unsorted)
		return;
	v->n_gone = sort_uids(v->gone, v->n_gone);
	v->n_changed = sort_uids(v->changed, v->n_changed);
	v->is_unsorted = false;
}

static void
read_journal(struct view *v)
{
	struct mailbox *m = v->m;
	const struct change *c;

	for (; v->at < m->journal_base + m->n_journal; v->at++) {
		c = &m->journal[v->at - m->journal_base];
		v->is_unsorted = true;
		switch (c->kind) {
		case CHANGE_ADDED:
			break; /* found by its UID */
		case CHANGE_FLAGS:
			if (c->uid <= v->last)
				push(&v->changed, &v->cap_changed,
				    &v->n_changed, c->uid);
			break;
		case CHANGE_EXPUNGED:
			if (c->uid <= v->last && view_seq(v, c->uid) != 0)
				push(&v->gone, &v->cap_gone, &v->n_gone,
				    c->uid);
			break;
		}
	}
	trim_journal(m);
}

/* For sessions that do not ask: however often its messages changed, a view
 * keeps each once. */
static void
read_for_all(struct mailbox *m)
{
	struct view *v;
	struct list *e;

	for (e = m->views.next; e != &m->views; e = e->next) {
		v = LIST_OF(e, struct view, link);
		read_journal(v);
		sort_read(v);
	}
}

void
view_note(struct mailbox *m)
{
	struct view *v;
	struct list *e;

	for (e = m->views.next; e != &m->views; e = e->next) {
		v = LIST_OF(e, struct view, link);
		if (!list_is_in(&v->notify) && v->at < m->journal_base +
		    m->n_journal)
			list_add(&m->account->notify, &v->notify);
	}
	if (m->n_journal > 4 * m->n + JOURNAL_SPARE)
		read_for_all(m);
}

static size_t
known_lower(const struct view *v, uint32_t uid)
{
	size_t from = 0, to = v->n_known, mid;

	while (from < to) {
		mid = (from + to) / 2;
		if (v->known[mid].uid < uid)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool
is_known(const struct view *v, const struct message *msg)
{
	size_t i = known_lower(v, msg->uid);

	return i < v->n_known && v->known[i].uid == msg->uid &&
	    msg->modseq <= v->known[i].modseq;
}

void
view_knows(struct view *v, uint32_t uid, uint64_t modseq)
{
	size_t i = known_lower(v, uid);

	if (i == v->n_known || v->known[i].uid != uid) {
		model_grow(&v->known, &v->cap_known, v->n_known,
		    sizeof *v->known);
		memmove(v->known + i + 1, v->known + i,
		    (v->n_known - i) * sizeof *v->known);
		v->n_known++;
	}
	v->known[i] = (struct known){ uid, modseq };
}

/* ---- making ---- */

static void
take_new(struct view *v)
{
	struct mailbox *m = v->m;
	size_t i = box_lower(m, v->last + 1);
	uint32_t from = v->last + 1;

	if (i >= m->n)
		return;
	while (v->cap < v->n + (m->n - i))
		model_grow(&v->uids, &v->cap, v->cap, sizeof *v->uids);
	for (; i < m->n; i++)
		v->uids[v->n++] = m->messages[i].uid;
	v->last = v->uids[v->n - 1];
	claim_recent(v, from, v->last);
}

struct view *
view_new(struct mailbox *m, bool read_only, const struct view_events *e,
    void *arg)
{
	struct view *v = model_alloc(sizeof *v);

	v->m = m;
	box_pin(m);
	v->read_only = read_only;
	v->events = *e;
	v->arg = arg;
	v->at = m->journal_base + m->n_journal;
	v->n_keywords = m->n_keywords;
	list_add(&m->views, &v->link);
	take_new(v);
	return v;
}

void
view_free(struct view **vp)
{
	struct view *v = *vp;

	if (v == NULL)
		return;
	list_remove(&v->link);
	list_remove(&v->notify);
	trim_journal(v->m);
	box_unpin(v->m);
	free(v->uids);
	free(v->gone);
	free(v->changed);
	free(v->known);
	free(v->recent);
	free(v);
	*vp = NULL;
}

/* ---- looking ---- */

struct mailbox *
view_mailbox(const struct view *v)
{
	return v->m;
}

uint32_t
view_count(const struct view *v)
{
	return (uint32_t)v->n;
}

uint32_t
view_recent(const struct view *v)
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; i < v->n_ranges; i++)
		n += (uint32_t)(lower(v, v->recent[i].last + 1) -
		    lower(v, v->recent[i].first));
	return n;
}

uint32_t
view_uid(const struct view *v, uint32_t seq)
{
	return seq == 0 || seq > v->n ? 0 : v->uids[seq - 1];
}

uint32_t
view_seq(const struct view *v, uint32_t uid)
{
	size_t i = lower(v, uid);

	return i < v->n && v->uids[i] == uid ? (uint32_t)i + 1 : 0;
}

uint32_t
view_seq_from(const struct view *v, uint32_t uid)
{
	size_t i = lower(v, uid);

	return i < v->n ? (uint32_t)i + 1 : 0;
}

bool
view_is_recent(const struct view *v, uint32_t seq)
{
	return is_recent(v, view_uid(v, seq));
}

const struct message *
view_message(const struct view *v, uint32_t seq)
{
	uint32_t uid = view_uid(v, seq);

	return uid == 0 ? NULL : mailbox_message(v->m, uid);
}

/* ---- telling ---- */

static bool
wants_pause(const struct view_sink *sink, void *arg)
{
	return sink->pause != NULL && sink->pause(arg);
}

/* Those that were told, the ones from `from` on, go; both lists ascend. */
static void
forget_gone(struct view *v, size_t from)
{
	size_t i, k = from, to = lower(v, v->gone[from]);

	for (i = to; i < v->n; i++) {
		while (k < v->n_gone && v->gone[k] < v->uids[i])
			k++;
		if (k >= v->n_gone || v->gone[k] != v->uids[i])
			v->uids[to++] = v->uids[i];
	}
	v->n = to;
	v->n_gone = from;
}

/* True when all are told. */
static bool
tell_gone(struct view *v, const struct view_sink *sink, void *arg)
{
	size_t left = v->n_gone, at;

	if (left == 0)
		return true;
	do {
		at = lower(v, v->gone[--left]);
		sink->expunged(arg, (uint32_t)at + 1, v->gone[left]);
	} while (left > 0 && !wants_pause(sink, arg));
	forget_gone(v, left);
	return left == 0;
}

static bool
tell_changed(struct view *v, const struct view_sink *sink, void *arg)
{
	const struct message *msg;
	uint32_t seq;
	size_t i = 0;

	while (i < v->n_changed) {
		msg = mailbox_message(v->m, v->changed[i]);
		seq = view_seq(v, v->changed[i]);
		i++;
		if (msg == NULL || seq == 0 || is_known(v, msg))
			continue;
		sink->flags(arg, seq, msg);
		if (wants_pause(sink, arg))
			break;
	}
	v->n_changed -= i;
	if (v->n_changed > 0) {
		memmove(v->changed, v->changed + i,
		    v->n_changed * sizeof *v->changed);
		return false;
	}
	v->n_known = 0;
	return true;
}

bool
view_sync(struct view *v, bool expunges, const struct view_sink *sink,
    void *arg)
{
	size_t before;

	list_remove(&v->notify);
	/* In parts: else one that reads slowly might never come to the end of
	 * what others change. */
	if (!v->is_telling)
		read_journal(v);
	sort_read(v);
	v->is_telling = true;
	if (expunges && !tell_gone(v, sink, arg))
		return false;
	before = v->n;
	take_new(v);
	if (v->n != before)
		sink->exists(arg, (uint32_t)v->n, view_recent(v));
	if (v->n_keywords != v->m->n_keywords) {
		v->n_keywords = v->m->n_keywords;
		sink->keywords(arg);
	}
	if (!tell_changed(v, sink, arg))
		return false;
	v->is_telling = false;
	return true;
}

static bool
has_changed(const struct view *v, uint32_t uid)
{
	const struct message *msg = mailbox_message(v->m, uid);

	return msg != NULL && !is_known(v, msg);
}

bool
view_has_changes(const struct view *v, bool expunges)
{
	const struct mailbox *m = v->m;
	const struct change *c;
	uint64_t at;
	size_t i;

	if ((expunges && v->n_gone > 0) || v->n_keywords != m->n_keywords ||
	    box_lower(m, v->last + 1) < m->n)
		return true;
	for (i = 0; i < v->n_changed; i++)
		if (has_changed(v, v->changed[i]))
			return true;
	for (at = v->at; at < m->journal_base + m->n_journal; at++) {
		c = &m->journal[at - m->journal_base];
		if (c->uid > v->last)
			continue;
		if (c->kind == CHANGE_EXPUNGED && expunges)
			return true;
		if (c->kind == CHANGE_FLAGS && has_changed(v, c->uid))
			return true;
	}
	return false;
}
