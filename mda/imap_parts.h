/* SPDX-License-Identifier: ISC */
/* The parts of a message that are text, for those who look into it. */
#ifndef MDA_IMAP_PARTS_H
#define MDA_IMAP_PARTS_H

#include "proto/mime_part.h"

/* The leaf of type text that follows `part` (NULL: the first), or NULL. */
const struct mime_part *imap_next_text(const struct mime_part *part,
    const struct mime_part *root);
/* Its charset parameter, or SLICE_NONE. */
struct slice imap_charset_of(const struct mime_part *part);

#endif
