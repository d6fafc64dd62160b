/* SPDX-License-Identifier: ISC */
/*
 * What stands behind an alias: one step at a time for those who deliver, and
 * followed to its end to see whether an address is somebody's own.
 */
#ifndef AUTH_EXPAND_H
#define AUTH_EXPAND_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/route.h"
#include "base/slice.h"

/*
 * As route_find; but ADDR_LOOP when one of the targets is the same alias
 * again, by another name (a detail, a domain's alias, the catch-all). Longer
 * circles are found by whoever follows them.
 */
void expand_find(const struct route_settings *s, struct accounts *a,
    struct slice address, struct route *r);
/*
 * May this account send as that address? Its own, with a detail or without,
 * and any alias that leads to it alone. 0; -1 when the tables cannot say.
 */
int expand_owns(const struct route_settings *s, struct accounts *a,
    uint64_t account, struct slice address, bool *owns_r)
    __attribute__((warn_unused_result));

#endif
