/* SPDX-License-Identifier: ISC */
/*
 * Carries one query to one server and brings back what the server sends, by
 * UDP or TCP. Each exchange has a connected socket of its own, so the kernel
 * gives it a fresh random port and lets nothing in but what comes from that
 * server's address and port. Whether bytes are the answer is for the caller to
 * judge. Tests link another transport.c.
 */
#ifndef RESOLVER_TRANSPORT_H
#define RESOLVER_TRANSPORT_H

#include <sys/socket.h>

#include "base/slice.h"

struct loop;
struct exchange;

enum transport { TRANSPORT_UDP, TRANSPORT_TCP };

struct exchange_events {
	/* A datagram, or the message of a TCP connection: a view, valid until
	 * this returns. More may follow by UDP. */
	void (*received)(void *arg, struct slice bytes);
	/* Nothing will come: `error` is an errno. */
	void (*failed)(void *arg, int error);
};

/*
 * Sends `query` (copied where needed). The events come from the loop, never
 * before this returns; each may free the exchange. There is no time-out: that
 * is the caller's. NULL with errno when it cannot even be begun.
 */
struct exchange *exchange_new(struct loop *l, enum transport how,
    const struct sockaddr *to, socklen_t to_len, struct slice query,
    const struct exchange_events *events, void *arg);
/* Closes; sets *x NULL. Harmless when it is NULL already. */
void exchange_free(struct exchange **x);

#endif
