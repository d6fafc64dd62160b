/* SPDX-License-Identifier: ISC */
/*
 * The cached fields of a message. BODY and BODYSTRUCTURE are kept in the form
 * that clients of IMAP4rev1 can read (message/global as a simple part), which
 * is as good for the others. RFC 9051 7.5.2.
 */
#include "mda/fields.h"

#include <stdlib.h>

#include "mda/model.h"
#include "mda/rows.h"
#include "proto/imap_body.h"
#include "proto/imap_envelope.h"
#include "proto/limits.h"
#include "proto/mime.h"

enum { TEXT_MAX = STORE_ROW_MAX / 4 /* of one of the three */ };

struct fields {
	struct region region;
	struct buf text;
	struct mime_parser parser;
};

struct fields *
fields_new(void)
{
	struct fields *f = model_alloc(sizeof *f);

	region_init(&f->region, LIMIT_MIME_MEMORY);
	buf_init(&f->text, 2 * LIMIT_HEADER + 8);
	mime_init(&f->parser, &f->region, &f->text);
	return f;
}

void
fields_feed(struct fields *f, struct slice bytes)
{
	mime_feed(&f->parser, bytes);
}

void
fields_free(struct fields **fp)
{
	struct fields *f = *fp;

	if (f == NULL)
		return;
	region_fini(&f->region);
	buf_fini(&f->text);
	free(f);
	*fp = NULL;
}

static void
write_body(struct fields *f, struct buf *out, const struct mime_message *msg,
    unsigned flags)
{
	buf_reset(&f->text);
	imap_body_write(out, msg->root, flags | IMAP_BODY_REV1, &f->text);
	if (buf_is_ok(out))
		return;
	buf_reset(out);
	imap_body_write_opaque(out, msg->root->body.served, flags);
}

void
fields_finish(struct fields **fp, struct buf *row)
{
	struct buf envelope, body, structure;
	struct fields *f = *fp;
	struct mime_message msg;
	size_t before = row->n;

	buf_init(&envelope, TEXT_MAX);
	buf_init(&body, TEXT_MAX);
	buf_init(&structure, TEXT_MAX);
	if (mime_finish(&f->parser, &msg) == 0) {
		buf_reset(&f->text);
		imap_envelope_write(&envelope, msg.root->envelope, &f->text);
		if (!buf_is_ok(&envelope)) {
			/* Longer than any client would take: a list of NILs. */
			buf_reset(&envelope);
			imap_envelope_write(&envelope, NULL, &f->text);
		}
		write_body(f, &body, &msg, 0);
		write_body(f, &structure, &msg, IMAP_BODY_EXTENDED);
		row_put_cache(row, &(struct row_cache){
			.header = (uint32_t)msg.root->header.served,
			.envelope = buf_slice(&envelope),
			.body = buf_slice(&body),
			.bodystructure = buf_slice(&structure) });
		if (!buf_is_ok(row))
			buf_cut(row, before);
	}
	buf_fini(&structure);
	buf_fini(&body);
	buf_fini(&envelope);
	fields_free(fp);
}
