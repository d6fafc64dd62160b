/* SPDX-License-Identifier: ISC */
/*
 * Quoted-printable. What an octet becomes may depend on the next (a blank
 * before a line end), so each direction holds back as little as it must.
 */
#include "proto/qp.h"

#include "base/num.h"

enum { LINE_MAX_QP = 76 };

void
qp_encoder_init(struct qp_encoder *e, bool is_binary)
{
	*e = (struct qp_encoder){ .is_binary = is_binary };
}

/* Writes `n` octets of one character, behind a soft break if they would touch
 * the place of its '='. */
static void
put(struct qp_encoder *e, struct buf *out, const char *p, size_t n)
{
	if (e->column + n > LINE_MAX_QP - 1) {
		buf_add_str(out, "=\r\n");
		e->column = 0;
	}
	buf_add(out, p, n);
	e->column += n;
}

static void
put_hex(struct qp_encoder *e, struct buf *out, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char coded[3] = { '=', digits[(unsigned char)c >> 4],
		digits[(unsigned char)c & 15] };

	put(e, out, coded, sizeof coded);
}

/* A blank held back is written plainly only when something follows it. */
static void
flush_blank(struct qp_encoder *e, struct buf *out, bool is_plain)
{
	const char blank = e->blank;

	if (blank == 0)
		return;
	e->blank = 0;
	if (is_plain)
		put(e, out, &blank, 1);
	else
		put_hex(e, out, blank);
}

static void
encode_octet(struct qp_encoder *e, struct buf *out, char c)
{
	if (e->is_after_cr) {
		e->is_after_cr = false;
		if (c == '\n') {
			flush_blank(e, out, false);
			buf_add_str(out, "\r\n");
			e->column = 0;
			return;
		}
		flush_blank(e, out, true);
		put_hex(e, out, '\r');
	}
	if (c == '\r' && !e->is_binary) {
		e->is_after_cr = true;
		return;
	}
	flush_blank(e, out, true);
	if (c == ' ' || c == '\t')
		e->blank = c;
	else if (c > ' ' && c <= '~' && c != '=' &&
	    ((c != '.' && c != '-') ||
		(e->column > 0 && e->column < LINE_MAX_QP - 1)))
		put(e, out, &c, 1);
	else /* as is a dot that begins a line: RFC 2049 3 (8); and a dash, as
	      * soft breaks must not bring forth a boundary */
		put_hex(e, out, c);
}

void
qp_encode(struct qp_encoder *e, struct slice in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.n; i++)
		encode_octet(e, out, in.p[i]);
}

void
qp_encode_end(struct qp_encoder *e, struct buf *out)
{
	const bool cr = e->is_after_cr;

	e->is_after_cr = false;
	flush_blank(e, out, cr);
	if (cr)
		put_hex(e, out, '\r');
}

void
qp_decoder_init(struct qp_decoder *d)
{
	*d = (struct qp_decoder){ .state = QP_TEXT };
}

static void
flush_held(struct qp_decoder *d, struct buf *out)
{
	buf_add(out, d->held, d->n_held);
	d->n_held = 0;
}

/* A CR counts as held only behind, or as, what a LF would show to be the end
 * of a line; more blanks than a line may have are text. */
static void
hold(struct qp_decoder *d, struct buf *out, char c)
{
	if (d->n_held == sizeof d->held ||
	    (d->n_held > 0 && d->held[d->n_held - 1] == '\r'))
		flush_held(d, out);
	d->held[d->n_held++] = c;
}

static void
decode_text(struct qp_decoder *d, struct buf *out, char c)
{
	bool crlf;

	switch (c) {
	case ' ':
	case '\t':
	case '\r':
		hold(d, out, c);
		return;
	case '\n':
		crlf = d->n_held > 0 && d->held[d->n_held - 1] == '\r';
		d->n_held = 0;
		buf_add_str(out, crlf ? "\r\n" : "\n");
		return;
	case '=':
		flush_held(d, out);
		d->state = QP_EQUALS;
		return;
	default:
		flush_held(d, out);
		buf_add_char(out, c);
	}
}

static bool
is_hex(char c)
{
	return ascii_is_digit(c) || (ascii_lower(c) >= 'a' &&
					ascii_lower(c) <= 'f');
}

static void
decode_hex(struct qp_decoder *d, struct buf *out, char c)
{
	const char pair[2] = { d->hex, c };
	uint64_t v;

	d->state = QP_TEXT;
	if (num_parse_hex((struct slice){ pair, 2 }, &v) == 0) {
		buf_add_char(out, (char)v);
		return;
	}
	buf_add_char(out, '=');
	buf_add_char(out, d->hex);
	decode_text(d, out, c);
}

/* Behind '=' and perhaps blanks, which some gateway padded the line with. */
static void
decode_soft(struct qp_decoder *d, struct buf *out, char c)
{
	if (c == '\n') {
		d->n_held = 0;
		d->state = QP_TEXT;
	} else if (c == ' ' || c == '\t' || c == '\r') {
		if (d->n_held < sizeof d->held)
			d->held[d->n_held++] = c;
		d->state = QP_SOFT_BLANK;
	} else {
		buf_add_char(out, '=');
		flush_held(d, out);
		d->state = QP_TEXT;
		decode_text(d, out, c);
	}
}

void
qp_decode(struct qp_decoder *d, struct slice in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.n; i++)
		switch (d->state) {
		case QP_TEXT:
			decode_text(d, out, in.p[i]);
			break;
		case QP_HEX:
			decode_hex(d, out, in.p[i]);
			break;
		case QP_EQUALS:
			if (is_hex(in.p[i])) {
				d->hex = in.p[i];
				d->state = QP_HEX;
				break;
			}
			decode_soft(d, out, in.p[i]);
			break;
		case QP_SOFT_BLANK:
			decode_soft(d, out, in.p[i]);
			break;
		}
}

void
qp_decode_end(struct qp_decoder *d, struct buf *out)
{
	if (d->state == QP_HEX) {
		buf_add_char(out, '=');
		buf_add_char(out, d->hex);
	}
	/* A '=' at the very end is a soft break that lost its line end; blanks
	 * there are padding as before any line end, a CR alone is text. */
	if (d->state == QP_TEXT && d->n_held > 0 &&
	    d->held[d->n_held - 1] == '\r')
		flush_held(d, out);
	qp_decoder_init(d);
}
