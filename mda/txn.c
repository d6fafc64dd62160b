/* SPDX-License-Identifier: ISC */
/*
 * Putting a commit together: rows and what memory will look like after it.
 * Nothing in memory changes before the store says that it is committed
 * (apply.c). A UID is assigned here, in the mailbox row's copy; the modseq of
 * everything in the commit is the version that it makes.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/letters.h"
#include "mda/model.h"
#include "mda/txn_priv.h"

struct txn *
txn_new(struct account *a)
{
	struct txn *t = model_alloc(sizeof *t);

	t->account = a;
	t->version = a->version + 1;
	t->totals = a->totals;
	t->uidvalidity = a->uidvalidity;
	t->next_mailbox = a->next_mailbox;
	list_init(&t->boxes);
	list_init(&t->ops);
	buf_init(&t->bytes, SIZE_MAX / 2);
	return t;
}

static void
free_box(struct txn_box *b)
{
	unsigned i;

	b->m->work = NULL;
	list_remove(&b->link);
	for (i = b->m->n_keywords; i < b->n_keywords; i++)
		free(b->keywords[i]);
	free(b->new_name);
	free(b->new_folder);
	free(b->added);
	free(b->changed);
	free(b->expunged);
	free(b->follow);
	buf_fini(&b->list);
	box_unpin(b->m);
	free(b);
}

void
txn_free(struct txn **tp)
{
	struct txn *t = *tp;
	struct list *e;

	while ((e = list_first(&t->boxes)) != NULL)
		free_box(LIST_OF(e, struct txn_box, link));
	buf_fini(&t->bytes);
	free(t->rows);
	free(t);
	*tp = NULL;
}

struct txn_box *
txn_box(struct txn *t, struct mailbox *m)
{
	struct txn_box *b = m->work;

	if (b != NULL)
		return b;
	b = model_alloc(sizeof *b);
	b->txn = t;
	b->m = m;
	b->row = m->row;
	b->n_keywords = m->n_keywords;
	buf_init(&b->list, SIZE_MAX / 2);
	m->work = b;
	box_pin(m);
	list_add(&t->boxes, &b->link);
	return b;
}

bool
txn_is_empty(const struct txn *t)
{
	return t->n == 0 && list_is_empty(&t->boxes) && !t->head && !t->wanted;
}

/* ---- rows ---- */

static void
add_row(struct txn *t, struct row_key key, struct slice value, bool put)
{
	struct txn_row *row;

	model_grow(&t->rows, &t->cap, t->n, sizeof *t->rows);
	row = &t->rows[t->n++];
	row->key_at = t->bytes.n;
	row->key_n = (uint32_t)key.n;
	buf_add(&t->bytes, key.p, key.n);
	row->value_at = t->bytes.n;
	row->value_n = (uint32_t)value.n;
	if (value.n > 0)
		buf_add_slice(&t->bytes, value);
	row->put = put;
	row->first = false;
}

void
txn_put(struct txn *t, struct row_key key, struct slice value)
{
	add_row(t, key, value, true);
}

void
txn_del(struct txn *t, struct row_key key)
{
	add_row(t, key, SLICE_NONE, false);
}

void
txn_put_first(struct txn *t, struct row_key key, struct slice value)
{
	add_row(t, key, value, value.n > 0);
	t->rows[t->n - 1].first = true;
}

static void
put_message(struct txn *t, const struct mailbox *m,
    const struct message *msg)
{
	struct row_message row = { .modseq = msg->modseq,
		.keywords = msg->keywords, .size = msg->size,
		.internaldate = msg->internaldate, .savedate = msg->savedate,
		.flags = msg->flags };

	memcpy(row.email_id, msg->email_id, sizeof row.email_id);
	memcpy(row.thread_id, msg->thread_id, sizeof row.thread_id);
	PUT_ROW(t, row_key_message('M', m->info.number, msg->uid),
	    row_put_message, &row);
}

/* ---- messages ---- */

static void
count(struct txn_box *b, const struct message *msg, int sign)
{
	struct row_mailbox *r = &b->row;
	uint32_t one = (uint32_t)sign;
	uint64_t size = sign > 0 ? msg->size : 0 - msg->size;

	if ((msg->flags & FLAG_SEEN) == 0)
		r->unseen += one;
	if ((msg->flags & FLAG_DELETED) != 0) {
		r->deleted += one;
		r->deleted_size += size;
	}
}

uint32_t
txn_add(struct txn *t, struct mailbox *m, const struct new_message *n,
    uint32_t uid)
{
	struct txn_box *b = txn_box(t, m);
	struct message *msg;

	if (uid == 0)
		uid = b->row.uidnext++;
	model_grow(&b->added, &b->cap_added, b->n_added, sizeof *b->added);
	msg = &b->added[b->n_added++];
	*msg = (struct message){ .uid = uid, .flags = n->flags,
		.modseq = t->version, .keywords = n->keywords,
		.size = n->size, .internaldate = n->internaldate,
		.savedate = n->savedate };
	memcpy(msg->email_id, n->email_id, sizeof msg->email_id);
	memcpy(msg->thread_id, n->thread_id, sizeof msg->thread_id);
	put_message(t, m, msg);
	PUT_ROW(t, row_key_message('F', m->info.number, uid), row_put_file,
	    (&(struct row_file){ .id = n->id, .place = (uint8_t)n->place,
		.letters = n->letters, .stored = n->stored }));
	if (n->cache.n > 0)
		txn_put(t, row_key_message('C', m->info.number, uid),
		    n->cache);
	if (n->delivery != NULL)
		PUT_ROW(t, row_key_delivery(n->delivery), row_put_delivery,
		    (&(struct row_delivery){ .arrived = n->savedate,
			.mailbox = m->info.number, .uid = uid }));
	b->row.messages++;
	b->row.size += n->size;
	count(b, msg, 1);
	b->row.highest_modseq = t->version;
	t->totals.messages++;
	t->totals.bytes += n->size;
	if (n->place == BODY_TMP ||
	    n->letters != letters_from_flags(n->flags, n->keywords)) {
		model_grow(&b->follow, &b->cap_follow, b->n_follow,
		    sizeof *b->follow);
		b->follow[b->n_follow++] = uid;
	}
	uidlist_message(&b->list, uid, n->keywords, n->id);
	b->n_lines++;
	return uid;
}

