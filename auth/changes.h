/* SPDX-License-Identifier: ISC */
/*
 * Changes of the directory: each as a whole, durable before it returns, with a
 * higher generation. -1 with the reason in a struct refusal: an exit code of
 * sysexits.h and a sentence for the administrator.
 */
#ifndef AUTH_CHANGES_H
#define AUTH_CHANGES_H

#include <stdint.h>

#include "auth/accounts.h"
#include "base/buf.h"
#include "base/slice.h"

struct refusal {
	uint8_t exit;
	struct buf text;
};

void refusal_init(struct refusal *r);
void refusal_fini(struct refusal *r);
/* Always -1. */
int refuse(struct refusal *r, int exit, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* serial and created are set here. */
int change_add_domain(struct accounts *a, const struct domain *d,
    struct refusal *why) __attribute__((warn_unused_result));
/* Only when nothing is in it. */
int change_remove_domain(struct accounts *a, struct slice name,
    struct refusal *why) __attribute__((warn_unused_result));

/*
 * Adds accounts, all or none. Each needs its key; an empty home is made up.
 * number and created are set in `v`; a home made up is not shown there.
 */
enum { CHANGE_ACCOUNTS_MAX = 1000 };
int change_add_accounts(struct accounts *a, struct account *v, size_t n,
    struct refusal *why) __attribute__((warn_unused_result));
/* State and quota of an account, by its number; the rest stays. */
int change_set_account(struct accounts *a, const struct account *account,
    struct refusal *why) __attribute__((warn_unused_result));
/* Another address; number and home stay. */
int change_rename_account(struct accounts *a, uint64_t number,
    struct slice key, struct refusal *why)
    __attribute__((warn_unused_result));
/* Not while an alias points to it. Its home stays on disk. */
int change_remove_account(struct accounts *a, uint64_t number,
    struct refusal *why) __attribute__((warn_unused_result));

/* `targets`: canonical addresses packed by sys/row.h. Replaces an alias. */
int change_put_alias(struct accounts *a, struct slice key,
    struct slice targets, struct refusal *why)
    __attribute__((warn_unused_result));
int change_remove_alias(struct accounts *a, struct slice key,
    struct refusal *why) __attribute__((warn_unused_result));

/* Only raises the generation: something else decides differently now. */
int change_generation(struct accounts *a) __attribute__((warn_unused_result));

#endif
