/* SPDX-License-Identifier: ISC */
/*
 * Keeping the map from growing without end: the log of changes and the lists
 * of expunged messages reach back only so far (a client that was away for
 * longer finds out for itself, RFC 7162 3.2.5.2), and deliveries that the queue
 * never reported released are forgotten when it cannot know them any more. A
 * bounded number of rows at a time.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mda/model.h"

enum {
	FIRST_MS = 10000,        /* after the account was opened */
	EVERY_MS = 3600 * 1000,
	AGAIN_MS = 1000,         /* when not all could be done */
	HURRY_MS = 10000,        /* when the disk is full */
	ROWS_MAX = 5000,         /* of one turn; when the disk is full: */
	ROWS_MAX_FULL = 200,
	LOG_KEEP = 20000,        /* versions; when the disk is full: */
	LOG_KEEP_FULL = 100,
	EXPUNGED_MAX = 10000,    /* ranges of a mailbox: then half of them go */
	DELIVERY_S = 30 * 86400  /* longer than any queue waits */
};

struct chores {
	struct op op;
	struct row_key keys[ROWS_MAX];
	size_t n, max;
};

static bool
add(struct chores *c, struct slice key)
{
	struct row_key *k = &c->keys[c->n];

	if (key.n > sizeof k->p)
		return true;
	memcpy(k->p, key.p, key.n);
	k->n = key.n;
	return ++c->n < c->max;
}

static void
finish(struct op *op, enum mbox_result r)
{
	struct chores *c = LIST_OF(op, struct chores, op);

	loop_timer_set(&op->account->chores_timer, clock_boot_ms() +
	    (r == MBOX_OK && c->n == c->max ? AGAIN_MS : EVERY_MS));
	free(c);
}

static void
on_committed(void *arg, enum store_result r)
{
	struct chores *c = arg;

	op_end(&c->op, mbox_result_of(r));
}

static void
on_deliveries(void *arg, enum store_result r, uint64_t version)
{
	struct chores *c = arg;
	struct txn *t;
	size_t i;

	(void)version;
	if (r != STORE_OK || c->n == 0) {
		op_end(&c->op, mbox_result_of(r));
		return;
	}
	t = txn_new(c->op.account);
	for (i = 0; i < c->n; i++)
		txn_del(t, c->keys[i]);
	txn_commit(t, false, on_committed, c);
}

static bool
on_delivery(void *arg, struct slice key, struct slice value)
{
	struct chores *c = arg;
	struct row_delivery row;

	if (c->n == c->max)
		return false;
	if (row_get_delivery(value, &row) == 0 &&
	    row.arrived > clock_wall() - DELIVERY_S)
		return true;
	return add(c, key);
}

static void
on_logs(void *arg, enum store_result r, uint64_t version)
{
	struct chores *c = arg;
	struct row_key from = row_key_kind('D'), to = row_key_kind('E');

	(void)version;
	if (r != STORE_OK)
		op_end(&c->op, mbox_result_of(r));
	else
		store_load(c->op.account->store, row_key_slice(&from),
		    row_key_slice(&to), on_delivery, on_deliveries, c);
}

static bool
on_log(void *arg, struct slice key, struct slice value)
{
	(void)value;
	return add(arg, key);
}

static void
start(struct op *op)
{
	struct account *a = op->account;
	struct chores *c = LIST_OF(op, struct chores, op);
	bool is_low = store_is_low(a->store);
	uint64_t keep = is_low ? LOG_KEEP_FULL : LOG_KEEP;
	struct row_key from = row_key_version('L', 0, 0);
	struct row_key to = row_key_version('L',
	    a->version < keep ? 0 : a->version - keep, 0);

	c->max = is_low ? ROWS_MAX_FULL : ROWS_MAX;
	store_load(a->store, row_key_slice(&from), row_key_slice(&to), on_log,
	    on_logs, c);
}

void
chores_run(void *account)
{
	struct account *a = account;
	struct chores *c;

	if (a->broken || a->closing)
		return;
	c = model_alloc(sizeof *c);
	c->op.exclusive = true;
	c->op.start = start;
	c->op.finish = finish;
	op_add(a, &c->op);
}

void
chores_begin(struct account *a)
{
	loop_timer_set(&a->chores_timer, clock_boot_ms() + FIRST_MS);
}

void
chores_hurry(struct account *a)
{
	int64_t now = clock_boot_ms();

	if (now < a->hurried + HURRY_MS)
		return;
	a->hurried = now;
	loop_timer_set(&a->chores_timer, now);
}

void
chores_trim_expunged(struct mailbox *m)
{
	size_t n = m->n_expunged / 2, i;

	if (m->n_expunged <= EXPUNGED_MAX || m->gone)
		return;
	for (i = 0; i < n; i++)
		tidy_del(m->account, row_key_expunged(m->info.number,
			m->expunged[i].modseq, m->expunged[i].first));
	/* What was told of that commit only in part is not told at all. */
	m->row.expunge_floor = m->expunged[n - 1].modseq;
	memmove(m->expunged, m->expunged + n,
	    (m->n_expunged - n) * sizeof *m->expunged);
	m->n_expunged -= n;
	mailbox_touch(m);
}
