/* SPDX-License-Identifier: ISC */
/*
 * Sections. A part number counts within the multipart or embedded message it
 * is asked of; what is neither has one part, number 1, which is its own body
 * (RFC 9051 6.4.5.1).
 */
#include "proto/imap_section.h"

#include <string.h>

/* Part `n` of a message (the whole one or an embedded one) or multipart. */
static const struct mime_part *
nth(const struct mime_part *in, bool is_message, uint32_t n)
{
	const struct mime_part *part;

	if (in->kind != MIME_MULTIPART)
		return is_message && n == 1 ? in : NULL;
	if (n == 0)
		return NULL;
	for (part = in->child; part != NULL && n > 1; part = part->next)
		n--;
	return part;
}

const struct mime_part *
imap_section_part(
    const struct mime_part *root, const uint32_t *parts, size_t n_parts)
{
	const struct mime_part *part = root;
	bool is_message = true;
	size_t i;

	for (i = 0; i < n_parts && part != NULL; i++) {
		if (i > 0 && part->kind == MIME_MESSAGE) {
			part = part->child;
			is_message = true;
		}
		part = nth(part, is_message, parts[i]);
		is_message = false;
	}
	return part;
}

static struct mime_span
both(const struct mime_part *part)
{
	return (struct mime_span){
		.offset = part->header.offset,
		.size = part->header.size + part->body.size,
		.served = part->header.served + part->body.served,
		.lines = part->header.lines + part->body.lines,
	};
}

int
imap_section_find(const struct mime_part *root, const struct imap_section *s,
    struct mime_span *span_r)
{
	const struct mime_part *part;
	const struct mime_part *message = root;

	part = imap_section_part(root, s->parts, s->n_parts);
	if (part == NULL)
		return -1;
	if (s->n_parts > 0)
		message = part->kind == MIME_MESSAGE ? part->child : NULL;
	switch (s->text) {
	case IMAP_SECTION_ALL:
		*span_r = s->n_parts == 0 ? both(part) : part->body;
		return 0;
	case IMAP_SECTION_MIME:
		*span_r = part->header;
		return s->n_parts > 0 ? 0 : -1;
	case IMAP_SECTION_HEADER:
	case IMAP_SECTION_FIELDS:
	case IMAP_SECTION_FIELDS_NOT:
		if (message != NULL)
			*span_r = message->header;
		break;
	case IMAP_SECTION_TEXT:
		if (message != NULL)
			*span_r = message->body;
		break;
	}
	return message == NULL ? -1 : 0;
}

/* The lines with CRLF; one that the end of input cuts off stays without. */
static void
add_lines(struct buf *out, struct slice raw)
{
	struct slice line;

	while (raw.n > 0) {
		line = rfc822_line(raw);
		raw = slice_from(raw, line.n);
		buf_add_slice(out, rfc822_line_text(line));
		if (line.p[line.n - 1] == '\n')
			buf_add_str(out, "\r\n");
	}
}

static bool
is_listed(const struct imap_section *s, struct slice name)
{
	size_t i;

	for (i = 0; i < s->n_fields; i++)
		if (slice_ieq(s->fields[i], name))
			return true;
	return false;
}

void
imap_section_fields(
    struct buf *out, const struct imap_section *s, struct slice header)
{
	bool is_not = s->text == IMAP_SECTION_FIELDS_NOT;
	struct rfc822_field f;

	while (rfc822_field_next(&header, &f))
		if ((f.name.n > 0 && is_listed(s, f.name)) != is_not)
			add_lines(out, f.raw);
	if (header.n > 0)
		buf_add_str(out, "\r\n");
}

void
imap_section_clip(uint64_t size, uint64_t *offset, uint64_t *length)
{
	if (*offset > size)
		*offset = size;
	if (*length > size - *offset)
		*length = size - *offset;
}

void
imap_serve_init(struct imap_serve *v, uint64_t offset, uint64_t length)
{
	*v = (struct imap_serve){ .skip = offset, .left = length };
}

static void
give(struct imap_serve *v, struct slice s, struct buf *out)
{
	size_t n;

	n = v->skip < s.n ? (size_t)v->skip : s.n;
	v->skip -= n;
	s = slice_from(s, n);
	n = v->left < s.n ? (size_t)v->left : s.n;
	v->left -= n;
	buf_add_slice(out, slice_head(s, n));
}

void
imap_serve(struct imap_serve *v, struct slice piece, struct buf *out)
{
	struct slice line, text;
	bool has_cr;

	while (piece.n > 0 && v->left > 0) {
		line = rfc822_line(piece);
		piece = slice_from(piece, line.n);
		if (line.p[line.n - 1] != '\n') {
			v->has_cr = line.p[line.n - 1] == '\r';
			give(v, line, out);
			continue;
		}
		text = slice_head(line, line.n - 1);
		has_cr = text.n > 0 ? text.p[text.n - 1] == '\r' : v->has_cr;
		give(v, text, out);
		give(v, has_cr ? SLICE("\n") : SLICE("\r\n"), out);
		v->has_cr = false;
	}
}
