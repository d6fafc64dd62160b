/* SPDX-License-Identifier: ISC */
/*
 * Names of mailboxes and folders. Modified UTF-7 (RFC 3501 5.1.3): printable
 * ASCII stands for itself, "&-" for '&', everything else is UTF-16 in base 64
 * with ',' for '/' between '&' and '-'. A dot inside a level is written that
 * way too, which every reader of Maildir++ decodes.
 */
#include "mda/folder.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "mda/rows.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* The next code point of valid UTF-8, taken off *s. */
static uint32_t
next_point(struct slice *s)
{
	static const uint8_t masks[] = { 0x7f, 0x1f, 0x0f, 0x07 };
	uint8_t c = (uint8_t)s->p[0];
	size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3, i;
	uint32_t u = c & masks[more];

	for (i = 1; i <= more; i++)
		u = u << 6 | ((uint8_t)s->p[i] & 0x3f);
	*s = slice_from(*s, more + 1);
	return u;
}

static void
put_point(struct buf *out, uint32_t u)
{
	if (u < 0x80) {
		buf_add_char(out, (char)u);
	} else if (u < 0x800) {
		buf_add_char(out, (char)(0xc0 | u >> 6));
		buf_add_char(out, (char)(0x80 | (u & 0x3f)));
	} else if (u < 0x10000) {
		buf_add_char(out, (char)(0xe0 | u >> 12));
		buf_add_char(out, (char)(0x80 | (u >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (u & 0x3f)));
	} else {
		buf_add_char(out, (char)(0xf0 | u >> 18));
		buf_add_char(out, (char)(0x80 | (u >> 12 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (u >> 6 & 0x3f)));
		buf_add_char(out, (char)(0x80 | (u & 0x3f)));
	}
}

const char *
folder_name_fault(struct slice name)
{
	struct slice rest = name;
	uint32_t u;

	if (name.n == 0)
		return "The name is empty.";
	if (name.n > ROW_NAME_MAX)
		return "The name is too long.";
	if (!utf8_is_valid(name))
		return "The name is not UTF-8.";
	if (name.p[0] == '/' || name.p[name.n - 1] == '/' ||
	    slice_find(name, SLICE("//")) >= 0)
		return "The name has an empty level.";
	while (rest.n > 0) {
		u = next_point(&rest);
		/* RFC 9051 5.1: no controls, U+2028, U+2029; and LIST could
		 * not name one with wildcards in it. */
		if (u < 0x20 || (u >= 0x7f && u < 0xa0) || u == 0x2028 ||
		    u == 0x2029)
			return "The name has a control character.";
		if (u == '*' || u == '%')
			return "The name has a wildcard.";
	}
	return NULL;
}

void
folder_canonical(struct buf *out, struct slice name)
{
	if (slice_has_iprefix(name, SLICE("inbox")) &&
	    (name.n == 5 || name.p[5] == '/')) {
		buf_add_str(out, "INBOX");
		name = slice_from(name, 5);
	}
	buf_add_slice(out, name);
}

/* ---- encoding ---- */

struct shift {
	struct buf *out;
	uint32_t bits; /* not written yet, in the low n_bits */
	unsigned n_bits;
	bool on;
};

static void
shift_unit(struct shift *s, uint16_t unit)
{
	if (!s->on)
		buf_add_char(s->out, '&');
	s->on = true;
	s->bits = s->bits << 16 | unit;
	s->n_bits += 16;
	while (s->n_bits >= 6) {
		s->n_bits -= 6;
		buf_add_char(s->out, digits[s->bits >> s->n_bits & 63]);
	}
	s->bits &= (1U << s->n_bits) - 1;
}

static void
shift_end(struct shift *s)
{
	if (!s->on)
		return;
	if (s->n_bits > 0)
		buf_add_char(s->out, digits[s->bits << (6 - s->n_bits) & 63]);
	buf_add_char(s->out, '-');
	*s = (struct shift){ .out = s->out };
}

static void
put_level(struct buf *out, struct slice level, bool reserved)
{
	struct shift s = { .out = out };
	uint32_t u;

	while (level.n > 0) {
		u = next_point(&level);
		if (u >= 0x20 && u < 0x7f && u != '.' && !reserved) {
			shift_end(&s);
			buf_add_char(out, (char)u);
			if (u == '&')
				buf_add_char(out, '-');
		} else if (u < 0x10000) {
			shift_unit(&s, (uint16_t)u);
		} else {
			u -= 0x10000;
			shift_unit(&s, (uint16_t)(0xd800 | u >> 10));
			shift_unit(&s, (uint16_t)(0xdc00 | (u & 0x3ff)));
		}
		reserved = false;
	}
	shift_end(&s);
}

int
folder_from_name(struct buf *out, struct slice name)
{
	size_t before = out->n;
	struct slice level;
	bool top = true;

	if (slice_eq_str(name, "INBOX"))
		return 0;
	if (!utf8_is_valid(name))
		return -1;
	while (slice_split(&name, '/', &level)) {
		buf_add_char(out, '.');
		/* ".veredus" holds the map and its lock. */
		put_level(out, level, top && slice_ieq_str(level, "veredus"));
		top = false;
	}
	return !buf_is_ok(out) || out->n - before > ROW_FOLDER_MAX ? -1 : 0;
}

/* ---- decoding ---- */

static int
take_units(struct buf *out, struct slice text)
{
	uint32_t bits = 0, high = 0, u;
	unsigned n_bits = 0;
	const char *digit;
	size_t i;

	for (i = 0; i < text.n; i++) {
		digit = text.p[i] == 0 ? NULL : strchr(digits, text.p[i]);
		if (digit == NULL)
			return -1;
		bits = (bits << 6 | (uint32_t)(digit - digits)) & 0x3fffff;
		n_bits += 6;
		if (n_bits < 16)
			continue;
		n_bits -= 16;
		u = bits >> n_bits & 0xffff;
		if (high == 0 && u >= 0xd800 && u < 0xdc00) {
			high = u;
			continue;
		}
		if ((high != 0) != (u >= 0xdc00 && u < 0xe000))
			return -1;
		if (high != 0)
			u = 0x10000 + ((high & 0x3ff) << 10 | (u & 0x3ff));
		high = 0;
		put_point(out, u);
	}
	return high != 0 || n_bits >= 6 ||
	    (bits & ((1U << n_bits) - 1)) != 0 ? -1 : 0;
}

int
folder_decode(struct buf *out, struct slice text, char separator)
{
	struct slice piece;
	ptrdiff_t end;
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] == separator) {
			buf_add_char(out, '/');
		} else if (text.p[i] == '/') {
			return -1;
		} else if (text.p[i] != '&') {
			buf_add_char(out, text.p[i]);
		} else {
			piece = slice_from(text, i + 1);
			end = slice_chr(piece, '-');
			if (end < 0)
				return -1;
			if (end == 0)
				buf_add_char(out, '&');
			else if (take_units(out,
				slice_head(piece, (size_t)end)) < 0)
				return -1;
			i += (size_t)end + 1;
		}
	}
	return buf_is_ok(out) ? 0 : -1;
}

