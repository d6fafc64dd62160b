/* SPDX-License-Identifier: ISC */
/*
 * The tables of the role `auth`: for each account's number the stored forms of
 * its password (sys/password.h), one for crypt(3) and the like and one of SCRAM
 * keys; and a random secret of this server. Nothing here tells whose number it
 * is. What is found holds secrets: stored_fini() wipes it.
 */
#ifndef AUTH_PASSWORDS_H
#define AUTH_PASSWORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "sys/table.h"

struct passwords;

struct stored {
	struct buf crypt; /* empty: none */
	struct buf scram;
	int64_t changed;  /* wall clock, seconds */
};

void stored_init(struct stored *s);
void stored_fini(struct stored *s);
/* The form to hold a password against: crypt's, else the keys; or empty. */
struct slice stored_form(const struct stored *s);

/* Opens the tables in a folder, makes the secret if there is none. -1 with a
 * sentence. */
int passwords_open(enum table_driver driver, const char *dir,
    struct buf *why, struct passwords **p_r)
    __attribute__((warn_unused_result));
void passwords_close(struct passwords **p);
/* Valid as long as *p. */
struct slice passwords_secret(const struct passwords *p);

/* 0, or -1 with errno: ENOENT, EBADMSG for a damaged row, or what the tables
 * say. */
int passwords_find(struct passwords *p, uint64_t account, struct stored *out)
    __attribute__((warn_unused_result));
/* Durable. Both forms are replaced; either may be empty. */
int passwords_put(struct passwords *p, uint64_t account, int64_t changed,
    struct slice crypt, struct slice scram) __attribute__((warn_unused_result));
/* Also when there is none. */
int passwords_remove(struct passwords *p, uint64_t account)
    __attribute__((warn_unused_result));
/* The last trouble in words. */
const char *passwords_error(const struct passwords *p);

/* Can it be a stored form at all, and which? The deep check is a slow hash. */
enum stored_kind { STORED_NONE, STORED_CRYPT, STORED_SCRAM };
enum stored_kind stored_kind(struct slice form);

#endif
