/* SPDX-License-Identifier: ISC */
/*
 * Where an address goes. In this order:
 *
 *  1. Its domain is ours (an alias of a domain counts as that domain; our own
 *     host name as the first domain, unless it is a domain of its own):
 *     a. the name itself, an account or an alias;
 *     b. what stands before the recipient delimiter ("joe+list" is joe);
 *     c. postmaster and abuse, which exist in every domain (RFC 5321 4.5.1,
 *        RFC 2142 4): whoever `server.postmaster` names; if there is no such
 *        name, or it is switched off, the account with the lowest number;
 *     d. the domain's catch-all (the alias "@domain"), then the general one;
 *     e. unknown.
 *  2. We relay for its domain: by its route, else by its MX.
 *  3. Elsewhere: by its route, the smarthost, or its MX.
 *
 * A bare postmaster, and the postmaster of any address literal, is ours; any
 * other bare name means the first domain, which is the one made first.
 */
#ifndef AUTH_ROUTE_H
#define AUTH_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "sys/addr_kind.h"

struct account;
struct accounts;
struct conf_directory;
struct conf_server;
struct route_settings;

struct route {
	enum addr_kind kind;
	bool is_over_quota;
	uint64_t account;
	struct buf address; /* canonical */
	struct buf nexthop; /* auth/routes.h */
	struct buf targets; /* of an alias, packed by sys/row.h */
	struct buf via;	    /* which alias: equal for the same one */
	struct buf text;    /* why not, for people */
};

/* Tells each step of a decision, for `veredus address test`. */
struct route_trace {
	void (*step)(void *arg, const char *what, struct slice detail);
	void *arg;
};

/*
 * What of the configuration decides; it keeps views into `server`, and copies
 * the rest. NULL with a sentence.
 */
struct route_settings *route_settings_new(const struct conf_directory *conf,
    const struct conf_server *server, struct buf *why);
void route_settings_free(struct route_settings **s);

void route_init(struct route *r);
void route_fini(struct route *r);
/* Fills *r; `trace` may be NULL. Any bytes may be the address. */
void route_find(const struct route_settings *s, struct accounts *a,
    struct slice address, const struct route_trace *trace, struct route *r);

/*
 * Whose login name is it: the address of an account, or the local part of one
 * in the first domain; ASCII case does not count. The address that the name
 * stands for is added to `address` (which may be NULL), also when nobody has
 * it, as long as its domain is ours. 0, or -1 with errno ENOENT or what the
 * tables say.
 */
int route_login(struct accounts *a, struct slice user, struct buf *address,
    struct account *out_r) __attribute__((warn_unused_result));

/* Its quota with the defaults filled in; 0 for none. */
void route_quota(const struct route_settings *s,
    const struct account *account, uint64_t *bytes_r, uint64_t *messages_r);

#endif
