/* SPDX-License-Identifier: ISC */
/*
 * RFC 9051 2.2.1, 4.3; 7888; 3502 for several messages. Relies on the caller
 * showing the same bytes again, only more of them. A refused command is dropped
 * up to its true end, because what looks like the next command might be the
 * inside of a literal.
 */
#include "proto/imap_frame.h"

#include <string.h>

#include "base/num.h"

enum {
	/* More digits than this, zeros before them, announce nothing… */
	DIGITS = 32,
	/* …so that `~{` digits `+}` CR LF fits what is kept while skipping. */
	TAIL = 64
};

static const char *const texts[] = {
#define E(name, text) [IMAP_FRAME_##name] = text,
	IMAP_FRAME_ERRORS(E)
#undef E
};

struct tail {
	size_t start; /* where the announcement begins in the line */
	uint64_t n;
	bool is_sync, is_huge;
};

void
imap_frame_init(struct imap_frame *f, const struct imap_frame_limits *limits)
{
	*f = (struct imap_frame){ .limits = *limits };
}

void
imap_frame_set_limits(struct imap_frame *f,
    const struct imap_frame_limits *limits)
{
	f->limits = *limits;
}

static void
begin(struct imap_frame *f)
{
	imap_frame_init(f, &f->limits);
}

static void
refuse(struct imap_frame *f, uint64_t skip, bool line_follows)
{
	begin(f);
	f->state = IMAP_FRAME_REFUSE;
	f->skip = skip;
	f->line_follows = line_follows;
}

/* Does the line (without CRLF) end in `{n}`, `{n+}` or `~{n}`? */
static bool
has_literal(struct slice line, struct tail *t_r)
{
	struct slice digits;
	ptrdiff_t open;
	size_t i;

	if (line.n == 0 || line.p[line.n - 1] != '}')
		return false;
	open = slice_rchr(line, '{');
	if (open < 0)
		return false;
	digits = slice_head(slice_from(line, (size_t)open + 1),
	    line.n - (size_t)open - 2);
	t_r->is_sync = digits.n == 0 || digits.p[digits.n - 1] != '+';
	if (!t_r->is_sync)
		digits.n--;
	for (i = 0; i < digits.n; i++)
		if (!ascii_is_digit(digits.p[i]))
			return false;
	if (digits.n == 0 || digits.n > DIGITS)
		return false;
	t_r->is_huge = num_parse(digits, 0, INT64_MAX, &t_r->n) < 0;
	t_r->start = (size_t)open;
	if (open > 0 && line.p[open - 1] == '~')
		t_r->start--;
	return true;
}

/*
 * A literal behind this text is APPEND's message, unless it is the mailbox:
 * flags and date cannot be literals.
 */
static bool
is_append(struct slice text)
{
	struct slice tag, verb;

	return slice_split(&text, ' ', &tag) && tag.n > 0 &&
	    slice_split(&text, ' ', &verb) && slice_ieq_str(verb, "APPEND") &&
	    text.n > 0;
}

static enum imap_frame_what
fail(struct imap_frame *f, enum imap_frame_error error, uint64_t skip,
    bool line_follows, struct imap_frame_event *e)
{
	refuse(f, skip, line_follows);
	f->error = e->error = error;
	e->text = slice_head(e->text, f->limits.command);
	e->skip = skip;
	return IMAP_FRAME_ERROR;
}

static enum imap_frame_what
fail_fatally(struct imap_frame *f, enum imap_frame_error error,
    struct imap_frame_event *e)
{
	f->state = IMAP_FRAME_DEAD;
	f->error = e->error = error;
	e->is_fatal = true;
	return IMAP_FRAME_ERROR;
}

/* A literal that is too big; `next` is where it begins. */
static enum imap_frame_what
too_big(struct imap_frame *f, const struct tail *t, size_t next,
    struct imap_frame_event *e)
{
	if (t->is_sync)
		return fail(f, IMAP_FRAME_LITERAL_BIG, next, false, e);
	if (t->is_huge || t->n > f->limits.skip)
		return fail_fatally(f, IMAP_FRAME_NONSYNC_BIG, e);
	return fail(f, IMAP_FRAME_NONSYNC_BIG, next + t->n, true, e);
}

static enum imap_frame_what
announce(struct imap_frame *f, struct slice in, const struct tail *t,
    size_t next, struct imap_frame_event *e)
{
	bool is_message = f->in_append;
	struct slice text;
	uint64_t max;

	text = slice_head(in, f->line + t->start);
	is_message = is_message || is_append(text);
	max = is_message ? f->limits.message : f->limits.literal;
	e->text = text;
	if (t->is_huge || t->n > max ||
	    (!t->is_sync && t->n > f->limits.nonsync) ||
	    (!is_message && next + t->n > f->limits.command))
		return too_big(f, t, next, e);
	*e = (struct imap_frame_event){ .text = slice_head(in, next - 2),
		.n = t->n, .is_sync = t->is_sync };
	f->is_sync = t->is_sync;
	f->literal = t->n;
	if (is_message) {
		f->in_append = true;
		f->line = f->searched = 0;
		e->consumed = next;
		return IMAP_FRAME_MESSAGE;
	}
	f->line = f->searched = next + (size_t)t->n;
	return t->is_sync ? IMAP_FRAME_CONTINUE : IMAP_FRAME_MORE;
}

