/* SPDX-License-Identifier: ISC */
/*
 * What `directory` says of addresses, remembered for as long as it may be: "no
 * such user" for two seconds, the others until the tables change.
 */
#ifndef SESSION_RECIPIENTS_H
#define SESSION_RECIPIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "sys/addr_kind.h"
#include "sys/ipc.h"

struct recipient_ask;

struct recipient {
	enum addr_kind kind;
	bool is_over_quota;
	uint64_t account; /* of ADDR_ACCOUNT */
	struct slice address; /* as the directory has it; may be empty */
};

typedef void recipient_done(void *arg, const struct recipient *r);

/*
 * Asks about an address (text as address_add writes it). The answer comes at
 * once (then NULL is returned) or later; ADDR_LATER when directory is away.
 * The view in it is valid inside `done`.
 */
struct recipient_ask *recipients_ask(struct slice address,
    recipient_done *done, void *arg);
/* Nobody waits any more; harmless when it is NULL. Sets it NULL. */
void recipients_cancel(struct recipient_ask **ask);

/* Handler of GENERATION: forgets all, then says so. */
void recipients_on_generation(struct ipc_link *l, const union ipc_any *m,
    int fd);
/* For struct role: peer_up and peer_down. With a link to directory goes what
 * was heard before: it may be stale. */
void recipients_on_peer(struct ipc_link *l);
/* For the status. */
size_t recipients_cached(void);
uint64_t recipients_hits(void);

#endif
