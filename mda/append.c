/* SPDX-License-Identifier: ISC */
/*
 * Adding mail: the body goes to the store as it comes; at its end it is placed
 * in the Maildir, then its row is committed, at once when somebody wants the
 * UID or has the mailbox open, with others a moment later else. A delivery is
 * known by its id, which makes the file's name: a repeat only writes the same
 * file again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "mda/fields.h"
#include "mda/letters.h"
#include "mda/model.h"

struct append_writer {
	struct op op;
	struct list link; /* of the mailbox's placing */
	struct account *account;
	struct mailbox *m;
	struct store_put *put; /* NULL: a repeat, nothing is written */
	char *base;
	bool sync, batch, repeat, is_again; /* again: over what is there */
	struct store_body again;
	struct buf again_hold;
	uint64_t size;
	struct buf head;
	struct fields *fields;
	struct pending *p;
	uint32_t uid;
	append_done *done;
	void *arg;
};

/* ---- names of deliveries ---- */

static void
store_be(char *to, uint64_t v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		to[i] = (char)(v >> (8 * (n - 1 - i)));
}

static void
delivery_name(struct buf *out, const struct append *what)
{
	buf_addf(out, "q%016llx.%08x.veredus",
	    (unsigned long long)what->delivery_id,
	    (unsigned)what->delivery_group);
}

bool
delivery_of_id(struct slice id, char id_r[ROW_DELIVERY_ID])
{
	uint64_t queue, group;

	if (id.n < 34 || id.p[0] != 'q' || id.p[17] != '.' ||
	    !slice_has_prefix(slice_from(id, 26), SLICE(".veredus")) ||
	    num_parse_hex(slice_head(slice_from(id, 1), 16), &queue) < 0 ||
	    num_parse_hex(slice_head(slice_from(id, 18), 8), &group) < 0)
		return false;
	store_be(id_r, queue, 8);
	store_be(id_r + 8, group, 4);
	return true;
}

/* ---- beginning ---- */

bool
append_is_placing(const struct mailbox *m, struct slice id)
{
	const struct append_writer *w;
	struct list *e;

	for (e = m->placing.next; e != &m->placing; e = e->next) {
		w = LIST_OF(e, struct append_writer, link);
		if (slice_has_prefix(id, slice_str(w->base)) &&
		    id.n > strlen(w->base) && id.p[strlen(w->base)] == ',')
			return true;
	}
	return false;
}

static bool
is_being_placed(const struct account *a, const char *delivery)
{
	const struct append_writer *w;
	struct list *e;
	size_t i;

	for (i = 0; i < a->n_boxes; i++)
		for (e = a->boxes[i]->placing.next;
		    e != &a->boxes[i]->placing; e = e->next) {
			w = LIST_OF(e, struct append_writer, link);
			if (w->p->delivered && memcmp(w->p->delivery,
				delivery, ROW_DELIVERY_ID) == 0)
				return true;
		}
	return false;
}

/* Did we have this delivery before? Then where its body is, if it still is. */
static bool
is_repeat(struct append_writer *w)
{
	struct account *a = w->account;
	struct row_delivery row;
	struct row_file file;
	struct mailbox *m;
	struct buf value;
	bool known;

	if (pending_has_delivery(a, w->p->delivery))
		return true;
	buf_init(&value, 256);
	known = account_row(a, row_key_delivery(w->p->delivery), &value) ==
	    STORE_OK && row_get_delivery(buf_slice(&value), &row) == 0;
	buf_fini(&value);
	if (!known)
		return false;
	m = row.mailbox == 0 ? NULL : box_by_number(a, row.mailbox);
	/* Written again where it is, if it still is: a power cut may have
	 * torn it. */
	buf_init(&value, STORE_ROW_MAX);
	w->is_again = m != NULL && account_row(a,
	    row_key_message('M', row.mailbox, row.uid), &value) ==
	    STORE_OK && account_file(a, m, row.uid, &w->again_hold, &file,
	    &w->again) == STORE_OK;
	buf_fini(&value);
	return true;
}

