/* SPDX-License-Identifier: ISC */
/* What stands in a record, out of a message parsed by libresolv. */
#ifndef RESOLVER_RDATA_H
#define RESOLVER_RDATA_H

#include <arpa/nameser.h>
#include <stddef.h>

#include "base/slice.h"

struct buf;

/* Makes the text that libresolv wrote our form, in place: lower case, "." for
 * the root. */
struct slice rdata_name(char *name);
/* The name that takes up all of the data from `at` on. 0, or -1. */
int rdata_take_name(const ns_msg *m, const ns_rr *rr, size_t at,
    char name[NS_MAXDNAME]) __attribute__((warn_unused_result));
/*
 * Appends the record as proto/dns.h packs it. 0; -1 when its data is malformed
 * or of a type that is not asked for. No room: out's error.
 */
int rdata_pack(struct buf *out, const ns_msg *m, const ns_rr *rr)
    __attribute__((warn_unused_result));

#endif
