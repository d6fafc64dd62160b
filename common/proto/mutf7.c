/* SPDX-License-Identifier: ISC */
/* RFC 3501 5.1.3; the base 64 of RFC 4648 4 with `,` for `/`, unpadded, over
 * UTF-16. */
#include "proto/mutf7.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* Bits on their way from one grouping to another. */
struct bits {
	uint32_t value;
	unsigned n;
};

static bool
is_printable(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e;
}

static void
put_unit(struct buf *out, struct bits *b, uint32_t unit)
{
	b->value = b->value << 16 | unit;
	b->n += 16;
	while (b->n >= 6) {
		b->n -= 6;
		buf_add_char(out, alphabet[b->value >> b->n & 63]);
	}
	b->value &= (1U << b->n) - 1;
}

/* The code point at the front of valid UTF-8, taken off it. */
static uint32_t
take_utf8(struct slice *s)
{
	const unsigned char *p = (const unsigned char *)s->p;
	size_t i, n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t v = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));

	for (i = 1; i < n; i++)
		v = v << 6 | (p[i] & 0x3f);
	*s = slice_from(*s, n);
	return v;
}

/* A run of what is not printable ASCII, between & and -. */
static void
encode_run(struct buf *out, struct slice *s)
{
	struct bits b = { 0, 0 };
	uint32_t v;

	buf_add_char(out, '&');
	while (s->n > 0 && !is_printable((unsigned char)s->p[0])) {
		v = take_utf8(s);
		if (v > 0xffff) {
			put_unit(out, &b, 0xd800 + ((v - 0x10000) >> 10));
			put_unit(out, &b, 0xdc00 + ((v - 0x10000) & 0x3ff));
		} else {
			put_unit(out, &b, v);
		}
	}
	if (b.n > 0)
		buf_add_char(out, alphabet[b.value << (6 - b.n) & 63]);
	buf_add_char(out, '-');
}

int
mutf7_encode(struct buf *out, struct slice utf8)
{
	if (!utf8_is_valid(utf8))
		return -1;
	while (utf8.n > 0) {
		if (!is_printable((unsigned char)utf8.p[0])) {
			encode_run(out, &utf8);
			continue;
		}
		buf_add_char(out, utf8.p[0]);
		if (utf8.p[0] == '&')
			buf_add_char(out, '-');
		utf8 = slice_from(utf8, 1);
	}
	return buf_is_ok(out) ? 0 : -1;
}

static void
put_utf8(struct buf *out, uint32_t v)
{
	if (v < 0x80) {
		buf_add_char(out, (char)v);
		return;
	}
	if (v < 0x800) {
		buf_add_char(out, (char)(0xc0 | v >> 6));
	} else {
		if (v < 0x10000) {
			buf_add_char(out, (char)(0xe0 | v >> 12));
		} else {
			buf_add_char(out, (char)(0xf0 | v >> 18));
			buf_add_char(out, (char)(0x80 | (v >> 12 & 0x3f)));
		}
		buf_add_char(out, (char)(0x80 | (v >> 6 & 0x3f)));
	}
	buf_add_char(out, (char)(0x80 | (v & 0x3f)));
}

/* One UTF-16 unit; *high holds a high surrogate that waits for its low one. */
static int
decode_unit(struct buf *out, uint32_t unit, uint32_t *high)
{
	bool is_low = unit >= 0xdc00 && unit <= 0xdfff;

	if ((*high != 0) != is_low)
		return -1;
	if (is_low) {
		put_utf8(out, 0x10000 + ((*high - 0xd800) << 10) +
		    (unit - 0xdc00));
		*high = 0;
	} else if (unit >= 0xd800 && unit <= 0xdbff) {
		*high = unit;
	} else if (unit <= 0x7e && is_printable((unsigned char)unit)) {
		return -1;
	} else {
		put_utf8(out, unit);
	}
	return 0;
}

/* Base 64 between & and -, both not in `run`. */
static int
decode_run(struct buf *out, struct slice run)
{
	struct bits b = { 0, 0 };
	const char *at;
	uint32_t high = 0;
	size_t i;

	for (i = 0; i < run.n; i++) {
		at = run.p[i] == 0 ? NULL : strchr(alphabet, run.p[i]);
		if (at == NULL)
			return -1;
		b.value = b.value << 6 | (uint32_t)(at - alphabet);
		b.n += 6;
		if (b.n < 16)
			continue;
		b.n -= 16;
		if (decode_unit(out, b.value >> b.n, &high) < 0)
			return -1;
		b.value &= (1U << b.n) - 1;
	}
	return b.n >= 6 || b.value != 0 || high != 0 ? -1 : 0;
}

int
mutf7_decode(struct buf *out, struct slice in)
{
	bool after_run = false;
	ptrdiff_t end;

	while (in.n > 0) {
		if (!is_printable((unsigned char)in.p[0]))
			return -1;
		if (in.p[0] != '&') {
			buf_add_char(out, in.p[0]);
			in = slice_from(in, 1);
			after_run = false;
			continue;
		}
		end = slice_chr(in, '-');
		if (end < 0 || (end > 1 && after_run))
			return -1;
		if (end == 1)
			buf_add_char(out, '&');
		else if (decode_run(out, slice_from(slice_head(in,
		    (size_t)end), 1)) < 0)
			return -1;
		after_run = end > 1;
		in = slice_from(in, (size_t)end + 1);
	}
	return buf_is_ok(out) ? 0 : -1;
}
