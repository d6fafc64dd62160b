/* SPDX-License-Identifier: ISC */
/*
 * What the administrator may ask of the resolver:
 *
 *	dns lookup TYPE NAME   as the other roles would be answered
 *	dns flush              forget all answers, after a zone was changed
 */
#ifndef RESOLVER_ADMIN_H
#define RESOLVER_ADMIN_H

#include <stdint.h>

#include "base/slice.h"

struct ipc_link;
struct lookups;

/* Answers on the link, at once or later. */
void admin_run(struct lookups *ls, struct ipc_link *l, uint64_t req,
    struct slice verb, struct slice args);

#endif
