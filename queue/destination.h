/* SPDX-License-Identifier: ISC */
/*
 * Next hops: how many deliveries each has out, and which messages wait for it.
 * A local mailbox is one too ("owner:N").
 */
#ifndef QUEUE_DESTINATION_H
#define QUEUE_DESTINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"

struct message;

struct destination {
	char *name;          /* the nexthop, or "owner:N" */
	uint64_t account;    /* of an owner, else 0 */
	bool is_owner;
	size_t active;       /* deliveries out */
	size_t users;        /* who points here */
	struct list waiting; /* of struct message, each counted in users */
};

/* The one of that name, made if new; counted as used. */
struct destination *destination_take(struct slice name, bool is_owner,
    uint64_t account);
/* No longer used by one; it goes when nobody uses it. Sets *d NULL. */
void destination_drop(struct destination **d);
/* Has it room for another delivery? */
bool destination_has_room(const struct destination *d);
size_t destination_count(void);
/* Steps through all: *pos from 0. */
struct destination *destination_next(size_t *pos);

#endif
