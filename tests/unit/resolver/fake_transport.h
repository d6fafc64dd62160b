/* SPDX-License-Identifier: ISC */
/*
 * A scripted network: linked instead of resolver/transport.c. Keeps what was
 * asked; the test answers, fails, or lets it wait.
 */
#ifndef TESTS_UNIT_RESOLVER_FAKE_TRANSPORT_H
#define TESTS_UNIT_RESOLVER_FAKE_TRANSPORT_H

#include <netinet/in.h>

#include "base/buf.h"
#include "resolver/transport.h"

struct exchange {
	enum transport how;
	unsigned port; /* of the server */
	struct buf query;
	const struct exchange_events *events;
	void *arg;
};

enum { FAKE_EXCHANGES_MAX = 64 };

/* Those that are open, the latest last. */
extern struct exchange *fake_exchanges[FAKE_EXCHANGES_MAX];
extern size_t fake_n_exchanges;
/* All that were ever begun. */
extern unsigned fake_begun;
/* Exchanges with servers on ports in this range cannot be begun, for this
 * reason. */
extern unsigned fake_unreachable_from, fake_unreachable_to;
extern int fake_reason;

/* The latest one that is open; fails the test when there is none. */
struct exchange *fake_latest(void);
/* Sends it a reply made by reply_make(). */
void fake_reply(struct exchange *x, const char *items);
void fake_fail(struct exchange *x, int error);

#endif
