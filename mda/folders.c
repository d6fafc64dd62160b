/* SPDX-License-Identifier: ISC */
/*
 * Making, deleting and renaming mailboxes (RFC 9051 6.3.4 to 6.3.6). A folder
 * is made before its row is committed (a crash leaves an empty folder), but
 * deleted and renamed after: the commit says so in a row of its own, and it is
 * done again after a crash.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/folder.h"
#include "mda/model.h"

struct moving {
	char *from, *to; /* folders */
	struct row_key work;
};

struct folder_op {
	struct op op;
	char *name, *to;
	uint32_t special;
	char **make; /* names to be made: superiors, then itself */
	size_t n_make, cap_make, made;
	void (*then)(struct folder_op *f); /* their folders are there */
	struct moving *moving;
	size_t n_moving, cap_moving, moved;
	const char *text;
	account_done *done;
	void *arg;
};

static void
finish(struct op *op, enum mbox_result r)
{
	struct folder_op *f = LIST_OF(op, struct folder_op, op);
	size_t i;

	if (r == MBOX_OK)
		account_write_list(op->account);
	f->done(f->arg, r, f->text);
	for (i = 0; i < f->n_make; i++)
		free(f->make[i]);
	for (i = 0; i < f->n_moving; i++) {
		free(f->moving[i].from);
		free(f->moving[i].to);
	}
	free(f->make);
	free(f->moving);
	free(f->name);
	free(f->to);
	free(f);
}

static char *
canonical(struct slice name)
{
	struct buf b;
	char *s;

	buf_init(&b, name.n + 16);
	folder_canonical(&b, name);
	s = model_dup(buf_slice(&b));
	buf_fini(&b);
	return s;
}

static struct folder_op *
new_op(struct slice name, account_done *done, void *arg)
{
	struct folder_op *f = model_alloc(sizeof *f);

	f->name = canonical(name);
	f->op.exclusive = true;
	f->op.finish = finish;
	f->done = done;
	f->arg = arg;
	return f;
}

static void
stop(struct folder_op *f, enum mbox_result r, const char *text)
{
	f->text = text;
	op_end(&f->op, r);
}

static bool
is_below(const char *name, const char *above)
{
	size_t n = strlen(above);

	return strncmp(name, above, n) == 0 && name[n] == '/';
}

static bool
has_children(const struct account *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->n_boxes; i++)
		if (is_below(a->boxes[i]->name, name))
			return true;
	return false;
}

/* The folder of a name, or NULL when it has none. */
static char *
folder_of(const char *name)
{
	struct buf b;
	char *s = NULL;

	buf_init(&b, 8192);
	if (folder_from_name(&b, slice_str(name)) == 0)
		s = model_dup(buf_slice(&b));
	buf_fini(&b);
	return s;
}

/* ---- making ---- */

/* Plans the superiors of `name` that are not there, and itself if asked. */
static void
plan(struct folder_op *f, const char *name, bool itself)
{
	struct slice whole = slice_str(name);
	size_t i;

	for (i = 1; i <= whole.n; i++) {
		if (i < whole.n ? whole.p[i] != '/' : !itself)
			continue;
		if (box_find(f->op.account, slice_head(whole, i)) != NULL)
			continue;
		model_grow(&f->make, &f->cap_make, f->n_make,
		    sizeof *f->make);
		f->make[f->n_make++] = model_dup(slice_head(whole, i));
	}
}

static void make_folders(struct folder_op *f);

static void
on_folder_made(void *arg, enum store_result r)
{
	struct folder_op *f = arg;

	if (r != STORE_OK)
		stop(f, mbox_result_of(r), NULL);
	else
		make_folders(f);
}

static void
make_folders(struct folder_op *f)
{
	char *folder;

	if (f->made == f->n_make) {
		f->then(f);
		return;
	}
	folder = folder_of(f->make[f->made++]);
	if (folder == NULL) {
		stop(f, MBOX_BAD_NAME, "The name is too long.");
		return;
	}
	store_folder_create(f->op.account->store, folder, true,
	    on_folder_made, f);
	free(folder);
}

