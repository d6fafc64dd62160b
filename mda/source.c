/* SPDX-License-Identifier: ISC */
/*
 * Reading what is known of a folder. UIDs that contradict each other or
 * UIDNEXT are not believed: such a message gets a new one.
 */
#include "mda/source.h"

#include <stdlib.h>

#include "mda/foreign.h"
#include "sys/log.h"

/* Numbers left for mailboxes made after the one with the highest. */
enum { SPARE = 1 << 24 };

static struct hint *
hint(struct source *s, struct slice id)
{
	struct hint *h = map_get(&s->hints.by_id, id);

	if (h != NULL)
		return h;
	h = model_alloc(sizeof *h);
	if (map_put(&s->hints.by_id, id, h, NULL) < 0)
		fatal("event=fatal what=rebuild error=\"out of memory\"");
	return h;
}

static void
set_keyword(struct source *s, unsigned number, struct slice name)
{
	struct slice fill = SLICE("unknown");

	if (number >= MAILBOX_KEYWORDS_MAX || name.n > ROW_KEYWORD_MAX ||
	    name.n == 0)
		return;
	while (s->n_keywords <= number)
		s->keywords[s->n_keywords++] = model_dup(fill);
	free(s->keywords[number]);
	s->keywords[number] = model_dup(name);
}

static void
read_keywords(const struct uidlist_line *l, struct map *by_uid)
{
	uint64_t uid = l->number;
	struct hint *h = map_get(by_uid, map_u64(&uid));

	if (h != NULL)
		h->keywords = l->keywords;
}

static bool
read_ours(struct store *store, struct source *s)
{
	struct uidlist_line l;
	struct uidlist_head head;
	struct slice rest;
	struct map by_uid;
	struct buf text;
	struct hint *h;
	uint64_t uid;
	bool ok;

	buf_init(&text, STORE_FOREIGN_MAX);
	map_init(&by_uid);
	ok = store_read_list(store, s->folder, &text) == STORE_OK;
	rest = buf_slice(&text);
	ok = ok && uidlist_read_head(&rest, &head) == 0;
	if (ok) {
		s->uidvalidity = head.uidvalidity;
		s->uidnext = head.reserved;
		s->ours = true;
	}
	while (ok && uidlist_read_line(&rest, &l)) {
		s->lines++;
		switch (l.kind) {
		case 'N':
			s->uidnext = l.number > s->uidnext ? l.number :
			    s->uidnext;
			break;
		case 'I':
			s->number = l.number < UINT32_MAX - SPARE ?
			    l.number : 0;
			break;
		case 'U':
			h = hint(s, l.text);
			h->uid = l.number;
			h->keywords = l.keywords;
			uid = l.number;
			if (map_put(&by_uid, map_u64(&uid), h, NULL) < 0)
				fatal("event=fatal what=rebuild "
				    "error=\"out of memory\"");
			break;
		case 'K':
			read_keywords(&l, &by_uid);
			break;
		case 'W':
			set_keyword(s, l.number, l.text);
			break;
		}
	}
	map_fini(&by_uid);
	buf_fini(&text);
	return ok;
}

static bool
read_foreign(struct store *store, struct source *s, const char *file)
{
	struct foreign_head head;
	struct slice rest, id;
	struct buf text;
	uint32_t uid;
	bool ok;

	buf_init(&text, STORE_FOREIGN_MAX);
	ok = store_read_foreign(store, s->folder, file, &text) ==
	    STORE_OK;
	rest = buf_slice(&text);
	ok = ok && foreign_uidlist_head(&rest, &head) == 0;
	if (ok) {
		s->uidvalidity = head.uidvalidity;
		s->uidnext = head.uidnext;
	}
	while (ok && foreign_uidlist_line(&rest, &uid, &id))
		hint(s, id)->uid = uid;
	buf_fini(&text);
	return ok;
}

static void
read_foreign_keywords(struct store *store, struct source *s)
{
	struct slice rest, name;
	struct buf text;
	unsigned number;

	buf_init(&text, 1 << 20);
	if (store_read_foreign(store, s->folder, "dovecot-keywords",
		&text) == STORE_OK) {
		rest = buf_slice(&text);
		while (foreign_keyword_line(&rest, &number, &name))
			set_keyword(s, number, name);
	}
	buf_fini(&text);
}

/* UIDs beyond UIDNEXT, or the same for two files, are not to be believed. */
static void
check_uids(struct source *s)
{
	struct map seen;
	struct hint *h;
	size_t pos = 0;
	uint64_t uid;
	void *old = NULL;

	map_init(&seen);
	while ((h = map_next(&s->hints.by_id, &pos, NULL)) != NULL) {
		uid = h->uid;
		if (map_put(&seen, map_u64(&uid), h, &old) < 0)
			fatal("event=fatal what=rebuild "
			    "error=\"out of memory\"");
		if (old != NULL)
			h->uid = 0;
		if (h->uid >= s->uidnext)
			s->uidnext = h->uid + 1;
	}
	map_fini(&seen);
}

void
source_read(struct store *store, struct source *s)
{
	map_init(&s->hints.by_id);
	if (!read_ours(store, s)) {
		if (read_foreign(store, s, "dovecot-uidlist"))
			read_foreign_keywords(store, s);
		else
			(void)read_foreign(store, s, "courierimapuiddb");
	}
	check_uids(s);
}

void
source_fini(struct source *s)
{
	struct hint *h;
	size_t pos = 0;
	unsigned i;

	while ((h = map_next(&s->hints.by_id, &pos, NULL)) != NULL)
		free(h);
	map_fini(&s->hints.by_id);
	for (i = 0; i < s->n_keywords; i++)
		free(s->keywords[i]);
	free(s->folder);
	free(s->name);
}
