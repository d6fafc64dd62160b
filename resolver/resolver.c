/* SPDX-License-Identifier: ISC */
/*
 * The role: takes DNS_ASK from its peers and gives DNS_ANSWER, says which name
 * servers are asked, and how they are. It holds no file and no secret; what it
 * reads from the network is read by resolver/message.c.
 */
#include "resolver/resolver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "conf/conf_resolver.h"
#include "conf/conf_server.h"
#include "resolver/admin.h"
#include "resolver/lookups.h"
#include "resolver/servers.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"

enum {
	RESOLV_CONF_MAX = 65536,
	/* Questions of peers without an answer yet, all together; at most half
	 * of them are the fronts'. */
	ASKS_MAX = 16384
};

/* A question of a peer. */
struct ask {
	struct lookup_waiter waiter;
	struct list link;
	struct ipc_link *peer;
	uint64_t key[2]; /* serial of the link, req */
};

static struct {
	struct lookups lookups;
	bool is_ready;
	struct list asks;
	struct map by_key;
	size_t n_asks, n_front_asks;
	const struct conf_resolver *conf; /* the one that holds */
	struct buf resolv_conf;           /* as master gave it last */
} self;

/* ---- questions ---- */

static void
send_answer(struct ipc_link *peer, uint64_t req, const struct answer *a)
{
	ipc_send(peer, DNS_ANSWER, -1, .req = req, .status = (uint8_t)a->status,
	    .secure = a->is_secure, .ttl = a->ttl, .canonical = a->canonical,
	    .records = a->records);
}

static struct slice
key_of(const uint64_t key[2])
{
	return (struct slice){ (const char *)key, 2 * sizeof *key };
}

static void
ask_free(struct ask *ask)
{
	lookups_forget(&ask->waiter);
	list_remove(&ask->link);
	(void)map_remove(&self.by_key, key_of(ask->key));
	self.n_asks--;
	self.n_front_asks -= ask->waiter.class == LOOKUP_FRONT;
	free(ask);
}

static void
on_answer(struct lookup_waiter *w, const struct answer *a)
{
	struct ask *ask = LIST_OF(w, struct ask, waiter);

	send_answer(ask->peer, ask->key[1], a);
	ask_free(ask);
}

/* NULL when there is no room, or this peer asked by that number already. */
static struct ask *
ask_new(struct ipc_link *l, uint64_t req)
{
	bool is_front = (RS_FRONTS & 1U << ipc_link_peer(l)) != 0;
	uint64_t key[2] = { ipc_link_serial(l), req };
	struct ask *ask;

	if (self.n_asks >= ASKS_MAX ||
	    (is_front && self.n_front_asks >= ASKS_MAX / 2) ||
	    map_get(&self.by_key, key_of(key)) != NULL)
		return NULL;
	ask = calloc(1, sizeof *ask);
	if (ask == NULL)
		return NULL;
	if (map_put(&self.by_key, key_of(key), ask, NULL) < 0) {
		free(ask);
		return NULL;
	}
	memcpy(ask->key, key, sizeof key);
	ask->waiter.done = on_answer;
	ask->waiter.class = is_front ? LOOKUP_FRONT : LOOKUP_OWN;
	ask->peer = l;
	list_add(&self.asks, &ask->link);
	self.n_asks++;
	self.n_front_asks += is_front;
	return ask;
}

static const struct answer busy = { .status = DNS_BUSY };

static void
on_dns_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct ask *ask = ask_new(l, m->DNS_ASK.req);

	(void)fd;
	if (ask == NULL)
		send_answer(l, m->DNS_ASK.req, &busy);
	else
		lookups_ask(&self.lookups, m->DNS_ASK.name, m->DNS_ASK.type,
		    &ask->waiter);
}

/* Answered all the same, so that the number is free again; unless that has
 * happened already. */
static void
on_dns_cancel(struct ipc_link *l, const union ipc_any *m, int fd)
{
	uint64_t key[2] = { ipc_link_serial(l), m->DNS_CANCEL.question };
	struct ask *ask = map_get(&self.by_key, key_of(key));

	(void)fd;
	if (ask == NULL)
		return;
	send_answer(l, key[1], &busy);
	ask_free(ask);
}

/* First out of the list, for to forget one may let another be answered. */
static void
on_peer_down(struct ipc_link *l)
{
	struct list *it, *tmp, gone;

	list_init(&gone);
	LIST_EACH(it, tmp, &self.asks) {
		if (LIST_OF(it, struct ask, link)->peer != l)
			continue;
		list_remove(it);
		list_add(&gone, it);
	}
	while ((it = list_first(&gone)) != NULL)
		ask_free(LIST_OF(it, struct ask, link));
}

/* ---- configuration ---- */

static int
add_configured(struct servers *s, const struct conf_list *list,
    struct buf *why)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (servers_add(s, slice_str(list->v[i])) == 0)
			continue;
		buf_addf(why, "name_servers: \"%s\" is not an address such as "
		    "192.0.2.1 or [2001:db8::1]:53", list->v[i]);
		return -1;
	}
	return 0;
}

static int
trust_configured(struct servers *s, const struct conf_list *list,
    struct buf *why)
{
	struct ip ip;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (strcmp(list->v[i], "loopback") == 0) {
			servers_trust(s, NULL);
		} else if (ip_parse(slice_str(list->v[i]), &ip) == 0) {
			servers_trust(s, &ip);
		} else {
			buf_addf(why, "trusted_servers: \"%s\" is neither an "
			    "address nor \"loopback\"", list->v[i]);
			return -1;
		}
	}
	return 0;
}

