/* SPDX-License-Identifier: ISC */
/* Networks, parsed once per configuration. */
#include "mta/client.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_smtpd.h"
#include "sys/log.h"
#include "sys/sockaddr.h"

struct networks {
	struct cidr *v;
	size_t n;
};

struct sets {
	struct networks trusted, allowed, blocked;
};

static struct sets self;

static int
parse(struct networks *to, const struct conf_list *from, const char *option,
    struct buf *why)
{
	size_t i;

	to->n = 0;
	to->v = calloc(from->n + 1, sizeof *to->v);
	if (to->v == NULL)
		fatal("event=no_memory for=networks");
	for (i = 0; i < from->n; i++) {
		if (cidr_parse(slice_str(from->v[i]), &to->v[to->n]) < 0) {
			buf_addf(why, "%s: \"%s\" is not a network such as "
			    "192.0.2.0/24 or 2001:db8::/32", option,
			    from->v[i]);
			return -1;
		}
		to->n++;
	}
	return 0;
}

static void
sets_fini(struct sets *s)
{
	free(s->trusted.v);
	free(s->allowed.v);
	free(s->blocked.v);
}

int
client_configure(const struct conf_smtpd *conf, struct buf *why)
{
	struct sets fresh = { 0 };

	if (parse(&fresh.trusted, &conf->trusted_networks, "trusted_networks",
		why) < 0 ||
	    parse(&fresh.allowed, &conf->allow_clients, "allow_clients",
		why) < 0 ||
	    parse(&fresh.blocked, &conf->block_clients, "block_clients",
		why) < 0) {
		sets_fini(&fresh);
		return -1;
	}
	sets_fini(&self);
	self = fresh;
	return 0;
}

static bool
has(const struct networks *nets, const struct sockaddr *sa, socklen_t len)
{
	size_t i;

	for (i = 0; i < nets->n; i++)
		if (cidr_has(&nets->v[i], sa, len))
			return true;
	return false;
}

enum client_kind
client_kind(const struct sockaddr *sa, socklen_t len)
{
	if (has(&self.trusted, sa, len))
		return CLIENT_TRUSTED;
	if (has(&self.allowed, sa, len))
		return CLIENT_ALLOWED;
	return has(&self.blocked, sa, len) ? CLIENT_BLOCKED : CLIENT_STRANGER;
}
