/* SPDX-License-Identifier: ISC */
/* What reading (accounts.c) and changing (changes.c) the tables share. */
#ifndef AUTH_ACCOUNTS_PRIV_H
#define AUTH_ACCOUNTS_PRIV_H

#include "auth/accounts.h"
#include "auth/record.h"
#include "base/map.h"

/* Tags of the records; a number is never given another meaning. */
enum {
	DOMAIN_CREATED = 1,
	DOMAIN_SERIAL = 2,
	DOMAIN_ALIAS_OF = 3,

	NAME_ACCOUNT = 1,
	NAME_TARGET = 2,

	ACCOUNT_KEY = 1,
	ACCOUNT_HOME = 2,
	ACCOUNT_ROOT = 3,
	ACCOUNT_DISABLED = 4,
	ACCOUNT_CREATED = 5,
	ACCOUNT_QUOTA_BYTES = 6,
	ACCOUNT_QUOTA_MESSAGES = 7,
	ACCOUNT_SYSTEM_UID = 8,
	ACCOUNT_SYSTEM_GID = 9,

	HOME_ACCOUNT = 1,

	USAGE_BYTES = 1,
	USAGE_MESSAGES = 2,

	META_VALUE = 1
};

/* Keys of meta. */
#define META_GENERATION "generation"
#define META_NEXT_ACCOUNT "next-account"
#define META_NEXT_DOMAIN "next-domain"

struct usage_entry {
	uint64_t number;
	struct usage usage;
	bool is_dirty;
};

struct accounts {
	struct table_env *env;
	struct table *domains, *names, *accounts, *homes, *usage, *meta;
	uint64_t generation, next_account, next_domain;
	size_t n_domains, n_accounts, n_aliases;
	struct buf first_domain;
	uint64_t first_serial;
	struct map usages; /* of usage_entry by number */
	/* What was found last. */
	struct buf domain, name, account, targets, first;
};

/* Makes a record of it, in `out`. */
void account_write(const struct account *account, struct buf *out);
/* Reads a record. -1 with EBADMSG: it is none of ours. */
int account_read(struct slice key, struct slice record,
    struct account *out_r) __attribute__((warn_unused_result));
void domain_write(const struct domain *d, struct buf *out);
/* Counts and the first domain anew: after a change of domains, and at start.
 * -1 with errno. */
int accounts_survey(struct accounts *a) __attribute__((warn_unused_result));

#endif
