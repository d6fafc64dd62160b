/* SPDX-License-Identifier: ISC */
/* The header of a message: RFC 5322 2.2, 3.6.8 and, for blanks before the
 * colon, 4.5. */
#include "proto/header.h"

#include "proto/limits.h"

/* Octets of the line at the front of `in` with its LF; 0 when there is none. */
static size_t
line_length(struct slice in)
{
	return (size_t)(slice_chr(in, '\n') + 1);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Without one line end. */
static struct slice
strip_end(struct slice s)
{
	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

/* RFC 5322 3.6.8: printable US-ASCII but no colon; RFC 6532 keeps that. */
static bool
is_name(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

static void
set_field(struct header_field *f, struct slice raw)
{
	struct slice line = strip_end(raw);
	ptrdiff_t colon = slice_chr(line, ':');

	*f = (struct header_field){ .kind = HEADER_JUNK, .raw = raw };
	if (colon < 0)
		return;
	f->name = slice_head(line, (size_t)colon);
	while (f->name.n > 0 && is_blank(f->name.p[f->name.n - 1]))
		f->name.n--;
	if (!is_name(f->name)) {
		f->name = SLICE_NONE;
		return;
	}
	f->value = slice_from(line, (size_t)colon + 1);
	f->kind = HEADER_FIELD;
}

ssize_t
header_scan(struct slice in, bool is_all, struct header_field *field_r)
{
	struct slice raw;
	size_t n = 0, line;

	*field_r = (struct header_field){ .kind = HEADER_END };
	if (in.n == 0)
		return 0;
	do {
		line = line_length(slice_from(in, n));
		if (line == 0 && !is_all)
			return in.n < LIMIT_HEADER_FIELD ? 0 : -1;
		n = line == 0 ? in.n : n + line;
		if (n > LIMIT_HEADER_FIELD)
			return -1;
		/* The empty line is not continued by what follows it. */
		raw = slice_head(in, n);
		if (strip_end(raw).n == 0) {
			field_r->raw = raw;
			return (ssize_t)n;
		}
		if (n == in.n && !is_all)
			return 0;
	} while (n < in.n && is_blank(in.p[n]));
	set_field(field_r, raw);
	return (ssize_t)n;
}

void
header_iter_init(struct header_iter *it, struct slice message)
{
	*it = (struct header_iter){ .rest = message };
}

bool
header_iter_next(struct header_iter *it, struct header_field *field_r)
{
	ssize_t n;

	while (!it->is_done) {
		n = header_scan(it->rest, true, field_r);
		if (n < 0 || it->used + (size_t)n > LIMIT_HEADER) {
			it->is_done = true;
			break;
		}
		it->used += (size_t)n;
		it->rest = slice_from(it->rest, (size_t)n);
		it->is_done = field_r->kind == HEADER_END;
		if (field_r->kind == HEADER_FIELD)
			return true;
	}
	return false;
}

bool
header_find(struct slice message, struct slice name,
    struct header_field *field_r)
{
	struct header_iter it;

	header_iter_init(&it, message);
	while (header_iter_next(&it, field_r))
		if (slice_ieq(field_r->name, name))
			return true;
	return false;
}

size_t
header_count(struct slice message, struct slice name)
{
	struct header_field f;
	struct header_iter it;
	size_t n = 0;

	header_iter_init(&it, message);
	while (header_iter_next(&it, &f))
		n += slice_ieq(f.name, name);
	return n;
}

size_t
header_length(struct slice message)
{
	struct header_field f;
	struct header_iter it;

	header_iter_init(&it, message);
	while (header_iter_next(&it, &f))
		continue;
	return it.used;
}

/* Without blanks and line ends at both ends: "Subject:\r\n text" is common. */
static struct slice
trim_all(struct slice s)
{
	while (s.n > 0 && (is_blank(s.p[0]) || s.p[0] == '\r' ||
			      s.p[0] == '\n'))
		s = slice_from(s, 1);
	while (s.n > 0 && (is_blank(s.p[s.n - 1]) || s.p[s.n - 1] == '\r' ||
			      s.p[s.n - 1] == '\n'))
		s.n--;
	return s;
}

void
header_unfold(struct buf *out, struct slice value)
{
	size_t n;

	value = trim_all(value);
	for (; value.n > 0; value = slice_from(value, n)) {
		n = line_length(value);
		n = n == 0 ? value.n : n;
		/* The last line has no end; a CR there is text. */
		buf_add_slice(out, n == value.n
			? value
			: strip_end(slice_head(value, n)));
	}
}
