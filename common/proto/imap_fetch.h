/* SPDX-License-Identifier: ISC */
/*
 * What a FETCH asks for (RFC 9051 6.4.5, 3501 6.4.5, 3516, 7162, 8474, 8514,
 * 8970): a list of items in the client's order, all memory in the cursor's
 * region.
 */
#ifndef PROTO_IMAP_FETCH_H
#define PROTO_IMAP_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"
#include "proto/imap_token.h"

enum imap_fetch_kind {
	IMAP_FETCH_UID,
	IMAP_FETCH_FLAGS,
	IMAP_FETCH_INTERNALDATE,
	IMAP_FETCH_RFC822_SIZE,
	IMAP_FETCH_ENVELOPE,
	IMAP_FETCH_BODY, /* BODYSTRUCTURE without extension data */
	IMAP_FETCH_BODYSTRUCTURE,
	IMAP_FETCH_MODSEQ,
	IMAP_FETCH_SAVEDATE,
	IMAP_FETCH_EMAILID,
	IMAP_FETCH_THREADID,
	IMAP_FETCH_PREVIEW,
	IMAP_FETCH_SECTION, /* BODY[…], RFC822, RFC822.HEADER, RFC822.TEXT */
	IMAP_FETCH_BINARY,
	IMAP_FETCH_BINARY_SIZE
};

enum imap_section_text {
	IMAP_SECTION_ALL, /* the whole message or part */
	IMAP_SECTION_HEADER,
	IMAP_SECTION_FIELDS,
	IMAP_SECTION_FIELDS_NOT,
	IMAP_SECTION_TEXT,
	IMAP_SECTION_MIME /* only behind part numbers */
};

struct imap_section {
	uint32_t *parts; /* 1.2.3; none is the message itself */
	size_t n_parts;
	enum imap_section_text text;
	struct slice *fields; /* of FIELDS and FIELDS_NOT, as written */
	size_t n_fields;
};

struct imap_fetch_item {
	struct list node; /* in struct imap_fetch.items */
	enum imap_fetch_kind kind;
	struct slice echo; /* what stands before the value in the response */
	/* SECTION, BINARY, BINARY_SIZE: */
	struct imap_section section;
	bool is_partial;
	uint64_t offset, length; /* when is_partial; length > 0 */
	/* PREVIEW: only if it costs nothing (RFC 8970 3.1). */
	bool is_lazy;
};

struct imap_fetch {
	struct list items; /* of imap_fetch_item; do not copy the struct */
	size_t n;
	unsigned kinds;    /* 1 << kind of each */
	bool sets_seen;    /* one of them is not a PEEK */
};

/*
 * Reads one item, a macro (ALL, FAST, FULL) or a list of items. Plain items
 * asked for twice are given once. At most LIMIT_IMAP_FETCH_ITEMS.
 */
IMAP_TAKE int imap_take_fetch(struct imap_cur *c, struct imap_fetch *f_r);
/* Adds a plain item in front unless it is there (UID for UID FETCH, MODSEQ
 * for CHANGEDSINCE). */
IMAP_TAKE int imap_fetch_add_first(struct imap_cur *c, struct imap_fetch *f,
    enum imap_fetch_kind kind);

#endif
