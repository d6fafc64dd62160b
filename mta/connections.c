/* SPDX-License-Identifier: ISC */
/* The idle sessions, the one that was used last first. */
#include "mta/connections.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Few, for they are short-lived: so the list may be walked. */
enum { KEPT_MAX = 256 };

static struct {
	struct loop *loop;
	struct list kept;
	size_t n;
	uint64_t generation; /* of the settings */
} self;

void
connections_init(struct loop *l)
{
	self.loop = l;
	list_init(&self.kept);
}

struct connection *
connection_new(struct slice nexthop, const struct host_address *host,
    enum nexthop_kind kind)
{
	struct connection *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->nexthop = strndup(nexthop.p, nexthop.n);
	c->host = strdup(host->host);
	c->ip = host->ip;
	c->port = host->port;
	c->kind = kind;
	c->generation = self.generation;
	if (c->nexthop == NULL || c->host == NULL)
		connection_free(&c);
	return c;
}

static void
take_out(struct connection *c)
{
	if (!list_is_in(&c->link))
		return;
	list_remove(&c->link);
	loop_timer_clear(&c->idle);
	self.n--;
}

void
connection_free(struct connection **cp)
{
	struct connection *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	take_out(c);
	smtp_client_free(&c->client);
	free(c->nexthop);
	free(c->host);
	free(c);
}

void
connection_quit(struct connection **cp)
{
	if (*cp != NULL)
		smtp_client_quit(&(*cp)->client);
	connection_free(cp);
}

/* ---- those that are kept ---- */

static void
on_idle(void *arg)
{
	struct connection *c = arg;

	connection_quit(&c);
}

/* The server closed it. */
static void
on_ended(void *arg, const struct smtp_client_end *end)
{
	struct connection *c = arg;

	(void)end;
	connection_free(&c);
}

/* Nothing else can happen to a session without a transaction. */
static const struct smtp_client_events idle_events = {
	.ended = on_ended,
};

bool
connection_is_spent(const struct connection *c,
    const struct connection_limits *l)
{
	unsigned count = smtp_client_count(c->client);
	uint32_t max = smtp_client_caps(c->client)->mail_max; /* RFC 9422 */

	return c->generation != self.generation || count >= l->messages ||
	    (max > 0 && count >= max);
}

void
connections_keep(struct connection **cp, const struct connection_limits *l)
{
	struct connection *c = *cp, *oldest;

	if (l->idle_ms <= 0 || c->client == NULL ||
	    !smtp_client_is_ready(c->client) || connection_is_spent(c, l)) {
		connection_quit(cp);
		return;
	}
	*cp = NULL;
	if (self.n == KEPT_MAX) {
		oldest = LIST_OF(self.kept.prev, struct connection, link);
		connection_quit(&oldest);
	}
	smtp_client_set_owner(c->client, &idle_events, c);
	list_add_first(&self.kept, &c->link);
	self.n++;
	loop_timer_init(&c->idle, self.loop, on_idle, c);
	loop_timer_set(&c->idle, clock_boot_ms() + l->idle_ms);
}

struct connection *
connections_take(struct slice nexthop)
{
	struct list *it, *tmp;
	struct connection *c;

	LIST_EACH(it, tmp, &self.kept) {
		c = LIST_OF(it, struct connection, link);
		if (slice_ieq_str(nexthop, c->nexthop)) {
			take_out(c);
			return c;
		}
	}
	return NULL;
}

struct connection *
connections_take_host(const struct host_address *host,
    enum nexthop_kind kind)
{
	struct list *it, *tmp;
	struct connection *c;

	LIST_EACH(it, tmp, &self.kept) {
		c = LIST_OF(it, struct connection, link);
		if (c->kind == kind && c->port == host->port &&
		    ip_is_same(&c->ip, &host->ip) &&
		    slice_ieq_str(slice_str(host->host), c->host)) {
			take_out(c);
			return c;
		}
	}
	return NULL;
}

void
connections_end(void)
{
	struct connection *c;
	struct list *first;

	self.generation++;
	while ((first = list_first(&self.kept)) != NULL) {
		c = LIST_OF(first, struct connection, link);
		connection_quit(&c);
	}
}

size_t
connections_count(void)
{
	return self.n;
}
