/* SPDX-License-Identifier: ISC */
/*
 * Committing a transaction: the rows of its mailboxes, the log of changes, the
 * expunged UIDs and the totals are added, UIDs are reserved in the recovery
 * lists, then the store has it.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/model.h"
#include "mda/txn_priv.h"
#include "sys/log.h"

enum {
	FEW = 2,          /* tidy rows in a commit when the disk is full */
	LOG_BYTES = 65536 /* of a log row */
};

static void
put_log_row(struct txn *t, enum row_log_kind kind, uint32_t mailbox,
    struct buf *ranges)
{
	struct row_log row = { .kind = kind, .mailbox = mailbox,
		.ranges = buf_slice(ranges) };

	PUT_ROW(t, row_key_version('L', t->version, t->n_log++), row_put_log,
	    &row);
	buf_reset(ranges);
}

/* UIDs in runs, as a log row, or several when they are very many. */
static void
put_log(struct txn *t, enum row_log_kind kind, uint32_t mailbox,
    const uint32_t *uids, size_t n)
{
	struct buf ranges;
	size_t i, k;

	buf_init(&ranges, LOG_BYTES);
	for (i = 0; i < n; i = k) {
		for (k = i + 1; k < n && uids[k] == uids[k - 1] + 1; k++)
			continue;
		if (ranges.n + 8 > LOG_BYTES)
			put_log_row(t, kind, mailbox, &ranges);
		row_put_range(&ranges, uids[i], uids[k - 1]);
	}
	put_log_row(t, kind, mailbox, &ranges);
	buf_fini(&ranges);
}

static void
put_message_log(struct txn *t, enum row_log_kind kind, uint32_t mailbox,
    const struct message *list, size_t n)
{
	uint32_t *uids;
	size_t i;

	if (n == 0)
		return;
	uids = model_alloc(n * sizeof *uids);
	for (i = 0; i < n; i++)
		uids[i] = list[i].uid;
	put_log(t, kind, mailbox, uids, n);
	free(uids);
}

static void
put_expunged(struct txn *t, const struct txn_box *b)
{
	uint32_t number = b->m->info.number;
	struct buf value;
	size_t i, k;

	if (b->n_expunged == 0)
		return;
	put_log(t, ROW_LOG_EXPUNGED, number, b->expunged, b->n_expunged);
	for (i = 0; i < b->n_expunged; i = k) {
		for (k = i + 1; k < b->n_expunged &&
		    b->expunged[k] == b->expunged[k - 1] + 1; k++)
			continue;
		buf_init(&value, 64);
		row_put_expunged(&value, b->expunged[k - 1]);
		txn_put(t, row_key_expunged(number, t->version,
			b->expunged[i]), buf_slice(&value));
		buf_fini(&value);
	}
}

/* How many of the messages that will be there are still \Recent. */
static uint32_t
count_recent(const struct txn_box *b)
{
	const struct mailbox *m = b->m;
	uint32_t n, from = m->recent_from;
	size_t i;

	/* When a session took what was \Recent, it took all of it. */
	if (!m->loaded)
		return (from == b->row.recent_from ? b->row.recent : 0) +
		    (uint32_t)b->n_added;
	n = (uint32_t)(m->n - box_lower(m, from));
	for (i = 0; i < b->n_expunged; i++)
		n -= b->expunged[i] >= from;
	for (i = 0; i < b->n_added; i++)
		n += b->added[i].uid >= from;
	return n;
}

static int
cmp_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
cmp_message(const void *a, const void *b)
{
	const struct message *x = a, *y = b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

static void
put_box(struct txn *t, struct txn_box *b)
{
	struct mailbox *m = b->m;
	struct row_mailbox *r = &b->row;

	if (b->removed) {
		put_log(t, ROW_LOG_MAILBOX_GONE, m->info.number, NULL, 0);
		txn_del(t, row_key_mailbox('B', m->info.number));
		return;
	}
	if (b->n_expunged > 1)
		qsort(b->expunged, b->n_expunged, sizeof *b->expunged,
		    cmp_uid);
	if (b->n_changed > 1)
		qsort(b->changed, b->n_changed, sizeof *b->changed,
		    cmp_message);
	if (b->n_added > 1)
		qsort(b->added, b->n_added, sizeof *b->added, cmp_message);
	put_message_log(t, ROW_LOG_ADDED, m->info.number, b->added,
	    b->n_added);
	put_message_log(t, ROW_LOG_CHANGED, m->info.number, b->changed,
	    b->n_changed);
	put_expunged(t, b);
	if (b->made || b->renamed || r->attrs != m->row.attrs)
		put_log(t, ROW_LOG_MAILBOX, m->info.number, NULL, 0);
	r->recent = count_recent(b);
	r->recent_from = m->recent_from;
	/* A file that is placed but has no row with this commit must be found
	 * after a crash: then no stamp may say that the folder is known. */
	r->stamp = m->n_pending > b->n_pending || !list_is_empty(&m->placing) ?
	    0 : store_folder_stamp(m->account->store, m->folder);
	r->behind = mailbox_is_behind(m) || b->n_changed > 0 ||
	    b->n_expunged > 0 || b->n_follow > 0;
	r->list_lines += b->n_lines;
	PUT_ROW(t, row_key_mailbox('B', m->info.number), row_put_mailbox, r);
}

static void
on_committed(void *arg, enum store_result r, uint64_t version)
{
	struct txn *t = arg;
	struct account *a = t->account;

	a->txn = NULL;
	tidy_done(a, r == STORE_OK);
	if (r == STORE_OK) {
		a->version = version;
		a->synced = t->durable ? version : a->synced;
		txn_apply(t);
	} else if (r != STORE_FULL) {
		/* With one writer nothing else can have happened but that the
		 * map is broken: refuse everything from here on. */
		log_error("event=account_broken result=%d", (int)r);
		account_break(a);
	}
	t->done(t->arg, r);
	txn_free(&t);
	view_notify(a);
	account_kick(a);
}

static void
submit(struct txn *t)
{
	struct store_change *changes = model_alloc(t->n * sizeof *changes);
	const struct txn_row *row;
	struct store_change *c = changes;
	unsigned pass;
	size_t i;

	if (!buf_is_ok(&t->bytes))
		fatal("event=fatal what=mailbox error=\"out of memory\"");
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < t->n; i++) {
			row = &t->rows[i];
			if (row->first != (pass == 0))
				continue;
			c->key = (struct slice){ t->bytes.p + row->key_at,
				row->key_n };
			if (row->put)
				c->value = (struct slice){
					t->bytes.p + row->value_at,
					row->value_n };
			c++;
		}
	store_commit(t->account->store, t->account->version, changes, t->n,
	    t->durable, on_committed, t);
	free(changes);
}

