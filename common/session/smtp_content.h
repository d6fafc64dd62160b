/* SPDX-License-Identifier: ISC */
/* Where the content of a message comes from when it is sent: memory, or a file
 * that is read in pieces as the connection drains. */
#ifndef SESSION_SMTP_CONTENT_H
#define SESSION_SMTP_CONTENT_H

#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"

struct smtp_content {
	struct slice memory; /* all of it, when fd is -1 */
	int fd;		     /* borrowed, read from offset 0 */
	uint64_t size;
	uint64_t at; /* how far it was read */
};

/* Both borrow what they are given. */
void smtp_content_from_memory(struct smtp_content *b, struct slice bytes);
void smtp_content_from_file(struct smtp_content *b, int fd, uint64_t size);
/*
 * The next bytes: > 0 how many, a view that is valid until the next call for
 * any body; 0 at the end; -1 with errno when the file cannot be read, or is
 * shorter than `size` (EIO).
 */
ssize_t smtp_content_next(struct smtp_content *b, struct slice *piece_r)
    __attribute__((warn_unused_result));
void smtp_content_rewind(struct smtp_content *b);

#endif
