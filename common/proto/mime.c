/* SPDX-License-Identifier: ISC */
/*
 * The streaming MIME parser. It works by lines: a piece of input never spans a
 * line end. Header lines are gathered field by field; of body lines only those
 * that may be boundaries are, all others are just counted. Every part that is
 * open contains the current line, so sizes are differences of marks.
 * RFC 2046 5.1, RFC 5322 2.1.
 */
#include "proto/mime.h"

#include <string.h>

#include "proto/limits.h"

enum {
	LONG_LINE = 998, /* RFC 5322 2.1.1 */
	/* What one more part and one more field can take at most. */
	RESERVE = 4 * LIMIT_HEADER,
	BOUNDARY_LINE = LIMIT_MIME_BOUNDARY + 64, /* room for blanks behind */
};

static void
fail(struct mime_parser *p)
{
	p->is_failed = true;
}

static bool
has_room(const struct mime_parser *p)
{
	return p->r->max - p->r->used >= RESERVE;
}

static void
span_start(struct mime_span *s, const struct mime_mark *m)
{
	*s = (struct mime_span){ m->at, 0, m->served, m->lines };
}

/* Until here, `served` and `lines` were those of the start. */
static void
span_end(struct mime_span *s, const struct mime_mark *m)
{
	s->size = m->at - s->offset;
	s->served = m->served - s->served;
	s->lines = m->lines - s->lines;
}

static struct mime_part *
part_new(struct mime_parser *p, struct mime_part *parent)
{
	struct mime_part *part = region_alloc(p->r, sizeof *part);

	if (part == NULL) {
		fail(p);
		return NULL;
	}
	part->parent = parent;
	part->type = SLICE("text");
	part->subtype = SLICE("plain");
	if (parent == NULL || parent->kind == MIME_MESSAGE) {
		part->envelope = region_alloc(p->r, sizeof *part->envelope);
		if (part->envelope == NULL)
			fail(p);
	} else if (mime_part_is(parent, "multipart", "digest")) {
		part->type = SLICE("message"); /* RFC 2046 5.1.5 */
		part->subtype = SLICE("rfc822");
	}
	return part;
}

/* Begins a part whose header starts at `m`. */
static void
open_part(
    struct mime_parser *p, struct mime_part *parent, const struct mime_mark *m)
{
	struct mime_part *part = part_new(p, parent);

	if (part == NULL)
		return;
	if (parent != NULL) {
		part->depth = parent->depth + 1;
		if (parent->last == NULL)
			parent->child = part;
		else
			parent->last->next = part;
		parent->last = part;
	}
	if (++p->n_parts >= LIMIT_MIME_PARTS || !has_room(p))
		p->is_full = true;
	span_start(&part->header, m);
	p->cur = part;
	p->is_header = true;
}

static void
close_part(
    struct mime_parser *p, struct mime_part *part, const struct mime_mark *end)
{
	span_end(&part->body, end);
	if (part->is_open)
		p->n_open--;
	part->is_open = false;
	if (part->kind == MIME_MULTIPART && part->child == NULL)
		part->kind = MIME_OPAQUE;
}

