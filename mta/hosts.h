/* SPDX-License-Identifier: ISC */
/*
 * The hosts that take mail for a next hop, in the order in which they are to be
 * tried: RFC 5321 5.1 (MX records, preferences, ourselves among them), RFC 7505
 * (null MX). Hosts of one preference are looked up together, the next ones only
 * when those are used up.
 */
#ifndef MTA_HOSTS_H
#define MTA_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "mta/nexthop.h"
#include "proto/ip.h"
#include "proto/status.h"

struct hosts;

enum { HOSTS_IPV4 = 1, HOSTS_IPV6 = 2 };

struct hosts_conf {
	unsigned families; /* HOSTS_IPV4, HOSTS_IPV6 */
	uint16_t port;	   /* where none is said, but for LMTP */
	struct slice self; /* our own name, borrowed until hosts_free */
	/* A number below `n`: for the order within a preference. */
	uint32_t (*random)(uint32_t n);
};

struct host_address {
	const char *host; /* its name, or the address; valid with the hosts */
	struct ip ip;
	uint16_t port;
};

enum hosts_step {
	HOSTS_ADDRESS, /* here is one */
	HOSTS_WAIT,    /* ask again when `more` is called */
	HOSTS_END      /* there are no more */
};

/* `more` comes from the loop. NULL when out of memory. */
struct hosts *hosts_new(const struct nexthop *n, const struct hosts_conf *conf,
    void (*more)(void *arg), void *arg);
void hosts_free(struct hosts **h);
enum hosts_step hosts_next(struct hosts *h, struct host_address *address_r);
/*
 * At the end: what was wrong with the hosts that gave no address, "later" if it
 * may be another time. False when there were addresses and nothing that is to
 * be tried later.
 */
bool hosts_trouble(const struct hosts *h, struct status *status_r);

#endif
