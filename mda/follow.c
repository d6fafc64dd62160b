/* SPDX-License-Identifier: ISC */
/*
 * The map decides; the Maildir follows in the background: names get the
 * letters of the flags, copies become visible to other programs, bodies of
 * expunged messages are deleted. No transaction begins while a rename is in
 * flight, so a crash leaves a name that either its row or the flags explain.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mda/letters.h"
#include "mda/model.h"

enum { BATCH = 64, FLUSH_MS = 4000 };

struct step {
	struct mailbox *m;
	uint32_t uid;
	struct row_file file; /* as it will be; id lives in hold */
	struct buf hold;
	bool named; /* else deleted */
};

bool
mailbox_is_behind(const struct mailbox *m)
{
	return m->n_follow > 0 || m->following > 0 || m->n_unlinked > 0 ||
	    m->flushing != NULL;
}

void
follow_add(struct mailbox *m, uint32_t uid)
{
	if (m->gone)
		return;
	model_grow(&m->follow, &m->cap_follow, m->n_follow,
	    sizeof *m->follow);
	m->follow[m->n_follow++] = uid;
	if (!list_is_in(&m->follow_link)) {
		list_add(&m->account->follow, &m->follow_link);
		account_kick(m->account);
	}
}

void
follow_drop(struct mailbox *m)
{
	m->n_follow = m->n_unlinked = 0;
	list_remove(&m->follow_link);
}

/* ---- rows of bodies that are gone ---- */

struct flushing {
	struct mailbox *m;
	uint32_t *uids;
	size_t n;
};

static void
on_cur_flushed(void *arg, enum store_result r)
{
	struct flushing *f = arg;
	struct mailbox *m = f->m;
	size_t i;

	m->flushing = NULL;
	for (i = 0; i < f->n && r == STORE_OK && !m->gone; i++)
		tidy_del(m->account, row_key_message('F', m->info.number,
			f->uids[i]));
	if (!m->gone && !mailbox_is_behind(m))
		mailbox_touch(m);
	m->account->flushing--;
	free(f->uids);
	free(f);
	box_unpin(m);
	account_kick(m->account);
}

static void
on_new_flushed(void *arg, enum store_result r)
{
	struct flushing *f = arg;

	if (r != STORE_OK || f->m->gone)
		on_cur_flushed(f, r);
	else
		store_flush_folder(f->m->account->store, f->m->folder,
		    BODY_CUR, on_cur_flushed, f);
}

/* A row must not go before the name has: without both, the file that a power
 * cut brings back would be a new message. */
static void
flush(struct mailbox *m)
{
	struct flushing *f = model_alloc(sizeof *f);

	f->m = m;
	f->uids = m->unlinked;
	f->n = m->n_unlinked;
	m->unlinked = NULL;
	m->n_unlinked = m->cap_unlinked = 0;
	m->flushing = f;
	m->account->flushing++;
	box_pin(m);
	store_flush_folder(m->account->store, m->folder, BODY_NEW,
	    on_new_flushed, f);
}

void
follow_flush(void *account)
{
	struct account *a = account;
	size_t i;

	for (i = 0; i < a->n_boxes && !a->broken; i++)
		if (a->boxes[i]->n_unlinked > 0 &&
		    a->boxes[i]->flushing == NULL)
			flush(a->boxes[i]);
}

static void
note_unlinked(struct mailbox *m, uint32_t uid)
{
	struct account *a = m->account;

	model_grow(&m->unlinked, &m->cap_unlinked, m->n_unlinked,
	    sizeof *m->unlinked);
	m->unlinked[m->n_unlinked++] = uid;
	if (!loop_timer_is_set(&a->flush_timer))
		loop_timer_set(&a->flush_timer, clock_boot_ms() + FLUSH_MS);
}

/* ---- steps ---- */

