/* SPDX-License-Identifier: ISC */
/*
 * Pieces of messages: BODY, RFC822, BINARY, PREVIEW (RFC 9051 6.4.5.1, 3516,
 * 8970). What the client gets streams through in pieces of IMAP_READ_SIZE; only headers to
 * choose fields from are gathered. A literal that was announced and cannot be
 * filled ends the session: there is no other way to say so.
 */
#include "mda/imap_fetch_job.h"

#include <string.h>

#include "mda/imap_preview.h"
#include "mda/imap_tree.h"
#include "proto/imap_section.h"
#include "proto/imap_write.h"
#include "proto/limits.h"

static void
put_echo(struct imap_session *s, struct fetch_job *job)
{
	buf_add_slice(&s->io.out, fetch_item(job)->echo);
	buf_add_char(&s->io.out, ' ');
}

static void
put_nil(struct imap_session *s, struct fetch_job *job)
{
	put_echo(s, job);
	imap_put(s, "NIL");
	fetch_item_done(job);
}

static void
put_announce(struct imap_session *s, const char *open, uint64_t n)
{
	imap_put(s, open);
	imap_put_number(&s->io.out, n);
	imap_put(s, "}\r\n");
}

static void
clip(const struct imap_fetch_item *item, uint64_t size, uint64_t *offset_r,
    uint64_t *length_r)
{
	*offset_r = item->is_partial ? item->offset : 0;
	*length_r = item->is_partial ? item->length : size;
	imap_section_clip(size, offset_r, length_r);
}

/* Only when the first bytes are there, for until then it can be NIL. */
static void
announce(struct imap_session *s, struct fetch_job *job)
{
	if (job->is_announced)
		return;
	put_echo(s, job);
	put_announce(s, job->has_nul ? "~{" : "{", job->left);
	job->is_announced = true;
}

/* `size` bytes of the message from `offset` on, or the partial of them. */
static void
begin_literal(struct imap_session *s, struct fetch_job *job, uint64_t offset,
    uint64_t size, bool is_literal8)
{
	uint64_t from, n;

	clip(fetch_item(job), size, &from, &n);
	job->has_nul = is_literal8;
	job->is_announced = false;
	job->offset = offset + from;
	job->left = n;
	job->phase = FETCH_LITERAL;
	if (n == 0)
		announce(s, job);
}

/* Bytes that are at hand. */
static void
put_literal(struct imap_session *s, struct fetch_job *job, struct slice bytes)
{
	uint64_t from, n;

	clip(fetch_item(job), bytes.n, &from, &n);
	put_echo(s, job);
	put_announce(s, "{", n);
	buf_add(&s->io.out, bytes.p + from, (size_t)n);
	fetch_item_done(job);
}

static void
put_header(struct imap_session *s, struct fetch_job *job,
    struct slice header)
{
	const struct imap_section *section = &fetch_item(job)->section;
	struct buf fields;

	if (section->text == IMAP_SECTION_HEADER) {
		put_literal(s, job, header);
		return;
	}
	buf_init(&fields, SIZE_MAX / 2);
	imap_section_fields(&fields, section, header);
	if (buf_is_ok(&fields))
		put_literal(s, job, buf_slice(&fields));
	else
		put_nil(s, job);
	buf_fini(&fields);
}

/* ---- sections of the message itself ---- */

static void
on_header(void *arg, enum mbox_result r, struct slice bytes)
{
	struct imap_session *s = arg;
	struct fetch_job *job = s->job;
	const struct message *msg = mailbox_message(s->mailbox, job->uid);

	if (r != MBOX_OK || msg == NULL) {
		s->expunge_seen = s->expunge_seen || r == MBOX_NONEXISTENT;
		put_nil(s, job);
	} else if (fetch_item(job)->section.text == IMAP_SECTION_TEXT) {
		begin_literal(s, job, bytes.n, msg->size > bytes.n ?
			msg->size - bytes.n : 0, false);
	} else {
		put_header(s, job, bytes);
	}
	imap_resume(s);
}

