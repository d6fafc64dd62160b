/* SPDX-License-Identifier: ISC */
/* Maildir letters and what they mean for flags and keywords. */
#include "mda/letters.h"

#include "mda/mailbox.h"

static const char upper[] = "DFPRST";

static const struct {
	uint32_t letter;
	uint16_t flag;
} meanings[] = {
	{ LETTER_DRAFT, FLAG_DRAFT },
	{ LETTER_FLAGGED, FLAG_FLAGGED },
	{ LETTER_REPLIED, FLAG_ANSWERED },
	{ LETTER_SEEN, FLAG_SEEN },
	{ LETTER_TRASHED, FLAG_DELETED },
};

uint32_t
letters_parse(struct slice s)
{
	uint32_t letters = 0;
	unsigned k;
	size_t i;

	for (i = 0; i < s.n; i++) {
		for (k = 0; k < LETTER_KEYWORDS_AT; k++)
			if (s.p[i] == upper[k])
				letters |= 1U << k;
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			letters |= 1U << (s.p[i] - 'a' + LETTER_KEYWORDS_AT);
	}
	return letters;
}

void
letters_put(struct buf *b, uint32_t letters)
{
	unsigned k;

	for (k = 0; k < 32; k++) {
		if ((letters >> k & 1) == 0)
			continue;
		buf_add_char(b, k < LETTER_KEYWORDS_AT ? upper[k] :
			(char)('a' + k - LETTER_KEYWORDS_AT));
	}
}

uint32_t
letters_from_flags(uint16_t flags, uint64_t keywords)
{
	uint32_t letters;
	size_t i;

	letters = (uint32_t)(keywords & ((1U << LETTER_KEYWORDS) - 1))
	    << LETTER_KEYWORDS_AT;
	for (i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if ((flags & meanings[i].flag) != 0)
			letters |= meanings[i].letter;
	return letters;
}

uint16_t
letters_flags(uint32_t letters)
{
	uint16_t flags = 0;
	size_t i;

	for (i = 0; i < sizeof meanings / sizeof *meanings; i++)
		if ((letters & meanings[i].letter) != 0)
			flags |= meanings[i].flag;
	return flags;
}

uint64_t
letters_keywords(uint32_t letters)
{
	return letters >> LETTER_KEYWORDS_AT;
}
