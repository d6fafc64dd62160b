/* SPDX-License-Identifier: ISC */
/*
 * Taking a mailbox out of the map: the keys of all its rows are gathered, then
 * one commit drops them. When its folder is still there, the commit also says
 * that it is to be deleted, so that a crash does not bring it back as a mailbox
 * that another program made.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/model.h"

static const char kinds[] = "CFKMX";

struct removal {
	struct mailbox *m;
	struct txn *txn;
	bool folder;
	uint32_t subscription;
	size_t kind;
	struct row_key work;
	sync_done *done;
	void *arg;
};

static void gather(struct removal *r);

static void
end(struct removal *r, enum mbox_result result)
{
	sync_done *done = r->done;
	void *arg = r->arg;

	box_unpin(r->m);
	free(r);
	done(arg, result);
}

static void
on_deleted(void *arg, enum store_result result)
{
	struct removal *r = arg;

	/* What could not be deleted is tried again at the next opening. */
	if (result == STORE_OK)
		tidy_del(r->m->account, r->work);
	end(r, MBOX_OK);
}

static void
on_committed(void *arg, enum store_result result)
{
	struct removal *r = arg;
	struct mailbox *m = r->m;

	if (result == STORE_OK && (m->row.attrs & MBOX_SUBSCRIBED) != 0)
		subscription_note(m->account, r->subscription,
		    slice_str(m->name));
	if (result != STORE_OK)
		end(r, mbox_result_of(result));
	else if (r->folder)
		store_folder_delete(r->m->account->store, r->m->folder,
		    on_deleted, r);
	else
		end(r, MBOX_OK);
}

static void
commit(struct removal *r)
{
	struct mailbox *m = r->m;
	struct txn *t = r->txn;
	struct row_work w = { .kind = ROW_WORK_DELETE,
		.from = slice_str(m->folder) };

	r->txn = NULL;
	if (r->folder)
		r->work = txn_work(t, &w);
	t->totals.bytes -= m->row.size;
	t->totals.messages -= m->row.messages;
	txn_box(t, m)->removed = true;
	txn_commit(t, true, on_committed, r);
}

static bool
on_row(void *arg, struct slice key, struct slice value)
{
	struct removal *r = arg;
	struct row_key k;

	(void)value;
	if (key.n > sizeof k.p)
		return true;
	k.n = key.n;
	memcpy(k.p, key.p, key.n);
	txn_del(r->txn, k);
	return true;
}

static void
on_gathered(void *arg, enum store_result result, uint64_t version)
{
	struct removal *r = arg;

	(void)version;
	if (result != STORE_OK) {
		txn_free(&r->txn);
		end(r, mbox_result_of(result));
		return;
	}
	if (kinds[++r->kind] == 0)
		commit(r);
	else
		gather(r);
}

static void
gather(struct removal *r)
{
	uint32_t number = r->m->info.number;
	struct row_key from = row_key_mailbox(kinds[r->kind], number);
	struct row_key to = row_key_mailbox(kinds[r->kind], number + 1);

	store_load(r->m->account->store, row_key_slice(&from),
	    row_key_slice(&to), on_row, on_gathered, r);
}

void
removal_start(struct mailbox *m, bool folder, sync_done *done, void *arg)
{
	struct removal *r = model_alloc(sizeof *r);

	r->m = m;
	box_pin(m);
	r->txn = txn_new(m->account);
	r->folder = folder;
	r->done = done;
	r->arg = arg;
	/* A subscription outlives its mailbox (RFC 9051 6.3.7). */
	if ((m->row.attrs & MBOX_SUBSCRIBED) != 0)
		r->subscription = subscription_put(r->txn,
		    slice_str(m->name));
	gather(r);
}
