/* SPDX-License-Identifier: ISC */
/*
 * The data model of the directory, over keyed tables:
 *
 *	domains   name                  our domains
 *	names     key of an address     whose it is: an account, or an alias's
 *	                                targets (auth/canonical.h has the key)
 *	accounts  number                address, home, state, quota
 *	homes     home                  who has or had it: never given twice
 *	usage     number                what the mailbox holds
 *	meta      next numbers, generation
 *
 * A change happens as a whole and raises the generation. A number is never
 * used again, nor is a home: what a removed account leaves behind belongs to
 * nobody else. Names are canonical already, unless said otherwise.
 *
 * Finding returns 0, or -1 with errno: ENOENT; EBADMSG for a row that is none
 * of ours, EIO and others when the tables cannot be read at all ("later", never
 * "no such user"). Views are valid until
 * the next call that finds the same kind of thing.
 */
#ifndef AUTH_ACCOUNTS_H
#define AUTH_ACCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "sys/table.h"

struct accounts;

/* A quota that the account has not of its own. */
#define QUOTA_DEFAULT UINT64_MAX

enum { ALIAS_TARGETS_MAX = 1000 };

struct domain {
	struct slice name;
	struct slice alias_of; /* another of our domains, or none */
	int64_t created;
	uint64_t serial; /* in the order of their making */
};

struct account {
	uint64_t number;
	struct slice key;  /* of its address */
	struct slice home; /* below mail root number `root` */
	uint32_t root;
	uint32_t system_uid, system_gid; /* of a user of this system, else 0 */
	bool is_enabled;
	int64_t created;
	uint64_t quota_bytes, quota_messages; /* 0 for none */
};

struct usage {
	uint64_t bytes, messages;
};

/* Whose address is it? */
struct name {
	uint64_t account;     /* 0: an alias */
	struct slice targets; /* packed by sys/row.h, in canonical form */
};

/* Opens them in a folder; -1 with a sentence. */
int accounts_open(enum table_driver driver, const char *dir, struct buf *why,
    struct accounts **a_r) __attribute__((warn_unused_result));
/* Writes down the usage; *a becomes NULL. */
void accounts_close(struct accounts **a);

uint64_t accounts_generation(const struct accounts *a);
/* What the next account will be called. */
uint64_t accounts_next_number(const struct accounts *a);
/* The domain that was made first, of those that are left and no alias; empty
 * when there is none. A view until the next change. */
struct slice accounts_first_domain(const struct accounts *a);
/* How many there are. */
size_t accounts_n_domains(const struct accounts *a);
size_t accounts_count(const struct accounts *a);
size_t accounts_n_aliases(const struct accounts *a);

int accounts_find_domain(struct accounts *a, struct slice name,
    struct domain *out_r) __attribute__((warn_unused_result));
int accounts_find_name(struct accounts *a, struct slice key,
    struct name *out_r) __attribute__((warn_unused_result));
int accounts_find(struct accounts *a, uint64_t number, struct account *out_r)
    __attribute__((warn_unused_result));
/* The enabled account with the lowest number. */
int accounts_find_first(struct accounts *a, struct account *out_r)
    __attribute__((warn_unused_result));

/* Zeroes when nothing was reported. */
struct usage accounts_usage(const struct accounts *a, uint64_t number);
/* Kept in memory until accounts_save_usage(). */
void accounts_set_usage(struct accounts *a, uint64_t number, struct usage u);
/* Of an account that is gone. */
void accounts_forget_usage(struct accounts *a, uint64_t number);
/* Writes down what was reported since; may be lost in a crash, */
void accounts_save_usage(struct accounts *a);
/* but not what was written before this. */
void accounts_flush(struct accounts *a);

/* Walks in the order of keys, beginning behind `after`; false ends it. The
 * struct's views are valid until it returns; it may find other things. */
typedef bool accounts_domain_fn(void *arg, const struct domain *d);
typedef bool accounts_account_fn(void *arg, const struct account *account);
typedef bool accounts_name_fn(void *arg, struct slice key,
    const struct name *name);
int accounts_each_domain(struct accounts *a, struct slice after,
    accounts_domain_fn *each, void *arg) __attribute__((warn_unused_result));
int accounts_each(struct accounts *a, uint64_t after,
    accounts_account_fn *each, void *arg) __attribute__((warn_unused_result));
/* `prefix`: "example.org@" for the names of one domain. */
int accounts_each_name(struct accounts *a, struct slice prefix,
    struct slice after, accounts_name_fn *each, void *arg)
    __attribute__((warn_unused_result));

#endif
