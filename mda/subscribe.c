/* SPDX-License-Identifier: ISC */
/*
 * Subscriptions (RFC 9051 6.3.7): an attribute of a mailbox, or a row of its
 * own for a name that has none; and the account's recovery list, which holds
 * them with what else a Maildir cannot tell.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/folder.h"
#include "mda/model.h"

struct subscribe_op {
	struct op op;
	char *name;
	bool on;
	uint32_t number; /* of the row made */
	account_done *done;
	void *arg;
};

static size_t
lower(const struct account *a, struct slice name)
{
	size_t i = 0;

	while (i < a->n_subscribed &&
	    slice_cmp(slice_str(a->subscribed[i].name), name) < 0)
		i++;
	return i;
}

static struct named *
find(const struct account *a, struct slice name)
{
	size_t i = lower(a, name);

	return i < a->n_subscribed &&
	    slice_eq_str(name, a->subscribed[i].name) ? &a->subscribed[i] :
	    NULL;
}

void
subscription_note(struct account *a, uint32_t number, struct slice name)
{
	size_t i = lower(a, name);

	if (find(a, name) != NULL)
		return;
	a->subscribed = reallocarray(a->subscribed, a->n_subscribed + 1,
	    sizeof *a->subscribed);
	if (a->subscribed == NULL)
		abort();
	memmove(a->subscribed + i + 1, a->subscribed + i,
	    (a->n_subscribed - i) * sizeof *a->subscribed);
	a->subscribed[i] = (struct named){ number, model_dup(name) };
	a->n_subscribed++;
}

void
subscription_forget(struct account *a, struct slice name)
{
	struct named *n = find(a, name);
	size_t i;

	if (n == NULL)
		return;
	i = (size_t)(n - a->subscribed);
	free(n->name);
	a->n_subscribed--;
	memmove(n, n + 1, (a->n_subscribed - i) * sizeof *n);
}

uint32_t
subscription_put(struct txn *t, struct slice name)
{
	const struct account *a = t->account;
	uint32_t number = t->n_subscribed;
	struct buf value;
	size_t i;

	for (i = 0; i < a->n_subscribed; i++)
		if (a->subscribed[i].number >= number)
			number = a->subscribed[i].number + 1;
	t->n_subscribed = number + 1;
	buf_init(&value, STORE_ROW_MAX);
	row_put_text(&value, name);
	txn_put(t, row_key_named('S', number), buf_slice(&value));
	buf_fini(&value);
	return number;
}

bool
subscription_drop(struct txn *t, struct slice name)
{
	const struct named *n = find(t->account, name);

	if (n == NULL)
		return false;
	txn_del(t, row_key_named('S', n->number));
	return true;
}

static enum mbox_result
prepare(struct op *op, struct txn *t)
{
	struct subscribe_op *s = LIST_OF(op, struct subscribe_op, op);
	struct slice name = slice_str(s->name);
	struct mailbox *m = box_find(op->account, name);

	if (m != NULL) {
		if (((m->row.attrs & MBOX_SUBSCRIBED) != 0) == s->on)
			return MBOX_OK;
		txn_box(t, m)->row.attrs ^= MBOX_SUBSCRIBED;
	} else if (!s->on) {
		(void)subscription_drop(t, name);
	} else if (find(op->account, name) == NULL) {
		if (folder_name_fault(name) != NULL)
			return MBOX_BAD_NAME;
		s->number = subscription_put(t, name);
	}
	return MBOX_OK;
}

static void
finish(struct op *op, enum mbox_result r)
{
	struct subscribe_op *s = LIST_OF(op, struct subscribe_op, op);
	struct slice name = slice_str(s->name);
	struct account *a = op->account;

	if (r == MBOX_OK && box_find(a, name) == NULL) {
		if (s->on)
			subscription_note(a, s->number, name);
		else
			subscription_forget(a, name);
	}
	if (r == MBOX_OK)
		account_write_list(a);
	s->done(s->arg, r, r == MBOX_BAD_NAME ? folder_name_fault(name) :
		NULL);
	free(s->name);
	free(s);
}

void
account_subscribe(struct account *a, struct slice name, bool on,
    account_done *done, void *arg)
{
	struct subscribe_op *s = model_alloc(sizeof *s);
	struct buf b;

	buf_init(&b, name.n + 16);
	folder_canonical(&b, name);
	s->name = model_dup(buf_slice(&b));
	buf_fini(&b);
	s->on = on;
	s->done = done;
	s->arg = arg;
	s->op.prepare = prepare;
	s->op.finish = finish;
	op_add(a, &s->op);
}

/* ---- the account's recovery list ---- */

static void
on_written(void *arg, enum store_result r)
{
	(void)arg;
	(void)r; /* what it lacks is lost only together with the map */
}

void
account_write_list(struct account *a)
{
	const struct mailbox *m;
	struct buf text;
	size_t i;

	buf_init(&text, 16 << 20);
	for (i = 0; i < a->n_boxes; i++) {
		m = a->boxes[i];
		if ((m->row.attrs & (MBOX_SPECIAL | MBOX_SUBSCRIBED)) != 0)
			uidlist_mailbox(&text, m->row.attrs,
			    slice_str(m->name));
	}
	for (i = 0; i < a->n_subscribed; i++)
		uidlist_mailbox(&text, MBOX_SUBSCRIBED,
		    slice_str(a->subscribed[i].name));
	if (buf_is_ok(&text))
		store_write_list(a->store, NULL, buf_slice(&text), false,
		    false, on_written, NULL);
	buf_fini(&text);
}
