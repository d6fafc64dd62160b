/* SPDX-License-Identifier: ISC */
/*
 * An account whose map is new: what its folder holds becomes mailboxes. UIDs,
 * UIDVALIDITY, keywords and subscriptions come from our own recovery lists
 * where the map was lost, from the files of Dovecot or Courier where they had
 * the Maildir before us; an empty folder becomes a new account with the usual
 * mailboxes. Versions begin above all that can have been before (the time in
 * microseconds), so that a client's modseqs stay behind us.
 *
 * The account's id is written last: a map without it is one that was not
 * finished, and is made again from the same sources.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mda/folder.h"
#include "mda/foreign.h"
#include "mda/model.h"
#include "mda/source.h"
#include "sys/log.h"

enum { AHEAD = 1000 };

struct rebuild {
	struct account *a;
	struct op *op;
	account_step *next;
	struct source *sources;
	size_t n, cap, at;
	char **subscribed; /* names that have no mailbox */
	size_t n_subscribed, cap_subscribed;
	bool found; /* something was there before */
};

/* RFC 6154; the names other servers and clients use come second. */
static const struct {
	const char *names[4];
	uint32_t attr;
} usual[] = {
	{ { "Drafts", NULL }, MBOX_DRAFTS },
	{ { "Sent", "Sent Messages", "Sent Items", NULL }, MBOX_SENT },
	{ { "Junk", "Spam", NULL }, MBOX_JUNK },
	{ { "Trash", "Deleted Messages", "Deleted Items", NULL }, MBOX_TRASH },
	{ { "Archive", "Archives", NULL }, MBOX_ARCHIVE },
};

static void sync_next(struct rebuild *b);

static void
end(struct rebuild *b, enum mbox_result r)
{
	account_step *next = b->next;
	struct account *a = b->a;
	struct op *op = b->op;
	size_t i;

	for (i = 0; i < b->n; i++)
		source_fini(&b->sources[i]);
	for (i = 0; i < b->n_subscribed; i++)
		free(b->subscribed[i]);
	free(b->subscribed);
	free(b->sources);
	free(b);
	next(a, op, r);
}

/* ---- which folders ---- */

static struct source *
add_source(struct rebuild *b, struct slice name, const char *folder)
{
	struct source *s;

	model_grow(&b->sources, &b->cap, b->n, sizeof *b->sources);
	s = &b->sources[b->n++];
	*s = (struct source){ .folder = model_dup(slice_str(folder)),
		.name = model_dup(name) };
	return s;
}

static struct source *
find_source(const struct rebuild *b, struct slice name)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (slice_eq_str(name, b->sources[i].name))
			return &b->sources[i];
	return NULL;
}

static bool
on_folder(void *arg, const char *folder)
{
	struct rebuild *b = arg;
	struct buf name;

	buf_init(&name, ROW_NAME_MAX * 2);
	if (folder_to_name(&name, slice_str(folder)) < 0 ||
	    find_source(b, buf_slice(&name)) != NULL)
		log_warn("event=folder_ignored folder=%s", LOG_S(folder));
	else
		(void)add_source(b, buf_slice(&name), folder);
	buf_fini(&name);
	return true;
}

/* Marks what is there under a usual name; plans what is not. */
static void
add_usual(struct rebuild *b)
{
	struct source *s;
	size_t i, k;
	struct buf folder;
	uint32_t have = 0;

	for (i = 0; i < b->n; i++)
		have |= b->sources[i].attrs;
	buf_init(&folder, 256);
	for (i = 0; i < sizeof usual / sizeof *usual; i++) {
		if ((have & usual[i].attr) != 0)
			continue;
		s = NULL;
		for (k = 0; usual[i].names[k] != NULL && s == NULL; k++)
			s = find_source(b, slice_str(usual[i].names[k]));
		buf_reset(&folder);
		if (s == NULL && folder_from_name(&folder,
			slice_str(usual[i].names[0])) == 0) {
			s = add_source(b, slice_str(usual[i].names[0]),
			    folder.p);
			map_init(&s->hints.by_id);
			s->attrs = MBOX_SUBSCRIBED;
		}
		if (s != NULL)
			s->attrs |= usual[i].attr;
	}
	buf_fini(&folder);
}

