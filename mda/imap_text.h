/* SPDX-License-Identifier: ISC */
/*
 * Text as SEARCH compares it: UTF-8 with letters folded, so that case does not
 * count (RFC 9051 6.4.4). Charsets that need no table are converted here; text
 * in others is compared by its ASCII characters.
 */
#ifndef MDA_IMAP_TEXT_H
#define MDA_IMAP_TEXT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Is it a charset that a search string may be in? */
bool imap_text_is_charset(struct slice charset);
/* Appends `in` as UTF-8, not folded; what cannot be converted is left out. */
void imap_text_decode(struct buf *out, struct slice charset, struct slice in);
/* Appends `in`, folded; it is whole. */
void imap_text_fold(struct buf *out, struct slice charset, struct slice in);
/* Appends the text of a header field's value: encoded words decoded, folded. */
void imap_text_field(struct buf *out, struct slice value);

/* Looks for several strings in a text that comes in pieces. */
struct imap_finder {
	struct buf window;  /* folded text, from the last piece's tail on */
	struct buf cut;     /* the beginning of a character cut in two */
	size_t longest;     /* of the strings */
	bool is_latin;      /* the text is in ISO-8859-1 */
};

struct imap_wanted {
	struct slice text;  /* folded */
	bool is_found;
};

void imap_finder_init(struct imap_finder *f, const struct imap_wanted *w,
    size_t n);
void imap_finder_fini(struct imap_finder *f);
/* Another text begins, in this charset. */
void imap_finder_begin(struct imap_finder *f, struct slice charset);
/* True when all are found. */
bool imap_finder_feed(struct imap_finder *f, struct slice in,
    struct imap_wanted *w, size_t n);

#endif
