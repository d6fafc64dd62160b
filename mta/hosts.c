/* SPDX-License-Identifier: ISC */
/* From a next hop to addresses, by way of the resolver. */
#include "mta/hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/region.h"
#include "mta/lookup.h"
#include "proto/dns.h"
#include "proto/limits.h"
#include "sys/idna.h"

enum {
	MX_MAX = 64,	    /* hosts of one domain that are looked at */
	ADDRESSES_MAX = 32, /* of one host and family */
	MEMORY_MAX = 1 << 20
};

enum { SET_V6, SET_V4, SETS };

/* The addresses of one family that a host has. */
struct set {
	struct lookup lookup;
	struct hosts *hosts;
	enum dns_status status;
	struct ip *ips;
	size_t n;
};

struct entry {
	const char *name;
	uint16_t preference;
	struct set sets[SETS];
};

struct hosts {
	struct region mem;
	struct nexthop nexthop;
	struct hosts_conf conf;
	void (*more)(void *arg);
	void *arg;
	struct lookup mx;
	struct entry *entries; /* in the order of preference */
	size_t n;
	size_t begin, end;      /* those of the current preference */
	size_t pending;	        /* answers that are still to come */
	size_t at_entry, at_ip; /* what is given out next */
	bool is_loaded;	  /* entries[begin..end] have their addresses */
	bool is_implicit;    /* there are no MX records */
	bool has_trouble;
	struct status trouble;
};

static void
note_trouble(struct hosts *h, enum outcome outcome, struct enhanced e,
    const char *text)
{
	/* "Later" outweighs "never": that host may take the mail yet. */
	if (h->has_trouble && h->trouble.outcome == OUTCOME_LATER)
		return;
	h->has_trouble = true;
	h->trouble = (struct status){ outcome, 0, e, slice_str(text) };
}

static void
note_dns_later(struct hosts *h)
{
	note_trouble(h, OUTCOME_LATER, (struct enhanced){ 4, 4, 3 },
	    "the name servers give no answer just now");
}

static void
note_loop(struct hosts *h)
{
	note_trouble(h, OUTCOME_FAILED, (struct enhanced){ 5, 4, 6 },
	    "the mail exchanger of this domain is ourselves, and we do not "
	    "know it");
}

/* ---- addresses ---- */

static void
keep_addresses(struct set *s, struct slice records)
{
	size_t max = dns_count(records);
	struct ip ip;

	if (max > ADDRESSES_MAX)
		max = ADDRESSES_MAX;
	s->ips = region_alloc(&s->hosts->mem, max * sizeof *s->ips);
	if (s->ips == NULL) {
		s->status = DNS_BUSY;
		return;
	}
	while (s->n < max && dns_next_ip(&records, &ip))
		s->ips[s->n++] = ip;
}

static void
on_addresses(struct lookup *q, enum dns_status status, struct slice records)
{
	struct set *s = LIST_OF(q, struct set, lookup);
	struct hosts *h = s->hosts;

	s->status = status;
	if (status == DNS_OK)
		keep_addresses(s, records);
	if (--h->pending == 0)
		h->more(h->arg);
}

static void
ask_addresses(struct hosts *h, struct entry *e)
{
	static const struct {
		unsigned family;
		enum dns_type type;
	} sets[SETS] = {
		[SET_V6] = { HOSTS_IPV6, DNS_AAAA },
		[SET_V4] = { HOSTS_IPV4, DNS_A },
	};
	struct set *s;
	int i;

	for (i = 0; i < SETS; i++) {
		s = &e->sets[i];
		s->hosts = h;
		s->status = DNS_NODATA;
		if ((h->conf.families & sets[i].family) == 0)
			continue;
		s->lookup.done = on_addresses;
		h->pending++;
		lookup_start(&s->lookup, sets[i].type, slice_str(e->name));
	}
}

/* All answers about a host are there: what if it has no address? */
static void
judge(struct hosts *h, const struct entry *e)
{
	int i;

	if (e->sets[SET_V4].n + e->sets[SET_V6].n > 0)
		return;
	for (i = 0; i < SETS; i++)
		if (dns_status_is_later(e->sets[i].status)) {
			note_dns_later(h);
			return;
		}
	if (h->is_implicit && e->sets[SET_V4].status != DNS_NODATA &&
	    e->sets[SET_V6].status != DNS_NODATA)
		note_trouble(h, OUTCOME_FAILED, (struct enhanced){ 5, 1, 2 },
		    "the domain does not exist");
	else
		note_trouble(h, OUTCOME_FAILED, (struct enhanced){ 5, 4, 4 },
		    "no host that takes mail for it has an address");
}

