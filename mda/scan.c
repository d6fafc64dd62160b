/* SPDX-License-Identifier: ISC */
/*
 * Changes made by other programs. The folder is listed and compared with the
 * rows: files without a row are new messages, rows without a file (twice not
 * found) are expunged ones, and a name whose letters are neither those we
 * wrote last nor those of the flags was given by another program: what differs
 * is taken over. All of it is one commit.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"
#include "mda/letters.h"
#include "mda/model.h"
#include "sys/log.h"

enum { ROUNDS = 3, TICK_MS = 20 };

/* A row of a file that the map knows. */
struct known {
	uint32_t uid;
	uint32_t id_at; /* in the texts */
	uint8_t id_n;
	uint8_t place;
	bool seen, message; /* found in the folder; has an 'M' row */
	uint8_t seen_place;
	bool odd;
	uint32_t letters, seen_letters;
	int64_t named_ms;
	uint64_t stored;
};

/* A file that it does not. */
struct found {
	char *id;
	enum body_place place;
	uint32_t letters;
	bool odd;
	struct store_facts facts;
	uint8_t thread_id[ROW_OBJECT_ID];
	const struct hint *hint;
	bool usable;
};

struct scan {
	struct mailbox *m;
	const struct hints *hints;
	struct buf texts;
	struct known *known;
	size_t n_known, cap_known;
	uint32_t *slots; /* hash of known: index + 1 */
	size_t n_slots;
	struct found *found;
	size_t n_found, cap_found, examined;
	unsigned round;
	bool damaged;
	sync_done *done;
	void *arg;
};

static void examine_next(struct scan *s);
static void list(struct scan *s);

static void
end(struct scan *s, enum mbox_result r)
{
	sync_done *done = s->done;
	void *arg = s->arg;
	size_t i;

	for (i = 0; i < s->n_found; i++)
		free(s->found[i].id);
	free(s->found);
	free(s->known);
	free(s->slots);
	buf_fini(&s->texts);
	free(s);
	done(arg, r);
}

/* ---- what is known ---- */

static struct slice
id_of(const struct scan *s, const struct known *k)
{
	return (struct slice){ s->texts.p + k->id_at, k->id_n };
}

static uint64_t
hash(struct slice id)
{
	uint64_t h = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < id.n; i++)
		h = (h ^ (uint8_t)id.p[i]) * 0x100000001b3;
	return h ^ h >> 32;
}

static void
index_known(struct scan *s)
{
	size_t i, at;

	s->n_slots = 16;
	while (s->n_slots < s->n_known * 2)
		s->n_slots *= 2;
	s->slots = model_alloc(s->n_slots * sizeof *s->slots);
	for (i = 0; i < s->n_known; i++) {
		at = hash(id_of(s, &s->known[i])) & (s->n_slots - 1);
		while (s->slots[at] != 0)
			at = (at + 1) & (s->n_slots - 1);
		s->slots[at] = (uint32_t)i + 1;
	}
}

static struct known *
find_known(const struct scan *s, struct slice id)
{
	size_t at = hash(id) & (s->n_slots - 1);

	for (; s->slots[at] != 0; at = (at + 1) & (s->n_slots - 1))
		if (slice_eq(id_of(s, &s->known[s->slots[at] - 1]), id))
			return &s->known[s->slots[at] - 1];
	return NULL;
}

static bool
on_file(void *arg, struct slice key, struct slice value)
{
	struct scan *s = arg;
	struct known *k;
	struct row_file row;
	uint32_t mailbox, uid;

	if (row_message_of(key, &mailbox, &uid) < 0) {
		s->damaged = true;
		return false;
	}
	/* A row that waits to be tidied is newer. */
	if (tidy_get(s->m->account, row_key_message('F', mailbox, uid),
		&value) && value.n == 0)
		return true;
	if (row_get_file(value, &row) < 0) {
		s->damaged = true;
		return false;
	}
	model_grow(&s->known, &s->cap_known, s->n_known, sizeof *s->known);
	k = &s->known[s->n_known++];
	*k = (struct known){ .uid = uid, .id_at = (uint32_t)s->texts.n,
		.id_n = (uint8_t)row.id.n, .place = row.place,
		.letters = row.letters, .named_ms = row.named_ms,
		.stored = row.stored,
		.message = box_message(s->m, uid) != NULL };
	buf_add_slice(&s->texts, row.id);
	return true;
}

