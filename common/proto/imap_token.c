/* SPDX-License-Identifier: ISC */
/* RFC 9051 9, bottom up; imap_token_flags.c holds words and flags. */
#include "proto/imap_token.h"

#include <string.h>

#include "base/num.h"
#include "base/utf8.h"
#include "proto/limits.h"

bool
imap_is_atom_char(char ch)
{
	if ((unsigned char)ch <= ' ' || (unsigned char)ch >= 0x7f)
		return false;
	return memchr("(){%*\"\\]", ch, 8) == NULL;
}

bool
imap_is_astring_char(char ch)
{
	return ch == ']' || imap_is_atom_char(ch);
}

static bool
is_tag_char(char ch)
{
	return ch != '+' && imap_is_astring_char(ch);
}

static bool
is_list_char(char ch)
{
	return ch == '%' || ch == '*' || imap_is_astring_char(ch);
}

static bool
is_set_char(char ch)
{
	return ascii_is_digit(ch) || ch == ':' || ch == ',' || ch == '*' ||
	    ch == '$';
}

static bool
is_date_char(char ch)
{
	return ascii_is_alnum(ch) || ch == '-';
}

static bool
is_name_char(char ch)
{
	return ascii_is_alnum(ch) || ch == '.' || ch == '-' || ch == '_';
}

static bool
is_objectid_char(char ch)
{
	return ascii_is_alnum(ch) || ch == '-' || ch == '_';
}

void
imap_cur_init(struct imap_cur *c, struct slice text, struct region *region)
{
	const char *p = text.p == NULL ? "" : text.p;

	*c = (struct imap_cur){ p, p + text.n, region, 0, IMAP_ERROR_NONE };
}

/* Something is missing, or something else stands in its place. */
static int
expected(struct imap_cur *c, enum imap_error error)
{
	return imap_fail(c, imap_is_end(c) ? IMAP_ERROR_MISSING : error);
}

void *
imap_alloc(struct imap_cur *c, size_t n)
{
	void *p = region_alloc(c->region, n);

	if (p == NULL)
		(void)imap_fail(c, IMAP_ERROR_MEMORY);
	return p;
}

bool
imap_is_end(const struct imap_cur *c)
{
	return c->p == c->end;
}

bool
imap_is_next(const struct imap_cur *c, char ch)
{
	return c->p < c->end && *c->p == ch;
}

bool
imap_skip(struct imap_cur *c, char ch)
{
	if (!imap_is_next(c, ch))
		return false;
	c->p++;
	return true;
}

struct slice
imap_rest(const struct imap_cur *c)
{
	return (struct slice){ c->p, (size_t)(c->end - c->p) };
}

int
imap_take_end(struct imap_cur *c)
{
	return imap_is_end(c) ? 0 : imap_fail(c, IMAP_ERROR_TRAILING);
}

int
imap_take_space(struct imap_cur *c)
{
	return imap_skip(c, ' ') ? 0 : expected(c, IMAP_ERROR_SPACE);
}

int
imap_take_open(struct imap_cur *c)
{
	if (!imap_skip(c, '('))
		return expected(c, IMAP_ERROR_OPEN);
	if (++c->depth > LIMIT_IMAP_NESTING)
		return imap_fail(c, IMAP_ERROR_NESTING);
	return 0;
}

int
imap_take_close(struct imap_cur *c)
{
	if (!imap_skip(c, ')'))
		return expected(c, IMAP_ERROR_CLOSE);
	c->depth--;
	return 0;
}

int
imap_take_item(struct imap_cur *c, size_t i, size_t max, bool *more_r)
{
	*more_r = !imap_is_next(c, ')');
	if (!*more_r)
		return imap_take_close(c);
	if (i >= max)
		return imap_fail(c, IMAP_ERROR_TOO_MANY);
	return i == 0 ? 0 : imap_take_space(c);
}

int
imap_take_run(struct imap_cur *c, bool (*is_in)(char), enum imap_error error,
    struct slice *s_r)
{
	const char *p = c->p;

