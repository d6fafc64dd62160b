/* SPDX-License-Identifier: ISC */
/* Views of bytes: nothing here allocates or looks at the locale. */
#include "base/slice.h"

#include <string.h>

bool
ascii_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
ascii_is_alnum(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

char
ascii_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

struct slice
slice_str(const char *s)
{
	return (struct slice){ s, s == NULL ? 0 : strlen(s) };
}

struct slice
slice_from(struct slice s, size_t from)
{
	if (from > s.n)
		from = s.n;
	return (struct slice){ from == 0 ? s.p : s.p + from, s.n - from };
}

struct slice
slice_head(struct slice s, size_t n)
{
	return (struct slice){ s.p, n < s.n ? n : s.n };
}

struct slice
slice_trim(struct slice s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static bool
same_nocase(const char *a, const char *b, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

bool
slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
slice_ieq(struct slice a, struct slice b)
{
	return a.n == b.n && same_nocase(a.p, b.p, a.n);
}

bool
slice_eq_str(struct slice a, const char *b)
{
	return slice_eq(a, slice_str(b));
}

bool
slice_ieq_str(struct slice a, const char *b)
{
	return slice_ieq(a, slice_str(b));
}

bool
slice_has_prefix(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_eq(slice_head(s, prefix.n), prefix);
}

bool
slice_has_iprefix(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_ieq(slice_head(s, prefix.n), prefix);
}

bool
slice_has_suffix(struct slice s, struct slice suffix)
{
	return s.n >= suffix.n && slice_eq(slice_from(s, s.n - suffix.n), suffix);
}

bool
slice_has(struct slice s, char c)
{
	return slice_chr(s, c) >= 0;
}

int
slice_cmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (c != 0)
		return c;
	return a.n < b.n ? -1 : a.n > b.n;
}

int
slice_icmp(struct slice a, struct slice b)
{
	size_t n = a.n < b.n ? a.n : b.n, i;
	unsigned char x, y;

	for (i = 0; i < n; i++) {
		x = (unsigned char)ascii_lower(a.p[i]);
		y = (unsigned char)ascii_lower(b.p[i]);
		if (x != y)
			return x < y ? -1 : 1;
	}
	return a.n < b.n ? -1 : a.n > b.n;
}

ptrdiff_t
slice_chr(struct slice s, char c)
{
	const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

	return at == NULL ? -1 : at - s.p;
}

ptrdiff_t
slice_rchr(struct slice s, char c)
{
	const char *at = s.n == 0 ? NULL : memrchr(s.p, c, s.n);

	return at == NULL ? -1 : at - s.p;
}

ptrdiff_t
slice_find(struct slice s, struct slice needle)
{
	const char *at;

	if (needle.n == 0)
		return 0;
	if (s.n < needle.n)
		return -1;
	at = memmem(s.p, s.n, needle.p, needle.n);
	return at == NULL ? -1 : at - s.p;
}

ptrdiff_t
slice_ifind(struct slice s, struct slice needle)
{
	size_t i;

	for (i = 0; i + needle.n <= s.n; i++)
		if (same_nocase(s.p + i, needle.p, needle.n))
			return (ptrdiff_t)i;
	return -1;
}

bool
slice_split(struct slice *s, char c, struct slice *piece_r)
{
	ptrdiff_t at;

	if (s->p == NULL)
		return false;
	at = slice_chr(*s, c);
	if (at < 0) {
		*piece_r = *s;
		*s = SLICE_NONE;
		return true;
	}
	*piece_r = slice_head(*s, (size_t)at);
	*s = slice_from(*s, (size_t)at + 1);
	return true;
}
