/* SPDX-License-Identifier: ISC */
/*
 * Dot transparency as two machines over blocks. What is dropped is dropped
 * when it is seen and never given out late, so a view always suffices and no
 * octet is remembered across blocks. No search goes over an octet more than
 * twice, or a hostile message of bare CRs would cost the square of its size.
 */
#include "proto/dot.h"

#include <string.h>

/* How far the encoder looks ahead in a message that has bare CR or LF. */
enum { ODD_WINDOW = 512 };

void
dot_decoder_init(struct dot_decoder *d, unsigned flags)
{
	*d = (struct dot_decoder){ .state = DOT_LINE_START, .flags = flags };
}

bool
dot_decoder_is_done(const struct dot_decoder *d)
{
	return d->state == DOT_END;
}

/*
 * From *i on, what stands for nothing: the dot that begins a line, or the
 * final line. Stops at the first octet that is text.
 */
static int
drop_dot(struct dot_decoder *d, struct slice in, size_t *i)
{
	for (; *i < in.n; ++*i) {
		if (d->state == DOT_LINE_START && in.p[*i] == '.') {
			d->state = DOT_FIRST;
		} else if (d->state == DOT_FIRST && in.p[*i] == '\r') {
			d->state = DOT_FIRST_CR;
		} else if (d->state == DOT_FIRST_CR && in.p[*i] == '\n') {
			d->state = DOT_END;
			++*i;
			return 0;
		} else {
			if (d->state == DOT_FIRST_CR && !d->is_refused)
				return -1;
			if (d->state == DOT_FIRST || d->state == DOT_FIRST_CR)
				d->state = DOT_TEXT;
			return 0;
		}
	}
	return 0;
}

/* From *i on, text: up to the end of the block or a line that begins with a
 * dot. In a refused message a bare CR or LF is a letter like any other. */
static int
take_text(struct dot_decoder *d, struct slice in, size_t *i,
    enum dot_error *error_r)
{
	const char *cr;
	size_t n;

	while (*i < in.n) {
		if (d->state == DOT_LINE_START && in.p[*i] == '.')
			return 0;
		if (d->state == DOT_TEXT_CR && in.p[*i] == '\n') {
			d->state = DOT_LINE_START;
			++*i;
			continue;
		}
		*error_r = DOT_BARE_CR;
		if (d->state == DOT_TEXT_CR && !d->is_refused)
			return -1;
		cr = memchr(in.p + *i, '\r', in.n - *i);
		n = cr == NULL ? in.n - *i : (size_t)(cr - in.p) - *i;
		*error_r = DOT_BARE_LF;
		if (!d->is_refused && memchr(in.p + *i, '\n', n) != NULL)
			return -1;
		d->state = cr == NULL ? DOT_TEXT : DOT_TEXT_CR;
		*i += cr == NULL ? n : n + 1;
	}
	return 0;
}

static bool
is_in_text(const struct dot_decoder *d)
{
	return d->state == DOT_LINE_START || d->state == DOT_TEXT ||
	    d->state == DOT_TEXT_CR;
}

ssize_t
dot_decode(struct dot_decoder *d, struct slice in, struct slice *out_r,
    enum dot_error *error_r)
{
	const enum dot_state was = d->state;
	enum dot_error error = DOT_BARE_CR;
	size_t from = 0, to;
	int rc;

	*out_r = SLICE_NONE;
	if (in.n == 0 || d->state == DOT_END)
		return 0;
	rc = drop_dot(d, in, &from);
	to = from;
	if (rc == 0 && is_in_text(d))
		rc = take_text(d, in, &to, &error);
	if (rc == 0 && !d->is_refused && (d->flags & DOT_REFUSE_NUL) != 0 &&
	    to > from && memchr(in.p + from, '\0', to - from) != NULL) {
		error = DOT_NUL;
		rc = -1;
	}
	if (rc < 0) {
		d->state = was;
		d->is_refused = true;
		*error_r = error;
		return -1;
	}
	if (!d->is_refused)
		*out_r = (struct slice){ in.p + from, to - from };
	return (ssize_t)to;
}

void
dot_encoder_init(struct dot_encoder *e)
{
	*e = (struct dot_encoder){ .state = DOT_LINE_START };
}

/*
 * Octets that can be sent as they are. Stops before a dot that begins a line
 * and before a bare CR or LF; a CR at the end of the block is consumed but not
 * sent (*out_n is one less), since what it is will be seen in the next.
 */
static size_t
plain_run(struct dot_encoder *e, struct slice in, size_t *out_n)
{
	struct slice rest, line;
	ptrdiff_t lf, cr;
	size_t i = 0;

	while (i < in.n && (e->state != DOT_LINE_START || in.p[i] != '.')) {
		rest = slice_from(in, i);
		lf = slice_chr(rest, '\n');
		line = lf < 0 ? rest : slice_head(rest, (size_t)lf);
		cr = slice_chr(line, '\r');
		if (cr >= 0 && (size_t)cr + 1 == line.n) {
			e->state = lf < 0 ? DOT_TEXT_CR : DOT_LINE_START;
			i += line.n + (lf < 0 ? 0 : 1);
			continue;
		}
		/* What is bare stays, for replace(). */
		i += cr < 0 ? line.n : (size_t)cr;
		e->state = DOT_TEXT;
		if (cr >= 0 || lf >= 0)
			break;
	}
	*out_n = e->state == DOT_TEXT_CR ? i - 1 : i;
	return i;
}

/* A bare CR or LF, at the front of `in` or held from the block before. */
static size_t
replace(struct dot_encoder *e, struct slice in, struct slice *out_r)
{
	e->is_odd = true;
	if (e->state != DOT_TEXT_CR && in.p[0] == '\n') {
		e->state = DOT_LINE_START;
		*out_r = SLICE("\r\n");
		return 1;
	}
	*out_r = SLICE(" ");
	in.n = e->state == DOT_TEXT_CR ? 0 : 1;
	e->state = DOT_TEXT;
	return in.n;
}

size_t
dot_encode(struct dot_encoder *e, struct slice in, struct slice *out_r)
{
	size_t n, out_n;

	*out_r = SLICE_NONE;
	if (in.n == 0)
		return 0;
	if (e->state == DOT_TEXT_CR && in.p[0] == '\n') {
		e->state = DOT_LINE_START;
		*out_r = SLICE("\r\n");
		return 1;
	}
	if (e->state == DOT_TEXT_CR)
		return replace(e, in, out_r);
	if (e->state == DOT_LINE_START && in.p[0] == '.') {
		e->state = DOT_TEXT;
		*out_r = SLICE("..");
		return 1;
	}
	if (e->is_odd)
		in = slice_head(in, ODD_WINDOW);
	n = plain_run(e, in, &out_n);
	if (n == 0)
		return replace(e, in, out_r);
	*out_r = slice_head(in, out_n);
	return n;
}

struct slice
dot_encode_end(struct dot_encoder *e)
{
	const bool at_start = e->state == DOT_LINE_START;

	e->state = DOT_END;
	return at_start ? SLICE(".\r\n") : SLICE("\r\n.\r\n");
}
