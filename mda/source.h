/* SPDX-License-Identifier: ISC */
/* What is known of a folder from beside the lost map: our own recovery list, or
 * the files of Dovecot or Courier. */
#ifndef MDA_SOURCE_H
#define MDA_SOURCE_H

#include "mda/model.h"

struct source {
	char *folder, *name;
	struct hints hints;
	uint32_t uidvalidity, uidnext, attrs;
	bool ours; /* from our own list: uidnext is what it reserved */
	char *keywords[MAILBOX_KEYWORDS_MAX];
	unsigned n_keywords;
	uint32_t lines;
	uint32_t number; /* of the mailbox; 0: not known */
	struct mailbox *m;
};

/* Fills hints, UIDVALIDITY (0: nothing is known), UIDNEXT and keywords. */
void source_read(struct store *store, struct source *s);
void source_fini(struct source *s);

#endif
