/* SPDX-License-Identifier: ISC */
/*
 * The letters behind ":2," of a Maildir file name, as bits: D F P R S T (draft,
 * flagged, passed, replied, seen, trashed), then a to z, which stand for
 * keywords 0 to 25 of the mailbox, as Dovecot has them. Pure.
 */
#ifndef MDA_LETTERS_H
#define MDA_LETTERS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	LETTER_DRAFT = 1, LETTER_FLAGGED = 2, LETTER_PASSED = 4,
	LETTER_REPLIED = 8, LETTER_SEEN = 16, LETTER_TRASHED = 32,
	LETTER_KEYWORDS_AT = 6, LETTER_KEYWORDS = 26
};

/* Letters that are not known are passed over. */
uint32_t letters_parse(struct slice s);
/* In the order the Maildir convention asks for. */
void letters_put(struct buf *b, uint32_t letters);
/* From FLAG_* and keyword bits (mda/mailbox.h), and back. */
uint32_t letters_from_flags(uint16_t flags, uint64_t keywords);
uint16_t letters_flags(uint32_t letters);
uint64_t letters_keywords(uint32_t letters);

#endif
