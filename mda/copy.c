/* SPDX-License-Identifier: ISC */
/*
 * Copying and moving (RFC 9051 6.4.7, RFC 6851). Bodies are linked first, where
 * nobody sees them; then one commit makes the copies exist and, for a move, the
 * sources not; then their names follow. A crash before the commit leaves
 * nothing but links in tmp/.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mda/model.h"

enum { WINDOW = 64 }; /* links asked for at a time */

struct copy_op;

struct item {
	struct copy_op *op;
	uint32_t uid, to_uid;
	char *id;
	uint64_t stored, size;
	bool linked, copied;
};

struct copy_op {
	struct op op;
	struct mailbox *m, *to;
	bool move;
	struct item *items;
	size_t n, begun, ended;
	enum mbox_result failed;
	uint64_t bytes; /* reserved */
	mailbox_copied *done;
	void *arg;
};

static void link_more(struct copy_op *c);

static void
free_copy(struct copy_op *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->items[i].id);
	free(c->items);
	box_unpin(c->m);
	if (c->to != NULL)
		box_unpin(c->to);
	free(c);
}

static void
ignore(void *arg, enum store_result r)
{
	(void)arg;
	(void)r;
}

static void
unlink_rest(struct copy_op *c)
{
	size_t i;

	for (i = 0; i < c->n && !c->to->gone; i++)
		if (c->items[i].linked && !c->items[i].copied)
			store_delete_body(c->op.account->store,
			    &(struct store_body){ .folder = c->to->folder,
				.id = slice_str(c->items[i].id),
				.place = BODY_TMP }, ignore, NULL);
}

static void
finish(struct op *op, enum mbox_result r)
{
	struct copy_op *c = LIST_OF(op, struct copy_op, op);
	struct account *a = op->account;
	uint32_t *src, *dst;
	size_t i, n = 0;

	a->reserved.bytes -= c->bytes;
	a->reserved.messages -= c->bytes == 0 ? 0 : c->n;
	src = model_alloc(c->n * sizeof *src);
	dst = model_alloc(c->n * sizeof *dst);
	for (i = 0; i < c->n; i++) {
		c->items[i].copied = c->items[i].copied && r == MBOX_OK;
		if (!c->items[i].copied)
			continue;
		src[n] = c->items[i].uid;
		dst[n++] = c->items[i].to_uid;
	}
	if (c->to != NULL)
		unlink_rest(c);
	c->done(c->arg, r, c->to == NULL ? 0 : c->to->row.uidvalidity, src,
	    dst, n);
	free(src);
	free(dst);
	free_copy(c);
}

/* The keywords of a message by their numbers in the other mailbox. */
static uint64_t
translate(struct txn *t, const struct copy_op *c, uint64_t bits)
{
	uint64_t to = 0;
	unsigned i;
	int at;

	if (c->m == c->to)
		return bits;
	for (i = 0; i < c->m->n_keywords; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		at = txn_keyword(t, c->to, slice_str(c->m->keywords[i]));
		if (at >= 0)
			to |= 1ULL << at;
	}
	return to;
}

static uint32_t
add_copy(struct txn *t, const struct copy_op *c, const struct item *it,
    const struct message *msg)
{
	struct account *a = c->op.account;
	struct new_message n = { .id = slice_str(it->id), .place = BODY_TMP,
		.stored = it->stored, .size = msg->size, .flags = msg->flags,
		.internaldate = msg->internaldate,
		.savedate = clock_wall() };
	struct buf cache;
	uint32_t uid;

	n.keywords = translate(t, c, msg->keywords);
	/* RFC 8474 5.1: a copy is the same message. */
	memcpy(n.email_id, msg->email_id, sizeof n.email_id);
	memcpy(n.thread_id, msg->thread_id, sizeof n.thread_id);
	buf_init(&cache, STORE_ROW_MAX);
	if (account_row(a, row_key_message('C', c->m->info.number, it->uid),
		&cache) == STORE_OK)
		n.cache = buf_slice(&cache);
	uid = txn_add(t, c->to, &n, 0);
	buf_fini(&cache);
	return uid;
}

static enum mbox_result
prepare(struct op *op, struct txn *t)
{
	struct copy_op *c = LIST_OF(op, struct copy_op, op);
	const struct message *msg;
	struct item *it;
	size_t i;

	if (c->failed != MBOX_OK)
		return c->failed;
	if (c->m->gone || c->to->gone)
		return MBOX_NONEXISTENT;
	for (i = 0; i < c->n; i++) {
		it = &c->items[i];
		msg = it->linked ? box_message(c->m, it->uid) : NULL;
		it->copied = msg != NULL;
		if (msg == NULL)
			continue;
		it->to_uid = add_copy(t, c, it, msg);
		if (c->move)
			txn_move(t, c->m, msg, c->to, it->to_uid);
	}
	if (c->move && c->m->work != NULL)
		c->m->work->changes = true;
	return MBOX_OK;
}

