/* SPDX-License-Identifier: ISC */
/*
 * Renaming INBOX (RFC 9051 6.3.6): a new mailbox gets its messages, INBOX stays
 * and is empty, what is below it stays where it is.
 */
#include <stdlib.h>

#include "mda/folder.h"
#include "mda/model.h"

struct inbox_move {
	struct account *a;
	char *to;
	struct mailbox *inbox;
	account_done *done;
	void *arg;
};

static void
end_move(struct inbox_move *v, enum mbox_result r, const char *text)
{
	mailbox_close(&v->inbox);
	v->done(v->arg, r, text);
	free(v->to);
	free(v);
}

static void
on_moved(void *arg, enum mbox_result r, uint32_t uidvalidity,
    const uint32_t *src, const uint32_t *dst, size_t n)
{
	(void)uidvalidity;
	(void)src;
	(void)dst;
	(void)n;
	end_move(arg, r, NULL);
}

static void
on_opened(void *arg, enum mbox_result r, struct mailbox *m)
{
	struct inbox_move *v = arg;
	uint32_t *uids;
	size_t i;

	v->inbox = m;
	if (r != MBOX_OK) {
		end_move(v, r, NULL);
		return;
	}
	uids = model_alloc(m->n * sizeof *uids);
	for (i = 0; i < m->n; i++)
		uids[i] = m->messages[i].uid;
	mailbox_copy(m, uids, m->n, slice_str(v->to), true, on_moved, v);
	free(uids);
}

static void
on_created(void *arg, enum mbox_result r, const char *text)
{
	struct inbox_move *v = arg;

	if (r != MBOX_OK)
		end_move(v, r, text);
	else
		mailbox_open(v->a, SLICE("INBOX"), on_opened, v);
}

void
rename_inbox(struct account *a, struct slice to, account_done *done,
    void *arg)
{
	struct inbox_move *v = model_alloc(sizeof *v);
	struct buf name;

	buf_init(&name, to.n + 16);
	folder_canonical(&name, to);
	v->a = a;
	v->to = model_dup(buf_slice(&name));
	buf_fini(&name);
	v->done = done;
	v->arg = arg;
	account_create(a, to, 0, on_created, v);
}