/* Puts the planned mailboxes into a transaction. */
static void
add_made(struct folder_op *f, struct txn *t)
{
	struct slice name;
	uint32_t attrs;
	char *folder;
	size_t i;

	for (i = 0; i < f->n_make; i++) {
		name = slice_str(f->make[i]);
		folder = folder_of(f->make[i]);
		attrs = f->to == NULL && i + 1 == f->n_make ? f->special : 0;
		if (subscription_drop(t, name))
			attrs |= MBOX_SUBSCRIBED;
		(void)box_make(t, name, slice_str(folder), attrs, 0);
		free(folder);
	}
}

static void
forget_subscriptions(struct folder_op *f)
{
	size_t i;

	for (i = 0; i < f->n_make; i++)
		subscription_forget(f->op.account, slice_str(f->make[i]));
}

static void
on_made(void *arg, enum store_result r)
{
	struct folder_op *f = arg;

	if (r == STORE_OK)
		forget_subscriptions(f);
	stop(f, mbox_result_of(r), NULL);
}

static void
commit_made(struct folder_op *f)
{
	struct txn *t = txn_new(f->op.account);

	add_made(f, t);
	txn_commit(t, true, on_made, f);
}

static void
create_checked(struct account *a, struct op *op, enum mbox_result r)
{
	struct folder_op *f = LIST_OF(op, struct folder_op, op);
	const char *fault = folder_name_fault(slice_str(f->name));

	if (r != MBOX_OK)
		stop(f, r, NULL);
	else if (fault != NULL)
		stop(f, MBOX_BAD_NAME, fault);
	else if (box_find(a, slice_str(f->name)) != NULL)
		stop(f, MBOX_EXISTS, NULL);
	else if (store_is_low(a->store))
		stop(f, MBOX_FULL, NULL);
	else {
		plan(f, f->name, true);
		f->then = commit_made;
		make_folders(f);
	}
}

static void
create_start(struct op *op)
{
	/* First whatever another program made: it exists then. */
	folders_check(op->account, op, create_checked);
}

