/* SPDX-License-Identifier: ISC */
/* PREVIEW of RFC 8970. */
#ifndef MDA_IMAP_PREVIEW_H
#define MDA_IMAP_PREVIEW_H

#include "base/buf.h"
#include "base/slice.h"

/*
 * Appends the preview of a message, of which these are the first bytes: UTF-8,
 * at most 200 characters, blanks joined; nothing when there is no text to show.
 */
void imap_preview(struct buf *out, struct slice message);

#endif
