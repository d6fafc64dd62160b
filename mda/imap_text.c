/* SPDX-License-Identifier: ISC */
/*
 * Simple case folding for Latin, Greek and Cyrillic letters, one code point for
 * one: what people search for by far most. RFC 9051 6.4.4 leaves the rules to
 * the server; RFC 5051 is more than a search box needs.
 */
#include "mda/imap_text.h"

#include <string.h>

#include "base/utf8.h"
#include "proto/encoded_word.h"

enum { WINDOW_MAX = 16 << 20 };

static bool
is_latin(struct slice charset)
{
	return slice_ieq_str(charset, "ISO-8859-1") ||
	    slice_ieq_str(charset, "ISO8859-1") ||
	    slice_ieq_str(charset, "LATIN1") ||
	    slice_ieq_str(charset, "WINDOWS-1252") ||
	    slice_ieq_str(charset, "ISO-8859-15");
}

static bool
is_utf8(struct slice charset)
{
	return charset.n == 0 || slice_ieq_str(charset, "UTF-8") ||
	    slice_ieq_str(charset, "US-ASCII") ||
	    slice_ieq_str(charset, "ASCII") || slice_ieq_str(charset, "UTF8");
}

bool
imap_text_is_charset(struct slice charset)
{
	return is_utf8(charset) || is_latin(charset);
}

static uint32_t
fold(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if (c < 0x100)
		return c >= 0xc0 && c <= 0xde && c != 0xd7 ? c + 32 : c;
	/* Latin Extended-A: pairs, the capital even, but for two runs. */
	if (c < 0x138 && c != 0x130 && c != 0x131)
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	if (c == 0x178)
		return 0xff;
	if (c >= 0x14a && c <= 0x177)
		return c | 1;
	if (c >= 0x391 && c <= 0x3a9)
		return c + 32;
	if (c == 0x3c2)
		return 0x3c3; /* the sigma at a word's end */
	if (c >= 0x410 && c <= 0x42f)
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if ((c >= 0x460 && c <= 0x481) || (c >= 0x48a && c <= 0x4bf) ||
	    (c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff))
		return c | 1;
	return c;
}

/* Plain ASCII goes through without looking at characters. */
static size_t
fold_ascii(struct buf *out, struct slice in)
{
	size_t i, k;
	char *p;

	for (i = 0; i < in.n && (unsigned char)in.p[i] < 0x80; i++)
		continue;
	if (i == 0)
		return 0;
	p = buf_room(out, i);
	if (p == NULL)
		return i;
	for (k = 0; k < i; k++)
		p[k] = ascii_lower(in.p[k]);
	buf_grew(out, i);
	return i;
}

static void
fold_latin(struct buf *out, struct slice in)
{
	size_t n;

	while (in.n > 0) {
		n = fold_ascii(out, in);
		if (n == 0) {
			utf8_add(out, fold((unsigned char)in.p[0]));
			n = 1;
		}
		in = slice_from(in, n);
	}
}

/* Is it the beginning of a character, and no more? */
static bool
is_cut(struct slice s)
{
	unsigned char lead = s.n > 0 ? (unsigned char)s.p[0] : 0;
	size_t i, n = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	if (lead < 0xc2 || lead > 0xf4 || s.n >= n)
		return false;
	for (i = 1; i < s.n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/* What is no UTF-8 stays as it is. With `cut` an unfinished character at the
 * end is put there instead. */
static void
fold_utf8(struct buf *out, struct slice in, struct buf *cut)
{
	uint32_t cp;
	size_t n;

	while (in.n > 0) {
		n = fold_ascii(out, in);
		if (n > 0) {
			in = slice_from(in, n);
			continue;
		}
		n = utf8_next(in, &cp);
		if (n > 0) {
			utf8_add(out, fold(cp));
		} else if (cut != NULL && is_cut(in)) {
			buf_add_slice(cut, in);
			return;
		} else {
			buf_add_char(out, in.p[0]);
			n = 1;
		}
		in = slice_from(in, n);
	}
}

void
imap_text_fold(struct buf *out, struct slice charset, struct slice in)
{
	if (is_latin(charset))
		fold_latin(out, in);
	else
		fold_utf8(out, in, NULL);
}

void
imap_text_decode(struct buf *out, struct slice charset, struct slice in)
{
	bool latin = is_latin(charset), known = is_utf8(charset);
	uint32_t cp;
	size_t n;

	while (in.n > 0) {
		n = 1;
		if ((unsigned char)in.p[0] < 0x80)
			buf_add_char(out, in.p[0]);
		else if (latin)
			utf8_add(out, (unsigned char)in.p[0]);
		else if (known && (n = utf8_next(in, &cp)) > 0)
			utf8_add(out, cp);
		in = slice_from(in, n > 0 ? n : 1);
	}
}

static int
convert(void *arg, struct slice charset, struct slice in, struct buf *out)
{
	(void)arg;
	if (!imap_text_is_charset(charset) ||
	    (!is_latin(charset) && !utf8_is_valid(in)))
		return -1;
	imap_text_fold(out, charset, in);
	return 0;
}

void
imap_text_field(struct buf *out, struct slice value)
{
	struct buf bytes, text;

	buf_init(&bytes, value.n + 16);
	buf_init(&text, 4 * value.n + 64);
	encoded_word_decode(&text, value, &bytes, convert, NULL);
	fold_utf8(out, buf_slice(&text), NULL);
	buf_fini(&text);
	buf_fini(&bytes);
}

/* ---- in pieces ---- */

void
imap_finder_init(struct imap_finder *f, const struct imap_wanted *w, size_t n)
{
	size_t i;

	*f = (struct imap_finder){ .longest = 1 };
	buf_init(&f->window, WINDOW_MAX);
	buf_init(&f->cut, 64);
	for (i = 0; i < n; i++)
		if (w[i].text.n > f->longest)
			f->longest = w[i].text.n;
}

void
imap_finder_fini(struct imap_finder *f)
{
	buf_fini(&f->window);
	buf_fini(&f->cut);
}

void
imap_finder_begin(struct imap_finder *f, struct slice charset)
{
	buf_reset(&f->window);
	buf_reset(&f->cut);
	f->is_latin = is_latin(charset);
}

static void
add(struct imap_finder *f, struct slice in)
{
	if (f->is_latin) {
		fold_latin(&f->window, in);
		return;
	}
	/* First what ends the character that was cut. */
	while (in.n > 0 && is_cut(buf_slice(&f->cut))) {
		buf_add_char(&f->cut, in.p[0]);
		in = slice_from(in, 1);
	}
	if (!is_cut(buf_slice(&f->cut))) {
		fold_utf8(&f->window, buf_slice(&f->cut), NULL);
		buf_reset(&f->cut);
	}
	if (in.n > 0)
		fold_utf8(&f->window, in, &f->cut);
}

bool
imap_finder_feed(struct imap_finder *f, struct slice in,
    struct imap_wanted *w, size_t n)
{
	bool all = true;
	size_t i;

	add(f, in);
	for (i = 0; i < n; i++) {
		if (!w[i].is_found && memmem(f->window.p, f->window.n,
		    w[i].text.p, w[i].text.n) != NULL)
			w[i].is_found = true;
		all = all && w[i].is_found;
	}
	if (f->window.n >= f->longest)
		buf_drop(&f->window, f->window.n - f->longest + 1);
	return all;
}
