/* SPDX-License-Identifier: ISC */
/*
 * The order of things: what is asked for waits here until nothing is in
 * flight. Then all ordinary ops at the head of the line are prepared into one
 * transaction, so that many share the disk's flush; an exclusive op has the
 * account for itself. When there is nothing else to do, names follow.
 */
#include <stdlib.h>

#include "mda/model.h"

enum mbox_result
mbox_result_of(enum store_result r)
{
	switch (r) {
	case STORE_OK:
		return MBOX_OK;
	case STORE_NONE:
		return MBOX_NONEXISTENT;
	case STORE_FULL:
		return MBOX_FULL;
	case STORE_STALE:
	case STORE_UNKNOWN:
	case STORE_FAILED:
		break;
	}
	return MBOX_LATER;
}

void
account_kick(struct account *a)
{
	loop_later_ask(&a->kick);
}

void
op_add(struct account *a, struct op *op)
{
	op->account = a;
	op->result = MBOX_OK;
	list_add(&a->ops, &op->link);
	account_kick(a);
}

static enum mbox_result
refused(struct op *op, struct txn *t)
{
	(void)t;
	return op->result;
}

void
op_refuse(struct account *a, struct op *op, enum mbox_result r)
{
	op->prepare = refused;
	op->changes = NULL;
	op->needs_room = false;
	op->account = a;
	op->result = r;
	list_add(&a->ops, &op->link);
	account_kick(a);
}

void
op_end(struct op *op, enum mbox_result r)
{
	struct account *a = op->account;

	a->exclusive = NULL;
	account_kick(a);
	op->finish(op, r);
}

/* Has this op to wait for the next transaction? */
static bool
must_wait(const struct op *op, const struct txn *t)
{
	return op->exclusive ||
	    (op->changes != NULL && op->changes->work != NULL &&
		op->changes->work->changes) ||
	    (op->account->one_by_one && !list_is_empty(&t->ops));
}

static enum mbox_result
prepare(struct op *op, struct txn *t)
{
	struct account *a = op->account;

	if (op->prepare == refused)
		return op->result;
	if (a->broken)
		return MBOX_LATER;
	if (op->needs_room && store_is_low(a->store))
		return MBOX_FULL;
	return op->prepare(op, t);
}

static void
on_txn(void *arg, enum store_result r)
{
	struct txn *t = arg;
	struct account *a = t->account;
	struct list *e;
	struct op *op;

	/* No room for all of them together, and what was to be tidied: each
	 * by itself, and those that free some will find it. */
	if (r == STORE_FULL && !t->alone) {
		a->one_by_one = true;
		while ((e = t->ops.prev) != &t->ops) {
			list_remove(e);
			list_add_first(&a->ops, e);
		}
		return;
	}
	while ((e = list_first(&t->ops)) != NULL) {
		list_remove(e);
		op = LIST_OF(e, struct op, link);
		op->finish(op, op->result != MBOX_OK ? op->result :
			mbox_result_of(r));
	}
}

/* Prepares what waits; true when something was in line. */
static bool
begin_txn(struct account *a)
{
	struct list done, *e;
	struct txn *t = NULL;
	bool durable = false;
	struct op *op;

	list_init(&done);
	while ((e = list_first(&a->ops)) != NULL) {
		op = LIST_OF(e, struct op, link);
		if (t == NULL) {
			t = txn_new(a);
			t->alone = a->one_by_one;
		}
		if (must_wait(op, t))
			break;
		list_remove(e);
		op->result = prepare(op, t);
		durable = durable || !op->lazy;
		list_add(op->result == MBOX_OK && op->prepare != refused ?
			&t->ops : &done, e);
	}
	if (list_is_empty(&a->ops))
		a->one_by_one = false;
	if (t != NULL && txn_is_empty(t)) {
		while ((e = list_first(&t->ops)) != NULL) {
			list_remove(e);
			list_add(&done, e);
		}
		txn_free(&t);
	}
	if (t != NULL)
		txn_commit(t, durable, on_txn, t);
	while ((e = list_first(&done)) != NULL) {
		list_remove(e);
		op = LIST_OF(e, struct op, link);
		op->finish(op, op->result);
	}
	return true;
}

void
account_run(struct account *a)
{
	struct list *e;
	struct op *op;

	while (a->txn == NULL && a->exclusive == NULL && a->naming == 0) {
		e = list_first(&a->ops);
		if (e == NULL) {
			follow_soon(a);
			return;
		}
		op = LIST_OF(e, struct op, link);
		if (!op->exclusive) {
			(void)begin_txn(a);
			continue;
		}
		list_remove(e);
		a->exclusive = op;
		if (a->broken)
			op_end(op, MBOX_LATER);
		else
			op->start(op);
	}
}

bool
account_is_idle(const struct account *a)
{
	return a->txn == NULL && a->exclusive == NULL && a->naming == 0 &&
	    a->flushing == 0 && list_is_empty(&a->ops) &&
	    (a->broken || list_is_empty(&a->follow));
}
