/* SPDX-License-Identifier: ISC */
/*
 * Certificates and keys on their way: master reads chains as opaque text and
 * opens key files without reading them; `keys` says whether a pair is good;
 * only then do the fronts hear of the certificate. A pair that is not good
 * keeps the one before it.
 */
#ifndef MASTER_CERTS_H
#define MASTER_CERTS_H

#include "base/buf.h"
#include "master/child.h"
#include "master/config.h"

struct loop;

/* Makes the shared ticket keys and rotates them. 0, -1. */
int certs_init(struct loop *l) __attribute__((warn_unused_result));
/*
 * Reads what the configuration names, in its order, which is the one that
 * certs_distribute keeps; what it no longer names is dropped. Files that cannot
 * be read are said in `why`, the others are taken: -1 if there was any.
 */
int certs_load(const struct config *c, struct buf *why)
    __attribute__((warn_unused_result));
/* All pairs go to all `keys`, then the good ones to all fronts. `done` (may be
 * NULL) gets a sentence for each that is not good. */
void certs_distribute(void (*done)(const char *problems));
/* A `keys` process came up: it gets all keys. */
void certs_keys_up(struct child *c);
/* A front came up: it gets the tickets, and the certificates known to be
 * good. */
void certs_front_up(struct child *c);

#endif
