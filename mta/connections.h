/* SPDX-License-Identifier: ISC */
/*
 * Sessions with other hosts, and those that stand idle for a moment because the
 * next message may be for the same host.
 */
#ifndef MTA_CONNECTIONS_H
#define MTA_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"
#include "mta/hosts.h"
#include "session/smtp_client.h"
#include "sys/loop.h"

struct connection {
	struct smtp_client *client; /* NULL: not begun, or over */
	char *nexthop;		    /* for which it was made */
	char *host;
	struct ip ip;
	uint16_t port;
	/* Whether it logged in, and how far TLS was insisted on, go by it. */
	enum nexthop_kind kind;
	/* Private. */
	uint64_t generation; /* the settings it was made under */
	struct list link;
	struct loop_timer idle;
};

struct connection_limits {
	int64_t idle_ms; /* 0: none is kept */
	unsigned messages; /* transactions in one session */
};

void connections_init(struct loop *l);
/* Copies all. NULL when out of memory. */
struct connection *connection_new(struct slice nexthop,
    const struct host_address *host, enum nexthop_kind kind);
/* With QUIT where that can be said. Sets *c NULL. */
void connection_quit(struct connection **c);
/* At once: a message that is under way is not taken. Sets *c NULL. */
void connection_free(struct connection **c);

/* Has its session had as many messages as it may, or have the settings under
 * which it was made changed? */
bool connection_is_spent(const struct connection *c,
    const struct connection_limits *limits);
/* Keeps an idle session for the next message, or ends it. Sets *c NULL. */
void connections_keep(struct connection **c,
    const struct connection_limits *limits);
/* One that was kept for that next hop, or leads to that very host and address
 * for one of that kind; NULL when there is none. It is the caller's, who sets
 * its owner. */
struct connection *connections_take(struct slice nexthop);
struct connection *connections_take_host(const struct host_address *host,
    enum nexthop_kind kind);
/* The settings change: ends all that are kept. Those in work finish the
 * transaction they are in and are not kept. */
void connections_end(void);
size_t connections_count(void);

#endif