static void
on_step(void *arg, enum store_result r)
{
	struct step *s = arg;
	struct mailbox *m = s->m;
	struct account *a = m->account;
	struct row_key key = row_key_message('F', m->info.number, s->uid);
	struct buf value;

	a->naming--;
	m->following--;
	buf_init(&value, 1024);
	if (m->gone) {
		/* Its rows are gone already. */
	} else if (!s->named) {
		if (r == STORE_OK)
			note_unlinked(m, s->uid);
	} else if (r == STORE_OK) {
		s->file.named_ms = clock_wall_us() / 1000;
		row_put_file(&value, &s->file);
		tidy_put(a, key, buf_slice(&value));
	}
	if (!m->gone && !mailbox_is_behind(m))
		mailbox_touch(m);
	buf_fini(&value);
	buf_fini(&s->hold);
	box_unpin(m);
	free(s);
	account_kick(a);
}

/* The flags as they are; false when there is no such message. */
static bool
wanted(struct mailbox *m, uint32_t uid, uint32_t *letters_r)
{
	const struct message *msg = box_message(m, uid);
	struct row_message row;
	struct buf value;
	bool ok;

	if (m->loaded) {
		if (msg != NULL)
			*letters_r = letters_from_flags(msg->flags,
			    msg->keywords);
		return msg != NULL;
	}
	buf_init(&value, 1024);
	ok = account_row(m->account,
	    row_key_message('M', m->info.number, uid), &value) == STORE_OK &&
	    row_get_message(buf_slice(&value), &row) == 0;
	if (ok)
		*letters_r = letters_from_flags(row.flags, row.keywords);
	buf_fini(&value);
	return ok;
}

/* Begins what is to be done for one message; false: nothing. */
static bool
step(struct mailbox *m, uint32_t uid)
{
	struct account *a = m->account;
	struct step *s = model_alloc(sizeof *s);
	enum body_place place;
	struct store_body body;
	uint32_t letters = 0;

	buf_init(&s->hold, 1024);
	s->m = m;
	s->uid = uid;
	if (account_file(a, m, uid, &s->hold, &s->file, &body) != STORE_OK)
		goto none;
	s->named = wanted(m, uid, &letters);
	letters |= s->file.letters & LETTER_PASSED;
	place = body.place == BODY_CUR || letters != 0 ? BODY_CUR : BODY_NEW;
	if (s->named && place == body.place && letters == body.letters)
		goto none;
	a->naming++;
	m->following++;
	box_pin(m);
	s->file.place = (uint8_t)place;
	s->file.letters = letters;
	if (s->named)
		store_name_body(a->store, &body, place, letters, on_step, s);
	else
		store_delete_body(a->store, &body, on_step, s);
	return true;
none:
	buf_fini(&s->hold);
	free(s);
	return false;
}

void
follow_run(void *account)
{
	struct account *a = account;
	struct mailbox *m;
	struct list *e;
	unsigned begun = 0;
	size_t i;

	/* Whatever was asked for meanwhile goes first. */
	if (a->broken || a->txn != NULL || a->exclusive != NULL ||
	    a->naming > 0 || !list_is_empty(&a->ops))
		return;
	while (begun < BATCH && (e = list_first(&a->follow)) != NULL) {
		m = LIST_OF(e, struct mailbox, follow_link);
		for (i = 0; i < m->n_follow && begun < BATCH; i++)
			begun += step(m, m->follow[i]);
		memmove(m->follow, m->follow + i,
		    (m->n_follow - i) * sizeof *m->follow);
		m->n_follow -= i;
		if (m->n_follow > 0)
			continue;
		list_remove(e);
		if (m->row.behind && m->following == 0)
			mailbox_touch(m);
	}
}

void
follow_soon(struct account *a)
{
	if (a->broken || list_is_empty(&a->follow))
		return;
	if (a->closing)
		follow_run(a);
	else if (!loop_timer_is_set(&a->follow_timer))
		loop_timer_set(&a->follow_timer, clock_boot_ms());
}
