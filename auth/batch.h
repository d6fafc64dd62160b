/* SPDX-License-Identifier: ISC */
/*
 * Changes of the directory's tables gathered into one transaction, which ends
 * with a higher generation. What changes.c and changes_accounts.c share.
 */
#ifndef AUTH_BATCH_H
#define AUTH_BATCH_H

#include <stdint.h>

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"

struct accounts;
struct refusal;
struct table;
struct table_change;

struct batch {
	struct accounts *a;
	struct table_change *v;
	size_t n;
	struct region mem;
};

/* -1 is said in `why`, in all of them. A batch that began ends by commit or
 * fini, once. */
int batch_begin(struct batch *b, struct accounts *a, struct refusal *why)
    __attribute__((warn_unused_result));
void batch_fini(struct batch *b);
/* Key and value are copied. */
void batch_put(struct batch *b, struct table *t, struct slice key,
    const struct buf *value);
/* A record of one number. */
void batch_put_number(struct batch *b, struct table *t, struct slice key,
    unsigned char tag, uint64_t number);
void batch_delete(struct batch *b, struct table *t, struct slice key);
/* Raises the generation, applies all of it durably, and ends the batch. */
int batch_commit(struct batch *b, struct refusal *why)
    __attribute__((warn_unused_result));

/* Always -1: the tables do not work. */
int refuse_trouble(struct accounts *a, struct refusal *why);
/* The address of a key as people know it; good until the fourth call after
 * this one. */
const char *batch_shown(struct slice key);
/* Can this address be given to an account or an alias? */
int check_name_free(struct accounts *a, struct slice key,
    struct refusal *why) __attribute__((warn_unused_result));

#endif