/* ---- the list of hosts ---- */

static struct entry *
add_entry(struct hosts *h, struct slice name, uint16_t preference)
{
	struct entry *e = &h->entries[h->n];

	e->name = region_str(&h->mem, name);
	if (e->name == NULL)
		return NULL;
	e->preference = preference;
	h->n++;
	return e;
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->preference > y->preference) -
	    (x->preference < y->preference);
}

static void
swap(struct entry *a, struct entry *b)
{
	struct entry t = *a;

	*a = *b;
	*b = t;
}

/* RFC 5321 5.1: at random among equals, so that load spreads. */
static void
sort(struct hosts *h)
{
	size_t i;

	for (i = h->n; i > 1; i--)
		swap(&h->entries[i - 1],
		    &h->entries[h->conf.random((uint32_t)i)]);
	/* The order among equals is random either way. */
	if (h->n > 1)
		qsort(h->entries, h->n, sizeof *h->entries, compare);
}

static bool
is_self_name(const struct hosts *h, const struct entry *e)
{
	return h->conf.self.n > 0 && slice_ieq(slice_str(e->name),
	    h->conf.self);
}

/* RFC 5321 5.1: where we are in the list ourselves, it ends before us and
 * before all that are as far as we are. */
static void
cut_at(struct hosts *h, uint16_t preference)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->entries[i].preference >= preference)
			break;
	h->n = i;
	if (i == 0)
		note_loop(h);
}

static void
cut_at_self(struct hosts *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (is_self_name(h, &h->entries[i])) {
			cut_at(h, h->entries[i].preference);
			return;
		}
}

static int
read_mx(struct hosts *h, struct slice records)
{
	size_t max = dns_count(records);
	struct dns_mx mx;

	if (max > MX_MAX)
		max = MX_MAX;
	h->entries = region_alloc(&h->mem, max * sizeof *h->entries);
	if (h->entries == NULL)
		return -1;
	while (h->n < max && dns_next_mx(&records, &mx))
		if (add_entry(h, mx.host, mx.preference) == NULL)
			return -1;
	return 0;
}

static int
use_host(struct hosts *h)
{
	h->entries = region_alloc(&h->mem, sizeof *h->entries);
	if (h->entries == NULL || add_entry(h, h->nexthop.host, 0) == NULL)
		return -1;
	return 0;
}

static void
on_mx(struct lookup *q, enum dns_status status, struct slice records)
{
	struct hosts *h = LIST_OF(q, struct hosts, mx);
	int error = 0;

	h->pending--;
	if (dns_status_is_later(status)) {
		note_dns_later(h);
	} else if (status == DNS_OK && dns_is_null_mx(records)) {
		note_trouble(h, OUTCOME_FAILED, (struct enhanced){ 5, 1, 10 },
		    "the domain does not accept mail (null MX)");
	} else if (status == DNS_OK) {
		error = read_mx(h, records);
		sort(h);
		cut_at_self(h);
	} else if (status == DNS_NODATA) {
		h->is_implicit = true;
		error = use_host(h);
	} else {
		note_trouble(h, OUTCOME_FAILED, (struct enhanced){ 5, 1, 2 },
		    "the domain does not exist");
	}
	if (error < 0)
		note_dns_later(h);
	h->more(h->arg);
}

/* ---- giving out ---- */

/* Is it an address of ours? Mail that we would send to our own port 25 has
 * come from there. */
static bool
is_self_address(const struct hosts *h, const struct entry *e)
{
	size_t i;
	int s;

	if (h->nexthop.kind != NEXTHOP_MX || h->conf.port != 25)
		return false;
	for (s = 0; s < SETS; s++)
		for (i = 0; i < e->sets[s].n; i++)
			if (ip_is_loopback(&e->sets[s].ips[i]))
				return true;
	return false;
}

/* The answers about entries[begin..end] are all there. */
static void
look_over(struct hosts *h)
{
	size_t i;

	h->is_loaded = true;
	for (i = h->begin; i < h->end; i++) {
		if (is_self_address(h, &h->entries[i])) {
			cut_at(h, h->entries[i].preference);
			h->end = h->begin;
			return;
		}
		judge(h, &h->entries[i]);
	}
}

