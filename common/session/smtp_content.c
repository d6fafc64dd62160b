/* SPDX-License-Identifier: ISC */
/* Content of messages in pieces. One buffer serves all files: a piece is given
 * to the connection, which copies it, before the next is read. */
#include "session/smtp_content.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE = 32768 };

static char scratch[PIECE];

void
smtp_content_from_memory(struct smtp_content *b, struct slice bytes)
{
	*b = (struct smtp_content){ .memory = bytes, .fd = -1,
		.size = bytes.n };
}

void
smtp_content_from_file(struct smtp_content *b, int fd, uint64_t size)
{
	*b = (struct smtp_content){ .fd = fd, .size = size };
}

static ssize_t
next_of_file(struct smtp_content *b, size_t n, struct slice *piece_r)
{
	ssize_t got;

	do {
		got = pread(b->fd, scratch, n, (off_t)b->at);
	} while (got < 0 && errno == EINTR);
	if (got == 0) {
		errno = EIO;
		return -1;
	}
	if (got > 0)
		*piece_r = (struct slice){ scratch, (size_t)got };
	return got;
}

ssize_t
smtp_content_next(struct smtp_content *b, struct slice *piece_r)
{
	uint64_t left = b->size - b->at;
	size_t n = left < PIECE ? (size_t)left : PIECE;
	ssize_t got = (ssize_t)n;

	*piece_r = SLICE_NONE;
	if (n == 0)
		return 0;
	if (b->fd >= 0)
		got = next_of_file(b, n, piece_r);
	else
		*piece_r =
		    slice_head(slice_from(b->memory, (size_t)b->at), n);
	if (got > 0)
		b->at += (uint64_t)got;
	return got;
}

void
smtp_content_rewind(struct smtp_content *b)
{
	b->at = 0;
}
