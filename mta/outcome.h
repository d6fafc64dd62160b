/* SPDX-License-Identifier: ISC */
/*
 * What is known of a recipient while one host after the other is tried, and
 * which word counts in the end: RFC 5321 5.1 says to go on to the next host
 * after a temporary failure, and one that is permanent of one host may not be
 * so of all.
 */
#ifndef MTA_OUTCOME_H
#define MTA_OUTCOME_H

#include <stdbool.h>

#include "base/buf.h"
#include "proto/status.h"

/* Who says it: the later in this list, the better it answers "why?". */
enum outcome_source {
	OUTCOME_NOBODY,	  /* nothing has been tried */
	OUTCOME_OURS,	  /* we: no address, no connection */
	OUTCOME_HOST,	  /* a host, of itself or of the message */
	OUTCOME_RECIPIENT /* a host, of this recipient */
};

/* Zeroed, nothing is known. Owns its texts. */
struct outcome_word {
	enum outcome_source source;
	enum outcome outcome;
	int code;
	struct enhanced enhanced;
	struct buf text;   /* clean */
	struct buf remote; /* who said it, empty for ours */
};

/*
 * Takes one more word in. "Later" outweighs "never", for that host may take the
 * mail yet; else the better source counts, and of equals the last.
 */
void outcome_add(struct outcome_word *w, enum outcome_source source,
    const struct status *status, struct slice remote);
void outcome_fini(struct outcome_word *w);

#endif
