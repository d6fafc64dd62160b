/* SPDX-License-Identifier: ISC */
/*
 * What a SEARCH asks for: a tree of keys in the cursor's region (RFC 9051
 * 6.4.4, 3501 6.4.4; 4731 RETURN; 5032 OLDER, YOUNGER; 5182 SAVE and `$`; 7162
 * MODSEQ; 8474 EMAILID, THREADID; 8514 SAVED…; 9394 PARTIAL).
 *
 * Strings are the client's bytes in the command's charset; converting and
 * comparing them is the searcher's part.
 */
#ifndef PROTO_IMAP_SEARCH_H
#define PROTO_IMAP_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/imap_seqset.h"
#include "proto/imap_token.h"

enum imap_search_op {
	IMAP_SEARCH_AND,      /* all of child, child->next, … */
	IMAP_SEARCH_OR,       /* any of them; ORs of ORs are one node */
	IMAP_SEARCH_ALL,      /* every message */
	IMAP_SEARCH_SEQ,      /* set of message numbers */
	IMAP_SEARCH_UID,      /* set of UIDs */
	IMAP_SEARCH_FLAGS,    /* system flags: all of set, none of unset */
	IMAP_SEARCH_KEYWORD,  /* text */
	IMAP_SEARCH_HEADER,   /* field (BCC, SUBJECT … are these too), text;
			       * empty text: the field exists */
	IMAP_SEARCH_BODY,     /* text */
	IMAP_SEARCH_TEXT,     /* text, in header or body */
	IMAP_SEARCH_INTERNAL, /* from <= day of INTERNALDATE < to */
	IMAP_SEARCH_SENT,     /* the same of the Date field */
	IMAP_SEARCH_SAVED,    /* the same of the save date */
	IMAP_SEARCH_SAVEDATESUPPORTED,
	IMAP_SEARCH_LARGER,   /* size > number */
	IMAP_SEARCH_SMALLER,  /* size < number */
	IMAP_SEARCH_OLDER,    /* INTERNALDATE <= now - number seconds */
	IMAP_SEARCH_YOUNGER,  /* INTERNALDATE >= now - number seconds */
	IMAP_SEARCH_MODSEQ,   /* MODSEQ >= number */
	IMAP_SEARCH_EMAILID,  /* text */
	IMAP_SEARCH_THREADID  /* text */
};

struct imap_search_node {
	struct imap_search_node *next;  /* beside it in its group */
	struct imap_search_node *child; /* AND, OR: the first */
	enum imap_search_op op;
	bool negate; /* NOT stands before it */
	union {
		struct imap_seqset set; /* as parsed, not resolved */
		struct {
			unsigned set, unset;
		} flags;
		struct {
			struct slice field, text;
		} string;
		struct {
			int32_t from, to; /* INT32_MIN, INT32_MAX: open */
		} days;
		uint64_t number;
	} u;
};

enum imap_search_return {
	IMAP_RETURN_MIN = 1 << 0,
	IMAP_RETURN_MAX = 1 << 1,
	IMAP_RETURN_ALL = 1 << 2,
	IMAP_RETURN_COUNT = 1 << 3,
	IMAP_RETURN_SAVE = 1 << 4,
	IMAP_RETURN_PARTIAL = 1 << 5
};

/* What answering it takes; decided once, so that a search of flags alone
 * never opens a message. */
enum imap_search_needs {
	IMAP_NEEDS_SEQ = 1 << 0,    /* a message number stands in it */
	IMAP_NEEDS_SAVED = 1 << 1,  /* `$` stands in it */
	IMAP_NEEDS_HEADER = 1 << 2, /* header fields */
	IMAP_NEEDS_BODY = 1 << 3,
	IMAP_NEEDS_MODSEQ = 1 << 4  /* enables CONDSTORE, RFC 7162 3.1 */
};

/* RFC 9394 3.1: places in the result, from 1; counted from the end when
 * from_end. first <= last. */
struct imap_partial {
	uint32_t first, last;
	bool from_end;
};

struct imap_search {
	bool has_return;   /* RETURN stood there: the answer is ESEARCH */
	unsigned returns;  /* bits; `RETURN ()` gives ALL (RFC 4731 3.1) */
	struct imap_partial partial;
	struct slice charset; /* SLICE_NONE when not given */
	unsigned needs;
	struct imap_search_node *root;
};

/* Reads everything behind SEARCH, from the space before its first argument. */
IMAP_TAKE int imap_take_search(struct imap_cur *c, struct imap_search *s_r);
/* 1:500 or -1:-100, as FETCH (PARTIAL …) has it too. */
IMAP_TAKE int imap_take_partial_range(struct imap_cur *c,
    struct imap_partial *p_r);

#endif
