/* SPDX-License-Identifier: ISC */
/* Line framing for all text protocols. RFC 5321 2.3.8. */
#include "proto/line.h"

#include <string.h>

void
line_init(struct line *l, size_t max)
{
	*l = (struct line){ .max = max };
}

ssize_t
line_next(struct line *l, struct slice in, struct slice *line_r,
    enum line_error *error_r)
{
	const char *nl;
	size_t n;

	nl = in.n > l->seen ? memchr(in.p + l->seen, '\n', in.n - l->seen)
			    : NULL;
	if (nl == NULL) {
		l->seen = in.n;
		if (in.n < l->max)
			return 0;
		*error_r = LINE_TOO_LONG;
		return -1;
	}
	n = (size_t)(nl - in.p);
	l->seen = 0;
	if (n + 1 > l->max) {
		*error_r = LINE_TOO_LONG;
		return -1;
	}
	if (n == 0 || in.p[n - 1] != '\r') {
		*error_r = LINE_BARE_LF;
		return -1;
	}
	if (memchr(in.p, '\r', n - 1) != NULL) {
		*error_r = LINE_BARE_CR;
		return -1;
	}
	*line_r = (struct slice){ in.p, n - 1 };
	return (ssize_t)n + 1;
}
