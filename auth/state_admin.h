/* SPDX-License-Identifier: ISC */
/* The administrator's verbs; the list is in state_admin.c. */
#ifndef AUTH_STATE_ADMIN_H
#define AUTH_STATE_ADMIN_H

#include <stdint.h>

#include "base/slice.h"

struct ipc_link;
struct rates;

void state_admin_run(struct rates *r, struct ipc_link *l, uint64_t req,
    struct slice verb, struct slice args);

#endif