static void
begin_message(struct imap_session *s, struct fetch_job *job)
{
	const struct message *msg = mailbox_message(s->mailbox, job->uid);

	if (msg == NULL) {
		s->expunge_seen = true;
		put_nil(s, job);
	} else if (fetch_item(job)->section.text == IMAP_SECTION_ALL) {
		begin_literal(s, job, 0, msg->size, false);
	} else {
		imap_wait(s);
		mailbox_field(s->mailbox, job->uid, FIELD_HEADER, on_header,
		    s);
	}
}

/* ---- PREVIEW: of the first bytes, so that a list stays cheap ---- */

static void
on_preview(void *arg, enum mbox_result r, struct slice bytes)
{
	struct imap_session *s = arg;
	struct fetch_job *job = s->job;
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	if (r == MBOX_OK)
		imap_preview(&text, bytes);
	else
		s->expunge_seen = s->expunge_seen || r == MBOX_NONEXISTENT;
	put_echo(s, job);
	imap_write_string(&s->io.out, buf_slice(&text), imap_is_utf8(s));
	buf_fini(&text);
	fetch_item_done(job);
	imap_resume(s);
}

/* LAZY: only if it costs nothing (RFC 8970 4.1). */
static void
begin_preview(struct imap_session *s, struct fetch_job *job)
{
	if (fetch_item(job)->is_lazy) {
		put_nil(s, job);
		return;
	}
	imap_wait(s);
	mailbox_read(s->mailbox, job->uid, 0, IMAP_READ_SIZE, on_preview, s);
}

/* ---- sections of parts, found in the tree ---- */

static void
begin_section(struct imap_session *s, struct fetch_job *job,
    const struct mime_part *root)
{
	const struct imap_section *section = &fetch_item(job)->section;
	struct mime_span span;

	if (imap_section_find(root, section, &span) < 0) {
		put_nil(s, job);
		return;
	}
	if (section->text != IMAP_SECTION_FIELDS &&
	    section->text != IMAP_SECTION_FIELDS_NOT) {
		begin_literal(s, job, span.offset, span.size, false);
		return;
	}
	buf_reset(&s->scratch);
	job->offset = span.offset;
	job->left = span.size < LIMIT_HEADER ? span.size : LIMIT_HEADER;
	job->phase = FETCH_GATHER;
}

static void
restart_decoder(struct fetch_job *job)
{
	base64_decoder_init(&job->base64);
	qp_decoder_init(&job->qp);
	job->offset = job->start;
	job->left = job->size;
}

static void
decode(struct imap_session *s, struct fetch_job *job, struct slice bytes,
    bool is_end)
{
	buf_reset(&s->scratch);
	if (job->encoding == MIME_BASE64) {
		base64_body_decode(&job->base64, bytes, &s->scratch);
		if (is_end)
			base64_body_decode_end(&job->base64, &s->scratch);
	} else {
		qp_decode(&job->qp, bytes, &s->scratch);
		if (is_end)
			qp_decode_end(&job->qp, &s->scratch);
	}
}

static void
begin_binary(struct imap_session *s, struct fetch_job *job,
    const struct mime_part *root)
{
	const struct imap_fetch_item *item = fetch_item(job);
	const struct mime_part *part = imap_section_part(root,
	    item->section.parts, item->section.n_parts);
	bool is_whole = item->section.n_parts == 0, is_plain;

	if (part == NULL) {
		put_nil(s, job);
		return;
	}
	job->start = is_whole ? part->header.offset : part->body.offset;
	job->size = part->body.size + (is_whole ? part->header.size : 0);
	job->encoding = part->encoding;
	is_plain = is_whole || (part->kind != MIME_LEAF &&
	    part->kind != MIME_OPAQUE) || (part->encoding !=
	    MIME_BASE64 && part->encoding != MIME_QUOTED_PRINTABLE);
	if (is_plain && part->encoding == MIME_OTHER && !is_whole) {
		job->has_unknown = true;
		put_nil(s, job);
	} else if (!is_plain) {
		job->decoded = 0;
		job->has_nul = false;
		restart_decoder(job);
		job->phase = FETCH_COUNT;
	} else if (item->kind == IMAP_FETCH_BINARY_SIZE) {
		put_echo(s, job);
		imap_put_number(&s->io.out, job->size);
		fetch_item_done(job);
	} else {
		begin_literal(s, job, job->start, job->size,
		    ((part->flags & MIME_BODY_NUL) != 0));
	}
}

