/* SPDX-License-Identifier: ISC */
/* The administrator's verbs; the list is in directory_admin.c. */
#ifndef AUTH_DIRECTORY_ADMIN_H
#define AUTH_DIRECTORY_ADMIN_H

#include <stdint.h>

#include "base/slice.h"

struct accounts;
struct ipc_link;
struct route_settings;

/* Who the uid of an account is. */
uint32_t directory_uid(uint64_t number, uint32_t system_uid);

void directory_admin_run(const struct route_settings *s, struct accounts *a,
    struct ipc_link *l, uint64_t req, struct slice verb, struct slice args);

#endif
