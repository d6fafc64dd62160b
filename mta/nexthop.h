/* SPDX-License-Identifier: ISC */
/*
 * Where mail goes, as the directory writes it:
 *
 *	mx:domain, mx:[192.0.2.1]  by MX records; or to an address literal
 *	smtp:host, smtp:host:port  to that host, whatever its MX records say
 *	smtp:[address]:port        brackets may hold a host name, too
 *	lmtp:host:port, lmtp:[address]:port
 */
#ifndef MTA_NEXTHOP_H
#define MTA_NEXTHOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/ip.h"

enum nexthop_kind { NEXTHOP_MX, NEXTHOP_SMTP, NEXTHOP_LMTP };

struct nexthop {
	enum nexthop_kind kind;
	struct slice host; /* a view; without brackets */
	struct ip ip;	   /* IP_NONE: `host` is a name */
	uint16_t port;	   /* 0: not said */
};

enum { NEXTHOP_LMTP_PORT = 24 };

/* All of `in`. 0, or -1. */
int nexthop_parse(struct slice in, struct nexthop *n_r)
    __attribute__((warn_unused_result));

#endif
