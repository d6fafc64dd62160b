/* SPDX-License-Identifier: ISC */
/*
 * Address lists. Each element is looked at twice: first for what ends its first
 * stretch ('<', ':', ',' or ';'), which tells its form, then for its parts.
 * Texts are gathered in the caller's buffer and become slices only at the end,
 * since the buffer may move as it grows. RFC 5322 3.4, 4.4.
 */
#include "proto/rfc822_addr.h"

#include <stdint.h>
#include <string.h>

enum { NONE = 0, NOWHERE = -1 };

/* A stretch of tokens put together in the buffer, and where its parts lie. */
struct stretch {
	size_t start, end;
	size_t run;	/* start of the last run without white space */
	unsigned runs;	/* how many there are */
	ptrdiff_t at;	/* the '@' of the first run that has one, or NOWHERE */
	size_t at_run;	/* start of the run it stands in */
	size_t at_end;	/* end of that run */
	bool is_glued;	/* the next token belongs to the last run */
	bool is_phrase; /* keep the white space around dots: "J. Doe" */
};

struct span {
	size_t start, end;
	bool is_there;
};

void
rfc822_addrs_init(struct rfc822_addrs *l, struct slice in, struct buf *text)
{
	*l = (struct rfc822_addrs){ .text = text };
	rfc822_scan_init(&l->scan, in);
}

static bool
is_one_of(const struct rfc822_token *t, const char *specials)
{
	return t->type == RFC822_SPECIAL &&
	    strchr(specials, t->text.p[0]) != NULL;
}

/* What ends the stretch at `s`: one of `ends`, or NONE for the end of input. */
static char
find_end(struct rfc822_scan s, const char *ends)
{
	struct rfc822_token t;

	while (rfc822_next(&s, &t) != RFC822_END)
		if (is_one_of(&t, ends))
			return t.text.p[0];
	return NONE;
}

static void
stretch_add(struct stretch *x, struct buf *b, const struct rfc822_token *t)
{
	bool is_joint = !x->is_phrase && is_one_of(t, ".@");

	if (t->is_spaced && b->n > x->start && !x->is_glued && !is_joint) {
		if (x->at >= 0 && x->at_end == SIZE_MAX)
			x->at_end = b->n;
		buf_add_char(b, ' ');
		x->run = b->n;
		x->runs++;
	}
	if (!x->is_phrase && rfc822_is(t, '@') && x->at_end == SIZE_MAX) {
		x->at = (ptrdiff_t)b->n;
		x->at_run = x->run;
	}
	x->is_glued = is_joint;
	rfc822_add(b, t);
}

/* Goes back to `before`, keeping what was learned since. */
static void
step_back(struct rfc822_scan *s, struct slice before)
{
	s->in = before;
}

/* Puts together what comes before one of `ends` or the end; takes neither. */
static struct stretch
gather(struct rfc822_addrs *l, const char *ends, bool is_phrase)
{
	struct stretch x = { .start = l->text->n,
		.run = l->text->n,
		.at = NOWHERE,
		.at_end = SIZE_MAX,
		.is_phrase = is_phrase };
	struct slice before = l->scan.in;
	struct rfc822_token t;

	while (
	    rfc822_next(&l->scan, &t) != RFC822_END && !is_one_of(&t, ends)) {
		if (x.runs == 0)
			x.runs = 1;
		stretch_add(&x, l->text, &t);
		before = l->scan.in;
	}
	step_back(&l->scan, before);
	x.end = l->text->n;
	if (x.at >= 0 && x.at_end == SIZE_MAX)
		x.at_end = x.end;
	return x;
}

static struct slice
span_slice(const struct buf *b, struct span s)
{
	if (!s.is_there)
		return SLICE_NONE;
	return (struct slice){ b->p + s.start, s.end - s.start };
}

/* A display name: absent when empty. */
static struct span
name_span(size_t start, size_t end)
{
	return (struct span){ start, end, end > start };
}

/* The name from the comment, for those that have no other. */
static struct span
comment_span(struct rfc822_addrs *l)
{
	size_t start = l->text->n;

	rfc822_unescape(l->text, slice_trim(l->scan.comment));
	return name_span(start, l->text->n);
}

/* Takes "@a,@b:" off the front when it is there (obs-route). */
static struct span
take_route(struct rfc822_addrs *l)
{
	struct span route = { .start = l->text->n };
	struct rfc822_scan s = l->scan;
	struct rfc822_token t;

	if (rfc822_next(&s, &t) == RFC822_END || !is_one_of(&t, "@,") ||
	    find_end(l->scan, ":<>;") != ':')
		return route;
	for (; !rfc822_is(&t, ':'); (void)rfc822_next(&s, &t))
		rfc822_add(l->text, &t);
	l->scan = s;
	route.end = l->text->n;
	route.is_there = route.end > route.start;
	return route;
}

