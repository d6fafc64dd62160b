/* SPDX-License-Identifier: ISC */
/*
 * The one form under which a domain, an address or a home is kept: ASCII
 * letters in lower case (also of local parts: nobody has two users Joe and
 * joe), domains as A-labels (RFC 5890), local parts without their quotes.
 */
#ifndef AUTH_CANONICAL_H
#define AUTH_CANONICAL_H

#include "base/buf.h"
#include "base/slice.h"

struct address;

enum {
	CANONICAL_DOMAIN_MAX = 255,
	CANONICAL_KEY_MAX = 511, /* of a key, and of a shown address */
	CANONICAL_HOME_MAX = 480
};

/* Adds the domain or literal. -1: not one that IDNA 2008 allows. */
int canonical_domain(struct slice domain, struct buf *out)
    __attribute__((warn_unused_result));
/*
 * Adds the key of an address: the canonical domain as given, '@', the local
 * part as it is meant, so that a table is in the order of domains. Of a domain's
 * catch-all the local part is empty.
 */
void canonical_key(struct slice local_text, struct slice domain,
    struct buf *out);
/* Adds the address of a key as it is written in mail (quoted if it must be). */
void canonical_address(struct slice key, struct buf *out);
/* Cuts a key into its two parts. */
void canonical_split(struct slice key, struct slice *local_r,
    struct slice *domain_r);
/* Adds "DOMAIN/LOCAL" for a key, safe as two names of a file system: other
 * bytes than letters, digits and a few marks become %XX. */
void canonical_home(struct slice key, struct buf *out);

#endif
