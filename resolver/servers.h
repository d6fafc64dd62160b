/* SPDX-License-Identifier: ISC */
/*
 * The name servers to ask, in order, and what is known of their health: one
 * that does not answer several times in a row is passed over for a while, as
 * long as there is another.
 */
#ifndef RESOLVER_SERVERS_H
#define RESOLVER_SERVERS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/ip.h"

enum { SERVERS_MAX = 8 };

struct server {
	struct ip ip;
	uint16_t port;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr;
	socklen_t addr_len;
	bool is_trusted;      /* its AD bit counts */
	unsigned silent;      /* times without an answer in a row */
	int64_t dead_until;   /* boot clock, ms */
	bool is_tried;        /* dead, and one question goes to it again */
	int64_t plain_until;  /* no EDNS for it until then */
	uint64_t asked, answered, timeouts;
};

/* Counted, since queries under way keep the set they began with. */
struct servers {
	unsigned refs;
	size_t n;
	struct server v[SERVERS_MAX];
};

/* An empty set with one reference, or NULL. */
struct servers *servers_new(void);
struct servers *servers_ref(struct servers *s);
/* Gives the reference up; sets *s NULL. */
void servers_unref(struct servers **s);

/*
 * Adds "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53" (also
 * [192.0.2.1]:53); an IPv6 address may have a numeric scope, "fe80::1%2".
 * A second time counts once. 0; -1 with errno EINVAL (malformed) or ENOSPC.
 */
int servers_add(struct servers *s, struct slice text)
    __attribute__((warn_unused_result));
/*
 * Adds what the `nameserver` lines of a resolv.conf(5) text name; the local
 * one when there are none. Returns how many lines could not be used.
 */
unsigned servers_add_resolv_conf(struct servers *s, struct slice text);
/* Those whose address is `ip` (NULL: the loopback ones) are trusted. */
void servers_trust(struct servers *s, const struct ip *ip);
/* Takes over health and counters of servers that were in the old set. */
void servers_inherit(struct servers *s, const struct servers *old);

/*
 * The one to ask now among those not in the set `but` (bit i: server i): the
 * first that is alive, else the one that may be alive again the soonest. A
 * dead one whose time has passed is given to one asker, to try. -1 when `but`
 * has all.
 */
int servers_pick(struct servers *s, unsigned but);
/* It answered. */
void servers_alive(struct servers *s, int i);
/* It did not; is_sure when the network said that nobody is there. */
void servers_silent(struct servers *s, int i, bool is_sure);
bool server_is_dead(const struct server *v);
/* "192.0.2.1" or "[192.0.2.1]:5353", in one static buffer. */
const char *server_name(const struct server *v);

#endif
