/* SPDX-License-Identifier: ISC */
/*
 * Opening and refreshing a mailbox: first the deliveries that wait get their
 * rows and all is durable, for from here on UIDs are told; then the messages
 * are loaded; then, if another program changed the folder, it is read
 * (scan.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mda/model.h"
#include "sys/log.h"

enum { VERIFY_S = 86400 };

struct sync {
	struct mailbox *m;
	bool force;
	const struct hints *hints;
	size_t n_pending;
	bool damaged;
	uint32_t last; /* UID of the 'F' row before, when reconciling */
	sync_done *done;
	void *arg;
};

static void
end(struct sync *s, enum mbox_result r)
{
	struct mailbox *m = s->m;
	sync_done *done = s->done;
	void *arg = s->arg;

	free(s);
	done(arg, r);
	box_unpin(m);
}

/* Rows that make no sense: the map cannot be trusted any more. It is set aside
 * now and built anew when the account is opened next. */
static void
damaged(struct sync *s)
{
	struct account *a = s->m->account;

	log_error("event=map_row_damaged mailbox=%u", s->m->info.number);
	account_break(a);
	if (store_reset(a->store) < 0)
		log_error("event=store_failed what=reset");
	end(s, MBOX_LATER);
}

/* ---- the folder ---- */

static void
on_scanned(void *arg, enum mbox_result r)
{
	end(arg, r);
}

static void
refresh(struct sync *s)
{
	struct mailbox *m = s->m;

	/* Once a day in any case: a change by another program within the
	 * microseconds of one of ours is not told by the stamp. */
	if (s->force || clock_wall() - m->row.scanned > VERIFY_S ||
	    store_folder_is_changed(m->account->store, m->folder))
		scan_start(m, s->hints, on_scanned, s);
	else
		end(s, MBOX_OK);
}

/* ---- loading ---- */

/* After a crash: names behind their flags, bodies without a message. */
static bool
on_file(void *arg, struct slice key, struct slice value)
{
	struct sync *s = arg;
	struct row_file file;
	uint32_t mailbox, uid;

	if (row_message_of(key, &mailbox, &uid) < 0 ||
	    row_get_file(value, &file) < 0) {
		s->damaged = true;
		return false;
	}
	follow_add(s->m, uid);
	return true;
}

static void
on_files(void *arg, enum store_result r, uint64_t version)
{
	struct sync *s = arg;

	(void)version;
	if (r != STORE_OK || s->damaged)
		damaged(s);
	else
		refresh(s);
}

static bool
on_expunged(void *arg, struct slice key, struct slice value)
{
	struct sync *s = arg;
	struct mailbox *m = s->m;
	struct expunged x;
	uint32_t mailbox;

	if (row_expunged_of(key, &mailbox, &x.modseq, &x.first) < 0 ||
	    row_get_expunged(value, &x.last) < 0) {
		s->damaged = true;
		return false;
	}
	model_grow(&m->expunged, &m->cap_expunged, m->n_expunged,
	    sizeof *m->expunged);
	m->expunged[m->n_expunged++] = x;
	return true;
}

static void
on_all_expunged(void *arg, enum store_result r, uint64_t version)
{
	struct sync *s = arg;
	struct mailbox *m = s->m;
	struct row_key from = row_key_mailbox('F', m->info.number);
	struct row_key to = row_key_mailbox('F', m->info.number + 1);

	(void)version;
	if (r != STORE_OK || s->damaged || m->n != m->row.messages) {
		damaged(s);
		return;
	}
	m->loaded = true;
	chores_trim_expunged(m);
	if (m->row.behind && !mailbox_is_behind(m))
		store_load(m->account->store, row_key_slice(&from),
		    row_key_slice(&to), on_file, on_files, s);
	else
		refresh(s);
}

static bool
on_message(void *arg, struct slice key, struct slice value)
{
	struct sync *s = arg;
	struct mailbox *m = s->m;
	struct row_message row;
	struct message *msg;
	uint32_t mailbox, uid;

	if (row_message_of(key, &mailbox, &uid) < 0 ||
	    row_get_message(value, &row) < 0) {
		s->damaged = true;
		return false;
	}
	model_grow(&m->messages, &m->cap, m->n, sizeof *m->messages);
	msg = &m->messages[m->n++];
	*msg = (struct message){ .uid = uid, .flags = row.flags,
		.modseq = row.modseq, .keywords = row.keywords,
		.size = row.size, .internaldate = row.internaldate,
		.savedate = row.savedate };
	memcpy(msg->email_id, row.email_id, sizeof msg->email_id);
	memcpy(msg->thread_id, row.thread_id, sizeof msg->thread_id);
	return true;
}

static void
on_messages(void *arg, enum store_result r, uint64_t version)
{
	struct sync *s = arg;
	struct mailbox *m = s->m;
	struct row_key from = row_key_mailbox('X', m->info.number);
	struct row_key to = row_key_mailbox('X', m->info.number + 1);

	(void)version;
	if (r != STORE_OK || s->damaged)
		damaged(s);
	else
		store_load(m->account->store, row_key_slice(&from),
		    row_key_slice(&to), on_expunged, on_all_expunged, s);
}

