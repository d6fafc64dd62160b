/* SPDX-License-Identifier: ISC */
/*
 * How many connections each client has open, over all processes that serve
 * clients; who opened which is remembered, so that a process's connections go
 * with it. Bounded by what those processes can hold open.
 */
#ifndef AUTH_CLIENTS_H
#define AUTH_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/slice.h"

struct clients {
	struct map counts; /* by key */
	struct map shares; /* by holder and key */
	size_t open;
};

enum { CLIENT_KEY_MAX = 256 };

void clients_init(struct clients *c);
void clients_fini(struct clients *c);
/* One more for this key, held by `holder`, unless there are `limit` already
 * (0: no limit). The count with it is in *count_r, or the one that was too
 * much already. Keys are cut at CLIENT_KEY_MAX. */
bool clients_open(struct clients *c, uint64_t holder, struct slice key,
    uint32_t limit, uint32_t *count_r);
/* One less; ignored when this holder has none. */
void clients_close(struct clients *c, uint64_t holder, struct slice key);
/* Closes all that a holder has. */
void clients_drop(struct clients *c, uint64_t holder);

#endif
