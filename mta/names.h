/* SPDX-License-Identifier: ISC */
/*
 * The name of a client: what its address points back to (PTR), if that name
 * has the address. For trace headers and logs; nothing is decided by it.
 */
#ifndef MTA_NAMES_H
#define MTA_NAMES_H

#include <sys/socket.h>

#include "base/slice.h"

struct names_lookup;

/* Begins to look; NULL when there is no resolver, or no address. */
struct names_lookup *names_begin(const struct sockaddr *sa, socklen_t len);
/* The name, as far as it is known and confirmed; else empty. Accepts NULL. */
struct slice names_found(const struct names_lookup *n);
/* Sets it NULL; harmless when it is. */
void names_end(struct names_lookup **n);

#endif
