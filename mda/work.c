/* SPDX-License-Identifier: ISC */
/*
 * Folders as they are on the disk: works that a crash interrupted are done
 * again, then folders that other programs made become mailboxes, and mailboxes
 * whose folder they removed are gone.
 */
#include <stdlib.h>
#include <string.h>

#include "mda/folder.h"
#include "mda/model.h"
#include "sys/log.h"

/* ---- replaying ---- */

struct replay {
	struct account *a;
	struct op *op;
	struct list *works;
	account_step *next;
};

static void replay_next(struct replay *p);

static void
on_replayed(void *arg, enum store_result r)
{
	struct replay *p = arg;
	struct work *w = LIST_OF(list_first(p->works), struct work, link);

	if (r == STORE_OK)
		tidy_del(p->a, w->key);
	list_remove(&w->link);
	free(w->from);
	free(w->to);
	free(w);
	replay_next(p);
}

static void
replay_next(struct replay *p)
{
	struct list *e = list_first(p->works);
	const struct work *w;

	if (e == NULL) {
		p->next(p->a, p->op, MBOX_OK);
		free(p);
		return;
	}
	w = LIST_OF(e, struct work, link);
	switch (w->kind) {
	case ROW_WORK_DELETE:
		store_folder_delete(p->a->store, w->from, on_replayed, p);
		break;
	case ROW_WORK_RENAME:
		store_folder_rename(p->a->store, w->from, w->to, on_replayed,
		    p);
		break;
	}
}

void
work_replay(struct account *a, struct op *op, struct list *works,
    account_step *next)
{
	struct replay *p = model_alloc(sizeof *p);

	p->a = a;
	p->op = op;
	p->works = works;
	p->next = next;
	replay_next(p);
}

/* ---- checking ---- */

struct check {
	struct account *a;
	struct op *op;
	char **folders;
	size_t n, cap;
	account_step *next;
};

static void remove_next(struct check *c);

static void
end(struct check *c, enum mbox_result r)
{
	account_step *next = c->next;
	struct account *a = c->a;
	struct op *op = c->op;
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->folders[i]);
	free(c->folders);
	free(c);
	next(a, op, r);
}

static bool
on_folder(void *arg, const char *folder)
{
	struct check *c = arg;

	model_grow(&c->folders, &c->cap, c->n, sizeof *c->folders);
	c->folders[c->n++] = model_dup(slice_str(folder));
	return true;
}

static bool
is_there(const struct check *c, const char *folder)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->folders[i], folder) == 0)
			return true;
	return false;
}

static void
on_removed(void *arg, enum mbox_result r)
{
	struct check *c = arg;

	if (r != MBOX_OK)
		end(c, r);
	else
		remove_next(c);
}

static void
remove_next(struct check *c)
{
	struct mailbox *m;
	size_t i;

	for (i = 0; i < c->a->n_boxes; i++) {
		m = c->a->boxes[i];
		if (m->folder[0] == 0 || is_there(c, m->folder))
			continue;
		log_info("event=mailbox_removed_outside mailbox=%u",
		    m->info.number);
		removal_start(m, false, on_removed, c);
		return;
	}
	end(c, MBOX_OK);
}

static void
on_made(void *arg, enum store_result r)
{
	struct check *c = arg;

	if (r == STORE_OK)
		remove_next(c);
	else
		end(c, mbox_result_of(r));
}

static void
make_box(struct check *c, struct txn *t, const char *folder)
{
	struct buf name;

	buf_init(&name, ROW_NAME_MAX * 2);
	if (folder_to_name(&name, slice_str(folder)) < 0 ||
	    box_find(c->a, buf_slice(&name)) != NULL)
		log_warn("event=folder_ignored folder=%s", LOG_S(folder));
	else
		(void)box_make(t, buf_slice(&name), slice_str(folder), 0, 0);
	buf_fini(&name);
}

static void
on_folders(void *arg, enum store_result r, uint64_t version)
{
	struct check *c = arg;
	struct txn *t;
	size_t i;

	(void)version;
	if (r != STORE_OK) {
		end(c, mbox_result_of(r));
		return;
	}
	t = txn_new(c->a);
	for (i = 0; i < c->n; i++)
		if (box_by_folder(c->a, slice_str(c->folders[i])) == NULL)
			make_box(c, t, c->folders[i]);
	if (txn_is_empty(t)) {
		txn_free(&t);
		remove_next(c);
	} else {
		txn_commit(t, true, on_made, c);
	}
}

void
folders_check(struct account *a, struct op *op, account_step *next)
{
	struct check *c = model_alloc(sizeof *c);

	c->a = a;
	c->op = op;
	c->next = next;
	store_folders(a->store, on_folder, on_folders, c);
}
