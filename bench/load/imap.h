/* SPDX-License-Identifier: ISC */
/*
 * A client's reading of IMAP answers (RFC 9051 2.2.2): cut into responses,
 * with literals passed over as they stream by, and lines of any length in
 * bounded memory. And the LOGIN command.
 */
#ifndef BENCH_IMAP_H
#define BENCH_IMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/slice.h"

struct imap_reader {
	uint64_t skip;  /* bytes of a literal still to come */
	bool is_inside; /* what comes next continues a response */
};

/*
 * > 0: bytes used up; *head_r is the first line of a response (without CRLF;
 * of a very long line its beginning, of one with literals what precedes them),
 * or empty for what continues one. 0: more is needed.
 */
ssize_t imap_next(struct imap_reader *r, struct slice in,
    struct slice *head_r);

/* Appends a tag and a space: a letter and the number. */
void imap_add_tag(struct buf *b, uint64_t tag);
/* Is it the tagged response to `tag`? Then *rest_r is "OK ...". */
bool imap_is_tagged(struct slice head, uint64_t tag, struct slice *rest_r);
/* Of what follows a tag. */
bool imap_is_ok(struct slice rest);
/* Is there such a capability in the response? Whole words only. */
bool imap_has_word(struct slice head, const char *word);
/* Appends LOGIN with both as quoted strings, without tag, with CRLF. */
void imap_add_login(struct buf *b, struct slice user, struct slice password);

#endif