/* The lists say what they must: the rows that depend on it, and off. */
static void
finish_rows(struct txn *t)
{
	struct account *a = t->account;
	struct list *e;

	if (t->refused) {
		on_committed(t, STORE_FULL, a->version);
		return;
	}
	for (e = t->boxes.next; e != &t->boxes; e = e->next)
		put_box(t, LIST_OF(e, struct txn_box, link));
	if (t->totals.bytes != a->totals.bytes ||
	    t->totals.messages != a->totals.messages)
		PUT_ROW(t, row_key_kind('U'), row_put_totals, &t->totals);
	if (t->head)
		PUT_ROW(t, row_key_kind('V'), row_put_version,
		    (&(struct row_version){ .version = t->version,
			.uidvalidity = t->uidvalidity,
			.next_mailbox = t->next_mailbox }));
	submit(t);
}

/*
 * A list that could not be written is not there: without one a rebuild gives a
 * new UIDVALIDITY, until the list is written anew as a whole. One that is there
 * all the same would let a rebuild give UIDs twice: then none are given.
 */
static void
on_list(void *arg, enum store_result r)
{
	struct txn_box *b = arg;
	struct txn *t = b->txn;

	if (r != STORE_OK) {
		b->row.list_reserved = b->row.list_lines = b->n_lines = 0;
		buf_reset(&b->list);
	}
	t->refused = t->refused || r == STORE_UNKNOWN;
	if (--t->lists == 0)
		finish_rows(t);
}

/* The first writing of a list. It has its messages and keywords with it at
 * once: should a takeover be cut short after it, the list is believed where
 * another server's was before. */
static void
begin_list(struct buf *text, struct txn_box *b)
{
	const struct mailbox *m = b->m;
	unsigned i;

	uidlist_head(text, b->row.uidvalidity, b->row.list_reserved);
	uidlist_number(text, m->info.number);
	for (i = 0; i < m->n_keywords; i++)
		uidlist_keyword(text, i, slice_str(m->keywords[i]));
	b->n_lines += 2 + m->n_keywords;
	buf_add_slice(text, buf_slice(&b->list));
	buf_reset(&b->list);
}

/* UIDs are given only below what the recovery list durably says. */
static void
reserve_uids(struct txn *t, struct txn_box *b)
{
	bool fresh = b->row.list_reserved == 0;
	struct buf text;
	uint64_t next;

	if (b->removed || b->n_added == 0 ||
	    b->row.uidnext <= b->row.list_reserved)
		return;
	/* Not there, and older messages would be missing from it: the next
	 * writing as a whole makes one. */
	if (fresh && b->row.messages > b->n_added)
		return;
	next = (uint64_t)b->row.uidnext + UIDLIST_STEP;
	b->row.list_reserved = next > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)next;
	buf_init(&text, SIZE_MAX / 2);
	if (fresh) {
		begin_list(&text, b);
	} else {
		uidlist_reserved(&text, b->row.list_reserved);
		uidlist_number(&text, b->m->info.number);
		b->n_lines += 2;
	}
	t->lists++;
	store_write_list(t->account->store, b->m->folder, buf_slice(&text),
	    !fresh, true, on_list, b);
	buf_fini(&text);
}

void
txn_commit(struct txn *t, bool durable,
    void (*done)(void *arg, enum store_result r), void *arg)
{
	struct account *a = t->account;
	bool is_low = store_is_low(a->store);
	struct list *e;
	size_t i;

	t->durable = durable;
	t->done = done;
	t->arg = arg;
	a->txn = t;
	/* When the disk is full, what rides along must not make the others
	 * fail, and what is old must go. */
	tidy_take(a, t, is_low || t->alone ? FEW : SIZE_MAX);
	if (is_low)
		chores_hurry(a);
	for (i = 0; i < a->n_boxes; i++)
		if (a->boxes[i]->dirty)
			(void)txn_box(t, a->boxes[i]);
	for (e = t->boxes.next; e != &t->boxes; e = e->next)
		reserve_uids(t, LIST_OF(e, struct txn_box, link));
	if (t->lists == 0)
		finish_rows(t);
}