/* The name servers that configuration and resolv.conf ask for, or NULL. */
static struct servers *
make_servers(const struct conf_resolver *conf, struct buf *why)
{
	const struct conf_list *named = &daemon_server()->name_servers;
	struct servers *s = servers_new();
	unsigned bad;

	if (s == NULL) {
		buf_add_str(why, "out of memory");
		return NULL;
	}
	if (named->n == 0) {
		bad = servers_add_resolv_conf(s, buf_slice(&self.resolv_conf));
		if (bad > 0)
			log_warn("event=resolv_conf unusable=%u", bad);
	}
	if (add_configured(s, named, why) < 0 ||
	    trust_configured(s, &conf->trusted_servers, why) < 0)
		servers_unref(&s);
	return s;
}

static int
configure(const void *values, struct buf *why)
{
	const struct conf_resolver *conf = values;
	struct servers *servers;
	struct lookups *ls = &self.lookups;

	if (!self.is_ready) {
		lookups_init(ls, daemon_loop());
		list_init(&self.asks);
		map_init(&self.by_key);
		self.is_ready = true;
	}
	servers = make_servers(conf, why);
	if (servers == NULL)
		return -1;
	self.conf = conf;
	lookups_set_servers(ls, servers);
	ls->total_ms = conf->timeout;
	ls->max_active = (size_t)conf->max_queries;
	ls->limits = (struct query_limits){
		.try_ms = conf->try_timeout,
		.max_ttl = (uint32_t)(conf->cache_max_ttl / 1000),
		.max_negative_ttl =
		    (uint32_t)(conf->cache_max_negative_ttl / 1000),
		.failure_ttl = (uint32_t)(conf->cache_failure_ttl / 1000),
		.has_random_case = conf->random_case
	};
	cache_set_bounds(&ls->cache, (size_t)conf->cache_entries,
	    (size_t)conf->cache_size);
	return 0;
}

/* Reads what fits; a longer resolv.conf is not one. */
static int
read_all(int fd, struct buf *out)
{
	ssize_t n;
	char *to;

	while ((to = buf_room(out, 1024)) != NULL) {
		n = read(fd, to, 1024);
		if (n == 0)
			return 0;
		if (n > 0)
			buf_grew(out, (size_t)n);
		else if (errno != EINTR)
			return -1;
	}
	return -1;
}

static void
on_file(struct slice name, int fd)
{
	struct servers *servers;
	struct buf text, why;

	if (slice_eq_str(name, "resolv.conf")) {
		buf_init(&text, RESOLV_CONF_MAX);
		if (read_all(fd, &text) < 0) {
			log_warn("event=resolv_conf_unreadable");
			buf_fini(&text);
		} else {
			buf_fini(&self.resolv_conf);
			self.resolv_conf = text;
		}
	}
	(void)close(fd);
	if (self.conf == NULL)
		return; /* configure() is still to come */
	buf_init(&why, 1024);
	servers = make_servers(self.conf, &why);
	if (servers != NULL)
		lookups_set_servers(&self.lookups, servers);
	else
		log_warn("event=name_servers_kept why=%s",
		    LOG_V(buf_slice(&why)));
	buf_fini(&why);
}

/* ---- what the administrator sees ---- */

static void
add_server(struct buf *row, const struct server *v)
{
	struct buf text;

	buf_init(&text, 256);
	buf_addf(&text, "%s %s%s asked=%llu answered=%llu silent=%llu",
	    server_name(v), server_is_dead(v) ? "down" : "up",
	    v->is_trusted ? " trusted" : "", (unsigned long long)v->asked,
	    (unsigned long long)v->answered, (unsigned long long)v->timeouts);
	row_pair(row, "name_server", buf_slice(&text));
	buf_fini(&text);
}

static void
status(struct buf *row)
{
	const struct lookups *ls = &self.lookups;
	size_t i;

	row_pair_u64(row, "questions", ls->asked);
	row_pair_u64(row, "cache_hits", ls->cache.hits);
	row_pair_u64(row, "cache_misses", ls->cache.misses);
	row_pair_u64(row, "joined", ls->joined);
	row_pair_u64(row, "queries", ls->queries);
	row_pair_u64(row, "active", lookups_active(ls));
	row_pair_u64(row, "waiting", lookups_waiting(ls));
	row_pair_u64(row, "cache_entries", ls->cache.n);
	row_pair_u64(row, "cache_bytes", ls->cache.bytes);
	row_pair_u64(row, "cache_evicted", ls->cache.evicted);
	for (i = 0; i < DNS_STATUS_COUNT; i++)
		row_pair_u64(row, dns_status_name((unsigned)i),
		    ls->by_status[i]);
	for (i = 0; ls->servers != NULL && i < ls->servers->n; i++)
		add_server(row, &ls->servers->v[i]);
}

static void
admin(struct ipc_link *l, uint64_t req, struct slice verb, struct slice args)
{
	admin_run(&self.lookups, l, req, verb, args);
}

/* Master always tells a configuration first; without one there is nobody to
 * ask. */
static void
before_jail(void)
{
	if (self.conf == NULL)
		fatal("event=no_configuration");
}

static const struct ipc_handlers handlers = {
	.by_type = { [IPC_DNS_ASK] = on_dns_ask,
	    [IPC_DNS_CANCEL] = on_dns_cancel },
};

const struct role resolver_role = {
	.id = ROLE_RESOLVER,
	.section = &conf_resolver_section,
	.handlers = &handlers,
	.sandbox = SANDBOX_CONNECT,
	.before_jail = before_jail,
	.configure = configure,
	.file = on_file,
	.peer_down = on_peer_down,
	.admin = admin,
	.status = status,
};
