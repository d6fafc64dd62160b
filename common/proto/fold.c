/* SPDX-License-Identifier: ISC */
/* Folding, after the text has been written: so that writers need not count. */
#include "proto/fold.h"

#include <string.h>

enum { WIDTH = 78 };

/* Where the line that begins at `line` ends, without its CRLF. */
static size_t
text_end(const struct buf *out, size_t line)
{
	const char *lf = memchr(out->p + line, '\n', out->n - line);
	size_t end = lf == NULL ? out->n : (size_t)(lf - out->p);

	return lf != NULL && end > line && lf[-1] == '\r' ? end - 1 : end;
}

/*
 * The last space that leaves at most WIDTH octets before it, or else the first;
 * 0 when there is none, or no need. Blanks at either end do not count.
 */
static size_t
find_break(const char *p, size_t line, size_t end)
{
	size_t i = line, best = 0;

	while (end > line && (p[end - 1] == ' ' || p[end - 1] == '\t'))
		end--;
	if (end - line <= WIDTH)
		return 0;
	while (p[i] == ' ' || p[i] == '\t')
		i++;
	for (; i < end && (best == 0 || i - line <= WIDTH); i++)
		if (p[i] == ' ' && p[i - 1] != ' ')
			best = i;
	return best;
}

void
fold(struct buf *out, size_t from, const char *indent)
{
	const size_t n = strlen(indent);
	size_t line = from, end, at;

	while (line < out->n && buf_is_ok(out)) {
		end = text_end(out, line);
		at = find_break(out->p, line, end);
		if (at == 0) {
			line = end;
			while (line < out->n && (out->p[line] == '\r' ||
						    out->p[line] == '\n'))
				line++;
			continue;
		}
		if (buf_room(out, n + 1) == NULL)
			return;
		memmove(out->p + at + 2 + n, out->p + at + 1, out->n - at - 1);
		memcpy(out->p + at, "\r\n", 2);
		memcpy(out->p + at + 2, indent, n);
		buf_grew(out, n + 1);
		line = at + 2;
	}
}
