/* SPDX-License-Identifier: ISC */
/*
 * Content-Type and Content-Disposition parameters. First all `name=value`
 * pairs are collected as they stand, then pieces with numbered names are put
 * together in the order of their numbers. RFC 2045 5.1, RFC 2231 3 and 4.
 */
#include "proto/mime_param.h"

#include <string.h>

#include "base/num.h"
#include "proto/limits.h"

enum { WHOLE = -1 };

struct piece {
	struct slice full;  /* the name as written */
	struct slice name;  /* without *0, *1* or * */
	struct slice value; /* inside of the quotes, or as written */
	int section;	    /* the number of a continuation, or WHOLE */
	bool is_encoded, is_quoted, is_used;
};

struct pieces {
	struct piece piece[LIMIT_MIME_PARAMS];
	size_t n;
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_token(char c)
{
	return c != 0 && !is_space(c) && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

struct slice
mime_take_token(struct rfc822_scan *s)
{
	struct slice token;
	size_t n = 0;

	(void)rfc822_skip(s);
	while (n < s->in.n && is_token(s->in.p[n]))
		n++;
	token = slice_head(s->in, n);
	s->in = slice_from(s->in, n);
	return token;
}

/* Does a comment or the next "name=" begin behind the blanks at `n`? */
static bool
ends_value(struct rfc822_scan *s, size_t n)
{
	struct rfc822_scan ahead = *s;
	size_t i = n;

	while (i < s->in.n && is_space(s->in.p[i]))
		i++;
	if (i < s->in.n && s->in.p[i] == '(') {
		ahead.in = slice_from(s->in, i);
		(void)rfc822_skip(&ahead);
		s->no_comment = ahead.no_comment;
		return ahead.in.p > s->in.p + i;
	}
	for (n = i; i < s->in.n && is_token(s->in.p[i]); i++)
		;
	return i > n && i < s->in.n && s->in.p[i] == '=';
}

/* A value without quotes: up to the semicolon, blanks behind it cut off. */
static struct slice
take_unquoted(struct rfc822_scan *s)
{
	struct slice value;
	size_t n = 0, end;

	if (s->in.n > 0 && s->in.p[0] == '"') /* never closed */
		s->in = slice_from(s->in, 1);
	while (n < s->in.n && s->in.p[n] != ';') {
		if (!is_space(s->in.p[n])) {
			n++;
			continue;
		}
		if (ends_value(s, n))
			break;
		while (n < s->in.n && is_space(s->in.p[n]))
			n++;
	}
	for (end = n; end > 0 && is_space(s->in.p[end - 1]); end--)
		;
	value = slice_head(s->in, end);
	s->in = slice_from(s->in, n);
	return value;
}

/* Takes "name*12*" apart. RFC 2231 7: no leading zeros, no gaps. */
static void
split_name(struct piece *p, struct slice name)
{
	ptrdiff_t star;
	uint64_t number;

	p->full = p->name = name;
	p->section = WHOLE;
	p->is_encoded = name.n > 1 && name.p[name.n - 1] == '*';
	if (p->is_encoded)
		p->name.n--;
	star = slice_rchr(p->name, '*');
	if (star <= 0 ||
	    num_parse(slice_from(p->name, (size_t)star + 1), 0,
		LIMIT_MIME_PARAMS, &number) < 0)
		return;
	p->section = (int)number;
	p->name.n = (size_t)star;
}

/* The next name=value; false at the end. */
static bool
take_piece(struct rfc822_scan *s, struct piece *p_r)
{
	struct slice name;

	for (;;) {
		name = mime_take_token(s);
		(void)rfc822_skip(s);
		if (s->in.n == 0)
			return false;
		if (name.n > 0 && s->in.p[0] == '=')
			break;
		if (name.n == 0)
			s->in = slice_from(s->in, 1);
	}
	s->in = slice_from(s->in, 1);
	*p_r = (struct piece){ .section = WHOLE };
	split_name(p_r, name);
	(void)rfc822_skip(s);
	p_r->is_quoted = rfc822_take_quoted(s, &p_r->value);
	if (!p_r->is_quoted)
		p_r->value = take_unquoted(s);
	return true;
}

static struct piece *
find_section(struct pieces *ps, struct slice name, int section)
{
	size_t i;

	for (i = 0; i < ps->n; i++)
		if (ps->piece[i].section == section && !ps->piece[i].is_used &&
		    slice_ieq(ps->piece[i].name, name))
			return &ps->piece[i];
	return NULL;
}

static int
hex_value(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Writes a piece's value decoded; never longer than it was. */
static size_t
decode(char *to, struct slice in, bool is_quoted, bool is_encoded)
{
	size_t n = 0, i;
	int hi, lo;

	for (i = 0; i < in.n; i++) {
		if (is_quoted && in.p[i] == '\\' && i + 1 < in.n)
			i++;
		if (is_encoded && in.p[i] == '%' && i + 2 < in.n) {
			hi = hex_value(in.p[i + 1]);
			lo = hex_value(in.p[i + 2]);
			if (hi >= 0 && lo >= 0) {
				to[n++] = (char)(hi << 4 | lo);
				i += 2;
				continue;
			}
		}
		to[n++] = in.p[i];
	}
	return n;
}

/* RFC 2231 4: charset'language'text, at the front of an encoded value. */
static struct slice
split_charset(struct mime_param *m, struct slice value)
{
	ptrdiff_t first = slice_chr(value, '\''), second;
	struct slice rest;

	if (first < 0)
		return value;
	rest = slice_from(value, (size_t)first + 1);
	second = slice_chr(rest, '\'');
	if (second < 0)
		return value;
	m->charset = slice_head(value, (size_t)first);
	m->language = slice_head(rest, (size_t)second);
	return slice_from(rest, (size_t)second + 1);
}

/* How many bytes the value that begins with `p` has at most. */
static size_t
total_length(struct pieces *ps, const struct piece *p)
{
	const struct piece *next = p;
	size_t n = 0;
	int section = p->section;

	for (; next != NULL; next = find_section(ps, p->name, section)) {
		n += next->value.n;
		if (section++ == WHOLE)
			break;
	}
	return n;
}

/* The parameter that begins with `p`; NULL when there is no memory. */
static struct mime_param *
build(struct region *r, struct pieces *ps, struct piece *p)
{
	struct mime_param *m = region_alloc(r, sizeof *m);
	char *to = region_alloc(r, total_length(ps, p) + 1);
	struct slice value = p->value;
	int section = p->section;

	if (m == NULL || to == NULL)
		return NULL;
	m->name = p->name;
	m->charset = m->language = SLICE("");
	m->is_extended = p->is_encoded;
	m->value.p = to;
	if (p->is_encoded)
		value = split_charset(m, value);
	for (;;) {
		p->is_used = true;
		m->value.n +=
		    decode(to + m->value.n, value, p->is_quoted, p->is_encoded);
		if (section == WHOLE)
			break;
		p = find_section(ps, m->name, ++section);
		if (p == NULL)
			break;
		value = p->value;
	}
	return m;
}

static int
build_all(struct region *r, struct pieces *ps, struct mime_param **list_r)
{
	struct mime_param **at = list_r;
	struct piece *p, *first;
	size_t i;

	for (i = 0; i < ps->n; i++) {
		p = &ps->piece[i];
		if (p->is_used)
			continue;
		first = p;
		if (p->section != WHOLE)
			first = find_section(ps, p->name, 0);
		if (first == NULL) { /* a continuation of nothing */
			first = p;
			first->name = first->full;
			first->section = WHOLE;
			first->is_encoded = false;
		}
		*at = build(r, ps, first);
		if (*at == NULL)
			return -1;
		at = &(*at)->next;
		if (!p->is_used) /* a gap before it: alone under its full name
				  */
			i--;
	}
	return 0;
}

int
mime_params_parse(struct region *r, struct slice in, struct mime_param **list_r)
{
	struct rfc822_scan s;
	struct pieces ps;

	*list_r = NULL;
	ps.n = 0;
	rfc822_scan_init(&s, in);
	while (ps.n < LIMIT_MIME_PARAMS && take_piece(&s, &ps.piece[ps.n]))
		ps.n++;
	return build_all(r, &ps, list_r);
}

const struct mime_param *
mime_param_find(const struct mime_param *list, const char *name)
{
	for (; list != NULL; list = list->next)
		if (slice_ieq_str(list->name, name))
			return list;
	return NULL;
}
