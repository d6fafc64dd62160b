/* SPDX-License-Identifier: ISC */
/*
 * Slow hashes in worker threads: is this the password of that stored form, and
 * if it is and the form is out of date, what would be a fresh one?
 */
#ifndef AUTH_HASHING_H
#define AUTH_HASHING_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/passwords.h"
#include "base/buf.h"
#include "base/slice.h"
#include "sys/password.h"

struct loop;

/* What a check was given and found. */
struct check {
	uint64_t account; /* 0: nobody, only to spend the time */
	struct buf password;
	struct stored stored;
	enum password_result result;
	/* Fresh forms, when it was right and the stored ones are old. */
	struct stored fresh;
	bool has_fresh;
};

/* Called in the loop, once; the check is wiped and gone when it returns. */
typedef void hashing_done(void *arg, const struct check *c);

/* Starts the threads: in the jail. */
void hashing_start(struct loop *l, unsigned threads);
/* New forms are made by this; -1: the dummy cannot be made. */
int hashing_set_policy(const struct password_policy *policy)
    __attribute__((warn_unused_result));
/*
 * Begins a check of a prepared password against what is stored, or against a
 * form of nobody's when `stored` is NULL or empty. `arg` is given back; -1 when
 * `limit` of them are under way, or memory is out.
 */
int hashing_check(uint64_t account, struct slice password,
    const struct stored *stored, size_t limit, hashing_done *done, void *arg)
    __attribute__((warn_unused_result));
size_t hashing_pending(void);
/* Waits for those that run. */
void hashing_stop(void);

#endif
