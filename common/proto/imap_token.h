/* SPDX-License-Identifier: ISC */
/*
 * A cursor over the text of one whole command, without its last CRLF. Literals
 * stand in it as on the wire, `{n}` CRLF and the bytes (imap_frame gathers it
 * so). RFC 9051 9, 3501 9.
 *
 * Every imap_take_* returns 0 with its result, or -1 with c->error saying why;
 * the first error stays, so that a parser needs no bookkeeping. Results are
 * views into the text, or into the region where a quoted string had escapes;
 * both must outlive them. A result is never NULL but for NIL.
 */
#ifndef PROTO_IMAP_TOKEN_H
#define PROTO_IMAP_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/region.h"
#include "base/slice.h"
#include "proto/imap_date.h"
#include "proto/imap_error.h"
#include "proto/imap_seqset.h"

#define IMAP_TAKE __attribute__((warn_unused_result))

struct imap_cur {
	const char *p, *end;
	struct region *region;
	unsigned depth; /* open parentheses */
	enum imap_error error;
};

/* System flags as bits; all other flags are keywords. */
enum imap_flag {
	IMAP_FLAG_ANSWERED = 1 << 0,
	IMAP_FLAG_FLAGGED = 1 << 1,
	IMAP_FLAG_DELETED = 1 << 2,
	IMAP_FLAG_SEEN = 1 << 3,
	IMAP_FLAG_DRAFT = 1 << 4,
	IMAP_FLAG_RECENT = 1 << 5 /* RFC 3501; no client can set it */
};

struct imap_flags {
	unsigned system;        /* bits of enum imap_flag */
	struct slice *keywords; /* in the client's spelling, none twice */
	size_t n;
};

/* A word that stands for a bit, in tables of options. */
struct imap_word {
	const char *name;
	unsigned bit;
};

void imap_cur_init(struct imap_cur *c, struct slice text,
    struct region *region);
/* Notes the error unless there is one already. Always -1; inline, so that the
 * compiler knows that too. */
static inline int
imap_fail(struct imap_cur *c, enum imap_error error)
{
	if (c->error == IMAP_ERROR_NONE)
		c->error = error;
	return -1;
}

/* `n` zeroed bytes of the region; NULL notes IMAP_ERROR_MEMORY. */
void *imap_alloc(struct imap_cur *c, size_t n);
bool imap_is_end(const struct imap_cur *c);
/* Is this the next byte? imap_skip takes it too. */
bool imap_is_next(const struct imap_cur *c, char ch);
bool imap_skip(struct imap_cur *c, char ch);
/* What is not taken yet. */
struct slice imap_rest(const struct imap_cur *c);

/* All arguments are read. */
IMAP_TAKE int imap_take_end(struct imap_cur *c);
/* Exactly one space (RFC 9051 9, rule 2). */
IMAP_TAKE int imap_take_space(struct imap_cur *c);
/* Parentheses, at most LIMIT_IMAP_NESTING deep. */
IMAP_TAKE int imap_take_open(struct imap_cur *c);
IMAP_TAKE int imap_take_close(struct imap_cur *c);
/*
 * Between the items of a list whose opening was taken: *more_r is false when
 * the closing parenthesis was found (and taken), else one space was taken,
 * unless this is the first item. `i` is how many items were read; more than
 * `max` is an error.
 */
IMAP_TAKE int imap_take_item(struct imap_cur *c, size_t i, size_t max,
    bool *more_r);

/* The run of bytes that belong to a class, at least one; else the error. */
IMAP_TAKE int imap_take_run(struct imap_cur *c, bool (*is_in)(char),
    enum imap_error error, struct slice *s_r);
IMAP_TAKE int imap_take_tag(struct imap_cur *c, struct slice *s_r);
IMAP_TAKE int imap_take_atom(struct imap_cur *c, struct slice *s_r);
/* Letters, digits, `.`, `-`, `_`: a keyword that a bracket may follow. */
IMAP_TAKE int imap_take_name(struct imap_cur *c, enum imap_error error,
    struct slice *s_r);
/* Quoted or literal. 8-bit text in quotes must be UTF-8 (RFC 9051 9); a
 * literal is any bytes but NUL. */
IMAP_TAKE int imap_take_string(struct imap_cur *c, struct slice *s_r);
IMAP_TAKE int imap_take_astring(struct imap_cur *c, struct slice *s_r);
/* NIL gives SLICE_NONE; an empty string has a pointer. */
IMAP_TAKE int imap_take_nstring(struct imap_cur *c, struct slice *s_r);
/* `~{n}` or `{n}` with any bytes (RFC 3516 5). */
IMAP_TAKE int imap_take_literal8(struct imap_cur *c, struct slice *s_r);
/*
 * A mailbox name as the client wrote it: not decoded, INBOX not folded, maybe
 * empty (imap_mailbox does that; a name that cannot exist is NO, not BAD).
 */
IMAP_TAKE int imap_take_mailbox(struct imap_cur *c, struct slice *s_r);
/* The same with the wildcards of LIST. */
IMAP_TAKE int imap_take_pattern(struct imap_cur *c, struct slice *s_r);
IMAP_TAKE int imap_take_charset(struct imap_cur *c, struct slice *s_r);
/* RFC 8474 7: 1 to 255 letters, digits, `_` and `-`. */
IMAP_TAKE int imap_take_objectid(struct imap_cur *c, struct slice *s_r);

IMAP_TAKE int imap_take_number(struct imap_cur *c, uint32_t *v_r);
IMAP_TAKE int imap_take_nz_number(struct imap_cur *c, uint32_t *v_r);
IMAP_TAKE int imap_take_number64(struct imap_cur *c, uint64_t *v_r);
IMAP_TAKE int imap_take_nz_number64(struct imap_cur *c, uint64_t *v_r);

IMAP_TAKE int imap_take_seqset(struct imap_cur *c, struct imap_seqset *set_r);
/* A set without `*` and `$`, as RFC 7162 wants in QRESYNC. */
IMAP_TAKE int imap_take_known_set(struct imap_cur *c,
    struct imap_seqset *set_r);
/* date-text with or without quotes: days since 1970-01-01. */
IMAP_TAKE int imap_take_date(struct imap_cur *c, int32_t *days_r);
IMAP_TAKE int imap_take_datetime(struct imap_cur *c, struct imap_datetime *t_r);
/* (a b c), maybe empty; _flags also without parentheses, to the end (STORE). */
IMAP_TAKE int imap_take_flag_list(struct imap_cur *c, struct imap_flags *f_r);
IMAP_TAKE int imap_take_flags(struct imap_cur *c, struct imap_flags *f_r);
/* A keyword: an atom of at most LIMIT_IMAP_KEYWORD bytes. */
IMAP_TAKE int imap_take_keyword(struct imap_cur *c, struct slice *s_r);
/* An atom that stands in the table: its bit; else the given error. */
IMAP_TAKE int imap_take_word(struct imap_cur *c, const struct imap_word *table,
    size_t n, enum imap_error error, unsigned *bit_r);

/* Of printable ASCII, not one of `( ) { SP % * " \ ]`; `]` may stand in an
 * astring. */
bool imap_is_atom_char(char ch);
bool imap_is_astring_char(char ch);

#endif
