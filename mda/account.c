/* SPDX-License-Identifier: ISC */
/*
 * An account in memory: what it uses, walking its mailboxes, its timers, and
 * its end.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "mda/model.h"
#include "sys/log.h"

enum {
	ROUNDS_MAX = 20, /* of tidying up, at the end */
	CLOSE_MS = 60000
};

/* ---- the account's own business ---- */

void
account_random_id(uint8_t id[ROW_OBJECT_ID])
{
	static uint8_t pool[16 * ROW_OBJECT_ID];
	static size_t left;

	while (left < ROW_OBJECT_ID) {
		if (getrandom(pool, sizeof pool, 0) == sizeof pool)
			left = sizeof pool;
	}
	left -= ROW_OBJECT_ID;
	memcpy(id, pool + left, ROW_OBJECT_ID);
}

void
account_unique(struct account *a, struct buf *out)
{
	int64_t now = clock_wall_us();

	if (a->unique == 0)
		while (getrandom(&a->unique, sizeof a->unique, 0) !=
		    sizeof a->unique)
			continue;
	/* A random start, so that two processes within a microsecond of a
	 * clock that was set back still differ. */
	buf_addf(out, "%lld.M%06lldQ%016llx.veredus",
	    (long long)(now / 1000000), (long long)(now % 1000000),
	    (unsigned long long)a->unique++);
}

bool
account_has_room(const struct account *a, uint64_t bytes, uint64_t messages)
{
	uint64_t b = a->totals.bytes + a->pending.bytes + a->reserved.bytes;
	uint64_t n = a->totals.messages + a->pending.messages +
	    a->reserved.messages;

	return (a->o.quota_bytes == 0 || (b <= a->o.quota_bytes &&
		bytes <= a->o.quota_bytes - b)) &&
	    (a->o.quota_messages == 0 || (n <= a->o.quota_messages &&
		messages <= a->o.quota_messages - n));
}

void
account_break(struct account *a)
{
	if (a->broken)
		return;
	a->broken = true;
	if (a->o.broken != NULL)
		a->o.broken(a->o.arg);
}

void
account_progress(struct account *a)
{
	if (a->o.progress != NULL)
		a->o.progress(a->o.arg);
}

bool
account_is_broken(const struct account *a)
{
	return a->broken;
}

void
account_usage(const struct account *a, uint64_t *bytes_r,
    uint64_t *messages_r)
{
	*bytes_r = a->totals.bytes + a->pending.bytes;
	*messages_r = a->totals.messages + a->pending.messages;
}

uint64_t
account_quota_bytes(const struct account *a)
{
	return a->o.quota_bytes;
}

uint64_t
account_quota_messages(const struct account *a)
{
	return a->o.quota_messages;
}

const struct mbox_info *
account_next(struct account *a, const struct mbox_info *last)
{
	size_t i = 0;

	if (last != NULL)
		while (i < a->n_boxes && &a->boxes[i]->info != last)
			i++;
	if (last != NULL)
		i++;
	return i < a->n_boxes ? box_info(a->boxes[i]) : NULL;
}

const struct mbox_info *
account_find(struct account *a, struct slice name)
{
	struct mailbox *m = box_find(a, name);

	return m == NULL ? NULL : box_info(m);
}

const char *
account_next_subscribed(struct account *a, const char *last)
{
	size_t i = 0;

	while (last != NULL && i < a->n_subscribed &&
	    strcmp(a->subscribed[i].name, last) <= 0)
		i++;
	return i < a->n_subscribed ? a->subscribed[i].name : NULL;
}

/* ---- timers ---- */

static enum mbox_result
prepare_tidy(struct op *op, struct txn *t)
{
	(void)op;
	t->wanted = true;
	return MBOX_OK;
}

static void
finish_tidy(struct op *op, enum mbox_result r)
{
	(void)r;
	free(op);
}

static void
on_tidy_timer(void *arg)
{
	struct account *a = arg;
	struct op *op;

	if (tidy_is_empty(a) || a->broken)
		return;
	op = model_alloc(sizeof *op);
	op->prepare = prepare_tidy;
	op->finish = finish_tidy;
	op->lazy = true;
	op_add(a, op);
}

static void
on_pending_timer(void *arg)
{
	pending_flush(arg);
}

static void
on_kick(void *arg)
{
	account_run(arg);
}

/* ---- making and freeing ---- */

struct account *
account_new(struct loop *l, const struct account_options *options)
{
	struct account *a = model_alloc(sizeof *a);

	a->loop = l;
	a->o = *options;
	list_init(&a->ops);
	list_init(&a->follow);
	list_init(&a->notify);
	map_init(&a->tidy);
	loop_later_init(&a->kick, l, on_kick, a);
	loop_timer_init(&a->pending_timer, l, on_pending_timer, a);
	loop_timer_init(&a->tidy_timer, l, on_tidy_timer, a);
	loop_timer_init(&a->chores_timer, l, chores_run, a);
	loop_timer_init(&a->follow_timer, l, follow_run, a);
	loop_timer_init(&a->flush_timer, l, follow_flush, a);
	return a;
}

void
account_drop_boxes(struct account *a)
{
	size_t i;

	for (i = 0; i < a->n_boxes; i++)
		box_free(&a->boxes[i]);
	a->n_boxes = 0;
	for (i = 0; i < a->n_subscribed; i++)
		free(a->subscribed[i].name);
	a->n_subscribed = 0;
}

void
account_free(struct account **ap)
{
	struct account *a = *ap;

	loop_later_remove(&a->kick);
	loop_timer_clear(&a->pending_timer);
	loop_timer_clear(&a->tidy_timer);
	loop_timer_clear(&a->chores_timer);
	loop_timer_clear(&a->follow_timer);
	loop_timer_clear(&a->flush_timer);
	account_drop_boxes(a);
	free(a->boxes);
	free(a->subscribed);
	tidy_fini(a);
	store_close(&a->store);
	free(a);
	*ap = NULL;
}

/* ---- closing ---- */

void
account_close(struct account **ap)
{
	struct account *a = *ap;
	int64_t until = clock_boot_ms() + CLOSE_MS;
	unsigned round;

	if (a == NULL)
		return;
	a->closing = true;
	pending_flush(a);
	/* Each round does what the one before made possible; a disk that
	 * refuses must not keep us here. */
	for (round = 0; round < ROUNDS_MAX && clock_boot_ms() < until;) {
		account_run(a);
		store_drain(a->store);
		if (!account_is_idle(a))
			continue;
		follow_flush(a);
		if (a->flushing > 0)
			continue;
		if (tidy_is_empty(a) || a->broken)
			break;
		on_tidy_timer(a);
		round++;
	}
	account_free(ap);
}