	while (p < c->end && is_in(*p))
		p++;
	if (p == c->p)
		return expected(c, error);
	*s_r = (struct slice){ c->p, (size_t)(p - c->p) };
	c->p = p;
	return 0;
}

int
imap_take_tag(struct imap_cur *c, struct slice *s_r)
{
	if (imap_take_run(c, is_tag_char, IMAP_ERROR_TAG, s_r) < 0) {
		c->error = IMAP_ERROR_TAG;
		return -1;
	}
	return 0;
}

int
imap_take_atom(struct imap_cur *c, struct slice *s_r)
{
	return imap_take_run(c, imap_is_atom_char, IMAP_ERROR_ATOM, s_r);
}

int
imap_take_name(struct imap_cur *c, enum imap_error error, struct slice *s_r)
{
	return imap_take_run(c, is_name_char, error, s_r);
}

static int
unescape(struct imap_cur *c, struct slice raw, struct slice *s_r)
{
	char *to = imap_alloc(c, raw.n);
	size_t i, n = 0;

	if (to == NULL)
		return -1;
	for (i = 0; i < raw.n; i++) {
		if (raw.p[i] == '\\')
			i++;
		to[n++] = raw.p[i];
	}
	*s_r = (struct slice){ to, n };
	return 0;
}

static int
take_quoted(struct imap_cur *c, struct slice *s_r)
{
	const char *p = c->p + 1;
	bool escapes = false;
	struct slice raw;

	for (; p < c->end && *p != '"'; p++) {
		if (*p == '\r' || *p == '\n' || *p == 0)
			break;
		if (*p != '\\')
			continue;
		if (++p == c->end || (*p != '"' && *p != '\\'))
			break;
		escapes = true;
	}
	if (p == c->end || *p != '"')
		return imap_fail(c, IMAP_ERROR_QUOTED);
	raw = (struct slice){ c->p + 1, (size_t)(p - c->p - 1) };
	if (!utf8_is_valid(raw))
		return imap_fail(c, IMAP_ERROR_UTF8);
	c->p = p + 1;
	if (escapes)
		return unescape(c, raw, s_r);
	*s_r = raw;
	return 0;
}

/* From the brace on. */
static int
take_literal(struct imap_cur *c, struct slice *s_r)
{
	struct slice s = slice_from(imap_rest(c), 1);
	uint64_t n;

	if (num_take(&s, INT64_MAX, &n) < 0)
		return imap_fail(c, IMAP_ERROR_LITERAL);
	if (s.n > 0 && s.p[0] == '+')
		s = slice_from(s, 1);
	if (!slice_has_prefix(s, SLICE("}\r\n")) || n > s.n - 3)
		return imap_fail(c, IMAP_ERROR_LITERAL);
	*s_r = (struct slice){ s.p + 3, (size_t)n };
	c->p = s.p + 3 + n;
	return 0;
}

int
imap_take_string(struct imap_cur *c, struct slice *s_r)
{
	struct slice s;

	if (imap_is_next(c, '"'))
		return take_quoted(c, s_r);
	if (!imap_is_next(c, '{'))
		return expected(c, IMAP_ERROR_STRING);
	if (take_literal(c, &s) < 0)
		return -1;
	if (slice_has(s, 0))
		return imap_fail(c, IMAP_ERROR_LITERAL);
	*s_r = s;
	return 0;
}

int
imap_take_literal8(struct imap_cur *c, struct slice *s_r)
{
	(void)imap_skip(c, '~');
	if (!imap_is_next(c, '{'))
		return expected(c, IMAP_ERROR_STRING);
	return take_literal(c, s_r);
}

static bool
is_string_next(const struct imap_cur *c)
{
	return imap_is_next(c, '"') || imap_is_next(c, '{');
}

int
imap_take_astring(struct imap_cur *c, struct slice *s_r)
{
	if (is_string_next(c))
		return imap_take_string(c, s_r);
	return imap_take_run(c, imap_is_astring_char, IMAP_ERROR_STRING, s_r);
}