static struct slice
trim_end(struct slice s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* RFC 2046 5.1.1: blanks at the end of a boundary are not its own. */
static struct slice
boundary_of(const struct mime_part *part)
{
	const struct mime_param *m = mime_param_find(part->params, "boundary");

	return m == NULL ? SLICE_NONE : trim_end(m->value);
}

/* What a part with this header is; for multiparts also finds the boundary. */
static enum mime_kind
kind_of(const struct mime_parser *p, struct mime_part *part)
{
	bool is_too_deep = part->depth + 1 >= LIMIT_MIME_DEPTH;

	if (p->is_full || part->header.size > LIMIT_HEADER)
		return MIME_OPAQUE;
	if (mime_part_is(part, "multipart", NULL)) {
		part->boundary = boundary_of(part);
		return is_too_deep || part->boundary.n == 0 ||
			part->boundary.n > LIMIT_MIME_BOUNDARY
		    ? MIME_OPAQUE
		    : MIME_MULTIPART;
	}
	if (mime_part_is(part, "message", "rfc822") ||
	    mime_part_is(part, "message", "global"))
		return is_too_deep || part->encoding > MIME_BINARY
		    ? MIME_OPAQUE
		    : MIME_MESSAGE;
	return MIME_LEAF;
}

/* The header of the current part ends and its body begins at `m`. */
static void
end_header(struct mime_parser *p, const struct mime_mark *m)
{
	struct mime_part *part = p->cur;

	span_end(&part->header, m);
	span_start(&part->body, m);
	part->kind = kind_of(p, part);
	p->is_header = false;
	if (part->kind == MIME_MULTIPART) {
		part->is_open = true;
		p->n_open++;
	} else if (part->kind == MIME_MESSAGE) {
		open_part(p, part, m);
	}
}

/* Takes the field that ends before the current line. */
static void
take_field(struct mime_parser *p)
{
	struct slice in = { p->text->p, p->line_at };
	struct rfc822_field f;

	if (has_room(p) && p->line.at - p->cur->header.offset <= LIMIT_HEADER &&
	    rfc822_field_next(&in, &f) &&
	    mime_part_add_field(p->cur, p->r, &f) < 0)
		fail(p);
	if (!has_room(p))
		p->is_full = true;
	buf_drop(p->text, p->line_at);
	p->line_at = 0;
}

/* Ends the part being read before the current line, header or body. */
static void
end_text(struct mime_parser *p, const struct mime_mark *m)
{
	while (p->is_header && !p->is_failed) {
		take_field(p);
		end_header(p, m);
	}
}

/* The open multipart whose boundary `line` is, or NULL. */
static struct mime_part *
find_boundary(struct mime_parser *p, struct slice line, bool *is_last_r)
{
	struct mime_part *m;
	struct slice rest;

	if (p->is_full || line.n < 3 || line.p[0] != '-' || line.p[1] != '-')
		return NULL;
	line = trim_end(slice_from(rfc822_line_text(line), 2));
	for (m = p->cur; m != NULL; m = m->parent) {
		if (!m->is_open || !slice_has_prefix(line, m->boundary))
			continue;
		rest = slice_from(line, m->boundary.n);
		*is_last_r = slice_eq_str(rest, "--");
		if (rest.n == 0 || *is_last_r)
			return m;
	}
	return NULL;
}

/*
 * The line end before a boundary belongs to the boundary (RFC 2046 5.1.1). A
 * header keeps the end of its last line all the same, so that it consists of
 * whole lines; then the body is empty and begins at the boundary.
 */
static void
take_boundary(struct mime_parser *p, struct mime_part *m, bool is_last)
{
	struct mime_mark end = p->prev_end;
	struct mime_part *q;

	end_text(p, &p->line);
	if (p->is_failed)
		return;
	if (end.at < p->cur->body.offset)
		end = (struct mime_mark){ p->cur->body.offset,
			p->cur->body.served, p->cur->body.lines };
	for (q = p->cur; q != m; q = q->parent)
		close_part(p, q, &end);
	p->cur = m;
	if (is_last) {
		m->is_open = false;
		p->n_open--;
	} else {
		open_part(p, m, &p->now);
	}
}

/* The line at line_at is a whole header line. */
static void
take_header_line(struct mime_parser *p)
{
	struct slice line = slice_from(buf_slice(p->text), p->line_at);
	bool is_more;

	p->cur->flags |= p->line_flags & (MIME_HEADER_8BIT | MIME_HEADER_NUL);
	if (rfc822_line_text(line).n == 0) {
		take_field(p);
		buf_reset(p->text);
		end_header(p, &p->now);
		return;
	}
	is_more = p->line_at > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
	if (!is_more && p->line_at > 0)
		take_field(p);
	if (is_more && p->text->n > LIMIT_HEADER_FIELD)
		buf_cut(p->text, p->line_at);
	p->line_at = p->text->n;
}

static void
end_line(struct mime_parser *p)
{
	bool is_last = false;
	struct mime_part *m = NULL;

	if (p->now.at - p->line.at > LONG_LINE + 2)
		p->line_flags |= MIME_BODY_LONG;
	p->all_flags |= p->line_flags;
	if (p->is_kept)
		m = find_boundary(
		    p, slice_from(buf_slice(p->text), p->line_at), &is_last);
	if (m != NULL) {
		buf_cut(p->text, p->line_at);
		take_boundary(p, m, is_last);
		m->flags |= p->line_flags &
		    ~(unsigned)(MIME_HEADER_8BIT | MIME_HEADER_NUL);
		buf_reset(p->text);
	} else if (p->is_header) {
		take_header_line(p);
	} else {
		p->cur->flags |= p->line_flags &
		    ~(unsigned)(MIME_HEADER_8BIT | MIME_HEADER_NUL);
		buf_reset(p->text);
	}
	p->is_kept = p->is_mid_line = false;
	p->line_flags = 0;
}

static bool
has_8bit(struct slice s)
{
	uint64_t word;
	size_t i = 0;

	for (; i + sizeof word <= s.n; i += sizeof word) {
		memcpy(&word, s.p + i, sizeof word);
		if (word & 0x8080808080808080U)
			return true;
	}
	for (; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return true;
	return false;
}

/* Counts a piece of a line; `is_end`: it ends in LF. */
static void
count(struct mime_parser *p, struct slice piece, bool is_end)
{
	bool is_crlf =
	    is_end && (piece.n > 1 ? piece.p[piece.n - 2] == '\r' : p->has_cr);
	size_t text = piece.n - (is_end ? 1 : 0);

	if (has_8bit(piece))
		p->line_flags |= MIME_BODY_8BIT | MIME_HEADER_8BIT;
	if (memchr(piece.p, 0, piece.n) != NULL)
		p->line_flags |= MIME_BODY_NUL | MIME_HEADER_NUL;
	p->text_end.at = p->now.at + text - (is_crlf ? 1 : 0);
	p->text_end.served = p->now.served + text - (is_crlf ? 1 : 0);
	p->text_end.lines = p->now.lines;
	p->now.at += piece.n;
	p->now.served += piece.n;
	if (is_end) {
		p->now.lines++;
		p->now.served += is_crlf ? 0 : 1;
		p->lf_lines += is_crlf ? 0 : 1;
	}
	p->has_cr = piece.p[piece.n - 1] == '\r';
}

/* Keeps as much of the line as can matter. */
static void
keep(struct mime_parser *p, struct slice piece, bool is_end)
{
	size_t max = p->is_header ? LIMIT_HEADER_FIELD - 1 : BOUNDARY_LINE;
	size_t have = p->text->n - p->line_at;

	buf_add_slice(p->text, slice_head(piece, have < max ? max - have : 0));
	if (is_end && have + piece.n > max)
		buf_add_char(p->text, '\n');
	if (!buf_is_ok(p->text))
		fail(p);
}

static void
take_piece(struct mime_parser *p, struct slice piece, bool is_end)
{
	if (!p->is_mid_line) {
		p->line = p->now;
		p->prev_end = p->text_end;
		p->is_kept = p->is_header ||
		    (p->n_open > 0 && !p->is_full && piece.p[0] == '-');
		p->is_mid_line = true;
	}
	count(p, piece, is_end);
	if (p->is_kept)
		keep(p, piece, is_end);
	if (is_end && !p->is_failed)
		end_line(p);
}

void
mime_init(struct mime_parser *p, struct region *r, struct buf *text)
{
	*p = (struct mime_parser){ .r = r, .text = text };
	buf_reset(text);
	open_part(p, NULL, &p->now);
	p->root = p->cur;
}

void
mime_feed(struct mime_parser *p, struct slice in)
{
	const char *nl;
	size_t n;

	while (in.n > 0 && !p->is_failed) {
		nl = memchr(in.p, '\n', in.n);
		n = nl == NULL ? in.n : (size_t)(nl - in.p) + 1;
		take_piece(p, slice_head(in, n), nl != NULL);
		in = slice_from(in, n);
	}
}

int
mime_finish(struct mime_parser *p, struct mime_message *message_r)
{
	struct mime_part *part;

	if (p->is_mid_line && !p->is_failed)
		end_line(p);
	if (!p->is_failed)
		p->line = p->now;
	end_text(p, &p->now);
	if (p->is_failed)
		return -1;
	for (part = p->cur; part != NULL; part = part->parent)
		close_part(p, part, &p->now);
	*message_r = (struct mime_message){ .root = p->root,
		.size = p->now.at,
		.served = p->now.served,
		.lf_lines = p->lf_lines,
		.has_nul = (p->all_flags & MIME_BODY_NUL) != 0 };
	return 0;
}