/* ---- attributes and subscriptions ---- */

static void
note(struct rebuild *b, struct slice name, uint32_t attrs)
{
	struct source *s = find_source(b, name);

	if (s != NULL) {
		s->attrs |= attrs;
		return;
	}
	if ((attrs & MBOX_SUBSCRIBED) == 0)
		return;
	model_grow(&b->subscribed, &b->cap_subscribed, b->n_subscribed,
	    sizeof *b->subscribed);
	b->subscribed[b->n_subscribed++] = model_dup(name);
}

static bool
read_our_account(struct rebuild *b)
{
	struct uidlist_line l;
	struct slice rest;
	struct buf text;
	bool ok;

	buf_init(&text, 16 << 20);
	ok = store_read_list(b->a->store, NULL, &text) == STORE_OK;
	rest = buf_slice(&text);
	while (ok && uidlist_read_line(&rest, &l))
		if (l.kind == 'A')
			note(b, l.text, l.number &
				(MBOX_SPECIAL | MBOX_SUBSCRIBED));
	buf_fini(&text);
	return ok;
}

static bool
read_subscriptions(struct rebuild *b, const char *file)
{
	struct foreign_subscriptions list;
	struct buf text, name;
	bool ok;

	buf_init(&text, 16 << 20);
	buf_init(&name, ROW_NAME_MAX * 4);
	ok = store_read_foreign(b->a->store, "", file, &text) == STORE_OK;
	foreign_subscriptions_begin(&list, buf_slice(&text));
	while (ok && foreign_subscriptions_next(&list, &name))
		note(b, buf_slice(&name), MBOX_SUBSCRIBED);
	buf_fini(&name);
	buf_fini(&text);
	return ok;
}

/* ---- making it ---- */

static void
on_synced(void *arg, enum mbox_result r)
{
	struct rebuild *b = arg;

	if (r != MBOX_OK) {
		end(b, r);
		return;
	}
	account_progress(b->a);
	b->at++;
	sync_next(b);
}

static void
on_finished(void *arg, enum store_result r)
{
	end(arg, mbox_result_of(r));
}

static void
finish(struct rebuild *b)
{
	struct txn *t = txn_new(b->a);
	struct buf value;

	account_random_id(b->a->id);
	buf_init(&value, 256);
	row_put_account(&value, b->a->id);
	txn_put(t, row_key_kind('A'), buf_slice(&value));
	buf_fini(&value);
	txn_commit(t, true, on_finished, b);
}

static void
sync_next(struct rebuild *b)
{
	if (b->at == b->n)
		finish(b);
	else
		sync_start(b->sources[b->at].m, true,
		    &b->sources[b->at].hints, on_synced, b);
}

static void
on_committed(void *arg, enum store_result r)
{
	struct rebuild *b = arg;

	if (r != STORE_OK) {
		end(b, mbox_result_of(r));
		return;
	}
	/* Before the files are read: should that be cut short, what we know of
	 * the mailboxes is known again, and only what Maildir and lists say of
	 * messages is still to be found. */
	account_write_list(b->a);
	b->at = 0;
	sync_next(b);
}

static void
put_keywords(struct txn *t, struct source *s)
{
	struct buf other;
	unsigned i;

	for (i = 0; i < s->n_keywords; i++) {
		if (txn_keyword(t, s->m, slice_str(s->keywords[i])) ==
		    (int)i)
			continue;
		/* A second one of that name would move all the numbers. */
		buf_init(&other, 64);
		buf_addf(&other, "unknown-%u", i);
		(void)txn_keyword(t, s->m, buf_slice(&other));
		buf_fini(&other);
	}
}