static void
free_writer(struct append_writer *w)
{
	list_remove(&w->link);
	store_put_abort(&w->put);
	if (w->p != NULL)
		pending_free(&w->p);
	fields_free(&w->fields);
	buf_fini(&w->head);
	buf_fini(&w->again_hold);
	box_unpin(w->m);
	free(w->base);
	free(w);
}

static enum mbox_result
may_begin(struct account *a, const struct mailbox *m, uint64_t size_hint)
{
	if (a->broken || a->closing)
		return MBOX_LATER;
	if (m == NULL)
		return MBOX_NONEXISTENT;
	if ((m->row.attrs & MBOX_NOSELECT) != 0)
		return MBOX_NOT_ALLOWED;
	if (!account_has_room(a, size_hint, 1))
		return MBOX_OVER_QUOTA;
	return store_is_low(a->store) ? MBOX_FULL : MBOX_OK;
}

static struct append_writer *
new_writer(struct mailbox *m, const struct append *what)
{
	struct append_writer *w = model_alloc(sizeof *w);
	int64_t now = clock_wall();
	struct buf base;

	w->account = m->account;
	w->m = m;
	box_pin(m);
	buf_init(&base, 128);
	if (what->delivery_id != 0)
		delivery_name(&base, what);
	else
		account_unique(m->account, &base);
	w->base = model_dup(buf_slice(&base));
	buf_fini(&base);
	buf_init(&w->head, STORE_HEAD);
	buf_init(&w->again_hold, 1024);
	w->sync = what->sync;
	w->batch = what->batch || what->delivery_id != 0;
	w->p = model_alloc(sizeof *w->p);
	buf_init(&w->p->cache, STORE_ROW_MAX);
	w->p->msg.flags = what->flags & (FLAG_RECENT - 1);
	w->p->msg.savedate = now;
	w->p->msg.internaldate = what->internaldate == 0 ? now :
	    what->internaldate;
	w->p->keywords = names_dup(what->keywords, what->n_keywords);
	w->p->n_keywords = what->n_keywords;
	if (what->delivery_id != 0) {
		w->p->delivered = true;
		store_be(w->p->delivery, what->delivery_id, 8);
		store_be(w->p->delivery + 8, what->delivery_group, 4);
	}
	return w;
}

struct append_writer *
append_begin(struct account *a, struct slice mailbox,
    const struct append *what, uint64_t size_hint, enum mbox_result *r)
{
	struct mailbox *m = box_find(a, mailbox);
	struct append_writer *w;
	const char *folder;

	*r = may_begin(a, m, size_hint);
	if (*r != MBOX_OK)
		return NULL;
	w = new_writer(m, what);
	/* The first one may still fail: then who sent the second must not have
	 * heard that it is done. */
	if (w->p->delivered && is_being_placed(a, w->p->delivery)) {
		free_writer(w);
		*r = MBOX_LATER;
		return NULL;
	}
	w->repeat = w->p->delivered && is_repeat(w);
	if (w->repeat && !w->is_again)
		return w;
	folder = w->is_again ? w->again.folder : m->folder;
	w->put = store_put_begin(a->store, folder, slice_str(w->base),
	    w->p->msg.internaldate);
	if (w->put == NULL) {
		*r = errno == ENOSPC || errno == EDQUOT ? MBOX_FULL :
		    errno == ENOENT ? MBOX_NONEXISTENT : MBOX_LATER;
		free_writer(w);
		return NULL;
	}
	if (!w->repeat) {
		list_add(&m->placing, &w->link);
		w->fields = fields_new();
	}
	return w;
}

void
append_write(struct append_writer *w, struct slice bytes)
{
	w->size += bytes.n;
	if (w->put == NULL)
		return;
	if (w->head.n < w->head.max)
		buf_add_slice(&w->head,
		    slice_head(bytes, w->head.max - w->head.n));
	if (w->fields != NULL)
		fields_feed(w->fields, bytes);
	store_put_write(w->put, bytes);
}

void
append_abort(struct append_writer **wp)
{
	if (*wp != NULL)
		free_writer(*wp);
	*wp = NULL;
}

