/* SPDX-License-Identifier: ISC */
/*
 * What a submitted message's header needs before it may travel (RFC 6409 8,
 * RFC 5322 3.6): Date, Message-ID, From and Sender added where they are
 * missing, Bcc taken out, and whose mail it says it is. Pure: fields go in as
 * they stream by, what is to be added comes out.
 */
#ifndef MSA_FIXUP_H
#define MSA_FIXUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/date.h"
#include "proto/header.h"

enum fixup_verdict {
	FIXUP_KEEP,
	FIXUP_DROP,
	FIXUP_BODY,  /* no field: the body begins here, without a blank line */
	FIXUP_REFUSE /* f->why says why */
};

enum fixup_error {
	FIXUP_FINE,
	FIXUP_TWICE,      /* From, Sender, Date or the like more than once */
	FIXUP_NO_ADDRESS, /* From or Sender without a valid address */
	FIXUP_TOO_MANY    /* authors */
};

enum { FIXUP_AUTHORS_MAX = 10 };

struct fixup {
	unsigned seen; /* bits of the fields that count */
	size_t n_fields, n_authors;
	/* The addresses of From and Sender, canonical, LF behind each: they
	 * must be the sender's own. */
	struct buf owned;
	enum fixup_error why;
};

struct fixup_facts {
	struct slice address; /* of the account */
	struct slice name;    /* for a From of ours; or empty */
	struct slice id;      /* unique: left of the Message-ID's @ */
	struct slice host;    /* right of it */
	struct date now;
};

void fixup_init(struct fixup *f);
void fixup_fini(struct fixup *f);
/* One field (or line that is none) of the header, in order. */
enum fixup_verdict fixup_field(struct fixup *f, const struct header_field *h)
    __attribute__((warn_unused_result));
/* At the header's end: appends the fields that are missing, each with its
 * CRLF; a From of its own is not added to f->owned. */
void fixup_end(struct fixup *f, const struct fixup_facts *facts,
    struct buf *out);

#endif
