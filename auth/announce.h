/* SPDX-License-Identifier: ISC */
/*
 * Tells every front that the tables have changed, so that what it remembers is
 * asked anew; and when all have heard it, or a time is over, goes on.
 */
#ifndef AUTH_ANNOUNCE_H
#define AUTH_ANNOUNCE_H

#include <stdint.h>

enum { ANNOUNCE_MS = 2000 };

typedef void announce_done(void *arg);
/* `done` may be NULL; it is called from the loop or before this returns, when
 * there is nobody to tell. */
void announce_generation(uint64_t generation, announce_done *done, void *arg);

#endif
