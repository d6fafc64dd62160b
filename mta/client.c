/* SPDX-License-Identifier: ISC */
/* What the three lists of networks make of a client. */
#include "mta/client.h"

#include "conf/conf_smtpd.h"
#include "sys/networks.h"

struct sets {
	struct networks trusted, allowed, blocked;
};

static struct sets self;

static void
sets_fini(struct sets *s)
{
	networks_fini(&s->trusted);
	networks_fini(&s->allowed);
	networks_fini(&s->blocked);
}

int
client_configure(const struct conf_smtpd *conf, struct buf *why)
{
	struct sets fresh = { 0 };

	if (networks_parse(&conf->trusted_networks, "trusted_networks",
		&fresh.trusted, why) < 0 ||
	    networks_parse(&conf->allow_clients, "allow_clients",
		&fresh.allowed, why) < 0 ||
	    networks_parse(&conf->block_clients, "block_clients",
		&fresh.blocked, why) < 0) {
		sets_fini(&fresh);
		return -1;
	}
	sets_fini(&self);
	self = fresh;
	return 0;
}

enum client_kind
client_kind(const struct sockaddr *sa, socklen_t len)
{
	if (networks_has(&self.trusted, sa, len))
		return CLIENT_TRUSTED;
	if (networks_has(&self.allowed, sa, len))
		return CLIENT_ALLOWED;
	return networks_has(&self.blocked, sa, len) ? CLIENT_BLOCKED
						    : CLIENT_STRANGER;
}