static void
on_linked(void *arg, enum store_result r)
{
	struct item *it = arg;
	struct copy_op *c = it->op;

	it->linked = r == STORE_OK;
	/* A body that is gone is a message that is gone. */
	if (r != STORE_OK && r != STORE_NONE)
		c->failed = mbox_result_of(r);
	c->ended++;
	link_more(c);
}

/* ",S=" and the stored size behind a new base: what a put would give it. */
static char *
new_id(struct account *a, uint64_t stored)
{
	struct buf b;
	char *id;

	buf_init(&b, 256);
	account_unique(a, &b);
	buf_addf(&b, ",S=%llu", (unsigned long long)stored);
	id = model_dup(buf_slice(&b));
	buf_fini(&b);
	return id;
}

/* False when the message is gone. */
static bool
link_one(struct copy_op *c, struct item *it)
{
	struct account *a = c->op.account;
	struct store_body body;
	struct row_file file;
	struct buf hold;
	bool ok;

	buf_init(&hold, 1024);
	ok = box_message(c->m, it->uid) != NULL &&
	    account_file(a, c->m, it->uid, &hold, &file, &body) == STORE_OK;
	if (ok) {
		it->stored = file.stored;
		it->id = new_id(a, file.stored);
		store_link_body(a->store, &body, c->to->folder,
		    slice_str(it->id), on_linked, it);
	}
	buf_fini(&hold);
	return ok;
}

static void
on_flushed(void *arg, enum store_result r)
{
	struct copy_op *c = arg;

	if (r != STORE_OK)
		c->failed = mbox_result_of(r);
	op_add(c->op.account, &c->op);
}

static void
link_more(struct copy_op *c)
{
	while (c->begun < c->n && c->begun - c->ended < WINDOW &&
	    c->failed == MBOX_OK && !c->to->gone)
		if (!link_one(c, &c->items[c->begun++]))
			c->ended++;
	if (c->begun != c->ended)
		return;
	c->op.changes = c->move ? c->m : NULL;
	/* The commit must not be there after a power cut without the links:
	 * a move deletes the other name. */
	if (c->n > 0 && c->failed == MBOX_OK && !c->to->gone)
		store_flush_folder(c->op.account->store, c->to->folder,
		    BODY_TMP, on_flushed, c);
	else
		op_add(c->op.account, &c->op);
}

static enum mbox_result
may_copy(const struct copy_op *c)
{
	const struct account *a = c->op.account;
	const struct message *msg;
	uint64_t bytes = 0, n = 0;
	size_t i;

	if (a->broken)
		return MBOX_LATER;
	if (c->to == NULL || c->m->gone)
		return MBOX_NONEXISTENT;
	if ((c->to->row.attrs & MBOX_NOSELECT) != 0)
		return MBOX_NOT_ALLOWED;
	for (i = 0; i < c->n; i++) {
		msg = box_message(c->m, c->items[i].uid);
		if (msg == NULL)
			continue;
		bytes += msg->size;
		n++;
	}
	/* A move keeps the totals as they are. */
	if (!c->move && !account_has_room(a, bytes, n))
		return MBOX_OVER_QUOTA;
	return store_is_low(a->store) ? MBOX_FULL : MBOX_OK;
}

void
mailbox_copy(struct mailbox *m, const uint32_t *uids, size_t n,
    struct slice to, bool move, mailbox_copied *done, void *arg)
{
	struct copy_op *c = model_alloc(sizeof *c);
	struct account *a = m->account;
	enum mbox_result r;
	size_t i;

	c->op.account = a;
	c->op.prepare = prepare;
	c->op.finish = finish;
	c->op.needs_room = true;
	c->m = m;
	box_pin(m);
	c->to = box_find(a, to);
	if (c->to != NULL)
		box_pin(c->to);
	c->move = move;
	c->items = model_alloc(n * sizeof *c->items);
	c->n = n;
	for (i = 0; i < n; i++)
		c->items[i] = (struct item){ .op = c, .uid = uids[i] };
	c->done = done;
	c->arg = arg;
	r = may_copy(c);
	if (r != MBOX_OK) {
		op_refuse(a, &c->op, r);
		return;
	}
	for (i = 0; i < n && !move; i++) {
		const struct message *msg = box_message(m, uids[i]);

		c->bytes += msg == NULL ? 0 : msg->size;
	}
	if (c->bytes > 0) {
		a->reserved.bytes += c->bytes;
		a->reserved.messages += n;
	}
	link_more(c);
}