int
imap_take_nstring(struct imap_cur *c, struct slice *s_r)
{
	struct slice atom;

	if (is_string_next(c))
		return imap_take_string(c, s_r);
	if (imap_take_run(c, imap_is_atom_char, IMAP_ERROR_STRING, &atom) < 0)
		return -1;
	if (!slice_ieq_str(atom, "NIL"))
		return imap_fail(c, IMAP_ERROR_STRING);
	*s_r = SLICE_NONE;
	return 0;
}

int
imap_take_mailbox(struct imap_cur *c, struct slice *s_r)
{
	return imap_take_astring(c, s_r);
}

int
imap_take_pattern(struct imap_cur *c, struct slice *s_r)
{
	if (is_string_next(c))
		return imap_take_string(c, s_r);
	return imap_take_run(c, is_list_char, IMAP_ERROR_STRING, s_r);
}

int
imap_take_charset(struct imap_cur *c, struct slice *s_r)
{
	return imap_take_astring(c, s_r);
}

int
imap_take_objectid(struct imap_cur *c, struct slice *s_r)
{
	if (imap_take_run(c, is_objectid_char, IMAP_ERROR_OBJECTID, s_r) < 0)
		return -1;
	if (s_r->n > LIMIT_IMAP_OBJECTID)
		return imap_fail(c, IMAP_ERROR_OBJECTID);
	return 0;
}

static int
take_number(struct imap_cur *c, uint64_t min, uint64_t max, uint64_t *v_r)
{
	struct slice s = imap_rest(c);
	uint64_t v;

	if (num_take(&s, max, &v) < 0 || v < min)
		return expected(c, IMAP_ERROR_NUMBER);
	c->p = s.p;
	*v_r = v;
	return 0;
}

int
imap_take_number(struct imap_cur *c, uint32_t *v_r)
{
	uint64_t v;

	if (take_number(c, 0, UINT32_MAX, &v) < 0)
		return -1;
	*v_r = (uint32_t)v;
	return 0;
}

int
imap_take_nz_number(struct imap_cur *c, uint32_t *v_r)
{
	uint64_t v;

	if (take_number(c, 1, UINT32_MAX, &v) < 0)
		return -1;
	*v_r = (uint32_t)v;
	return 0;
}

int
imap_take_number64(struct imap_cur *c, uint64_t *v_r)
{
	return take_number(c, 0, INT64_MAX, v_r);
}

int
imap_take_nz_number64(struct imap_cur *c, uint64_t *v_r)
{
	return take_number(c, 1, INT64_MAX, v_r);
}

int
imap_take_seqset(struct imap_cur *c, struct imap_seqset *set_r)
{
	struct slice s;

	if (imap_take_run(c, is_set_char, IMAP_ERROR_SEQSET, &s) < 0)
		return -1;
	if (imap_seqset_parse(s, c->region, set_r) == 0)
		return 0;
	return imap_fail(c, c->region->failed ? IMAP_ERROR_MEMORY
					      : IMAP_ERROR_SEQSET);
}

int
imap_take_known_set(struct imap_cur *c, struct imap_seqset *set_r)
{
	if (imap_take_seqset(c, set_r) < 0)
		return -1;
	if (set_r->has_star || set_r->saved)
		return imap_fail(c, IMAP_ERROR_STAR);
	return 0;
}

int
imap_take_date(struct imap_cur *c, int32_t *days_r)
{
	struct slice s;

	if (imap_is_next(c, '"')) {
		if (take_quoted(c, &s) < 0)
			return -1;
	} else if (imap_take_run(c, is_date_char, IMAP_ERROR_DATE, &s) < 0) {
		return -1;
	}
	if (imap_date_parse(s, days_r) < 0)
		return imap_fail(c, IMAP_ERROR_DATE);
	return 0;
}

int
imap_take_datetime(struct imap_cur *c, struct imap_datetime *t_r)
{
	struct slice s;

	if (!imap_is_next(c, '"'))
		return expected(c, IMAP_ERROR_DATETIME);
	if (take_quoted(c, &s) < 0)
		return -1;
	if (imap_datetime_parse(s, t_r) < 0)
		return imap_fail(c, IMAP_ERROR_DATETIME);
	return 0;
}