/* The hosts of the next preference. False: there are none. */
static bool
load_next(struct hosts *h)
{
	size_t i;

	h->begin = h->at_entry = h->end;
	h->at_ip = 0;
	if (h->begin >= h->n)
		return false;
	while (h->end < h->n && h->entries[h->end].preference ==
	    h->entries[h->begin].preference)
		h->end++;
	h->is_loaded = false;
	for (i = h->begin; i < h->end; i++)
		ask_addresses(h, &h->entries[i]);
	return true;
}

/* Address number `i` of a host: the families in turn, so that one which does
 * not work here costs one attempt, not all. */
static const struct ip *
address_of(const struct entry *e, size_t i)
{
	const struct set *six = &e->sets[SET_V6], *four = &e->sets[SET_V4];
	size_t both = six->n < four->n ? six->n : four->n;

	if (i >= six->n + four->n)
		return NULL;
	if (i < 2 * both)
		return i % 2 == 0 ? &six->ips[i / 2] : &four->ips[i / 2];
	return six->n > both ? &six->ips[i - both] : &four->ips[i - both];
}

static uint16_t
port_of(const struct hosts *h)
{
	if (h->nexthop.port != 0)
		return h->nexthop.port;
	return h->nexthop.kind == NEXTHOP_LMTP ? NEXTHOP_LMTP_PORT
					       : h->conf.port;
}

enum hosts_step
hosts_next(struct hosts *h, struct host_address *a_r)
{
	const struct ip *ip;

	for (;;) {
		if (h->pending > 0)
			return HOSTS_WAIT;
		if (!h->is_loaded)
			look_over(h);
		for (; h->at_entry < h->end; h->at_entry++, h->at_ip = 0) {
			ip = address_of(&h->entries[h->at_entry], h->at_ip);
			if (ip == NULL)
				continue;
			h->at_ip++;
			*a_r = (struct host_address){
				h->entries[h->at_entry].name, *ip,
				port_of(h) };
			return HOSTS_ADDRESS;
		}
		if (!load_next(h))
			return HOSTS_END;
	}
}

bool
hosts_trouble(const struct hosts *h, struct status *status_r)
{
	if (h->has_trouble)
		*status_r = h->trouble;
	return h->has_trouble;
}

/* ---- beginning and end ---- */

/* A single address: nothing needs to be asked. */
static int
use_address(struct hosts *h)
{
	struct set *s;

	if (use_host(h) < 0)
		return -1;
	s = &h->entries[0].sets[h->nexthop.ip.family == IP_V6 ? SET_V6
							      : SET_V4];
	s->ips = region_alloc(&h->mem, sizeof *s->ips);
	if (s->ips == NULL)
		return -1;
	s->ips[0] = h->nexthop.ip;
	s->n = 1;
	h->end = 1;
	return 0;
}

/* The DNS knows A-labels only (RFC 5891 5). -1: it has none. */
static int
to_ascii(struct hosts *h)
{
	struct buf name;
	int r;

	buf_init(&name, LIMIT_DNS_NAME);
	r = idna_add_ascii(&name, h->nexthop.host);
	if (r == 0)
		h->nexthop.host = region_slice(&h->mem, buf_slice(&name));
	buf_fini(&name);
	return r;
}

static int
begin(struct hosts *h)
{
	h->is_loaded = true;
	if (to_ascii(h) < 0) {
		note_trouble(h, OUTCOME_FAILED, (struct enhanced){ 5, 1, 2 },
		    "the domain is not one that can exist");
		return 0;
	}
	if (h->mem.failed)
		return -1;
	if (h->nexthop.ip.family != IP_NONE)
		return use_address(h);
	if (h->nexthop.kind != NEXTHOP_MX)
		return use_host(h);
	h->mx.done = on_mx;
	h->pending = 1;
	lookup_start(&h->mx, DNS_MX, h->nexthop.host);
	return 0;
}

struct hosts *
hosts_new(const struct nexthop *n, const struct hosts_conf *conf,
    void (*more)(void *arg), void *arg)
{
	struct hosts *h = calloc(1, sizeof *h);

	if (h == NULL)
		return NULL;
	region_init(&h->mem, MEMORY_MAX);
	h->nexthop = *n;
	h->conf = *conf;
	h->more = more;
	h->arg = arg;
	if (begin(h) < 0)
		hosts_free(&h);
	return h;
}

void
hosts_free(struct hosts **hp)
{
	struct hosts *h = *hp;
	size_t i;
	int s;

	*hp = NULL;
	if (h == NULL)
		return;
	lookup_cancel(&h->mx);
	for (i = 0; i < h->n; i++)
		for (s = 0; s < SETS; s++)
			lookup_cancel(&h->entries[i].sets[s].lookup);
	region_fini(&h->mem);
	free(h);
}
