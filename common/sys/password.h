/* SPDX-License-Identifier: ISC */
/*
 * Passwords against their stored form, and new stored forms. Everything here
 * is slow on purpose (tens of milliseconds, up to 64 MiB) and safe in any
 * thread: it belongs into a worker. Passwords come prepared (saslprep) and are
 * copied only into memory that is wiped.
 */
#ifndef SYS_PASSWORD_H
#define SYS_PASSWORD_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum {
	PASSWORD_MAX = 511, /* octets that crypt(3) takes */
	PASSWORD_STORED_MAX = 512
};

enum password_result {
	PASSWORD_RIGHT,
	PASSWORD_WRONG,	    /* or locked: the form begins with '!' or '*' */
	PASSWORD_BAD_FORM,  /* nobody can log in with this: tell the admin */
	PASSWORD_NO_MEMORY  /* try again later */
};

enum password_scheme {
	PASSWORD_YESCRYPT, /* the default: $y$, libxcrypt's preferred */
	PASSWORD_ARGON2ID, /* $argon2id$, libsodium */
	PASSWORD_SCRAM	   /* SCRAM-SHA-256$: for SCRAM logins as well */
};

/* How new forms are made; 0 stands for the default. */
struct password_policy {
	enum password_scheme scheme;
	unsigned yescrypt_cost;	   /* 1..11, default 5: 16 MiB, 16 ms here */
	unsigned argon2_passes;	   /* 1..20, default 2 */
	unsigned argon2_mib;	   /* 8..1024, default 64 */
	unsigned scram_iterations; /* default SCRAM_ITERATIONS */
};

/* Once, before the jail and before threads: libraries get ready. */
int password_init(void) __attribute__((warn_unused_result));

/*
 * Is it the password of this stored form? Forms: crypt(3)'s that begin with
 * '$' (yescrypt, gost-yescrypt, scrypt, bcrypt, SHA-512, SHA-256, MD5 and what
 * else libxcrypt knows), $argon2id$ and $argon2i$, SCRAM-SHA-256$. Dovecot's
 * {SCHEME} before one of them is passed over. The old 13 characters of DES
 * are refused (PASSWORD_BAD_FORM).
 */
enum password_result password_check(struct slice password,
    struct slice stored) __attribute__((warn_unused_result));

/* Is it a form that password_check takes, or a locked one? For who is to store
 * it: not every mistake in it can be seen. Fast, in any process. */
bool password_form_is_usable(struct slice stored);

/* Adds a new stored form of the password. 0, or -1: EINVAL (policy out of
 * bounds, password empty, too long or with a NUL), ENOMEM. */
int password_make(struct slice password, const struct password_policy *policy,
    struct buf *out) __attribute__((warn_unused_result));
/*
 * A stored form that no password fits: checking against it costs what a check
 * under the policy costs. For users who do not exist or are locked, so that
 * time does not tell. Make one at each (re)load, not per login.
 */
int password_make_dummy(const struct password_policy *policy, struct buf *out)
    __attribute__((warn_unused_result));
/* Was it made by the scheme and at the costs of this policy? If not, a
 * successful login is the moment to make it anew. Fast. */
bool password_is_current(struct slice stored,
    const struct password_policy *policy);

#endif
