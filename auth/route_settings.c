/* SPDX-License-Identifier: ISC */
/* The configuration of the directory, checked and made quick to ask. */
#include "auth/route_settings.h"

#include <stdlib.h>
#include <string.h>

#include "auth/canonical.h"
#include "auth/route.h"
#include "auth/routes.h"
#include "conf/conf_directory.h"
#include "conf/conf_server.h"
#include "proto/address.h"

enum { NEXTHOP_MAX = 320 };

/* Patterns are kept in lower case, as canonical domains are. */
static int
put(struct map *m, struct slice pattern, const char *value)
{
	char *copy = strdup(value);
	struct buf key;
	void *old = NULL;
	int result = -1;

	buf_init(&key, 300);
	if (copy != NULL && buf_is_ok(&key)) {
		size_t i;

		for (i = 0; i < pattern.n; i++)
			buf_add_char(&key, ascii_lower(pattern.p[i]));
		result = map_put(m, buf_slice(&key), copy, &old);
	}
	buf_fini(&key);
	free(result == 0 ? old : copy);
	return result;
}

static void
free_values(struct map *m)
{
	size_t pos = 0;
	void *v;

	while ((v = map_next(m, &pos, NULL)) != NULL)
		free(v);
	map_fini(m);
}

static int
add_route(struct route_settings *s, const char *text, struct buf *why)
{
	struct route_line line;
	struct buf nexthop;
	int result = -1;

	buf_init(&nexthop, NEXTHOP_MAX);
	if (routes_parse_line(slice_str(text), &line, why) == 0 &&
	    routes_parse_target(line.target, &nexthop, why) == 0) {
		result = put(&s->routes, line.domain, nexthop.p);
		if (result < 0)
			buf_add_str(why, "out of memory");
	}
	buf_fini(&nexthop);
	return result;
}

static int
add_relay(struct route_settings *s, const char *text, struct buf *why)
{
	if (routes_check_pattern(slice_str(text), why) < 0)
		return -1;
	if (put(&s->relays, slice_str(text), text) == 0)
		return 0;
	buf_add_str(why, "out of memory");
	return -1;
}

static int
set_smarthost(struct route_settings *s, const char *text, struct buf *why)
{
	struct buf nexthop;
	int result = 0;

	if (text[0] == 0)
		return 0;
	buf_init(&nexthop, NEXTHOP_MAX);
	if (routes_parse_target(slice_str(text), &nexthop, why) < 0)
		result = -1;
	else
		s->smarthost = strdup(nexthop.p);
	if (result == 0 && s->smarthost == NULL) {
		buf_add_str(why, "out of memory");
		result = -1;
	}
	buf_fini(&nexthop);
	return result;
}

static int
check_address(const char *option, const char *text, struct buf *why)
{
	struct address a;

	if (text[0] == 0 || (address_parse_lenient(slice_str(text), &a) == 0 &&
		a.local.n > 0))
		return 0;
	buf_addf(why, "%s: \"%s\" is not an address", option, text);
	return -1;
}

static int
take(struct route_settings *s, const struct conf_directory *conf,
    const struct conf_server *server, struct buf *why)
{
	size_t i;

	for (i = 0; i < conf->routes.n; i++)
		if (add_route(s, conf->routes.v[i], why) < 0)
			return -1;
	for (i = 0; i < conf->relay_domains.n; i++)
		if (add_relay(s, conf->relay_domains.v[i], why) < 0)
			return -1;
	if (set_smarthost(s, conf->smarthost, why) < 0 ||
	    check_address("catch_all", conf->catch_all, why) < 0 ||
	    check_address("postmaster", server->postmaster, why) < 0)
		return -1;
	/* A host name that is no domain matches no address. */
	if (canonical_domain(slice_str(server->hostname), &s->hostname) < 0)
		buf_reset(&s->hostname);
	return 0;
}

struct route_settings *
route_settings_new(const struct conf_directory *conf,
    const struct conf_server *server, struct buf *why)
{
	struct route_settings *s = calloc(1, sizeof *s);

	if (s == NULL) {
		buf_add_str(why, "out of memory");
		return NULL;
	}
	map_init(&s->routes);
	map_init(&s->relays);
	buf_init(&s->hostname, CANONICAL_DOMAIN_MAX);
	buf_init(&s->strings, 4096);
	buf_addf(&s->strings, "%s%s%s", server->recipient_delimiter,
	    server->postmaster, conf->catch_all);
	s->delimiter = slice_head(buf_slice(&s->strings),
	    strlen(server->recipient_delimiter));
	s->postmaster = slice_head(slice_from(buf_slice(&s->strings),
	    s->delimiter.n), strlen(server->postmaster));
	s->catch_all = slice_from(buf_slice(&s->strings),
	    s->delimiter.n + s->postmaster.n);
	s->quota_bytes = (uint64_t)conf->quota_bytes;
	s->quota_messages = (uint64_t)conf->quota_messages;
	if (take(s, conf, server, why) < 0)
		route_settings_free(&s);
	return s;
}

void
route_settings_free(struct route_settings **sp)
{
	struct route_settings *s = *sp;

	*sp = NULL;
	if (s == NULL)
		return;
	free_values(&s->routes);
	free_values(&s->relays);
	free(s->smarthost);
	buf_fini(&s->hostname);
	buf_fini(&s->strings);
	free(s);
}

/* The value under the domain, or under the nearest ".domain" above it. */
static const char *
find_pattern(const struct map *m, struct slice domain)
{
	const char *value = map_get(m, domain);
	ptrdiff_t dot = 0;

	if (domain.n == 0 || domain.p[0] == '[')
		return value;
	while (value == NULL) {
		dot = slice_chr(domain, '.');
		if (dot < 0)
			break;
		domain = slice_from(domain, (size_t)dot);
		value = map_get(m, domain);
		domain = slice_from(domain, 1);
	}
	return value;
}

const char *
route_settings_next(const struct route_settings *s, struct slice domain)
{
	const char *next = find_pattern(&s->routes, domain);

	return next != NULL ? next : map_get(&s->routes, SLICE("*"));
}

bool
route_settings_is_relay(const struct route_settings *s, struct slice domain)
{
	return find_pattern(&s->relays, domain) != NULL;
}
