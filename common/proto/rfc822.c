/* SPDX-License-Identifier: ISC */
/*
 * Tokens of structured header fields. Linear in the input: a search for the
 * end of a quoted string or comment that failed is not made again, and a
 * domain literal ends at the next bracket of either kind. RFC 5322 3.2, 4.1.
 */
#include "proto/rfc822.h"

#include <string.h>

#include "proto/limits.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_special(char c)
{
	return c != 0 && strchr("<>:;@,.[]\"()", c) != NULL;
}

void
rfc822_scan_init(struct rfc822_scan *s, struct slice in)
{
	*s = (struct rfc822_scan){ .in = in };
}

/* The length of the comment at the front, its parentheses included, or 0. */
static size_t
comment_length(struct slice in)
{
	unsigned depth = 0;
	size_t i;

	for (i = 0; i < in.n; i++) {
		if (in.p[i] == '\\')
			i++;
		else if (in.p[i] == '(' && ++depth > LIMIT_COMMENT_NESTING)
			return 0;
		else if (in.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

static bool
skip_comment(struct rfc822_scan *s)
{
	size_t n;

	if (s->no_comment != NULL && s->in.p >= s->no_comment)
		return false;
	n = comment_length(s->in);
	if (n == 0) {
		s->no_comment = s->in.p;
		return false;
	}
	s->comment = (struct slice){ s->in.p + 1, n - 2 };
	s->in = slice_from(s->in, n);
	return true;
}

bool
rfc822_skip(struct rfc822_scan *s)
{
	const char *start = s->in.p;

	while (s->in.n > 0) {
		if (is_space(s->in.p[0]))
			s->in = slice_from(s->in, 1);
		else if (s->in.p[0] != '(' || !skip_comment(s))
			break;
	}
	return s->in.p != start;
}

bool
rfc822_take_quoted(struct rfc822_scan *s, struct slice *text_r)
{
	size_t i;

	if (s->in.n == 0 || s->in.p[0] != '"')
		return false;
	if (s->no_quote != NULL && s->in.p >= s->no_quote)
		return false;
	for (i = 1; i < s->in.n && s->in.p[i] != '"'; i++)
		if (s->in.p[i] == '\\')
			i++;
	if (i >= s->in.n) {
		s->no_quote = s->in.p;
		return false;
	}
	*text_r = (struct slice){ s->in.p + 1, i - 1 };
	s->in = slice_from(s->in, i + 1);
	return true;
}

/* The length of the domain literal at the front, or 0. */
static size_t
literal_length(struct slice in)
{
	size_t i;

	for (i = 1; i < in.n && in.p[i] != '['; i++)
		if (in.p[i] == '\\')
			i++;
		else if (in.p[i] == ']')
			return i + 1;
	return 0;
}

static enum rfc822_type
take(struct rfc822_scan *s, size_t n, enum rfc822_type type,
    struct rfc822_token *t_r)
{
	t_r->type = type;
	t_r->text = slice_head(s->in, n);
	s->in = slice_from(s->in, n);
	return type;
}

enum rfc822_type
rfc822_next(struct rfc822_scan *s, struct rfc822_token *t_r)
{
	size_t n = 0;

	*t_r = (struct rfc822_token){ .is_spaced = rfc822_skip(s) };
	if (s->in.n == 0)
		return RFC822_END;
	if (rfc822_take_quoted(s, &t_r->text)) {
		t_r->type = RFC822_QUOTED;
		return RFC822_QUOTED;
	}
	if (s->in.p[0] == '[')
		n = literal_length(s->in);
	if (n > 0)
		return take(s, n, RFC822_LITERAL, t_r);
	if (is_special(s->in.p[0]))
		return take(s, 1, RFC822_SPECIAL, t_r);
	while (n < s->in.n && !is_space(s->in.p[n]) && !is_special(s->in.p[n]))
		n++;
	return take(s, n, RFC822_ATOM, t_r);
}

bool
rfc822_is(const struct rfc822_token *t, char c)
{
	return t->type == RFC822_SPECIAL && t->text.p[0] == c;
}

void
rfc822_unescape(struct buf *out, struct slice text)
{
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '\\' && i + 1 < text.n)
			i++;
		if (text.p[i] != '\r' && text.p[i] != '\n')
			buf_add_char(out, text.p[i]);
	}
}

void
rfc822_add(struct buf *out, const struct rfc822_token *t)
{
	if (t->type == RFC822_QUOTED)
		rfc822_unescape(out, t->text);
	else
		buf_add_slice(out, t->text);
}

bool
rfc822_next_id(struct rfc822_scan *s, struct buf *id)
{
	struct rfc822_token t;
	bool is_inside = false;

	buf_reset(id);
	while (rfc822_next(s, &t) != RFC822_END) {
		if (rfc822_is(&t, '<')) {
			buf_reset(id);
			is_inside = true;
		} else if (rfc822_is(&t, '>')) {
			if (is_inside && id->n > 0)
				return buf_is_ok(id);
			is_inside = false;
		} else if (is_inside) {
			rfc822_add(id, &t);
		}
	}
	buf_reset(id);
	return false;
}
