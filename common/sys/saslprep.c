/* SPDX-License-Identifier: ISC */
/*
 * RFC 4013 with the tables of RFC 3454 (map, normalise, prohibit, bidi).
 * Normalisation and bidi classes are libunistring's, of a later Unicode than
 * 3.2; for assigned characters they agree.
 */
#include "sys/saslprep.h"

#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

struct range {
	ucs4_t first, last;
};

/* RFC 3454 C.1.2: spaces that become U+0020. */
static const struct range spaces[] = {
	{ 0xa0, 0xa0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200b },
	{ 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
};

/* RFC 3454 B.1: mapped to nothing. */
static const struct range nothing[] = {
	{ 0xad, 0xad }, { 0x34f, 0x34f }, { 0x1806, 0x1806 },
	{ 0x180b, 0x180d }, { 0x200c, 0x200d }, { 0x2060, 0x2060 },
	{ 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
};

/*
 * RFC 4013 2.3: controls (C.2), private use (C.3), non-characters (C.4, and in
 * is_prohibited), surrogates (C.5), no plain text (C.6), not canonical (C.7),
 * display and deprecated (C.8), tags (C.9).
 */
static const struct range prohibited[] = {
	{ 0x0, 0x1f }, { 0x7f, 0x9f }, { 0x340, 0x341 }, { 0x6dd, 0x6dd },
	{ 0x70f, 0x70f }, { 0x180e, 0x180e }, { 0x200c, 0x200f },
	{ 0x2028, 0x202e }, { 0x2060, 0x2063 }, { 0x206a, 0x206f },
	{ 0x2ff0, 0x2ffb }, { 0xd800, 0xf8ff }, { 0xfdd0, 0xfdef },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xffff }, { 0x1d173, 0x1d17a },
	{ 0xe0001, 0xe0001 }, { 0xe0020, 0xe007f }, { 0xf0000, 0x10ffff },
};

static bool
is_in(ucs4_t c, const struct range *r, size_t n)
{
	size_t i;

	for (i = 0; i < n && c >= r[i].first; i++)
		if (c <= r[i].last)
			return true;
	return false;
}

#define IS_IN(c, table) is_in((c), (table), sizeof(table) / sizeof *(table))

static bool
is_prohibited(ucs4_t c)
{
	return IS_IN(c, prohibited) || (c & 0xfffe) == 0xfffe;
}

/* RFC 3454 6: with right-to-left text there is no left-to-right, and both
 * ends are right-to-left. */
static bool
is_bidi_ok(const uint32_t *p, size_t n)
{
	bool right = false, left = false, first = false, last = false;
	size_t i;
	int class;

	for (i = 0; i < n; i++) {
		class = uc_bidi_class(p[i]);
		last = class == UC_BIDI_R || class == UC_BIDI_AL;
		if (i == 0)
			first = last;
		right = right || last;
		left = left || class == UC_BIDI_L;
	}
	return !right || (!left && first && last);
}

static bool
is_plain_ascii(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

/* RFC 4013 2.1. Returns how many are left. */
static size_t
map_in_place(uint32_t *p, size_t n)
{
	size_t i, to = 0;

	for (i = 0; i < n; i++) {
		if (IS_IN(p[i], spaces))
			p[to++] = ' ';
		else if (!IS_IN(p[i], nothing))
			p[to++] = p[i];
	}
	return to;
}

static int
add_utf8(struct buf *out, const uint32_t *p, size_t n)
{
	size_t i, start = out->n;
	uint8_t c[6];
	int len;

	for (i = 0; i < n; i++) {
		len = is_prohibited(p[i]) ? -1 : u8_uctomb(c, p[i], sizeof c);
		if (len < 0)
			break;
		buf_add(out, c, (size_t)len);
	}
	explicit_bzero(c, sizeof c);
	if (i == n && buf_is_ok(out))
		return 0;
	buf_cut(out, start);
	return -1;
}

int
saslprep(struct slice in, struct buf *out)
{
	uint32_t wide[SASLPREP_MAX], room[2 * SASLPREP_MAX], *norm;
	size_t n = SASLPREP_MAX, len = 2 * SASLPREP_MAX;
	int rc = -1;

	if (in.n == 0 || in.n > SASLPREP_MAX)
		return -1;
	if (is_plain_ascii(in)) {
		buf_add_slice(out, in);
		return buf_is_ok(out) ? 0 : -1;
	}
	/* An octet is at most one code point, so it never allocates. */
	if (u8_to_u32((const uint8_t *)in.p, in.n, wide, &n) == NULL)
		return -1;
	n = map_in_place(wide, n);
	norm = n == 0 ? NULL :
	    u32_normalize(UNINORM_NFKC, wide, n, room, &len);
	if (norm != NULL && len > 0 && is_bidi_ok(norm, len))
		rc = add_utf8(out, norm, len);
	if (norm != NULL && norm != room) {
		explicit_bzero(norm, len * sizeof *norm);
		free(norm);
	}
	explicit_bzero(wide, sizeof wide);
	explicit_bzero(room, sizeof room);
	return rc;
}