void
txn_change(struct txn *t, struct mailbox *m, const struct message *from,
    struct message *to)
{
	struct txn_box *b = txn_box(t, m);

	to->modseq = t->version;
	count(b, from, -1);
	count(b, to, 1);
	put_message(t, m, to);
	if (from->keywords != to->keywords) {
		uidlist_keywords(&b->list, to->uid, to->keywords);
		b->n_lines++;
	}
	model_grow(&b->changed, &b->cap_changed, b->n_changed,
	    sizeof *b->changed);
	b->changed[b->n_changed++] = *to;
	b->row.highest_modseq = t->version;
}

/*
 * A delivery whose message moves: should the queue send it again, its body is
 * to be written where it is then. (One that is expunged needs nothing: its row
 * names a UID that is no more.)
 */
static void
move_delivery(struct txn *t, struct mailbox *m, uint32_t uid,
    uint32_t to_mailbox, uint32_t to_uid)
{
	char id[ROW_DELIVERY_ID];
	struct row_delivery row;
	struct store_body body;
	struct buf hold, value;
	struct row_file file;
	struct row_key key;

	buf_init(&hold, 1024);
	buf_init(&value, 256);
	if (account_file(m->account, m, uid, &hold, &file, &body) ==
	    STORE_OK && delivery_of_id(file.id, id)) {
		key = row_key_delivery(id);
		if (account_row(m->account, key, &value) == STORE_OK &&
		    row_get_delivery(buf_slice(&value), &row) == 0) {
			row.mailbox = to_mailbox;
			row.uid = to_uid;
			PUT_ROW(t, key, row_put_delivery, &row);
		}
	}
	buf_fini(&value);
	buf_fini(&hold);
}

void
txn_move(struct txn *t, struct mailbox *m, const struct message *msg,
    const struct mailbox *to, uint32_t to_uid)
{
	move_delivery(t, m, msg->uid, to->info.number, to_uid);
	txn_expunge(t, m, msg);
}

void
txn_expunge(struct txn *t, struct mailbox *m, const struct message *msg)
{
	struct txn_box *b = txn_box(t, m);

	txn_del(t, row_key_message('M', m->info.number, msg->uid));
	txn_del(t, row_key_message('C', m->info.number, msg->uid));
	model_grow(&b->expunged, &b->cap_expunged, b->n_expunged,
	    sizeof *b->expunged);
	b->expunged[b->n_expunged++] = msg->uid;
	count(b, msg, -1);
	b->row.messages--;
	b->row.size -= msg->size;
	b->row.highest_modseq = t->version;
	t->totals.messages--;
	t->totals.bytes -= msg->size;
}

/* ---- keywords ---- */

static const char *
keyword(const struct txn_box *b, unsigned i)
{
	return i < b->m->n_keywords ? b->m->keywords[i] : b->keywords[i];
}

int
txn_keyword(struct txn *t, struct mailbox *m, struct slice name)
{
	struct txn_box *b;
	struct buf value;
	unsigned i, n = m->work == NULL ? m->n_keywords : m->work->n_keywords;

	for (i = 0; i < n; i++)
		if (slice_ieq_str(name, m->work == NULL ? m->keywords[i] :
			keyword(m->work, i)))
			return (int)i;
	if (n == MAILBOX_KEYWORDS_MAX || name.n > ROW_KEYWORD_MAX)
		return -1;
	b = txn_box(t, m);
	b->keywords[b->n_keywords++] = model_dup(name);
	buf_init(&value, STORE_ROW_MAX);
	row_put_text(&value, name);
	txn_put(t, row_key_keyword(m->info.number, (uint16_t)n),
	    buf_slice(&value));
	buf_fini(&value);
	uidlist_keyword(&b->list, n, name);
	b->n_lines++;
	return (int)n;
}

int
txn_keywords(struct txn *t, struct mailbox *m, const struct slice *names,
    size_t n, uint64_t *bits_r)
{
	unsigned missing = 0, have = m->work == NULL ? m->n_keywords :
	    m->work->n_keywords;
	uint64_t bits = 0;
	size_t i;
	int at;

	/* All or none: an op that is refused must have added nothing. */
	for (i = 0; i < n; i++)
		missing += mailbox_keyword_find(m, names[i]) < 0;
	if (missing > 0 && have + missing > MAILBOX_KEYWORDS_MAX)
		return -1;
	for (i = 0; i < n; i++) {
		at = txn_keyword(t, m, names[i]);
		if (at < 0)
			return -1;
		bits |= 1ULL << at;
	}
	*bits_r = bits;
	return 0;
}

struct row_key
txn_work(struct txn *t, const struct row_work *w)
{
	struct row_key key = row_key_version('G', t->version, t->n_work++);

	PUT_ROW(t, key, row_put_work, w);
	return key;
}
