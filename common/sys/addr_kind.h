/* SPDX-License-Identifier: ISC */
/* What the directory says of an address (messages ADDR_ANSWER, EXPAND_DONE). */
#ifndef SYS_ADDR_KIND_H
#define SYS_ADDR_KIND_H

enum addr_kind {
	ADDR_ACCOUNT,  /* a mailbox here: `account` says whose */
	ADDR_ALIAS,    /* expands to other addresses */
	ADDR_RELAY,    /* a domain we relay for: `nexthop` says where */
	ADDR_REMOTE,   /* not ours: `nexthop` says where it goes if it may */
	ADDR_UNKNOWN,  /* our domain, no such user: 550 5.1.1 */
	ADDR_DISABLED, /* the account is switched off: 550 5.2.1 */
	ADDR_INVALID,  /* not an address */
	ADDR_LATER,    /* cannot say just now: 451 4.3.0 */
	ADDR_LOOP,     /* an alias that comes back to itself: 5.4.6 */
	ADDR_KIND_COUNT
};

#endif