/* May a folder that is there be shown under this name? */
static bool
is_showable(struct slice name)
{
	struct slice rest = name;
	uint32_t u;

	if (name.n == 0 || name.n > ROW_NAME_MAX || !utf8_is_valid(name) ||
	    name.p[0] == '/' || name.p[name.n - 1] == '/' ||
	    slice_find(name, SLICE("//")) >= 0)
		return false;
	while (rest.n > 0) {
		u = next_point(&rest);
		if (u < 0x20 || (u >= 0x7f && u < 0xa0))
			return false;
	}
	return true;
}

int
folder_to_name(struct buf *out, struct slice folder)
{
	size_t before = out->n, levels = 0, i;
	struct slice name;

	if (folder.n == 0) {
		buf_add_str(out, "INBOX");
		return buf_is_ok(out) ? 0 : -1;
	}
	if (folder.p[0] != '.')
		return -1;
	folder = slice_from(folder, 1);
	for (i = 0; i < folder.n; i++)
		levels += folder.p[i] == '.';
	if (folder_decode(out, folder, '.') == 0) {
		name = slice_from(buf_slice(out), before);
		/* An encoded '/' would make another level of it. */
		for (i = 0; i < name.n; i++)
			levels -= name.p[i] == '/';
		if (levels == 0 && is_showable(name))
			return 0;
	}
	/* Not modified UTF-7 (a server set to UTF-8): as it stands. */
	buf_cut(out, before);
	for (i = 0; i < folder.n; i++)
		buf_add_char(out, folder.p[i] == '.' ? '/' : folder.p[i]);
	if (!is_showable(slice_from(buf_slice(out), before)) ||
	    !buf_is_ok(out)) {
		buf_cut(out, before);
		return -1;
	}
	return 0;
}
