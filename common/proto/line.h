/* SPDX-License-Identifier: ISC */
/*
 * Cuts a stream into lines that end in CRLF (RFC 5321 2.3.8). A bare CR or a
 * bare LF is an error, never a line end: accepting one lets a stranger smuggle
 * a second message past a server that does not.
 */
#ifndef PROTO_LINE_H
#define PROTO_LINE_H

#include <sys/types.h>

#include "base/slice.h"

struct line {
	size_t max;  /* longest line allowed, CRLF included */
	size_t seen; /* bytes already searched in vain */
};

enum line_error { LINE_TOO_LONG, LINE_BARE_CR, LINE_BARE_LF };

void line_init(struct line *l, size_t max);
/*
 * Looks for a line at the front of `in`. > 0: bytes consumed, *line_r is the
 * text without CRLF, a view into `in`. 0: no whole line yet; call again with
 * the same bytes and more behind them. -1: malformed, *error_r says how.
 */
ssize_t line_next(struct line *l, struct slice in, struct slice *line_r,
    enum line_error *error_r) __attribute__((warn_unused_result));

#endif