static enum imap_frame_what
end_line(struct imap_frame *f, struct slice in, size_t lf,
    struct imap_frame_event *e)
{
	struct slice line = slice_from(slice_head(in, lf), f->line);
	struct tail t;

	e->text = slice_head(in, lf);
	if (line.n + 1 > f->limits.line || lf >= f->limits.command)
		return fail(f, IMAP_FRAME_TOO_LONG, f->line, true, e);
	if (line.n == 0 || line.p[line.n - 1] != '\r')
		return fail(f, IMAP_FRAME_BARE_LF, f->line, true, e);
	line.n--;
	e->text.n--;
	if (slice_has(line, '\r'))
		return fail(f, IMAP_FRAME_BARE_CR, f->line, true, e);
	if (has_literal(line, &t))
		return announce(f, in, &t, lf + 1, e);
	e->consumed = lf + 1;
	begin(f);
	return IMAP_FRAME_COMMAND;
}

/* The next LF from where the search left off, or NULL. */
static const char *
find_lf(struct imap_frame *f, struct slice in)
{
	const char *lf = NULL;

	if (in.n > f->searched) {
		lf = memchr(in.p + f->searched, '\n', in.n - f->searched);
		f->searched = in.n;
	}
	return lf;
}

static enum imap_frame_what
gather(struct imap_frame *f, struct slice in, struct imap_frame_event *e)
{
	enum imap_frame_what what = IMAP_FRAME_MORE;
	const char *lf;

	while (what == IMAP_FRAME_MORE) {
		lf = find_lf(f, in);
		if (lf == NULL)
			break;
		what = end_line(f, in, (size_t)(lf - in.p), e);
	}
	if (what != IMAP_FRAME_MORE || in.n < f->line)
		return what;
	if (in.n - f->line < f->limits.line && in.n < f->limits.command)
		return what;
	e->text = in;
	return fail(f, IMAP_FRAME_TOO_LONG, f->line, true, e);
}

static enum imap_frame_what
drop(struct imap_frame *f, size_t n, struct imap_frame_event *e)
{
	e->consumed = n;
	f->searched = 0;
	return n > 0 ? IMAP_FRAME_SKIP : IMAP_FRAME_MORE;
}

/* The end of a line of a refused command; a bare LF ends it as well. */
static enum imap_frame_what
refused_line(struct imap_frame *f, struct slice in, size_t lf,
    struct imap_frame_event *e)
{
	struct slice line = slice_head(in, lf);
	struct tail t;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (!has_literal(line, &t) || t.is_sync) {
		begin(f);
		return drop(f, lf + 1, e);
	}
	if (t.is_huge || t.n > f->limits.skip)
		return fail_fatally(f, IMAP_FRAME_NONSYNC_BIG, e);
	f->skip = t.n;
	return drop(f, lf + 1, e);
}

static enum imap_frame_what
skip_on(struct imap_frame *f, struct slice in, struct imap_frame_event *e)
{
	const char *lf;
	size_t n;

	if (f->skip > 0) {
		n = f->skip < in.n ? (size_t)f->skip : in.n;
		f->skip -= n;
		if (f->skip == 0 && !f->line_follows)
			begin(f);
		return drop(f, n, e);
	}
	lf = find_lf(f, in);
	if (lf != NULL)
		return refused_line(f, in, (size_t)(lf - in.p), e);
	return in.n > TAIL ? drop(f, in.n - TAIL, e) : IMAP_FRAME_MORE;
}

enum imap_frame_what
imap_frame_next(struct imap_frame *f, struct slice in,
    struct imap_frame_event *e_r)
{
	*e_r = (struct imap_frame_event){ 0 };
	switch (f->state) {
	case IMAP_FRAME_GATHER:
		return gather(f, in, e_r);
	case IMAP_FRAME_REFUSE:
		return skip_on(f, in, e_r);
	case IMAP_FRAME_DEAD:
		break;
	}
	return fail_fatally(f, f->error, e_r);
}

void
imap_frame_refuse(struct imap_frame *f)
{
	if (!f->in_append)
		refuse(f, f->line - f->literal, false);
	else if (f->is_sync)
		begin(f);
	else
		refuse(f, f->literal, true);
}

const char *
imap_frame_error_text(enum imap_frame_error e)
{
	if ((size_t)e >= sizeof texts / sizeof *texts)
		return "The command is not well formed.";
	return texts[e];
}
