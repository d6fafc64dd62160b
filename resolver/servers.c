/* SPDX-License-Identifier: ISC */
/* Name servers: addresses from text, order and health. */
#include "resolver/servers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/num.h"
#include "sys/log.h"

enum {
	PORT = 53,
	/* A slow question may go unanswered by a server that is well. */
	SILENT_MAX = 3,
	SILENT_LIMIT = 16, /* counted no further */
	DEAD_MS = 10000,
	DEAD_MS_MAX = 300000
};

struct servers *
servers_new(void)
{
	struct servers *s = calloc(1, sizeof *s);

	if (s != NULL)
		s->refs = 1;
	return s;
}

struct servers *
servers_ref(struct servers *s)
{
	s->refs++;
	return s;
}

void
servers_unref(struct servers **sp)
{
	struct servers *s = *sp;

	*sp = NULL;
	if (s != NULL && --s->refs == 0)
		free(s);
}

/* ---- addresses ---- */

/* Cuts "[host]:port", "v4:port" and bare addresses into host and port. */
static int
split_port(struct slice *text, uint64_t *port_r)
{
	ptrdiff_t at = slice_rchr(*text, ':');
	bool is_bracketed = slice_has_prefix(*text, SLICE("["));
	struct slice port = SLICE_NONE;

	*port_r = PORT;
	if (is_bracketed) {
		at = slice_chr(*text, ']');
		if (at < 0)
			return -1;
		port = slice_from(*text, (size_t)at + 1);
		if (port.n > 0 && port.p[0] != ':')
			return -1;
		*text = slice_from(slice_head(*text, (size_t)at), 1);
		if (port.n == 0)
			return 0;
		port = slice_from(port, 1);
	} else if (at >= 0 && at == slice_chr(*text, ':')) {
		port = slice_from(*text, (size_t)at + 1);
		*text = slice_head(*text, (size_t)at);
	} else {
		return 0;
	}
	return num_parse(port, 1, 65535, port_r);
}

static void
set_addr(struct server *v, uint32_t scope)
{
	struct slice bytes = ip_bytes(&v->ip);
	unsigned char *to;
	size_t i;

	if (v->ip.family == IP_V4) {
		v->addr.in.sin_family = AF_INET;
		v->addr.in.sin_port = htons(v->port);
		v->addr_len = sizeof v->addr.in;
		to = (unsigned char *)&v->addr.in.sin_addr;
	} else {
		v->addr.in6.sin6_family = AF_INET6;
		v->addr.in6.sin6_port = htons(v->port);
		v->addr.in6.sin6_scope_id = scope;
		v->addr_len = sizeof v->addr.in6;
		to = (unsigned char *)&v->addr.in6.sin6_addr;
	}
	for (i = 0; i < bytes.n; i++)
		to[i] = (unsigned char)bytes.p[i];
}

static int
find(const struct servers *s, const struct server *v)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (ip_is_same(&s->v[i].ip, &v->ip) && s->v[i].port == v->port)
			return (int)i;
	return -1;
}

int
servers_add(struct servers *s, struct slice text)
{
	struct server v = { .port = PORT };
	uint64_t port, scope = 0;
	ptrdiff_t at;

	errno = EINVAL;
	text = slice_trim(text);
	if (split_port(&text, &port) < 0)
		return -1;
	at = slice_chr(text, '%');
	if (at >= 0) {
		if (num_parse(slice_from(text, (size_t)at + 1), 1, UINT32_MAX,
			&scope) < 0)
			return -1;
		text = slice_head(text, (size_t)at);
	}
	if (ip_parse(text, &v.ip) < 0 || (at >= 0 && v.ip.family == IP_V4))
		return -1;
	v.port = (uint16_t)port;
	set_addr(&v, (uint32_t)scope);
	if (find(s, &v) >= 0)
		return 0;
	errno = ENOSPC;
	if (s->n == SERVERS_MAX)
		return -1;
	s->v[s->n++] = v;
	return 0;
}

