/* SPDX-License-Identifier: ISC */
/* Reading messages of an open mailbox. */
#include <stdlib.h>

#include "mda/model.h"

struct read_op {
	struct op op; /* only when there is nothing to read */
	struct mailbox *m;
	message_got *done;
	void *arg;
};

static void
on_got(void *arg, enum store_result r, struct slice bytes)
{
	struct read_op *o = arg;

	o->done(o->arg, mbox_result_of(r), bytes);
	box_unpin(o->m);
	free(o);
}

static void
finish(struct op *op, enum mbox_result r)
{
	struct read_op *o = LIST_OF(op, struct read_op, op);

	o->done(o->arg, r, SLICE_NONE);
	box_unpin(o->m);
	free(o);
}

void
mailbox_read(struct mailbox *m, uint32_t uid, uint64_t offset, size_t n,
    message_got *done, void *arg)
{
	struct read_op *o = model_alloc(sizeof *o);
	const struct message *msg = box_message(m, uid);
	struct store_body body;
	struct row_file file;
	struct buf hold;
	enum store_result r;

	o->m = m;
	box_pin(m);
	o->done = done;
	o->arg = arg;
	o->op.finish = finish;
	buf_init(&hold, 1024);
	r = msg == NULL || m->gone ? STORE_NONE :
	    account_file(m->account, m, uid, &hold, &file, &body);
	if (r == STORE_OK)
		store_get_body(m->account->store, &body,
		    file.stored == msg->size, offset, n, on_got, o);
	else
		op_refuse(m->account, &o->op, mbox_result_of(r));
	buf_fini(&hold);
}
