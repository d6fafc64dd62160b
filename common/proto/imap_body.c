/* SPDX-License-Identifier: ISC */
/* BODY and BODYSTRUCTURE. Recursion is bounded by LIMIT_MIME_DEPTH. */
#include "proto/imap_body.h"

#include <inttypes.h>
#include <string.h>

#include "proto/imap_envelope.h"
#include "proto/imap_write.h"

static bool
is_attribute_char(char c)
{
	return ascii_is_alnum(c) || (c != 0 && strchr("!#$&+-.^_`{|}~", c));
}

/* RFC 2231 7: extended-initial-value. */
static void
add_extended(struct buf *out, const struct mime_param *m)
{
	size_t i;

	buf_add_char(out, '"');
	buf_add_slice(out, m->charset);
	buf_add_char(out, '\'');
	buf_add_slice(out, m->language);
	buf_add_char(out, '\'');
	for (i = 0; i < m->value.n; i++)
		if (is_attribute_char(m->value.p[i]))
			buf_add_char(out, m->value.p[i]);
		else
			buf_addf(out, "%%%02X", (unsigned char)m->value.p[i]);
	buf_add_char(out, '"');
}

/* Could these stand in a quoted string as they are? */
static bool
is_plain(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!ascii_is_alnum(s.p[i]) &&
		    !slice_has(SLICE("-_.:"), s.p[i]))
			return false;
	return true;
}

static void
add_param(struct buf *out, const struct mime_param *m)
{
	bool is_extended = m->is_extended && is_plain(m->charset) &&
	    is_plain(m->language) && is_plain(m->name);

	if (!is_extended) {
		imap_write_string(out, m->name, false);
		buf_add_char(out, ' ');
		imap_write_string(out, m->value, false);
		return;
	}
	buf_add_char(out, '"');
	buf_add_slice(out, m->name);
	buf_add_str(out, "*\" ");
	add_extended(out, m);
}

/* RFC 2046 4.1.2: text/plain without a charset is US-ASCII. */
static void
add_params(struct buf *out, const struct mime_param *m, bool is_text_plain)
{
	bool needs_charset =
	    is_text_plain && mime_param_find(m, "charset") == NULL;
	const char *before = "(";

	if (m == NULL && !needs_charset) {
		buf_add_str(out, "NIL");
		return;
	}
	for (; m != NULL; m = m->next) {
		buf_add_str(out, before);
		add_param(out, m);
		before = " ";
	}
	if (needs_charset) {
		buf_add_str(out, before);
		buf_add_str(out, "\"CHARSET\" \"US-ASCII\"");
	}
	buf_add_char(out, ')');
}

/* What both kinds of parts have at the end: disposition, language, location. */
static void
add_extension(struct buf *out, const struct mime_part *part)
{
	const struct mime_word *w;

	if (part->disposition.p == NULL) {
		buf_add_str(out, " NIL");
	} else {
		buf_add_str(out, " (");
		imap_write_string(out, part->disposition, false);
		buf_add_char(out, ' ');
		add_params(out, part->disposition_params, false);
		buf_add_char(out, ')');
	}
	if (part->languages == NULL)
		buf_add_str(out, " NIL");
	for (w = part->languages; w != NULL; w = w->next) {
		buf_add_str(out, w == part->languages ? " (" : " ");
		imap_write_string(out, w->text, false);
		if (w->next == NULL)
			buf_add_char(out, ')');
	}
	buf_add_char(out, ' ');
	imap_write_nstring(out, part->location, false);
}

static void
add_multipart(struct buf *out, const struct mime_part *part, unsigned flags,
    struct buf *text)
{
	const struct mime_part *child;

	for (child = part->child; child != NULL; child = child->next)
		imap_body_write(out, child, flags, text);
	buf_add_char(out, ' ');
	imap_write_string(out, part->subtype, false);
	if (flags & IMAP_BODY_EXTENDED) {
		buf_add_char(out, ' ');
		add_params(out, part->params, false);
		add_extension(out, part);
	}
}

static void
add_type(struct buf *out, struct slice type, struct slice subtype,
    const struct mime_param *params)
{
	imap_write_string(out, type, false);
	buf_add_char(out, ' ');
	imap_write_string(out, subtype, false);
	buf_add_char(out, ' ');
	add_params(out, params,
	    slice_ieq_str(type, "text") && slice_ieq_str(subtype, "plain"));
}

static void
add_message(struct buf *out, const struct mime_part *part, unsigned flags,
    struct buf *text)
{
	if ((flags & IMAP_BODY_REV1) && slice_ieq_str(part->subtype, "global"))
		return;
	buf_add_char(out, ' ');
	imap_envelope_write(out, part->child->envelope, text);
	buf_add_char(out, ' ');
	imap_body_write(out, part->child, flags, text);
	buf_addf(out, " %" PRIu64, part->body.lines);
}

static void
add_single(struct buf *out, const struct mime_part *part, unsigned flags,
    struct buf *text)
{
	struct slice type = part->type, subtype = part->subtype;
	const struct mime_param *params = part->params;

	if (part->kind == MIME_OPAQUE &&
	    mime_part_is(part, "multipart", NULL)) {
		type = SLICE("TEXT");
		subtype = SLICE("PLAIN");
		params = NULL;
	} else if (part->kind == MIME_OPAQUE) {
		type = SLICE("APPLICATION");
		subtype = SLICE("OCTET-STREAM");
	}
	add_type(out, type, subtype, params);
	buf_add_char(out, ' ');
	imap_write_nstring(out, part->id, false);
	buf_add_char(out, ' ');
	imap_write_nstring(out, part->description, false);
	buf_add_char(out, ' ');
	imap_write_string(out,
	    part->encoding_name.p == NULL ? SLICE("7BIT") : part->encoding_name,
	    false);
	buf_addf(out, " %" PRIu64, part->body.served);
	if (part->kind == MIME_MESSAGE)
		add_message(out, part, flags, text);
	else if (slice_ieq_str(type, "text"))
		buf_addf(out, " %" PRIu64, part->body.lines);
	if (flags & IMAP_BODY_EXTENDED) {
		buf_add_char(out, ' ');
		imap_write_nstring(out, part->md5, false);
		add_extension(out, part);
	}
}

void
imap_body_write(struct buf *out, const struct mime_part *part, unsigned flags,
    struct buf *text)
{
	if (!buf_is_ok(out))
		return;
	buf_add_char(out, '(');
	if (part->kind == MIME_MULTIPART)
		add_multipart(out, part, flags, text);
	else
		add_single(out, part, flags, text);
	buf_add_char(out, ')');
}

void
imap_body_write_opaque(struct buf *out, uint64_t octets, unsigned flags)
{
	buf_addf(out,
	    "(\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL \"7BIT\" %" PRIu64
	    "%s)",
	    octets, flags & IMAP_BODY_EXTENDED ? " NIL NIL NIL NIL" : "");
}
