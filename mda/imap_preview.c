/* SPDX-License-Identifier: ISC */
/* The first words of a message: plain text if there is any, else what HTML
 * says without its tags. RFC 8970 3.3. */
#include "mda/imap_preview.h"

#include <string.h>

#include "base/num.h"
#include "base/utf8.h"
#include "mda/imap_parts.h"
#include "mda/imap_text.h"
#include "proto/base64_body.h"
#include "proto/limits.h"
#include "proto/mime.h"
#include "proto/qp.h"

enum { PREVIEW_CHARACTERS = 200 };

struct preview {
	struct buf *out;
	unsigned n;         /* characters */
	bool is_spaced;     /* blanks are due before the next one */
};

static void
add_character(struct preview *p, uint32_t cp)
{
	if (cp <= ' ' || cp == 0x7f || cp == 0xa0 || cp == 0xfeff) {
		p->is_spaced = p->n > 0;
		return;
	}
	if (p->is_spaced && p->n < PREVIEW_CHARACTERS - 1) {
		buf_add_char(p->out, ' ');
		p->n++;
	}
	p->is_spaced = false;
	if (p->n >= PREVIEW_CHARACTERS)
		return;
	utf8_add(p->out, cp);
	p->n++;
}

static void
add_plain(struct preview *p, struct slice in)
{
	uint32_t cp;
	size_t n;

	while (in.n > 0 && p->n < PREVIEW_CHARACTERS) {
		n = utf8_next(in, &cp);
		if (n > 0)
			add_character(p, cp);
		in = slice_from(in, n > 0 ? n : 1);
	}
}

/* ---- HTML, for those who send nothing else ---- */

/* Elements whose content is not for readers. */
static const char *const hidden[] = { "style", "script", "head", "title" };

static size_t
tag_length(struct slice in)
{
	ptrdiff_t end;

	if (slice_has_prefix(in, SLICE("<!--"))) {
		end = slice_find(in, SLICE("-->"));
		return end < 0 ? in.n : (size_t)end + 3;
	}
	end = slice_chr(in, '>');
	return end < 0 ? in.n : (size_t)end + 1;
}

static struct slice
tag_name(struct slice tag)
{
	size_t n = 1;

	while (n < tag.n && (ascii_is_alnum(tag.p[n]) || tag.p[n] == '/'))
		n++;
	return slice_from(slice_head(tag, n), 1);
}

/* How much a hidden element takes, its end tag not counted; 0: it is none. */
static size_t
hidden_length(struct slice in, struct slice name)
{
	ptrdiff_t end;
	struct buf b;
	size_t i, n = 0;

	for (i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		if (!slice_ieq_str(name, hidden[i]))
			continue;
		buf_init(&b, 32);
		buf_addf(&b, "</%s", hidden[i]);
		end = slice_ifind(in, buf_slice(&b));
		n = end < 0 ? in.n : (size_t)end;
		buf_fini(&b);
	}
	return n;
}

/* One that means itself. */
static size_t
add_ampersand(struct preview *p)
{
	add_character(p, '&');
	return 1;
}

static size_t
add_entity(struct preview *p, struct slice in)
{
	static const struct {
		const char *name;
		uint32_t cp;
	} names[] = {
		{ "amp", '&' }, { "lt", '<' }, { "gt", '>' }, { "quot", '"' },
		{ "apos", '\'' }, { "nbsp", ' ' },
	};
	ptrdiff_t end = slice_chr(slice_head(in, 12), ';');
	struct slice name;
	uint64_t cp = 0;
	size_t i;

	if (end < 2)
		return add_ampersand(p);
	name = slice_from(slice_head(in, (size_t)end), 1);
	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_eq_str(name, names[i].name))
			cp = names[i].cp;
	if (cp == 0 && name.p[0] != '#')
		return add_ampersand(p);
	if (name.p[0] == '#' && name.n > 2 && (name.p[1] | 0x20) == 'x') {
		if (num_parse_hex(slice_from(name, 2), &cp) < 0)
			cp = 0;
	} else if (name.p[0] == '#' &&
	    num_parse(slice_from(name, 1), 1, 0x10ffff, &cp) < 0) {
		cp = 0;
	}
	if (cp > 0 && cp <= 0x10ffff)
		add_character(p, (uint32_t)cp);
	return (size_t)end + 1;
}

static void
add_html(struct preview *p, struct slice in)
{
	struct slice name;
	uint32_t cp;
	size_t n;

	while (in.n > 0 && p->n < PREVIEW_CHARACTERS) {
		if (in.p[0] == '<') {
			n = tag_length(in);
			name = tag_name(slice_head(in, n));
			n += hidden_length(slice_from(in, n), name);
			add_character(p, ' ');
		} else if (in.p[0] == '&') {
			n = add_entity(p, in);
		} else {
			n = utf8_next(in, &cp);
			if (n > 0)
				add_character(p, cp);
			n = n > 0 ? n : 1;
		}
		in = slice_from(in, n);
	}
}

/* ---- the part ---- */

/* The first text/plain, else the first text. */
static const struct mime_part *
choose(const struct mime_part *root)
{
	const struct mime_part *part = NULL, *first = NULL;

	while ((part = imap_next_text(part, root)) != NULL) {
		if (first == NULL)
			first = part;
		if (mime_part_is(part, "text", "plain"))
			return part;
	}
	return first;
}

static void
decode(const struct mime_part *part, struct slice in, struct buf *out)
{
	struct base64_decoder base64;
	struct qp_decoder qp;
	struct buf raw;

	buf_init(&raw, in.n + 16);
	if (part->encoding == MIME_BASE64) {
		base64_decoder_init(&base64);
		base64_body_decode(&base64, in, &raw);
	} else if (part->encoding == MIME_QUOTED_PRINTABLE) {
		qp_decoder_init(&qp);
		qp_decode(&qp, in, &raw);
	} else {
		buf_add_slice(&raw, in);
	}
	imap_text_decode(out, imap_charset_of(part), buf_slice(&raw));
	buf_fini(&raw);
}

static void
make_preview(struct preview *p, struct slice message,
    const struct mime_part *root)
{
	const struct mime_part *part = choose(root);
	struct buf text;

	if (part == NULL || part->body.offset > message.n)
		return;
	buf_init(&text, 4 * message.n + 16);
	decode(part, slice_head(slice_from(message,
	    (size_t)part->body.offset), (size_t)part->body.size), &text);
	if (mime_part_is(part, "text", "html"))
		add_html(p, buf_slice(&text));
	else
		add_plain(p, buf_slice(&text));
	buf_fini(&text);
}

void
imap_preview(struct buf *out, struct slice message)
{
	struct preview p = { .out = out };
	struct mime_message parsed;
	struct mime_parser parser;
	struct region region;
	struct buf text;

	region_init(&region, LIMIT_MIME_MEMORY);
	buf_init(&text, 2 * LIMIT_HEADER_FIELD + 16);
	mime_init(&parser, &region, &text);
	mime_feed(&parser, message);
	if (mime_finish(&parser, &parsed) == 0)
		make_preview(&p, message, parsed.root);
	buf_fini(&text);
	region_fini(&region);
}
