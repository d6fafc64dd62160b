/* SPDX-License-Identifier: ISC */
/*
 * The recovery list of a folder: plain text, one record a line, each with a
 * checksum of its own, so that a torn end is told from a whole one.
 *
 *	veredus-list 1 UIDVALIDITY RESERVED CRC    first line
 *	N RESERVED CRC                             UIDs below may be in use
 *	I NUMBER CRC                               the mailbox's number
 *	U UID KEYWORDS ID CRC                      a message and its file
 *	K UID KEYWORDS CRC                         its keywords changed
 *	W NUMBER NAME CRC                          a keyword's name
 *	A ATTRIBUTES NAME CRC                      a mailbox (account's list)
 *
 * Before a UID is given, a line that reserves it is flushed: so after a loss
 * of the map no UID is used twice, even where lines about messages are missing
 * (such a message gets a new UID). Without a good first line UIDVALIDITY must
 * change: so a list that could not be told of a reservation is removed.
 */
#include "mda/uidlist.h"

#include <stdlib.h>

#include "base/crc32c.h"
#include "base/num.h"

/* Ends the line that began at `from`. */
static void
end_line(struct buf *b, size_t from)
{
	uint32_t crc = crc32c(0, b->p + from, b->n - from);

	buf_addf(b, " %08x\n", (unsigned)crc);
}

void
uidlist_head(struct buf *b, uint32_t uidvalidity, uint32_t reserved)
{
	size_t from = b->n;

	buf_addf(b, "veredus-list 1 %u %u", uidvalidity, reserved);
	end_line(b, from);
}

void
uidlist_reserved(struct buf *b, uint32_t uid)
{
	size_t from = b->n;

	buf_addf(b, "N %u", uid);
	end_line(b, from);
}

void
uidlist_number(struct buf *b, uint32_t number)
{
	size_t from = b->n;

	buf_addf(b, "I %u", number);
	end_line(b, from);
}

void
uidlist_message(struct buf *b, uint32_t uid, uint64_t keywords, struct slice id)
{
	size_t from = b->n;

	buf_addf(b, "U %u %llx ", uid, (unsigned long long)keywords);
	buf_add_slice(b, id);
	end_line(b, from);
}

void
uidlist_keywords(struct buf *b, uint32_t uid, uint64_t keywords)
{
	size_t from = b->n;

	buf_addf(b, "K %u %llx", uid, (unsigned long long)keywords);
	end_line(b, from);
}

void
uidlist_keyword(struct buf *b, unsigned number, struct slice name)
{
	size_t from = b->n;

	buf_addf(b, "W %u ", number);
	buf_add_slice(b, name);
	end_line(b, from);
}

void
uidlist_mailbox(struct buf *b, uint32_t attrs, struct slice name)
{
	size_t from = b->n;

	buf_addf(b, "A %u ", attrs);
	buf_add_slice(b, name);
	end_line(b, from);
}

/* ---- reading ---- */

/* The line without its checksum; false when that is wrong. */
static bool
check_line(struct slice *line)
{
	uint64_t crc;

	if (line->n < 9 || line->p[line->n - 9] != ' ' ||
	    num_parse_hex(slice_from(*line, line->n - 8), &crc) < 0 ||
	    crc != crc32c(0, line->p, line->n - 9))
		return false;
	line->n -= 9;
	return true;
}

static bool
take_number(struct slice *line, uint64_t max, uint64_t *n_r)
{
	struct slice word;

	return slice_split(line, ' ', &word) &&
	    num_parse(word, 0, max, n_r) == 0;
}

static bool
take_hex(struct slice *line, uint64_t *n_r)
{
	struct slice word;

	return slice_split(line, ' ', &word) && num_parse_hex(word, n_r) == 0;
}

int
uidlist_read_head(struct slice *text, struct uidlist_head *h_r)
{
	struct slice line, version;
	uint64_t validity, reserved;

	if (!slice_split(text, '\n', &line) || !check_line(&line) ||
	    !slice_has_prefix(line, SLICE("veredus-list ")))
		return -1;
	line = slice_from(line, 13);
	if (!slice_split(&line, ' ', &version) ||
	    !slice_eq_str(version, "1") ||
	    !take_number(&line, UINT32_MAX, &validity) ||
	    !take_number(&line, UINT32_MAX, &reserved) || line.n > 0 ||
	    validity == 0 || reserved == 0)
		return -1;
	h_r->uidvalidity = (uint32_t)validity;
	h_r->reserved = (uint32_t)reserved;
	return 0;
}

static bool
is_text_kind(char kind)
{
	return kind == 'U' || kind == 'W' || kind == 'A';
}

bool
uidlist_read_line(struct slice *text, struct uidlist_line *l_r)
{
	struct slice line, kind;
	uint64_t number;

	while (slice_split(text, '\n', &line)) {
		if (!check_line(&line) || !slice_split(&line, ' ', &kind) ||
		    kind.n != 1 || !take_number(&line, UINT32_MAX, &number))
			continue;
		*l_r = (struct uidlist_line){ .kind = kind.p[0],
			.number = (uint32_t)number };
		/* A second number, and a text behind. */
		if ((l_r->kind == 'K' || l_r->kind == 'U') &&
		    !take_hex(&line, &l_r->keywords))
			continue;
		l_r->text = line;
		if (is_text_kind(l_r->kind) ? line.n > 0 :
			line.n == 0 && (l_r->kind == 'N' ||
			    l_r->kind == 'I' || l_r->kind == 'K'))
			return true;
	}
	return false;
}
