/* SPDX-License-Identifier: ISC */
/*
 * Opening an account: its rows but those of messages are read at once, works
 * that a crash interrupted are done again, folders that other programs made are
 * taken in; without a map all is built anew (rebuild.c). It is the first thing
 * in the account's line of ops.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/model.h"
#include "sys/log.h"

struct opening {
	struct op op;
	struct loop_later failed;
	struct account *half; /* opened in part, to be closed again */
	struct buf why;
	bool damaged, has_id;
	size_t step;
	struct list works;
	account_opened *done;
	void *arg;
};

/* What is read, in order; all before 'C', nothing of 'D', 'F', 'L' and 'M'. */
static const struct {
	char from, to;
} ranges[] = {
	{ 'A', 'C' }, { 'G', 'L' }, { 'N', 'O' }, { 'U', 'W' },
};

static void load_next(struct opening *o);

static void
drop_works(struct list *works)
{
	struct work *w;
	struct list *e;

	while ((e = list_first(works)) != NULL) {
		list_remove(e);
		w = LIST_OF(e, struct work, link);
		free(w->from);
		free(w->to);
		free(w);
	}
}

static bool
add_keyword(struct account *a, struct slice key, struct slice value)
{
	struct mailbox *m;
	uint32_t mailbox;
	uint16_t number;
	struct slice name;

	if (row_keyword_of(key, &mailbox, &number) < 0 ||
	    row_get_text(value, &name) < 0)
		return false;
	m = box_by_number(a, mailbox);
	if (m == NULL || number != m->n_keywords ||
	    number >= MAILBOX_KEYWORDS_MAX)
		return m == NULL;
	m->keywords[m->n_keywords++] = model_dup(name);
	return true;
}

static bool
add_named(struct account *a, struct slice key, struct slice value)
{
	struct slice name;
	uint32_t number;
	char kind;

	if (row_named_of(key, &kind, &number) < 0 ||
	    row_get_text(value, &name) < 0)
		return false;
	if (kind == 'S')
		subscription_note(a, number, name);
	return true;
}

static bool
add_work(struct opening *o, struct slice key, struct slice value)
{
	struct row_work row;
	struct work *w;

	if (row_get_work(value, &row) < 0 || key.n > sizeof w->key.p)
		return false;
	w = model_alloc(sizeof *w);
	w->key.n = key.n;
	memcpy(w->key.p, key.p, key.n);
	w->kind = row.kind;
	w->from = model_dup(row.from);
	w->to = model_dup(row.to);
	list_add(&o->works, &w->link);
	return true;
}

static bool
add_box(struct account *a, struct slice key, struct slice value)
{
	struct row_mailbox row;
	struct mailbox *m;
	uint32_t number;

	if (row_mailbox_of(key, &number) < 0 || number == 0 ||
	    row_get_mailbox(value, &row) < 0 ||
	    box_find(a, row.name) != NULL)
		return false;
	m = box_new(a, number, &row);
	box_insert(m);
	store_folder_expect(a->store, m->folder, row.stamp);
	return true;
}

static bool
take_row(struct opening *o, struct slice key, struct slice value)
{
	struct account *a = o->op.account;
	struct row_version version;

	switch (key.p[0]) {
	case 'A':
		o->has_id = row_get_account(value, a->id) == 0;
		return o->has_id;
	case 'B':
		return add_box(a, key, value);
	case 'G':
		return add_work(o, key, value);
	case 'K':
		return add_keyword(a, key, value);
	case 'N':
		return add_named(a, key, value);
	case 'U':
		return row_get_totals(value, &a->totals) == 0;
	case 'V':
		if (row_get_version(value, &version) < 0)
			return false;
		a->uidvalidity = version.uidvalidity;
		a->next_mailbox = version.next_mailbox;
		return true;
	}
	return true;
}

static bool
on_row(void *arg, struct slice key, struct slice value)
{
	struct opening *o = arg;

	if (!take_row(o, key, value)) {
		log_error("event=map_row_damaged kind=%c", key.p[0]);
		o->damaged = true;
	}
	return !o->damaged;
}

static void
opened(struct account *a, struct op *op, enum mbox_result r)
{
	(void)a;
	op_end(op, r);
}

static void
after_works(struct account *a, struct op *op, enum mbox_result r)
{
	if (r != MBOX_OK)
		opened(a, op, r);
	else
		folders_check(a, op, opened);
}

static void
all_loaded(struct opening *o)
{
	struct account *a = o->op.account;

	/* One without its id is one whose making was cut short: what was known
	 * of its messages may not have been used yet. */
	if (o->damaged || !o->has_id ||
	    box_find(a, SLICE("INBOX")) == NULL) {
		account_drop_boxes(a);
		drop_works(&o->works);
		a->totals = (struct row_totals){ 0 };
		if (a->version != 0 && store_reset(a->store) < 0) {
			opened(a, &o->op, MBOX_LATER);
			return;
		}
		a->version = a->synced = 0;
		a->uidvalidity = 0;
		a->next_mailbox = 1;
		rebuild_start(a, &o->op, opened);
		return;
	}
	work_replay(a, &o->op, &o->works, after_works);
}

static void
on_loaded(void *arg, enum store_result r, uint64_t version)
{
	struct opening *o = arg;

	o->op.account->version = o->op.account->synced = version;
	if (r != STORE_OK)
		o->damaged = true;
	if (o->damaged || ++o->step == sizeof ranges / sizeof *ranges)
		all_loaded(o);
	else
		load_next(o);
}

static void
load_next(struct opening *o)
{
	struct row_key from = row_key_kind(ranges[o->step].from);
	struct row_key to = row_key_kind(ranges[o->step].to);

	store_load(o->op.account->store, row_key_slice(&from),
	    row_key_slice(&to), on_row, on_loaded, o);
}

static void
start_open(struct op *op)
{
	load_next(LIST_OF(op, struct opening, op));
}

static void
on_failed(void *arg)
{
	struct opening *o = arg;

	if (o->half != NULL)
		account_free(&o->half);
	o->done(o->arg, NULL, o->why.p);
	buf_fini(&o->why);
	free(o);
}

/* From the end of the turn: the store cannot be closed in its own callback. */
static void
fail(struct opening *o, struct loop *l)
{
	loop_later_init(&o->failed, l, on_failed, o);
	loop_later_ask(&o->failed);
}

static void
finish_open(struct op *op, enum mbox_result r)
{
	struct opening *o = LIST_OF(op, struct opening, op);

	drop_works(&o->works);
	if (r != MBOX_OK) {
		buf_add_str(&o->why, r == MBOX_FULL ? "the disk is full" :
			"the mail cannot be opened; see the log");
		op->account->broken = true;
		o->half = op->account;
		fail(o, op->account->loop);
		return;
	}
	op->account->o.progress = NULL;
	chores_begin(op->account);
	o->done(o->arg, op->account, NULL);
	buf_fini(&o->why);
	free(o);
}

void
account_open(struct loop *l, int dirfd, const struct account_options *options,
    account_opened *done, void *arg)
{
	struct opening *o = model_alloc(sizeof *o);
	struct account *a = account_new(l, options);

	list_init(&o->works);
	buf_init(&o->why, 4096);
	o->done = done;
	o->arg = arg;
	a->store = store_open_local(l, dirfd,
	    &(struct store_options){ .strict = options->strict }, &o->why);
	if (a->store == NULL) {
		free(a);
		fail(o, l);
		return;
	}
	o->op.exclusive = true;
	o->op.start = start_open;
	o->op.finish = finish_open;
	op_add(a, &o->op);
}