/* ---- ending ---- */

static enum mbox_result
prepare(struct op *op, struct txn *t)
{
	struct append_writer *w = LIST_OF(op, struct append_writer, op);

	if (w->m->gone)
		return MBOX_NONEXISTENT;
	w->uid = pending_commit(w->p, w->m, t);
	return MBOX_OK;
}

static void
ignore(void *arg, enum store_result r)
{
	(void)arg;
	(void)r;
}

/* Refused after all: the file must not turn up as somebody else's. */
static void
take_back(struct append_writer *w)
{
	if (w->p == NULL || w->p->id == NULL || w->m->gone)
		return;
	store_delete_body(w->account->store, &(struct store_body){
		.folder = w->m->folder, .id = slice_str(w->p->id),
		.place = w->p->msg.place, .letters = w->p->msg.letters },
	    ignore, NULL);
}

static void
finish(struct op *op, enum mbox_result r)
{
	struct append_writer *w = LIST_OF(op, struct append_writer, op);

	if (r != MBOX_OK)
		take_back(w);
	w->done(w->arg, r, w->m->row.uidvalidity,
	    r == MBOX_OK ? w->uid : 0);
	free_writer(w);
}

static void
place(struct append_writer *w, struct slice id, uint64_t size)
{
	struct pending *p = w->p;

	p->id = model_dup(id);
	p->msg.stored = p->msg.size = size;
	p->msg.letters = letters_from_flags(p->msg.flags, 0);
	p->msg.place = p->msg.letters != 0 ? BODY_CUR : BODY_NEW;
	email_of(id, p->msg.email_id);
	thread_of(buf_slice(&w->head), p->msg.thread_id);
	fields_finish(&w->fields, &p->cache);
}

static void
on_put(void *arg, enum store_result r, struct slice id, uint64_t size)
{
	struct append_writer *w = arg;
	struct account *a = w->account;
	struct pending *p;

	if (!w->repeat) {
		a->reserved.bytes -= w->size;
		a->reserved.messages--;
	}
	if (r != STORE_OK || w->repeat) {
		op_refuse(a, &w->op, mbox_result_of(r));
		return;
	}
	place(w, id, size);
	if (!w->batch || w->m->opens > 0 || w->m->gone) {
		op_add(a, &w->op);
		return;
	}
	p = w->p;
	w->p = NULL;
	pending_add(w->m, p);
	w->done(w->arg, MBOX_OK, w->m->row.uidvalidity, 0);
	free_writer(w);
}

void
append_end(struct append_writer **wp, append_done *done, void *arg)
{
	struct append_writer *w = *wp;
	struct account *a = w->account;

	*wp = NULL;
	w->done = done;
	w->arg = arg;
	w->op.prepare = prepare;
	w->op.finish = finish;
	w->op.needs_room = true;
	if (w->put == NULL) {
		op_refuse(a, &w->op, MBOX_OK);
	} else if (!w->repeat && (w->m->gone ||
	    !account_has_room(a, w->size, 1))) {
		op_refuse(a, &w->op, w->m->gone ? MBOX_NONEXISTENT :
			MBOX_OVER_QUOTA);
	} else {
		if (!w->repeat) {
			a->reserved.bytes += w->size;
			a->reserved.messages++;
		}
		/* Where sessions look, nothing is told that is not durable. */
		store_put_end(&w->put, w->sync || w->m->opens > 0,
		    letters_from_flags(w->p->msg.flags, 0),
		    w->is_again ? &w->again : NULL, on_put, w);
	}
}

void
account_released(struct account *a, struct slice ids)
{
	struct row_key key;
	struct buf value;

	buf_init(&value, 256);
	while (ids.n >= ROW_DELIVERY_ID) {
		pending_release(a, ids.p);
		key = row_key_delivery(ids.p);
		buf_reset(&value);
		if (account_row(a, key, &value) == STORE_OK)
			tidy_del(a, key);
		ids = slice_from(ids, ROW_DELIVERY_ID);
	}
	buf_fini(&value);
}