static void
load(struct sync *s)
{
	struct mailbox *m = s->m;
	struct row_key from = row_key_mailbox('M', m->info.number);
	struct row_key to = row_key_mailbox('M', m->info.number + 1);

	if (m->loaded) {
		refresh(s);
		return;
	}
	m->n = m->n_expunged = 0;
	if (m->row.messages > 0 && m->cap == 0) {
		m->cap = m->row.messages + m->row.messages / 8 + 16;
		m->messages = model_alloc(m->cap * sizeof *m->messages);
	}
	store_load(m->account->store, row_key_slice(&from),
	    row_key_slice(&to), on_message, on_messages, s);
}

/* ---- what waits ---- */

static void
on_synced(void *arg, enum store_result r, uint64_t version)
{
	struct sync *s = arg;
	struct account *a = s->m->account;

	if (r != STORE_OK) {
		account_break(a);
		end(s, MBOX_LATER);
		return;
	}
	if (version >= a->synced)
		a->synced = version;
	load(s);
}

static void
on_pending(void *arg, enum store_result r)
{
	struct sync *s = arg;

	if (r != STORE_OK) {
		end(s, mbox_result_of(r));
		return;
	}
	pending_done(s->m, s->n_pending);
	load(s);
}

void
sync_start(struct mailbox *m, bool force, const struct hints *hints,
    sync_done *done, void *arg)
{
	struct account *a = m->account;
	struct sync *s = model_alloc(sizeof *s);
	struct txn *t;

	s->m = m;
	box_pin(m);
	s->force = force;
	s->hints = hints;
	s->done = done;
	s->arg = arg;
	if (m->n_pending > 0) {
		t = txn_new(a);
		s->n_pending = m->n_pending;
		pending_prepare(m, t);
		txn_commit(t, true, on_pending, s);
	} else if (a->synced < a->version) {
		store_sync(a->store, on_synced, s);
	} else {
		load(s);
	}
}

/* ---- the ops made of it ---- */

struct open_op {
	struct op op;
	struct mailbox *m;
	bool count;
	mailbox_opened *opened;
	mailbox_done *done;
	account_done *refreshed;
	void *arg;
};

static void
on_sync(void *arg, enum mbox_result r)
{
	struct open_op *o = arg;

	op_end(&o->op, r);
}

static void
start_open(struct op *op)
{
	struct open_op *o = LIST_OF(op, struct open_op, op);

	if (o->m->gone)
		op_end(op, MBOX_NONEXISTENT);
	else
		sync_start(o->m, false, NULL, on_sync, o);
}

static void
finish_open(struct op *op, enum mbox_result r)
{
	struct open_op *o = LIST_OF(op, struct open_op, op);
	struct mailbox *m = o->m;

	if (o->opened != NULL) {
		if (r == MBOX_OK)
			m->opens++;
		o->opened(o->arg, r, r == MBOX_OK ? m : NULL);
	} else if (o->done != NULL) {
		o->done(o->arg, r);
	} else {
		o->refreshed(o->arg, r, NULL);
	}
	if (m != NULL)
		box_unpin(m);
	free(o);
}

static void
begin(struct account *a, struct mailbox *m, struct open_op *o,
    enum mbox_result r)
{
	o->op.finish = finish_open;
	o->m = m;
	if (m != NULL)
		box_pin(m);
	if (r != MBOX_OK) {
		op_refuse(a, &o->op, r);
		return;
	}
	o->op.exclusive = true;
	o->op.start = start_open;
	op_add(a, &o->op);
}

void
mailbox_open(struct account *a, struct slice name, mailbox_opened *done,
    void *arg)
{
	struct mailbox *m = box_find(a, name);
	struct open_op *o = model_alloc(sizeof *o);

	o->opened = done;
	o->arg = arg;
	begin(a, m, o, m == NULL ? MBOX_NONEXISTENT :
	    (m->row.attrs & MBOX_NOSELECT) != 0 ? MBOX_NOT_ALLOWED : MBOX_OK);
}

void
mailbox_refresh(struct mailbox *m, mailbox_done *done, void *arg)
{
	struct account *a = m->account;
	struct open_op *o = model_alloc(sizeof *o);

	o->done = done;
	o->arg = arg;
	/* By far the most common: nothing happened, nothing is to be done. */
	if (!m->gone && m->loaded && m->n_pending == 0 &&
	    !store_folder_is_changed(a->store, m->folder)) {
		o->op.finish = finish_open;
		o->m = m;
		box_pin(m);
		op_refuse(a, &o->op, MBOX_OK);
		return;
	}
	begin(a, m, o, MBOX_OK);
}

static void
on_folders(struct account *a, struct op *op, enum mbox_result r)
{
	(void)a;
	op_end(op, r);
}

static void
start_folders(struct op *op)
{
	folders_check(op->account, op, on_folders);
}

void
account_refresh(struct account *a, struct slice name, account_done *done,
    void *arg)
{
	struct open_op *o = model_alloc(sizeof *o);
	struct mailbox *m;

	o->refreshed = done;
	o->arg = arg;
	if (name.n == 0) {
		o->op.exclusive = true;
		o->op.start = start_folders;
		o->op.finish = finish_open;
		op_add(a, &o->op);
		return;
	}
	m = box_find(a, name);
	/* Deliveries that wait for their row are in the counts already. */
	if (m != NULL && !store_folder_is_changed(a->store, m->folder)) {
		o->op.finish = finish_open;
		o->m = m;
		box_pin(m);
		op_refuse(a, &o->op, MBOX_OK);
		return;
	}
	begin(a, m, o, m == NULL ? MBOX_NONEXISTENT : MBOX_OK);
}
