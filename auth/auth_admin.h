/* SPDX-License-Identifier: ISC */
/* The administrator's verbs; the list is in auth_admin.c. */
#ifndef AUTH_AUTH_ADMIN_H
#define AUTH_AUTH_ADMIN_H

#include <stdint.h>

#include "base/slice.h"

struct ipc_link;
struct passwords;

void auth_admin_run(struct passwords *p, struct ipc_link *l, uint64_t req,
    struct slice verb, struct slice args);

#endif