/* The first word of a line, taken off it. */
static struct slice
take_word(struct slice *line)
{
	struct slice all = slice_trim(*line);
	size_t n = 0;

	while (n < all.n && all.p[n] != ' ' && all.p[n] != '\t')
		n++;
	*line = slice_from(all, n);
	return slice_head(all, n);
}

unsigned
servers_add_resolv_conf(struct servers *s, struct slice text)
{
	struct slice line, word;
	unsigned bad = 0;

	while (slice_split(&text, '\n', &line)) {
		if (slice_has_suffix(line, SLICE("\r")))
			line.n--;
		if (!slice_eq_str(take_word(&line), "nameserver"))
			continue;
		word = take_word(&line);
		if (servers_add(s, word) < 0)
			bad++;
	}
	/* resolv.conf(5): then the one on this machine. */
	if (s->n == 0 && servers_add(s, SLICE("127.0.0.1")) < 0)
		bad++;
	return bad;
}

void
servers_trust(struct servers *s, const struct ip *ip)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (ip == NULL ? ip_is_loopback(&s->v[i].ip) :
		    ip_is_same(&s->v[i].ip, ip))
			s->v[i].is_trusted = true;
}

void
servers_inherit(struct servers *s, const struct servers *old)
{
	struct server was;
	size_t i;
	int k;

	for (i = 0; i < s->n; i++) {
		k = find(old, &s->v[i]);
		if (k < 0)
			continue;
		was = old->v[k];
		was.is_trusted = s->v[i].is_trusted;
		was.addr = s->v[i].addr;
		s->v[i] = was;
	}
}

/* ---- health ---- */

static int64_t
dead_span(const struct server *v)
{
	int64_t ms = DEAD_MS;
	unsigned k;

	for (k = SILENT_MAX; k < v->silent && ms < DEAD_MS_MAX; k++)
		ms *= 2;
	return ms < DEAD_MS_MAX ? ms : DEAD_MS_MAX;
}

bool
server_is_dead(const struct server *v)
{
	return v->silent >= SILENT_MAX;
}

int
servers_pick(struct servers *s, unsigned but)
{
	int64_t now = clock_boot_ms();
	int best = -1;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if ((but & 1U << i) != 0)
			continue;
		if (s->v[i].dead_until <= now) {
			best = (int)i;
			break;
		}
		if (best < 0 || s->v[i].dead_until < s->v[best].dead_until)
			best = (int)i;
	}
	/* While one asker tries a dead one, the others go elsewhere. */
	if (best >= 0 && server_is_dead(&s->v[best]) &&
	    s->v[best].dead_until <= now) {
		s->v[best].dead_until = now + DEAD_MS;
		s->v[best].is_tried = true;
	}
	if (best >= 0)
		s->v[best].asked++;
	return best;
}

void
servers_alive(struct servers *s, int i)
{
	struct server *v = &s->v[i];

	v->answered++;
	if (server_is_dead(v))
		log_info("event=dns_server_up server=%s", server_name(v));
	v->silent = 0;
	v->dead_until = 0;
	v->is_tried = false;
}

void
servers_silent(struct servers *s, int i, bool is_sure)
{
	struct server *v = &s->v[i];
	bool was_dead = server_is_dead(v);

	v->timeouts++;
	/* Dead is dead, however many questions were under way: only the one
	 * that tried it again tells something new. */
	if (was_dead && !v->is_tried)
		return;
	v->is_tried = false;
	if (is_sure && !was_dead)
		v->silent = SILENT_MAX;
	else if (v->silent < SILENT_LIMIT)
		v->silent++;
	if (!server_is_dead(v))
		return;
	v->dead_until = clock_boot_ms() + dead_span(v);
	if (!was_dead)
		log_warn("event=dns_server_down server=%s", server_name(v));
}

const char *
server_name(const struct server *v)
{
	static char text[IP_TEXT_MAX + 10];
	struct buf b;

	buf_init(&b, sizeof text - 1);
	if (v->port != PORT)
		buf_add_char(&b, '[');
	ip_add(&b, &v->ip);
	if (v->port != PORT)
		buf_addf(&b, "]:%u", v->port);
	(void)snprintf(text, sizeof text, "%s", b.p);
	buf_fini(&b);
	return text;
}
