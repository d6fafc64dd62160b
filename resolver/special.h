/* SPDX-License-Identifier: ISC */
/* Names that are never asked of a server, since their answer is fixed. */
#ifndef RESOLVER_SPECIAL_H
#define RESOLVER_SPECIAL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "resolver/answer.h"

/*
 * Is this a name that must not be asked for? Then *out_r is the answer, its
 * records in `records` (emptied first) and `name` its canonical name.
 * RFC 6761 6.3 (localhost), 6.4 (invalid), RFC 7686 2 (onion).
 */
bool special_find(struct slice name, uint16_t type, struct buf *records,
    struct answer *out_r);

#endif
