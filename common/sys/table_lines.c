/* SPDX-License-Identifier: ISC */
/* The text format of tables; see table_lines.h. */
#include "sys/table_lines.h"

#include "sys/table.h"

static bool
is_white(char c)
{
	return c == ' ' || c == '\t';
}

/* The next physical line without its end. */
static struct slice
peek(const struct table_lines *l, size_t *taken_r)
{
	ptrdiff_t nl = slice_chr(l->rest, '\n');
	struct slice line = l->rest;

	*taken_r = line.n;
	if (nl >= 0) {
		line = slice_head(line, (size_t)nl);
		*taken_r = (size_t)nl + 1;
	}
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static void
skip(struct table_lines *l, size_t taken)
{
	l->rest = slice_from(l->rest, taken);
	l->next++;
}

static bool
is_nothing(struct slice line)
{
	struct slice text = slice_trim(line);

	return text.n == 0 || text.p[0] == '#';
}

static enum table_line
bad(struct table_lines *l, const char *why)
{
	l->error = why;
	return TABLE_LINE_BAD;
}

void
table_lines_init(struct table_lines *l, struct slice text)
{
	*l = (struct table_lines){ .rest = text, .next = 1 };
}

/* Adds what follows on lines that begin with white space. */
static void
add_continuations(struct table_lines *l, struct buf *value, size_t start)
{
	struct slice line;
	size_t taken;

	while (l->rest.n > 0) {
		line = peek(l, &taken);
		if (!is_nothing(line)) {
			if (!is_white(line.p[0]))
				return;
			if (value->n > start)
				buf_add_char(value, ' ');
			buf_add_slice(value, slice_trim(line));
		}
		skip(l, taken);
	}
}

enum table_line
table_lines_next(struct table_lines *l, struct slice *key_r,
    struct buf *value)
{
	size_t taken, n = 0, start = value->n;
	struct slice line;

	for (;;) {
		if (l->rest.n == 0)
			return TABLE_LINE_END;
		line = peek(l, &taken);
		l->line = l->next;
		skip(l, taken);
		if (!is_nothing(line))
			break;
	}
	if (is_white(line.p[0]))
		return bad(l, "white space before the first key");
	while (n < line.n && !is_white(line.p[n]))
		n++;
	*key_r = slice_head(line, n);
	if (n > TABLE_KEY_MAX)
		return bad(l, "the key is too long");
	buf_add_slice(value, slice_trim(slice_from(line, n)));
	add_continuations(l, value, start);
	if (!buf_is_ok(value))
		return bad(l, "no memory, or too large as a whole");
	if (value->n - start > TABLE_VALUE_MAX)
		return bad(l, "the value is too long");
	if (slice_has(*key_r, '\0') ||
	    slice_has(slice_from(buf_slice(value), start), '\0'))
		return bad(l, "a NUL: this is not a text");
	return TABLE_LINE_ENTRY;
}