void
account_create(struct account *a, struct slice name, uint32_t special,
    account_done *done, void *arg)
{
	struct folder_op *f;

	/* RFC 9051 6.3.4: a trailing separator only announces children. */
	if (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	f = new_op(name, done, arg);
	f->special = special & MBOX_SPECIAL;
	f->op.start = create_start;
	op_add(a, &f->op);
}

/* ---- deleting ---- */

static void
on_deleted(void *arg, enum mbox_result r)
{
	stop(arg, r, NULL);
}

static void
delete_start(struct op *op)
{
	struct folder_op *f = LIST_OF(op, struct folder_op, op);
	struct account *a = op->account;
	struct mailbox *m = box_find(a, slice_str(f->name));

	if (strcmp(f->name, "INBOX") == 0)
		stop(f, MBOX_NOT_ALLOWED, "INBOX cannot be deleted.");
	else if (m != NULL)
		removal_start(m, true, on_deleted, f);
	else
		stop(f, has_children(a, f->name) ? MBOX_HAS_CHILDREN :
			MBOX_NONEXISTENT, NULL);
}

void
account_delete(struct account *a, struct slice name, account_done *done,
    void *arg)
{
	struct folder_op *f = new_op(name, done, arg);

	f->op.start = delete_start;
	op_add(a, &f->op);
}

/* ---- renaming ---- */

static void rename_next(struct folder_op *f);

static void
on_folder_renamed(void *arg, enum store_result r)
{
	struct folder_op *f = arg;

	/* What failed is tried again at the next opening. */
	if (r == STORE_OK)
		tidy_del(f->op.account, f->moving[f->moved].work);
	f->moved++;
	rename_next(f);
}

static void
rename_next(struct folder_op *f)
{
	const struct moving *m = &f->moving[f->moved];

	if (f->moved == f->n_moving)
		stop(f, MBOX_OK, NULL);
	else
		store_folder_rename(f->op.account->store, m->from, m->to,
		    on_folder_renamed, f);
}

static void
on_renamed(void *arg, enum store_result r)
{
	struct folder_op *f = arg;

	if (r != STORE_OK) {
		stop(f, mbox_result_of(r), NULL);
		return;
	}
	forget_subscriptions(f);
	rename_next(f);
}

/* The new name of a mailbox that is or is below f->name. */
static char *
new_name(const struct folder_op *f, const char *name)
{
	struct buf b;
	char *s;

	buf_init(&b, ROW_NAME_MAX * 2);
	buf_add_str(&b, f->to);
	buf_add_str(&b, name + strlen(f->name));
	s = model_dup(buf_slice(&b));
	buf_fini(&b);
	return s;
}

static void
rename_box(struct folder_op *f, struct txn *t, struct mailbox *m)
{
	struct txn_box *b = txn_box(t, m);
	struct moving *moving;
	struct row_work w = { .kind = ROW_WORK_RENAME };

	b->renamed = true;
	b->new_name = new_name(f, m->name);
	b->new_folder = folder_of(b->new_name);
	b->row.name = slice_str(b->new_name);
	b->row.folder = slice_str(b->new_folder);
	model_grow(&f->moving, &f->cap_moving, f->n_moving,
	    sizeof *f->moving);
	moving = &f->moving[f->n_moving++];
	moving->from = model_dup(slice_str(m->folder));
	moving->to = model_dup(slice_str(b->new_folder));
	w.from = slice_str(moving->from);
	w.to = slice_str(moving->to);
	moving->work = txn_work(t, &w);
}

static bool
is_renamed(const struct folder_op *f, const struct mailbox *m)
{
	return strcmp(m->name, f->name) == 0 || is_below(m->name, f->name);
}

static void
commit_rename(struct folder_op *f)
{
	struct account *a = f->op.account;
	struct txn *t = txn_new(a);
	size_t i;

	add_made(f, t);
	for (i = 0; i < a->n_boxes; i++)
		if (is_renamed(f, a->boxes[i]))
			rename_box(f, t, a->boxes[i]);
	txn_commit(t, true, on_renamed, f);
}

/* Each new name must be possible and free. */
static enum mbox_result
check_targets(const struct folder_op *f)
{
	const struct account *a = f->op.account;
	enum mbox_result r = MBOX_OK;
	char *name, *folder;
	size_t i;

	for (i = 0; i < a->n_boxes && r == MBOX_OK; i++) {
		if (!is_renamed(f, a->boxes[i]))
			continue;
		name = new_name(f, a->boxes[i]->name);
		folder = folder_of(name);
		if (folder == NULL || strlen(name) > ROW_NAME_MAX)
			r = MBOX_BAD_NAME;
		else if (box_find(f->op.account, slice_str(name)) != NULL ||
		    box_by_folder(f->op.account, slice_str(folder)) != NULL)
			r = MBOX_EXISTS;
		free(name);
		free(folder);
	}
	return r;
}

static void
rename_checked(struct account *a, struct op *op, enum mbox_result r)
{
	struct folder_op *f = LIST_OF(op, struct folder_op, op);
	const char *fault = folder_name_fault(slice_str(f->to));

	if (r == MBOX_OK && box_find(a, slice_str(f->name)) == NULL)
		r = MBOX_NONEXISTENT;
	else if (r == MBOX_OK && fault != NULL)
		r = MBOX_BAD_NAME;
	else if (r == MBOX_OK && box_find(a, slice_str(f->to)) != NULL)
		r = MBOX_EXISTS;
	else if (r == MBOX_OK && is_below(f->to, f->name)) {
		r = MBOX_NOT_ALLOWED;
		fault = "A mailbox cannot be moved below itself.";
	} else if (r == MBOX_OK) {
		r = check_targets(f);
		fault = "A name would be too long.";
	}
	if (r != MBOX_OK) {
		stop(f, r, r == MBOX_BAD_NAME || r == MBOX_NOT_ALLOWED ?
			fault : NULL);
		return;
	}
	plan(f, f->to, false);
	f->then = commit_rename;
	make_folders(f);
}

static void
rename_start(struct op *op)
{
	folders_check(op->account, op, rename_checked);
}

void
account_rename(struct account *a, struct slice from, struct slice to,
    account_done *done, void *arg)
{
	struct folder_op *f;

	if (to.n > 1 && to.p[to.n - 1] == '/')
		to.n--;
	if (slice_ieq_str(from, "INBOX")) {
		rename_inbox(a, to, done, arg);
		return;
	}
	f = new_op(from, done, arg);
	f->to = canonical(to);
	f->op.start = rename_start;
	op_add(a, &f->op);
}
