/* SPDX-License-Identifier: ISC */
/* The small language of route lines and next hops. */
#include "auth/routes.h"

#include <stdint.h>

#include "base/num.h"
#include "proto/domain.h"
#include "proto/ip.h"

enum { PORT_SMTP = 25, PORT_LMTP = 24, PORT_MAX = 65535 };

int
routes_check_pattern(struct slice pattern, struct buf *why)
{
	struct slice name = pattern;

	if (slice_eq_str(pattern, "*"))
		return 0;
	if (name.n > 0 && name.p[0] == '.')
		name = slice_from(name, 1);
	if (domain_is_valid(name))
		return 0;
	buf_addf(why, "\"%.*s\" is neither a domain nor a domain with a dot "
	    "in front", SLICE_FMT(pattern));
	return -1;
}

int
routes_parse_line(struct slice line, struct route_line *line_r,
    struct buf *why)
{
	ptrdiff_t at = slice_chr(line, '=');

	if (at < 0) {
		buf_addf(why, "route \"%.*s\" is not of the form "
		    "domain=target", SLICE_FMT(line));
		return -1;
	}
	line_r->domain = slice_trim(slice_head(line, (size_t)at));
	line_r->target = slice_trim(slice_from(line, (size_t)at + 1));
	return routes_check_pattern(line_r->domain, why);
}

/* "host", "host:port", "address", "[address]", "[address]:port". */
static int
split_host(struct slice text, struct slice *host_r, struct slice *port_r)
{
	ptrdiff_t at;

	*port_r = SLICE_NONE;
	*host_r = text;
	if (text.n > 0 && text.p[0] == '[') {
		at = slice_chr(text, ']');
		if (at < 0)
			return -1;
		*host_r = (struct slice){ text.p + 1, (size_t)at - 1 };
		text = slice_from(text, (size_t)at + 1);
		if (text.n == 0)
			return 0;
		if (text.p[0] != ':')
			return -1;
		*port_r = slice_from(text, 1);
		return port_r->n > 0 ? 0 : -1;
	}
	at = slice_chr(text, ':');
	if (at < 0 || at != slice_rchr(text, ':'))
		return 0; /* no port, or a bare IPv6 address */
	*host_r = slice_head(text, (size_t)at);
	*port_r = slice_from(text, (size_t)at + 1);
	return port_r->n > 0 ? 0 : -1;
}

static int
add_host(struct slice text, const char *proto, uint64_t port,
    struct buf *nexthop)
{
	struct slice host, port_text;
	struct ip ip;

	if (split_host(text, &host, &port_text) < 0 ||
	    (port_text.n > 0 && num_parse(port_text, 1, PORT_MAX, &port) < 0))
		return -1;
	if (ip_parse(host, &ip) == 0) {
		buf_addf(nexthop, ip.family == IP_V6 ? "%s:[" : "%s:", proto);
		ip_add(nexthop, &ip);
		buf_add_str(nexthop, ip.family == IP_V6 ? "]" : "");
	} else if (domain_is_valid(host) && (text.n == 0 || *text.p != '[')) {
		buf_addf(nexthop, "%s:", proto);
		domain_add(nexthop, host);
	} else {
		return -1;
	}
	buf_addf(nexthop, ":%llu", (unsigned long long)port);
	return 0;
}

int
routes_parse_target(struct slice target, struct buf *nexthop, struct buf *why)
{
	struct slice rest;

	if (slice_has_iprefix(target, SLICE("mx:"))) {
		rest = slice_from(target, 3);
		if (domain_is_valid(rest)) {
			buf_add_str(nexthop, "mx:");
			domain_add(nexthop, rest);
			return 0;
		}
	} else if (slice_has_iprefix(target, SLICE("lmtp:"))) {
		if (add_host(slice_from(target, 5), "lmtp", PORT_LMTP,
			nexthop) == 0)
			return 0;
	} else {
		rest = slice_from(target,
		    slice_has_iprefix(target, SLICE("smtp:")) ? 5 : 0);
		if (add_host(rest, "smtp", PORT_SMTP, nexthop) == 0)
			return 0;
	}
	buf_addf(why, "\"%.*s\" is none of host, host:port, [address]:port, "
	    "lmtp:host:port, mx:domain", SLICE_FMT(target));
	return -1;
}
