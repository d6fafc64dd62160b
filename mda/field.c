/* SPDX-License-Identifier: ISC */
/*
 * Handing out cached fields of a message. Those that are not there yet (mail
 * that another program delivered) are computed by reading the message once, and
 * kept.
 */
#include <stdlib.h>

#include "mda/fields.h"
#include "mda/model.h"
#include "proto/imap_body.h"
#include "proto/imap_envelope.h"
#include "proto/limits.h"

enum { PIECE = 65536, HEAD_PIECE = 8192 };

struct field_op {
	struct op op;
	struct mailbox *m;
	uint32_t uid;
	enum message_field field;
	struct fields *fields;
	uint64_t at;
	struct buf text; /* a header being looked for, or a row */
	message_got *done;
	void *arg;
};

static void read_piece(struct field_op *f);
static void read_head(struct field_op *f, size_t n);

static void
end(struct field_op *f, enum mbox_result r, struct slice bytes)
{
	f->done(f->arg, r, bytes);
	fields_free(&f->fields);
	buf_fini(&f->text);
	box_unpin(f->m);
	free(f);
}

/* From the loop, with the row in f->text. */
static void
finish(struct op *op, enum mbox_result r)
{
	struct field_op *f = LIST_OF(op, struct field_op, op);
	const struct message *msg = box_message(f->m, f->uid);
	struct row_cache row = { 0 };
	struct slice s = SLICE_NONE;
	struct buf opaque;

	if (r != MBOX_OK || row_get_cache(buf_slice(&f->text), &row) < 0) {
		end(f, r == MBOX_OK ? MBOX_LATER : r, SLICE_NONE);
		return;
	}
	switch (f->field) {
	case FIELD_HEADER:
		break;
	case FIELD_ENVELOPE:
		s = row.envelope;
		break;
	case FIELD_BODY:
		s = row.body;
		break;
	case FIELD_BODYSTRUCTURE:
		s = row.bodystructure;
		break;
	}
	if (s.p != NULL || msg == NULL) {
		end(f, msg == NULL ? MBOX_NONEXISTENT : MBOX_OK, s);
		return;
	}
	/* Too large for a row, or no memory: what can always be said. */
	buf_init(&opaque, 4096);
	if (f->field == FIELD_ENVELOPE)
		imap_envelope_write(&opaque, NULL, &f->text);
	else
		imap_body_write_opaque(&opaque, msg->size,
		    f->field == FIELD_BODYSTRUCTURE ? IMAP_BODY_EXTENDED : 0);
	end(f, MBOX_OK, buf_slice(&opaque));
	buf_fini(&opaque);
}

static void
keep(struct field_op *f)
{
	struct account *a = f->m->account;

	buf_reset(&f->text);
	fields_finish(&f->fields, &f->text);
	if (f->text.n == 0)
		row_put_cache(&f->text, &(struct row_cache){ .header = 0 });
	else if (box_message(f->m, f->uid) != NULL && !f->m->gone)
		tidy_put(a, row_key_message('C', f->m->info.number, f->uid),
		    buf_slice(&f->text));
	finish(&f->op, MBOX_OK);
}

static void
on_piece(void *arg, enum mbox_result r, struct slice bytes)
{
	struct field_op *f = arg;

	if (r != MBOX_OK) {
		end(f, r, SLICE_NONE);
		return;
	}
	fields_feed(f->fields, bytes);
	f->at += bytes.n;
	if (bytes.n < PIECE)
		keep(f);
	else
		read_piece(f);
}

static void
read_piece(struct field_op *f)
{
	mailbox_read(f->m, f->uid, f->at, PIECE, on_piece, f);
}

/* ---- the header ---- */

/* Bytes of the header with its empty line; 0 when its end is not here. */
static size_t
header_size(struct slice text)
{
	ptrdiff_t at;

	if (slice_has_prefix(text, SLICE("\r\n")))
		return 2;
	at = slice_find(text, SLICE("\r\n\r\n"));
	return at < 0 ? 0 : (size_t)at + 4;
}

static void
on_head(void *arg, enum mbox_result r, struct slice bytes)
{
	struct field_op *f = arg;
	size_t want = (size_t)f->at, n = header_size(bytes);

	if (r != MBOX_OK)
		end(f, r, SLICE_NONE);
	else if (n > 0 || bytes.n < want || want >= LIMIT_HEADER)
		end(f, MBOX_OK, n > 0 ? slice_head(bytes, n) : bytes);
	else
		read_head(f, want * 4);
}

static void
read_head(struct field_op *f, size_t n)
{
	f->at = n;
	mailbox_read(f->m, f->uid, 0, n, on_head, f);
}

static void
on_known_head(void *arg, enum mbox_result r, struct slice bytes)
{
	end(arg, r, bytes);
}

void
mailbox_field(struct mailbox *m, uint32_t uid, enum message_field field,
    message_got *done, void *arg)
{
	struct field_op *f = model_alloc(sizeof *f);
	struct account *a = m->account;
	struct row_cache row = { 0 };
	bool have;

	f->m = m;
	box_pin(m);
	f->uid = uid;
	f->field = field;
	f->done = done;
	f->arg = arg;
	f->op.finish = finish;
	buf_init(&f->text, STORE_ROW_MAX);
	if (box_message(m, uid) == NULL || m->gone) {
		op_refuse(a, &f->op, MBOX_NONEXISTENT);
		return;
	}
	have = account_row(a, row_key_message('C', m->info.number, uid),
	    &f->text) == STORE_OK &&
	    row_get_cache(buf_slice(&f->text), &row) == 0;
	if (field == FIELD_HEADER && have) {
		mailbox_read(m, uid, 0, row.header, on_known_head, f);
	} else if (field == FIELD_HEADER) {
		read_head(f, HEAD_PIECE);
	} else if (have) {
		op_refuse(a, &f->op, MBOX_OK);
	} else {
		f->fields = fields_new();
		read_piece(f);
	}
}