static void
on_files(void *arg, enum store_result r, uint64_t version)
{
	struct scan *s = arg;

	(void)version;
	if (r != STORE_OK || s->damaged || !buf_is_ok(&s->texts)) {
		end(s, MBOX_LATER);
		return;
	}
	index_known(s);
	list(s);
}

/* ---- what is there ---- */

static bool
is_found(const struct scan *s, struct slice id)
{
	size_t i;

	/* Only while another program renames: the list is short then. */
	for (i = s->round == 1 ? s->n_found : 0; i < s->n_found; i++)
		if (slice_eq_str(id, s->found[i].id))
			return true;
	return false;
}

static void
ignore(void *arg, enum store_result r)
{
	(void)arg;
	(void)r;
}

static bool
on_entry(void *arg, const struct store_entry *e)
{
	struct scan *s = arg;
	struct known *k = find_known(s, e->id);
	struct found *f;

	if (e->place == BODY_TMP) {
		if (k == NULL)
			store_delete_body(s->m->account->store,
			    &(struct store_body){ .folder = s->m->folder,
				.id = e->id, .place = BODY_TMP }, ignore,
			    NULL);
		return true;
	}
	if (k != NULL) {
		k->seen = true;
		k->seen_place = (uint8_t)e->place;
		k->seen_letters = e->letters;
		k->odd = e->odd;
		return true;
	}
	if (pending_has(s->m, e->id) || append_is_placing(s->m, e->id) ||
	    is_found(s, e->id))
		return true;
	model_grow(&s->found, &s->cap_found, s->n_found, sizeof *s->found);
	f = &s->found[s->n_found++];
	*f = (struct found){ .id = model_dup(e->id), .place = e->place,
		.letters = e->letters, .odd = e->odd };
	if (s->hints != NULL)
		f->hint = map_get(&s->hints->by_id, e->id);
	return true;
}

static bool
has_missing(const struct scan *s)
{
	size_t i;

	for (i = 0; i < s->n_known; i++)
		if (s->known[i].message && !s->known[i].seen &&
		    s->known[i].place != BODY_TMP)
			return true;
	return false;
}

static void
on_listed(void *arg, enum store_result r, uint64_t version)
{
	struct scan *s = arg;

	(void)version;
	account_progress(s->m->account);
	if (r != STORE_OK) {
		end(s, mbox_result_of(r));
		return;
	}
	/* A file renamed while the folder was read may be missed. */
	if (s->round < ROUNDS && (has_missing(s) ||
	    store_folder_is_changed(s->m->account->store, s->m->folder))) {
		list(s);
		return;
	}
	examine_next(s);
}

static void
list(struct scan *s)
{
	s->round++;
	store_folder_scan(s->m->account->store, s->m->folder, on_entry,
	    on_listed, s);
}

/* ---- new messages ---- */

/* One of ours whose size is not the one in its name was torn by a power cut
 * before anybody was told of it; whoever sent it sends it again. */
static bool
is_torn(struct slice id, uint64_t size)
{
	ptrdiff_t at = slice_find(id, SLICE(".veredus,S="));
	uint64_t said;

	return at >= 0 && num_parse(slice_from(id, (size_t)at + 11), 0,
	    UINT64_MAX, &said) == 0 && said != size;
}

static void
on_examined(void *arg, enum store_result r, const struct store_facts *facts)
{
	struct scan *s = arg;
	struct found *f = &s->found[s->examined++];

	f->facts = *facts;
	f->facts.head = SLICE_NONE;
	f->usable = r == STORE_OK &&
	    !is_torn(slice_str(f->id), facts->size);
	thread_of(facts->head, f->thread_id);
	account_progress(s->m->account);
	examine_next(s);
}