static void
put_source(struct txn *t, struct source *s)
{
	struct txn_box *box;

	s->m = box_make(t, slice_str(s->name), slice_str(s->folder),
	    s->attrs, s->uidvalidity);
	if (s->number != 0)
		s->m->info.number = s->number;
	box = txn_box(t, s->m);
	if (s->uidnext > 1)
		box->row.uidnext = s->uidnext;
	if (s->ours) {
		box->row.list_reserved = s->uidnext;
		box->row.list_lines = s->lines;
	}
	put_keywords(t, s);
}

/* Numbers make the MAILBOXID (RFC 8474): a mailbox has its own again or one
 * that none ever had. The first are counted from 1, later ones from the time;
 * nobody makes a mailbox each second from then on. */
static void
set_numbers(struct rebuild *b, struct txn *t)
{
	struct source *s;
	size_t i, k;

	t->next_mailbox = (uint32_t)clock_wall();
	for (i = 0; i < b->n; i++) {
		s = &b->sources[i];
		for (k = 0; k < i; k++)
			if (b->sources[k].number == s->number)
				s->number = 0;
		if (s->number >= t->next_mailbox)
			t->next_mailbox = s->number + 1;
	}
}

static void
commit(struct rebuild *b)
{
	struct account *a = b->a;
	struct txn *t = txn_new(a);
	struct row_totals none = { 0 };
	struct buf value;
	size_t i;

	if (b->found) {
		t->version = (uint64_t)clock_wall_us();
		/* Mailboxes made in quick succession were ahead of the clock:
		 * a new UIDVALIDITY must be beyond all of theirs. */
		t->uidvalidity = (uint32_t)clock_wall() + AHEAD;
		set_numbers(b, t);
	}
	for (i = 0; i < b->n; i++)
		put_source(t, &b->sources[i]);
	for (i = 0; i < b->n_subscribed; i++)
		subscription_note(a, subscription_put(t,
			slice_str(b->subscribed[i])),
		    slice_str(b->subscribed[i]));
	buf_init(&value, 256);
	row_put_totals(&value, &none);
	txn_put(t, row_key_kind('U'), buf_slice(&value));
	buf_fini(&value);
	txn_commit(t, true, on_committed, b);
}

static void make_next(struct rebuild *b);

static void
on_made(void *arg, enum store_result r)
{
	struct rebuild *b = arg;

	account_progress(b->a);
	if (r != STORE_OK)
		end(b, mbox_result_of(r));
	else
		make_next(b);
}

static void
make_next(struct rebuild *b)
{
	if (b->at == b->n) {
		commit(b);
		return;
	}
	/* New ones come last: the flush of the last is one for all. */
	b->at++;
	store_folder_create(b->a->store, b->sources[b->at - 1].folder,
	    b->at == b->n, on_made, b);
}

static void
on_folders(void *arg, enum store_result r, uint64_t version)
{
	struct rebuild *b = arg;
	size_t i;

	(void)version;
	if (r != STORE_OK) {
		end(b, mbox_result_of(r));
		return;
	}
	for (i = 0; i < b->n; i++) {
		source_read(b->a->store, &b->sources[i]);
		b->found = b->found || b->sources[i].uidvalidity != 0;
	}
	if (read_our_account(b)) {
		b->found = true;
	} else {
		if (!read_subscriptions(b, "subscriptions"))
			(void)read_subscriptions(b, "courierimapsubscribed");
		add_usual(b);
	}
	if (b->found)
		log_info("event=mail_taken_over mailboxes=%zu", b->n);
	make_next(b);
}

void
rebuild_start(struct account *a, struct op *op, account_step *next)
{
	struct rebuild *b = model_alloc(sizeof *b);

	b->a = a;
	b->op = op;
	b->next = next;
	(void)add_source(b, SLICE("INBOX"), "");
	store_folders(a->store, on_folder, on_folders, b);
}
