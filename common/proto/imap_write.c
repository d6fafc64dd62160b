/* SPDX-License-Identifier: ISC */
/* RFC 9051 9: string, nstring, astring, mailbox, flag-list, text. */
#include "proto/imap_write.h"

#include "base/utf8.h"
#include "proto/mutf7.h"

enum { LONGEST_QUOTED = 1000 }; /* clients keep these in line buffers */

static bool
can_be_quoted(struct slice s, bool utf8)
{
	size_t i;

	if (s.n > LONGEST_QUOTED)
		return false;
	for (i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == 0)
			return false;
	return !utf8_has_8bit(s) || (utf8 && utf8_is_valid(s));
}

static bool
is_special(char c)
{
	return c == '"' || c == '\\';
}

static void
write_quoted(struct buf *out, struct slice s)
{
	size_t i;

	buf_add_char(out, '"');
	for (i = 0; i < s.n; i++) {
		if (is_special(s.p[i]))
			buf_add_char(out, '\\');
		buf_add_char(out, s.p[i]);
	}
	buf_add_char(out, '"');
}

static void
write_literal(struct buf *out, struct slice s)
{
	char *to;
	size_t i;

	buf_addf(out, "{%zu}\r\n", s.n);
	if (!slice_has(s, 0)) {
		buf_add_slice(out, s);
		return;
	}
	to = buf_room(out, s.n);
	if (to == NULL)
		return;
	for (i = 0; i < s.n; i++)
		to[i] = s.p[i] == 0 ? '?' : s.p[i];
	buf_grew(out, s.n);
}

void
imap_write_string(struct buf *out, struct slice s, bool utf8)
{
	if (can_be_quoted(s, utf8))
		write_quoted(out, s);
	else
		write_literal(out, s);
}

void
imap_write_nstring(struct buf *out, struct slice s, bool utf8)
{
	if (s.p == NULL)
		buf_add_str(out, "NIL");
	else
		imap_write_string(out, s, utf8);
}

/* An atom that nobody takes for NIL; `base64` are bytes that will become
 * letters. */
static bool
can_be_atom(struct slice s, bool base64)
{
	size_t i;

	if (s.n == 0 || slice_ieq_str(s, "NIL"))
		return false;
	for (i = 0; i < s.n; i++)
		if (!imap_is_astring_char(s.p[i]) &&
		    !(base64 && ((unsigned char)s.p[i] < ' ' ||
		    (unsigned char)s.p[i] >= 0x7f)))
			return false;
	return true;
}

void
imap_write_astring(struct buf *out, struct slice s, bool utf8)
{
	if (can_be_atom(s, false))
		buf_add_slice(out, s);
	else
		imap_write_string(out, s, utf8);
}

/*
 * A shift of modified UTF-7 ends at every printable character, so what stands
 * between two that need a backslash can be encoded by itself.
 */
static void
write_quoted_mutf7(struct buf *out, struct slice name)
{
	size_t n;

	buf_add_char(out, '"');
	while (name.n > 0) {
		for (n = 0; n < name.n && !is_special(name.p[n]); n++)
			;
		(void)!mutf7_encode(out, slice_head(name, n));
		name = slice_from(name, n);
		if (name.n > 0) {
			buf_add_char(out, '\\');
			buf_add_char(out, name.p[0]);
			name = slice_from(name, 1);
		}
	}
	buf_add_char(out, '"');
}

void
imap_write_mailbox(struct buf *out, struct slice name, bool utf8)
{
	if (utf8 || !utf8_is_valid(name))
		imap_write_astring(out, name, utf8);
	else if (can_be_atom(name, true))
		(void)!mutf7_encode(out, name);
	else
		write_quoted_mutf7(out, name);
}

void
imap_write_flags(struct buf *out, const struct imap_flags *flags)
{
	static const struct imap_word words[] = {
		{ "\\Answered", IMAP_FLAG_ANSWERED },
		{ "\\Flagged", IMAP_FLAG_FLAGGED },
		{ "\\Deleted", IMAP_FLAG_DELETED },
		{ "\\Seen", IMAP_FLAG_SEEN },
		{ "\\Draft", IMAP_FLAG_DRAFT },
		{ "\\Recent", IMAP_FLAG_RECENT },
	};
	const char *space = "";
	size_t i;

	buf_add_char(out, '(');
	for (i = 0; i < sizeof words / sizeof *words; i++) {
		if ((flags->system & words[i].bit) == 0)
			continue;
		buf_add_str(out, space);
		buf_add_str(out, words[i].name);
		space = " ";
	}
	for (i = 0; i < flags->n; i++) {
		buf_add_str(out, space);
		buf_add_slice(out, flags->keywords[i]);
		space = " ";
	}
	buf_add_char(out, ')');
}

void
imap_write_text(struct buf *out, struct slice s, bool utf8)
{
	bool as_is = utf8 && utf8_is_valid(s);
	unsigned char c;
	size_t i;

	if (s.n == 0)
		buf_add_char(out, '.');
	for (i = 0; i < s.n; i++) {
		c = (unsigned char)s.p[i];
		if (c < ' ' || c == 0x7f)
			buf_add_char(out, ' ');
		else
			buf_add_char(out, c < 0x80 || as_is ? (char)c : '?');
	}
}
