/* SPDX-License-Identifier: ISC */
/* The content as a whole, in memory, through the MIME parser and back. It is
 * rare: nearly every server offers 8BITMIME. */
#include "session/smtp_convert.h"

#include <stdint.h>
#include <string.h>

#include "base/region.h"
#include "proto/limits.h"
#include "proto/mime.h"
#include "proto/mime_downgrade.h"

enum { GROWTH = 3, SLACK = 1 << 20 };

static bool
has_8bit(struct slice s)
{
	const uint64_t high = 0x8080808080808080ULL;
	uint64_t word;

	for (; s.n >= sizeof word; s = slice_from(s, sizeof word)) {
		memcpy(&word, s.p, sizeof word);
		if ((word & high) != 0)
			return true;
	}
	for (; s.n > 0; s = slice_from(s, 1))
		if ((unsigned char)s.p[0] > 127)
			return true;
	return false;
}

bool
smtp_convert_has_8bit(struct smtp_content content)
{
	struct slice piece;

	smtp_content_rewind(&content);
	while (smtp_content_next(&content, &piece) > 0)
		if (has_8bit(piece))
			return true;
	return false;
}

/* How much of `piece` belongs to the header; *line_r: octets of the last line
 * seen so far, over all pieces. */
static size_t
header_part(struct slice piece, size_t *line, bool *is_over_r)
{
	size_t i;

	for (i = 0; i < piece.n && !*is_over_r; i++) {
		if (piece.p[i] != '\n') {
			*line += piece.p[i] != '\r';
			continue;
		}
		*is_over_r = *line == 0;
		*line = 0;
	}
	return i;
}

bool
smtp_convert_has_8bit_header(struct smtp_content content)
{
	bool is_over = false;
	struct slice piece;
	size_t line = 0, n;

	smtp_content_rewind(&content);
	while (!is_over && smtp_content_next(&content, &piece) > 0) {
		n = header_part(piece, &line, &is_over);
		if (has_8bit(slice_head(piece, n)))
			return true;
	}
	return false;
}

static int
load(struct smtp_content content, struct buf *out)
{
	struct slice piece;
	ssize_t n;

	smtp_content_rewind(&content);
	while ((n = smtp_content_next(&content, &piece)) > 0)
		buf_add_slice(out, piece);
	return n == 0 && buf_is_ok(out) ? 0 : -1;
}

static int
add_to_buf(void *arg, struct slice bytes)
{
	struct buf *out = arg;

	buf_add_slice(out, bytes);
	return buf_is_ok(out) ? 0 : -1;
}

static enum smtp_convert
convert(struct slice message, struct region *r, struct buf *text,
    struct buf *out)
{
	struct mime_message m;
	struct mime_parser p;
	struct buf scratch;
	int failed;

	mime_init(&p, r, text);
	mime_feed(&p, message);
	if (mime_finish(&p, &m) < 0)
		return SMTP_CONVERT_FAILED;
	switch (mime_downgrade_check(m.root)) {
	case MIME_DOWNGRADE_NOT_NEEDED:
		return SMTP_CONVERT_NOT_NEEDED;
	case MIME_DOWNGRADE_POSSIBLE:
		break;
	case MIME_DOWNGRADE_HEADER:
	case MIME_DOWNGRADE_SEALED:
	case MIME_DOWNGRADE_STRUCTURE:
	case MIME_DOWNGRADE_ENCODING:
		return SMTP_CONVERT_IMPOSSIBLE;
	}
	buf_init(&scratch, MIME_DOWNGRADE_SCRATCH);
	failed = mime_downgrade(message, m.root, add_to_buf, out, &scratch);
	buf_fini(&scratch);
	return failed < 0 ? SMTP_CONVERT_FAILED : SMTP_CONVERT_DONE;
}

enum smtp_convert
smtp_convert_to_7bit(struct smtp_content content, struct buf *out)
{
	enum smtp_convert result = SMTP_CONVERT_FAILED;
	struct buf message, text;
	struct region r;

	buf_init(out, GROWTH * (size_t)SMTP_CONVERT_MAX + SLACK);
	if (!smtp_convert_has_8bit(content))
		return SMTP_CONVERT_NOT_NEEDED;
	if (content.size > SMTP_CONVERT_MAX)
		return SMTP_CONVERT_IMPOSSIBLE;
	region_init(&r, LIMIT_MIME_MEMORY);
	buf_init(&message, SMTP_CONVERT_MAX);
	buf_init(&text, (size_t)2 * LIMIT_HEADER_FIELD);
	if (load(content, &message) == 0)
		result = convert(buf_slice(&message), &r, &text, out);
	region_fini(&r);
	buf_fini(&message);
	buf_fini(&text);
	return result;
}
