/* SPDX-License-Identifier: ISC */
/* What route.c decides by; made by route_settings.c. */
#ifndef AUTH_ROUTE_SETTINGS_H
#define AUTH_ROUTE_SETTINGS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/slice.h"

struct route_settings {
	struct buf hostname; /* canonical */
	struct slice delimiter, postmaster, catch_all; /* as configured */
	struct map routes;   /* pattern to next hop, a char * of its own */
	struct map relays;   /* pattern to itself */
	char *smarthost;     /* a next hop, or NULL */
	uint64_t quota_bytes, quota_messages;
	struct buf strings;
};

/* The next hop by route for a domain (itself, then the nearest above it, then
 * "*"), or NULL. */
const char *route_settings_next(const struct route_settings *s,
    struct slice domain);
/* Is it one we relay for? */
bool route_settings_is_relay(const struct route_settings *s,
    struct slice domain);

#endif
