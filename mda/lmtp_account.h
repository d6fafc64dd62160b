/* SPDX-License-Identifier: ISC */
/*
 * From a recipient's address to the one account it stands for. Aliases with a
 * single target are followed; what leads to several, or elsewhere, is not for
 * LMTP, which answers for mailboxes.
 */
#ifndef MDA_LMTP_ACCOUNT_H
#define MDA_LMTP_ACCOUNT_H

#include <stdint.h>

#include "base/slice.h"

struct lmtp_lookup;
struct smtp_answer;

/* `no` is NULL when there is an account. Called from the loop or inside
 * lmtp_account_find(). */
typedef void lmtp_account_done(void *arg, uint64_t account,
    const struct smtp_answer *no);

/* NULL when `done` was called already. */
struct lmtp_lookup *lmtp_account_find(struct slice address,
    lmtp_account_done *done, void *arg);
/* Sets it NULL; harmless when it is. */
void lmtp_account_cancel(struct lmtp_lookup **l);

#endif