static int
cmp_found(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	/* Those without a UID of their own come last: 0 wraps around. */
	uint32_t u = (x->hint == NULL ? 0 : x->hint->uid) - 1;
	uint32_t v = (y->hint == NULL ? 0 : y->hint->uid) - 1;

	if (u != v)
		return u < v ? -1 : 1;
	if (x->facts.mtime != y->facts.mtime)
		return x->facts.mtime < y->facts.mtime ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* A name that is not written as we do would have to be searched for each
 * time. */
static void
rewrite_name(struct scan *s, struct slice id, uint32_t letters)
{
	store_name_body(s->m->account->store, &(struct store_body){
		.folder = s->m->folder, .id = id, .place = BODY_CUR,
		.letters = letters }, BODY_CUR, letters, ignore, NULL);
}

static void
add_found(struct txn *t, struct scan *s, struct found *f)
{
	char delivery[ROW_DELIVERY_ID];
	struct new_message n = { .id = slice_str(f->id), .place = f->place,
		.letters = f->letters, .stored = f->facts.size,
		.size = f->facts.served, .internaldate = f->facts.mtime,
		.savedate = clock_wall() };
	uint64_t mask = s->m->n_keywords == MAILBOX_KEYWORDS_MAX ?
	    UINT64_MAX : (1ULL << s->m->n_keywords) - 1;

	if (f->odd) {
		rewrite_name(s, n.id, f->letters);
		n.place = BODY_CUR;
	}
	n.flags = letters_flags(f->letters);
	n.keywords = letters_keywords(f->letters) & mask;
	if (f->hint != NULL)
		n.keywords |= f->hint->keywords & mask;
	email_of(n.id, n.email_id);
	memcpy(n.thread_id, f->thread_id, sizeof n.thread_id);
	if (delivery_of_id(n.id, delivery))
		n.delivery = delivery;
	(void)txn_add(t, s->m, &n, f->hint == NULL ? 0 : f->hint->uid);
}

/* ---- known messages ---- */

static void
put_file(struct scan *s, const struct known *k, int64_t named_ms)
{
	struct row_file row = { .id = id_of(s, k), .place = k->seen_place,
		.letters = k->seen_letters, .named_ms = named_ms,
		.stored = k->stored };
	struct buf value;

	buf_init(&value, 1024);
	row_put_file(&value, &row);
	tidy_put(s->m->account,
	    row_key_message('F', s->m->info.number, k->uid),
	    buf_slice(&value));
	buf_fini(&value);
}

/* Is the name our own doing, before or after a crash? */
static bool
is_ours(struct scan *s, const struct known *k, const struct message *msg)
{
	uint32_t passed = k->seen_letters & LETTER_PASSED;
	int64_t named;

	if (k->seen_letters == k->letters || k->seen_letters ==
	    (letters_from_flags(msg->flags, msg->keywords) | passed))
		return true;
	if (k->named_ms == 0)
		return false;
	/* Older than the name that we gave it: our renaming was lost with the
	 * power, nobody else touched it. */
	named = store_body_named(s->m->account->store, &(struct store_body){
		.folder = s->m->folder, .id = id_of(s, k),
		.place = (enum body_place)k->seen_place,
		.letters = k->seen_letters });
	return named >= 0 && named + TICK_MS < k->named_ms;
}

static void
take_letters(struct txn *t, struct scan *s, const struct known *k,
    const struct message *msg)
{
	uint32_t differ = k->seen_letters ^ k->letters;
	uint16_t flags = letters_flags(differ);
	uint64_t keywords = letters_keywords(differ);
	struct message to = *msg;

	if (s->m->n_keywords < LETTER_KEYWORDS)
		keywords &= (1ULL << s->m->n_keywords) - 1;
	to.flags = (uint16_t)((to.flags & ~flags) |
	    (letters_flags(k->seen_letters) & flags));
	to.keywords = (to.keywords & ~keywords) |
	    (letters_keywords(k->seen_letters) & keywords);
	if (to.flags != msg->flags || to.keywords != msg->keywords)
		txn_change(t, s->m, msg, &to);
}

/*
 * Not in new/ or cur/: perhaps its name there was lost with the power, and it
 * is still in tmp/. Else it is gone; and if it is a delivery that the queue
 * still holds, its body may never have reached the disk: then it is to be
 * taken when it comes again.
 */
static void
take_missing(struct txn *t, struct scan *s, struct known *k,
    const struct message *msg)
{
	struct store *store = s->m->account->store;
	char delivery[ROW_DELIVERY_ID];

	if (store_body_named(store, &(struct store_body){
		.folder = s->m->folder, .id = id_of(s, k),
		.place = BODY_TMP }) >= 0) {
		k->seen_place = BODY_TMP;
		k->seen_letters = 0;
		put_file(s, k, k->named_ms);
		follow_add(s->m, k->uid);
		return;
	}
	if (delivery_of_id(id_of(s, k), delivery))
		txn_del(t, row_key_delivery(delivery));
	txn_expunge(t, s->m, msg);
}

static void
compare(struct txn *t, struct scan *s, struct known *k)
{
	const struct message *msg = box_message(s->m, k->uid);

	if (msg == NULL) {
		/* Its body is still to be deleted. */
		follow_add(s->m, k->uid);
	} else if (!k->seen) {
		take_missing(t, s, k, msg);
	} else if (k->odd) {
		rewrite_name(s, id_of(s, k), k->seen_letters);
		k->seen_place = BODY_CUR;
		if (!is_ours(s, k, msg))
			take_letters(t, s, k, msg);
		put_file(s, k, k->named_ms);
		follow_add(s->m, k->uid);
	} else if (k->seen_place != k->place || k->seen_letters != k->letters) {
		if (!is_ours(s, k, msg))
			take_letters(t, s, k, msg);
		put_file(s, k, k->named_ms);
		follow_add(s->m, k->uid);
	}
}

static void
on_committed(void *arg, enum store_result r)
{
	struct scan *s = arg;

	if (r == STORE_OK) {
		s->m->row.scanned = clock_wall();
		mailbox_touch(s->m);
	}
	end(s, mbox_result_of(r));
}

static void
commit(struct scan *s)
{
	struct account *a = s->m->account;
	struct txn *t = txn_new(a);
	size_t i;

	if (s->n_found > 1)
		qsort(s->found, s->n_found, sizeof *s->found, cmp_found);
	for (i = 0; i < s->n_known; i++)
		compare(t, s, &s->known[i]);
	for (i = 0; i < s->n_found; i++)
		if (s->found[i].usable)
			add_found(t, s, &s->found[i]);
	if (!txn_is_empty(t)) {
		log_debug("event=mail_changed_outside mailbox=%u added=%zu",
		    s->m->info.number, s->n_found);
		txn_commit(t, true, on_committed, s);
		return;
	}
	txn_free(&t);
	on_committed(s, STORE_OK);
}

static void
examine_next(struct scan *s)
{
	const struct found *f;

	if (s->examined == s->n_found) {
		commit(s);
		return;
	}
	f = &s->found[s->examined];
	store_examine_body(s->m->account->store, &(struct store_body){
		.folder = s->m->folder, .id = slice_str(f->id),
		.place = f->place, .letters = f->letters }, on_examined, s);
}

void
scan_start(struct mailbox *m, const struct hints *hints, sync_done *done,
    void *arg)
{
	struct scan *s = model_alloc(sizeof *s);
	struct row_key from = row_key_mailbox('F', m->info.number);
	struct row_key to = row_key_mailbox('F', m->info.number + 1);

	s->m = m;
	s->hints = hints;
	buf_init(&s->texts, UINT32_MAX);
	s->done = done;
	s->arg = arg;
	store_load(m->account->store, row_key_slice(&from),
	    row_key_slice(&to), on_file, on_files, s);
}
