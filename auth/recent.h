/* SPDX-License-Identifier: ISC */
/*
 * Passwords that were right a moment ago, so that the next login costs no slow
 * hash: of each only a digest under a key that lives and dies with this process
 * (HMAC-SHA-256 over account and password).
 */
#ifndef AUTH_RECENT_H
#define AUTH_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Makes the key. -1: no random. */
int recent_init(void) __attribute__((warn_unused_result));
/* Forgets all, and the key. */
void recent_fini(void);
/* It was right; remembered until then (clock_boot_ms). One for each account. */
void recent_add(uint64_t account, struct slice password, int64_t until_ms);
bool recent_has(uint64_t account, struct slice password, int64_t now_ms);
/* The password was changed, or the account is gone. */
void recent_forget(uint64_t account);
/* Forgets those that are over. */
void recent_expire(int64_t now_ms);
size_t recent_count(void);

#endif
