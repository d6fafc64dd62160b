/* SPDX-License-Identifier: ISC */
/* Reads a message through the MIME parser, piece by piece. */
#include "mda/imap_tree.h"

#include <stdlib.h>

#include "proto/limits.h"

enum {
	/* A tree above this is not kept when its command is over. */
	TREE_KEEP = 65536
};

void
imap_tree_free(struct imap_session *s)
{
	if (s->tree == NULL)
		return;
	region_fini(&s->tree->region);
	buf_fini(&s->tree->text);
	free(s->tree);
	s->tree = NULL;
}

void
imap_tree_trim(struct imap_session *s)
{
	if (s->tree != NULL &&
	    (s->tree->uid == 0 || s->tree->region.used > TREE_KEEP))
		imap_tree_free(s);
}

const struct mime_part *
imap_tree_of(const struct imap_session *s, uint32_t uid)
{
	return s->tree != NULL && s->tree->uid == uid && uid != 0 ?
	    s->tree->message.root : NULL;
}

static int
begin(struct imap_session *s, uint32_t uid)
{
	struct imap_tree *t;

	imap_tree_free(s);
	t = calloc(1, sizeof *t);
	if (t == NULL) {
		s->result = MBOX_LATER;
		return -1;
	}
	region_init(&t->region, LIMIT_MIME_MEMORY);
	buf_init(&t->text, 2 * LIMIT_HEADER_FIELD + 16);
	mime_init(&t->parser, &t->region, &t->text);
	t->reading = uid;
	s->tree = t;
	s->result = MBOX_OK;
	return 0;
}

static void
on_bytes(void *arg, enum mbox_result r, struct slice bytes)
{
	struct imap_session *s = arg;
	struct imap_tree *t = s->tree;

	s->result = r;
	if (r == MBOX_OK && bytes.n > 0) {
		mime_feed(&t->parser, bytes);
		t->offset += bytes.n;
	}
	if (r == MBOX_OK && bytes.n < IMAP_READ_SIZE) {
		if (mime_finish(&t->parser, &t->message) == 0)
			t->uid = t->reading;
		else
			s->result = MBOX_LATER;
		buf_release(&t->text);
	}
	imap_resume(s);
}

int
imap_tree_read(struct imap_session *s, uint32_t uid)
{
	if (s->tree == NULL || s->tree->reading != uid) {
		if (begin(s, uid) < 0)
			return -1;
	} else if (s->result != MBOX_OK) {
		imap_tree_free(s);
		return -1;
	}
	imap_wait(s);
	mailbox_read(s->mailbox, uid, s->tree->offset, IMAP_READ_SIZE,
	    on_bytes, s);
	return 0;
}
