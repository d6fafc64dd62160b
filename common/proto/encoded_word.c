/* SPDX-License-Identifier: ISC */
/*
 * Encoded words. Adjacent words of one character set are joined before they are
 * converted, because mailers split multibyte characters between them, which RFC
 * 2047 5 forbids. Blanks between adjacent words are no text (6.2).
 */
#include "proto/encoded_word.h"

#include "base/utf8.h"

struct word {
	struct slice charset;
	char encoding; /* b or q */
	struct slice text;
	size_t n; /* length of all of it */
};

struct decoder {
	struct buf *out, *bytes;
	encoded_word_convert *convert;
	void *arg;
	/* Words decoded into `bytes` and not yet converted. */
	struct slice charset;
	const char *start, *end; /* as they were written; NULL: none */
};

static void
add_text(struct decoder *d, struct slice s)
{
	size_t n = d->out->n, i;

	if (utf8_has_8bit(s)) {
		if (d->convert(d->arg, SLICE_NONE, s, d->out) == 0)
			return;
		buf_cut(d->out, n);
	}
	for (i = 0; i < s.n; i++)
		if (s.p[i] != '\r' && s.p[i] != '\n')
			buf_add_char(d->out, s.p[i]);
}

/* Converts the words that wait. */
static void
flush(struct decoder *d)
{
	size_t n = d->out->n;

	if (d->start == NULL)
		return;
	if (d->convert(d->arg, d->charset, buf_slice(d->bytes), d->out) < 0) {
		buf_cut(d->out, n);
		add_text(
		    d, (struct slice){ d->start, (size_t)(d->end - d->start) });
	}
	d->start = NULL;
	if (!buf_is_ok(d->bytes) && buf_is_ok(d->out))
		d->out->err = d->bytes->err;
	buf_reset(d->bytes);
}

/* The length of the encoded text at the front, up to "?="; -1: no end. */
static ptrdiff_t
text_length(struct slice in)
{
	size_t i;

	for (i = 0; i + 1 < in.n; i++) {
		if (in.p[i] == '?' && in.p[i + 1] == '=')
			return (ptrdiff_t)i;
		if (in.p[i] == '=' && in.p[i + 1] == '?' &&
		    (i + 2 == in.n || in.p[i + 2] != '='))
			return -1; /* the next word begins */
	}
	return -1;
}

/* RFC 2047 2: "=?" charset ["*" language] "?" encoding "?" text "?=" */
static bool
take_word(struct slice in, struct word *w_r)
{
	struct slice rest = slice_from(in, 2);
	ptrdiff_t star, n;
	size_t i = 0;

	while (i < rest.n && rest.p[i] > ' ' && rest.p[i] != '?' &&
	    rest.p[i] != '=')
		i++;
	if (i == 0 || rest.n < i + 3 || rest.p[i] != '?' ||
	    rest.p[i + 2] != '?')
		return false;
	w_r->charset = slice_head(rest, i);
	star = slice_chr(w_r->charset, '*');
	if (star >= 0)
		w_r->charset = slice_head(w_r->charset, (size_t)star);
	w_r->encoding = ascii_lower(rest.p[i + 1]);
	rest = slice_from(rest, i + 3);
	n = text_length(rest);
	if (n < 0 || (w_r->encoding != 'b' && w_r->encoding != 'q'))
		return false;
	w_r->text = slice_head(rest, (size_t)n);
	w_r->n = 2 + i + 3 + (size_t)n + 2;
	return true;
}

static int
hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 2047 4.2. */
static void
decode_q(struct buf *out, struct slice in)
{
	int hi, lo;
	size_t i;

	for (i = 0; i < in.n; i++) {
		hi = lo = -1;
		if (in.p[i] == '=' && i + 2 < in.n) {
			hi = hex_value(in.p[i + 1]);
			lo = hex_value(in.p[i + 2]);
		}
		if (hi >= 0 && lo >= 0) {
			buf_add_char(out, (char)(hi << 4 | lo));
			i += 2;
		} else if (in.p[i] != '\r' && in.p[i] != '\n') {
			buf_add_char(out, in.p[i] == '_' ? ' ' : in.p[i]);
		}
	}
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 2047 4.1; padding may be missing, other characters are passed over. */
static void
decode_b(struct buf *out, struct slice in)
{
	unsigned bits = 0, n_bits = 0;
	size_t i;
	int v;

	for (i = 0; i < in.n; i++) {
		v = base64_value(in.p[i]);
		if (in.p[i] == '=')
			n_bits = 0;
		if (v < 0)
			continue;
		bits = (bits << 6 | (unsigned)v) & 0xffff;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			buf_add_char(out, (char)(bits >> n_bits));
		}
	}
}

static bool
is_blank(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r' &&
		    s.p[i] != '\n')
			return false;
	return true;
}

static void
add_word(struct decoder *d, const struct word *w, const char *at)
{
	if (d->start != NULL && !slice_ieq(d->charset, w->charset))
		flush(d);
	if (d->start == NULL) {
		d->start = at;
		d->charset = w->charset;
	}
	d->end = at + w->n;
	if (w->encoding == 'q')
		decode_q(d->bytes, w->text);
	else
		decode_b(d->bytes, w->text);
}

void
encoded_word_decode(struct buf *out, struct slice in, struct buf *bytes,
    encoded_word_convert *convert, void *arg)
{
	struct decoder d = {
		.out = out, .bytes = bytes, .convert = convert, .arg = arg
	};
	struct slice text;
	struct word w;
	size_t at = 0;
	ptrdiff_t n;

	buf_reset(bytes);
	while (in.n > 0) {
		n = slice_find(slice_from(in, at), SLICE("=?"));
		at = n < 0 ? in.n : at + (size_t)n;
		if (n >= 0 && !take_word(slice_from(in, at), &w)) {
			at += 2;
			continue;
		}
		text = slice_head(in, at);
		if (n < 0 || d.start == NULL || !is_blank(text)) {
			flush(&d);
			add_text(&d, text);
		}
		if (n >= 0) {
			add_word(&d, &w, in.p + at);
			at += w.n;
		}
		in = slice_from(in, at);
		at = 0;
	}
	flush(&d);
}
