/* SPDX-License-Identifier: ISC */
/* Folding of header fields, and of text for people. RFC 5322 2.1.1, 2.2.3. */
#ifndef PROTO_FOLD_H
#define PROTO_FOLD_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Breaks the lines that stand in `out` from offset `from` (the start of a line)
 * on, so that none has more than 78 octets where a space allows it: the space
 * becomes CRLF and `indent` ("\t" in a header). No line of blanks results.
 */
void fold(struct buf *out, size_t from, const char *indent);

#endif
