/* SPDX-License-Identifier: ISC */
/*
 * xtext and unitext. Both readers take one step at a time, so that checking and
 * decoding cannot differ. Hexadecimal digits are read in either case, written
 * in upper.
 */
#include "proto/xtext.h"

#include "base/num.h"
#include "base/utf8.h"

/* RFC 3461 section 4, xchar. */
static bool
is_xchar(char c)
{
	return c >= '!' && c <= '~' && c != '+' && c != '=';
}

/* Octets of the one xchar or hexchar at the front of `in`; 0 malformed. */
static size_t
xtext_next(struct slice in, char *c_r)
{
	uint64_t v;

	*c_r = in.p[0];
	if (is_xchar(in.p[0]))
		return 1;
	if (in.p[0] != '+' || in.n < 3 ||
	    num_parse_hex((struct slice){ in.p + 1, 2 }, &v) < 0)
		return 0;
	*c_r = (char)v;
	return 3;
}

void
xtext_encode(struct buf *out, struct slice in)
{
	size_t i;

	for (i = 0; i < in.n; i++)
		if (is_xchar(in.p[i]))
			buf_add_char(out, in.p[i]);
		else
			buf_addf(out, "+%02X", (unsigned char)in.p[i]);
}

int
xtext_decode(struct buf *out, struct slice in)
{
	size_t was = out->n, n;
	char c;

	for (; in.n > 0; in = slice_from(in, n)) {
		n = xtext_next(in, &c);
		if (n == 0) {
			buf_cut(out, was);
			return -1;
		}
		buf_add_char(out, c);
	}
	return buf_is_ok(out) ? 0 : -1;
}

bool
xtext_is_printable(struct slice in)
{
	size_t n;
	char c;

	for (; in.n > 0; in = slice_from(in, n)) {
		n = xtext_next(in, &c);
		if (n == 0 || ((c < ' ' || c > '~') && c != '\t'))
			return false;
	}
	return true;
}

static bool
is_qchar(uint32_t cp)
{
	return cp > ' ' && cp <= '~' && cp != '\\' && cp != '+' && cp != '=';
}

static void
unitext_add(struct buf *out, struct slice in, bool ascii)
{
	uint32_t cp;
	size_t n;

	for (; in.n > 0; in = slice_from(in, n)) {
		n = utf8_next(in, &cp);
		if (n == 0) {
			cp = 0xfffd;
			n = 1;
		}
		if (is_qchar(cp) || (cp >= 0x80 && !ascii))
			utf8_add(out, cp);
		else
			buf_addf(out, "\\x{%02X}", cp);
	}
}

void
unitext_encode(struct buf *out, struct slice in)
{
	unitext_add(out, in, false);
}

void
unitext_encode_ascii(struct buf *out, struct slice in)
{
	unitext_add(out, in, true);
}

/*
 * "\x{HEXPOINT}": of ASCII only the characters that cannot stand for
 * themselves. The grammar lets some controls through; no address has one.
 */
static size_t
embedded_next(struct slice in, uint32_t *cp_r)
{
	ptrdiff_t end = slice_chr(slice_head(in, 10), '}');
	uint64_t v;

	if (!slice_has_prefix(in, SLICE("\\x{")) || end < 5 ||
	    num_parse_hex((struct slice){ in.p + 3, (size_t)end - 3 }, &v) < 0)
		return 0;
	if (v < 0x80 ? v != ' ' && v != '+' && v != '=' && v != '\\'
		     : v < 0xa0 || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*cp_r = (uint32_t)v;
	return (size_t)end + 1;
}

/* Octets of the character at the front of `in`; 0 malformed. */
static size_t
unitext_next(struct slice in, uint32_t *cp_r)
{
	size_t n;

	if (in.p[0] == '\\')
		return embedded_next(in, cp_r);
	n = utf8_next(in, cp_r);
	if (n == 1)
		return is_qchar(*cp_r) ? 1 : 0;
	return n > 1 && *cp_r >= 0xa0 ? n : 0;
}

int
unitext_decode(struct buf *out, struct slice in)
{
	size_t was = out->n, n;
	uint32_t cp;

	for (; in.n > 0; in = slice_from(in, n)) {
		n = unitext_next(in, &cp);
		if (n == 0) {
			buf_cut(out, was);
			return -1;
		}
		utf8_add(out, cp);
	}
	return buf_is_ok(out) ? 0 : -1;
}

bool
unitext_is_valid(struct slice in)
{
	uint32_t cp;
	size_t n;

	for (; in.n > 0; in = slice_from(in, n)) {
		n = unitext_next(in, &cp);
		if (n == 0)
			return false;
	}
	return true;
}
