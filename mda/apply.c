/* SPDX-License-Identifier: ISC */
/*
 * After a commit: memory becomes what the map now says, the views' journal
 * tells how, and names and bodies begin to follow.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/model.h"

static void
apply_keywords(struct txn_box *b)
{
	struct mailbox *m = b->m;

	while (m->n_keywords < b->n_keywords) {
		m->keywords[m->n_keywords] = b->keywords[m->n_keywords];
		m->n_keywords++;
	}
}

static void
apply_changed(struct txn_box *b, uint64_t version)
{
	struct mailbox *m = b->m;
	struct message *msg;
	size_t i;

	for (i = 0; i < b->n_changed; i++) {
		msg = box_message(m, b->changed[i].uid);
		if (msg == NULL)
			continue;
		*msg = b->changed[i];
		box_journal(m, version, msg->uid, CHANGE_FLAGS);
	}
}

static void
remember_expunged(struct mailbox *m, const struct txn_box *b,
    uint64_t version)
{
	size_t i, k;

	for (i = 0; i < b->n_expunged; i = k) {
		for (k = i + 1; k < b->n_expunged &&
		    b->expunged[k] == b->expunged[k - 1] + 1; k++)
			continue;
		model_grow(&m->expunged, &m->cap_expunged, m->n_expunged,
		    sizeof *m->expunged);
		m->expunged[m->n_expunged++] = (struct expunged){ version,
			b->expunged[i], b->expunged[k - 1] };
	}
}

/* Both lists ascend: one pass, however many go. */
static void
apply_expunged(struct txn_box *b, uint64_t version)
{
	struct mailbox *m = b->m;
	size_t i, to, k = 0;

	if (b->n_expunged == 0)
		return;
	to = box_lower(m, b->expunged[0]);
	for (i = to; i < m->n; i++) {
		while (k < b->n_expunged &&
		    b->expunged[k] < m->messages[i].uid)
			k++;
		if (k < b->n_expunged && b->expunged[k] ==
		    m->messages[i].uid)
			box_journal(m, version, b->expunged[k],
			    CHANGE_EXPUNGED);
		else
			m->messages[to++] = m->messages[i];
	}
	m->n = to;
	remember_expunged(m, b, version);
	chores_trim_expunged(m);
}

static void
apply_added(struct txn_box *b, uint64_t version)
{
	struct mailbox *m = b->m;
	size_t i;

	for (i = 0; i < b->n_added; i++) {
		model_grow(&m->messages, &m->cap, m->n, sizeof *m->messages);
		m->messages[m->n++] = b->added[i];
		box_journal(m, version, b->added[i].uid, CHANGE_ADDED);
	}
}

static void
ignore(void *arg, enum store_result r)
{
	(void)arg;
	(void)r;
}

static void
apply_row(struct txn_box *b)
{
	struct mailbox *m = b->m;

	if (b->renamed)
		box_rename(m, b->new_name, b->new_folder);
	m->row = b->row;
	m->row.name = slice_str(m->name);
	m->row.folder = slice_str(m->folder);
	/* Unless it has something to say again already. */
	m->dirty = m->recent_from != m->row.recent_from;
}

static void
apply_box(struct txn_box *b, uint64_t version)
{
	struct mailbox *m = b->m;
	bool news = b->n_changed + b->n_expunged + b->n_added > 0 ||
	    b->n_keywords != m->n_keywords;
	size_t i;

	if (b->removed) {
		box_remove(m);
		follow_drop(m);
		pending_drop(m);
		m->gone = true;
		m->row.messages = m->row.unseen = m->row.deleted = 0;
		return;
	}
	apply_row(b);
	apply_keywords(b);
	if (m->loaded) {
		apply_changed(b, version);
		apply_expunged(b, version);
		apply_added(b, version);
		if (news)
			view_note(m);
	}
	if (b->made) {
		m->gone = false;
		box_insert(m);
	}
	for (i = 0; i < b->n_changed; i++)
		follow_add(m, b->changed[i].uid);
	for (i = 0; i < b->n_follow; i++)
		follow_add(m, b->follow[i]);
	for (i = 0; i < b->n_expunged; i++)
		follow_add(m, b->expunged[i]);
	if (b->list.n > 0 && m->row.list_reserved != 0)
		store_write_list(m->account->store, m->folder,
		    buf_slice(&b->list), true, false, ignore, NULL);
}

void
txn_apply(struct txn *t)
{
	struct account *a = t->account;
	struct list *e;

	a->totals = t->totals;
	a->uidvalidity = t->uidvalidity;
	a->next_mailbox = t->next_mailbox;
	for (e = t->boxes.next; e != &t->boxes; e = e->next)
		apply_box(LIST_OF(e, struct txn_box, link), a->version);
}