/* Skips junk up to the comma or semicolon; takes the comma. */
static void
finish_element(struct rfc822_addrs *l)
{
	struct slice before = l->scan.in;
	struct rfc822_token t;

	while (rfc822_next(&l->scan, &t) != RFC822_END) {
		if (rfc822_is(&t, ','))
			return;
		if (rfc822_is(&t, ';')) {
			step_back(&l->scan, before);
			return;
		}
		before = l->scan.in;
	}
}

/* [name] "<" [route] local "@" host ">"; the scan stands before the '<'. */
static void
take_angle(struct rfc822_addrs *l, struct span name, struct rfc822_addr *a)
{
	struct span route, box, host = { .is_there = true };
	struct rfc822_scan s = l->scan;
	struct rfc822_token t;
	struct stretch x;

	while (rfc822_next(&s, &t) != RFC822_END && rfc822_is(&t, '<'))
		l->scan = s;
	route = take_route(l);
	x = gather(l, ">,<", false);
	box = (struct span){ x.start, x.at < 0 ? x.end : (size_t)x.at, true };
	if (x.at >= 0)
		host = (struct span){ (size_t)x.at + 1, x.at_end, true };
	finish_element(l);
	if (!name.is_there)
		name = comment_span(l);
	a->name = span_slice(l->text, name);
	a->route = span_slice(l->text, route);
	a->mailbox = span_slice(l->text, box);
	a->host = span_slice(l->text, host);
}

/* An address without brackets: words before it are taken for a name. */
static void
take_bare(struct rfc822_addrs *l, struct rfc822_addr *a)
{
	struct span name = { .is_there = false };
	struct span box = { .is_there = true }, host = { .is_there = true };
	struct slice before = l->scan.in;
	struct stretch x = gather(l, ",;", false);

	if (x.at < 0) {
		buf_cut(l->text, x.start);
		step_back(&l->scan, before);
		x = gather(l, ",;", true);
	}
	if (x.at >= 0) {
		name = name_span(
		    x.start, x.at_run > x.start ? x.at_run - 1 : x.start);
		box = (struct span){ x.at_run, (size_t)x.at, true };
		host = (struct span){ (size_t)x.at + 1, x.at_end, true };
	} else if (x.runs > 1) {
		name = name_span(x.start, x.end);
	} else {
		box = (struct span){ x.start, x.end, true };
	}
	finish_element(l);
	if (!name.is_there)
		name = comment_span(l);
	a->name = span_slice(l->text, name);
	a->mailbox = span_slice(l->text, box);
	a->host = span_slice(l->text, host);
}

static void
take_mailbox(struct rfc822_addrs *l, char end, struct rfc822_addr *a)
{
	struct stretch x;

	if (end != '<') {
		take_bare(l, a);
		return;
	}
	x = gather(l, "<", true);
	take_angle(l, name_span(x.start, x.end), a);
}

/* A phrase and its colon: begins a group, unless one is open already. */
static bool
take_group(struct rfc822_addrs *l, struct rfc822_addr *a)
{
	struct stretch x = gather(l, ":", true);
	struct rfc822_token colon;

	(void)rfc822_next(&l->scan, &colon);
	if (l->is_group || x.end == x.start)
		return false;
	l->is_group = true;
	a->mailbox = span_slice(l->text, name_span(x.start, x.end));
	return true;
}

bool
rfc822_addrs_next(struct rfc822_addrs *l, struct rfc822_addr *addr_r)
{
	struct rfc822_scan ahead;
	struct rfc822_token t;
	char end;

	*addr_r = (struct rfc822_addr){ .name = SLICE_NONE };
	for (;;) {
		buf_reset(l->text);
		l->scan.comment = SLICE_NONE;
		ahead = l->scan;
		if (rfc822_next(&ahead, &t) == RFC822_END)
			break;
		if (rfc822_is(&t, ';') && l->is_group)
			break;
		if (is_one_of(&t, ",;>")) {
			l->scan = ahead;
			continue;
		}
		end = find_end(l->scan, "<:,;");
		if (end == ':') {
			if (take_group(l, addr_r))
				return buf_is_ok(l->text);
			continue;
		}
		take_mailbox(l, end, addr_r);
		return buf_is_ok(l->text);
	}
	l->scan = ahead;
	if (!l->is_group)
		return false;
	l->is_group = false;
	return true;
}