void
fetch_part_begin(struct imap_session *s)
{
	struct fetch_job *job = s->job;
	const struct imap_fetch_item *item = fetch_item(job);

	if (item->kind == IMAP_FETCH_PREVIEW)
		begin_preview(s, job);
	else if (item->kind == IMAP_FETCH_SECTION &&
	    item->section.n_parts == 0)
		begin_message(s, job);
	else
		job->phase = FETCH_TREE;
}

/* ---- bytes ---- */

static void
give_decoded(struct imap_session *s, struct fetch_job *job)
{
	struct slice in = buf_slice(&s->scratch);

	if (job->skip > 0) {
		if (job->skip >= in.n) {
			job->skip -= in.n;
			return;
		}
		in = slice_from(in, (size_t)job->skip);
		job->skip = 0;
	}
	if (in.n > job->give)
		in.n = (size_t)job->give;
	buf_add_slice(&s->io.out, in);
	job->give -= in.n;
}

static void
use_bytes(struct imap_session *s, struct fetch_job *job, struct slice bytes)
{
	job->offset += bytes.n;
	job->left -= bytes.n;
	switch (job->phase) {
	case FETCH_GATHER:
		buf_add_slice(&s->scratch, bytes);
		break;
	case FETCH_LITERAL:
		buf_add_slice(&s->io.out, bytes);
		break;
	case FETCH_COUNT:
		decode(s, job, bytes, job->left == 0);
		job->decoded += s->scratch.n;
		job->has_nul = job->has_nul ||
		    slice_has(buf_slice(&s->scratch), '\0');
		break;
	case FETCH_DECODE:
		decode(s, job, bytes, job->left == 0);
		give_decoded(s, job);
		break;
	case FETCH_ITEMS:
	case FETCH_TREE:
		break;
	}
}

static void
on_bytes(void *arg, enum mbox_result r, struct slice bytes)
{
	struct imap_session *s = arg;
	struct fetch_job *job = s->job;

	if (r == MBOX_OK && bytes.n > 0 && bytes.n <= job->left) {
		if (job->phase == FETCH_LITERAL)
			announce(s, job);
		use_bytes(s, job, bytes);
	} else if (job->phase == FETCH_DECODE ||
	    (job->phase == FETCH_LITERAL && job->is_announced)) {
		imap_end(s, NULL, "message lost while it was sent");
	} else {
		s->expunge_seen = true;
		put_nil(s, job);
	}
	imap_resume(s);
}

/* All bytes of a phase are there. */
static void
end_phase(struct imap_session *s, struct fetch_job *job)
{
	const struct imap_fetch_item *item = fetch_item(job);

	if (job->phase == FETCH_GATHER) {
		put_header(s, job, buf_slice(&s->scratch));
	} else if (job->phase != FETCH_COUNT) {
		fetch_item_done(job);
	} else if (item->kind == IMAP_FETCH_BINARY_SIZE) {
		put_echo(s, job);
		imap_put_number(&s->io.out, job->decoded);
		fetch_item_done(job);
	} else {
		clip(item, job->decoded, &job->skip, &job->give);
		put_echo(s, job);
		put_announce(s, job->has_nul ? "~{" : "{", job->give);
		restart_decoder(job);
		job->phase = FETCH_DECODE;
	}
}

void
fetch_part_go(struct imap_session *s)
{
	struct fetch_job *job = s->job;
	const struct mime_part *root;

	if (job->phase == FETCH_TREE) {
		root = imap_tree_of(s, job->uid);
		if (root == NULL) {
			if (imap_tree_read(s, job->uid) < 0)
				put_nil(s, job);
			return;
		}
		job->phase = FETCH_ITEMS;
		if (fetch_item(job)->kind == IMAP_FETCH_SECTION)
			begin_section(s, job, root);
		else
			begin_binary(s, job, root);
	} else if (job->left == 0) {
		end_phase(s, job);
	} else {
		imap_wait(s);
		mailbox_read(s->mailbox, job->uid, job->offset,
		    job->left < IMAP_READ_SIZE ? (size_t)job->left :
		    IMAP_READ_SIZE, on_bytes, s);
	}
}
