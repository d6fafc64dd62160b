/* SPDX-License-Identifier: ISC */
/*
 * Writing the recovery list of a mailbox anew: when it is not there, or most
 * of its lines are about what is gone.
 */
#include <stdlib.h>

#include "mda/model.h"

enum { SPARE = 1000 };

struct relist {
	struct op op;
	struct mailbox *m;
	struct buf text;
	uint32_t reserved, lines;
	bool damaged;
};

static void
finish(struct op *op, enum mbox_result r)
{
	struct relist *l = LIST_OF(op, struct relist, op);

	(void)r; /* tried again when the mailbox is closed the next time */
	buf_fini(&l->text);
	box_unpin(l->m);
	free(l);
}

static void
on_written(void *arg, enum store_result r)
{
	struct relist *l = arg;

	if (r == STORE_OK && !l->m->gone) {
		l->m->row.list_reserved = l->reserved;
		l->m->row.list_lines = l->lines;
		mailbox_touch(l->m);
	}
	op_end(&l->op, mbox_result_of(r));
}

static bool
on_file(void *arg, struct slice key, struct slice value)
{
	struct relist *l = arg;
	const struct message *msg;
	struct row_file row;
	uint32_t mailbox, uid;

	if (row_message_of(key, &mailbox, &uid) < 0 ||
	    row_get_file(value, &row) < 0) {
		l->damaged = true;
		return false;
	}
	msg = box_message(l->m, uid);
	if (msg != NULL) {
		uidlist_message(&l->text, uid, msg->keywords, row.id);
		l->lines++;
	}
	return true;
}

static void
on_files(void *arg, enum store_result r, uint64_t version)
{
	struct relist *l = arg;

	(void)version;
	if (r != STORE_OK || l->damaged || !buf_is_ok(&l->text))
		op_end(&l->op, MBOX_LATER);
	else
		store_write_list(l->op.account->store, l->m->folder,
		    buf_slice(&l->text), false, true, on_written, l);
}

static void
on_synced(void *arg, enum mbox_result r)
{
	struct relist *l = arg;
	struct mailbox *m = l->m;
	struct row_key from = row_key_mailbox('F', m->info.number);
	struct row_key to = row_key_mailbox('F', m->info.number + 1);
	uint64_t next = (uint64_t)m->row.uidnext + UIDLIST_STEP;
	unsigned i;

	if (r != MBOX_OK) {
		op_end(&l->op, r);
		return;
	}
	l->reserved = next > UINT32_MAX ? UINT32_MAX : (uint32_t)next;
	uidlist_head(&l->text, m->row.uidvalidity, l->reserved);
	uidlist_number(&l->text, m->info.number);
	for (i = 0; i < m->n_keywords; i++)
		uidlist_keyword(&l->text, i, slice_str(m->keywords[i]));
	store_load(m->account->store, row_key_slice(&from),
	    row_key_slice(&to), on_file, on_files, l);
}

static void
start(struct op *op)
{
	struct relist *l = LIST_OF(op, struct relist, op);

	if (l->m->gone || !relist_is_due(l->m))
		op_end(op, MBOX_OK);
	else
		sync_start(l->m, false, NULL, on_synced, l);
}

bool
relist_is_due(const struct mailbox *m)
{
	const struct row_mailbox *r = &m->row;

	return r->messages > 0 && (r->list_reserved == 0 ||
	    r->list_lines / 2 > r->messages + SPARE / 2);
}

void
relist_ask(struct mailbox *m)
{
	struct relist *l;

	if (m->gone || m->account->broken || !relist_is_due(m))
		return;
	l = model_alloc(sizeof *l);
	l->m = m;
	box_pin(m);
	buf_init(&l->text, SIZE_MAX / 2);
	l->op.exclusive = true;
	l->op.start = start;
	l->op.finish = finish;
	op_add(m->account, &l->op);
}
