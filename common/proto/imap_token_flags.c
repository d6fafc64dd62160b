/* SPDX-License-Identifier: ISC */
/* Words out of a table, keywords and flags: RFC 9051 2.3.2, 9 (flag-list). */
#include "proto/imap_token.h"

#include <string.h>

#include "proto/limits.h"

int
imap_take_keyword(struct imap_cur *c, struct slice *s_r)
{
	if (imap_take_run(c, imap_is_atom_char, IMAP_ERROR_FLAG, s_r) < 0)
		return -1;
	if (s_r->n > LIMIT_IMAP_KEYWORD)
		return imap_fail(c, IMAP_ERROR_FLAG);
	return 0;
}

int
imap_take_word(struct imap_cur *c, const struct imap_word *table, size_t n,
    enum imap_error error, unsigned *bit_r)
{
	struct slice s;
	size_t i;

	if (imap_take_run(c, imap_is_atom_char, error, &s) < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (slice_ieq_str(s, table[i].name)) {
			*bit_r = table[i].bit;
			return 0;
		}
	return imap_fail(c, error);
}

/* What a client may set: neither \Recent nor a flag nobody has defined. */
static int
take_system_flag(struct imap_cur *c, struct imap_flags *f)
{
	static const struct imap_word words[] = {
		{ "Answered", IMAP_FLAG_ANSWERED },
		{ "Flagged", IMAP_FLAG_FLAGGED },
		{ "Deleted", IMAP_FLAG_DELETED },
		{ "Seen", IMAP_FLAG_SEEN },
		{ "Draft", IMAP_FLAG_DRAFT },
	};
	unsigned bit;

	if (imap_take_word(c, words, sizeof words / sizeof *words,
	    IMAP_ERROR_FLAG, &bit) < 0)
		return -1;
	f->system |= bit;
	return 0;
}

/* Room for one more keyword: the array doubles, the old one dies with the
 * region. */
static int
keyword_room(struct imap_cur *c, struct imap_flags *f)
{
	struct slice *more;

	if (f->n > 0 && (f->n < 4 || (f->n & (f->n - 1)) != 0))
		return 0;
	more = imap_alloc(c, (f->n == 0 ? 4 : f->n * 2) * sizeof *more);
	if (more == NULL)
		return -1;
	if (f->n > 0)
		memcpy(more, f->keywords, f->n * sizeof *more);
	f->keywords = more;
	return 0;
}

static int
take_flag(struct imap_cur *c, struct imap_flags *f)
{
	struct slice word;
	size_t i;

	if (imap_skip(c, '\\'))
		return take_system_flag(c, f);
	if (imap_take_keyword(c, &word) < 0)
		return -1;
	for (i = 0; i < f->n; i++)
		if (slice_ieq(f->keywords[i], word))
			return 0;
	if (keyword_room(c, f) < 0)
		return -1;
	f->keywords[f->n++] = word;
	return 0;
}

int
imap_take_flag_list(struct imap_cur *c, struct imap_flags *f_r)
{
	bool more;
	size_t i;

	*f_r = (struct imap_flags){ 0 };
	if (imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_FLAGS, &more) < 0)
			return -1;
		if (!more)
			return 0;
		if (take_flag(c, f_r) < 0)
			return -1;
	}
}

int
imap_take_flags(struct imap_cur *c, struct imap_flags *f_r)
{
	size_t i;

	if (imap_is_next(c, '('))
		return imap_take_flag_list(c, f_r);
	*f_r = (struct imap_flags){ 0 };
	for (i = 0; i < LIMIT_IMAP_FLAGS; i++) {
		if (take_flag(c, f_r) < 0)
			return -1;
		if (imap_is_end(c))
			return 0;
		if (imap_take_space(c) < 0)
			return -1;
	}
	return imap_fail(c, IMAP_ERROR_TOO_MANY);
}
