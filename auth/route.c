/* SPDX-License-Identifier: ISC */
/* The decision of route.h, a function for each of its steps. */
#include "auth/route.h"

#include <errno.h>
#include <string.h>

#include "auth/accounts.h"
#include "auth/canonical.h"
#include "auth/route_settings.h"
#include "proto/address.h"
#include "proto/ip.h"
#include "sys/log.h"
#include "sys/row.h"

/* One decision under way. */
struct search {
	const struct route_settings *s;
	struct accounts *a;
	const struct route_trace *trace;
	struct route *r;
	struct address in;
	struct buf local;  /* of the address, as it is meant */
	struct buf domain; /* the one that is looked in */
	struct buf key;
};

void
route_init(struct route *r)
{
	*r = (struct route){ .kind = ADDR_INVALID };
	buf_init(&r->address, 1024);
	buf_init(&r->nexthop, 320);
	buf_init(&r->targets, TABLE_VALUE_MAX);
	buf_init(&r->via, 1024);
	buf_init(&r->text, 512);
}

void
route_fini(struct route *r)
{
	buf_fini(&r->address);
	buf_fini(&r->nexthop);
	buf_fini(&r->targets);
	buf_fini(&r->via);
	buf_fini(&r->text);
}

static void
step(const struct search *w, const char *what, struct slice detail)
{
	if (w->trace != NULL)
		w->trace->step(w->trace->arg, what, detail);
}

static void
decide(struct search *w, enum addr_kind kind, const char *text)
{
	w->r->kind = kind;
	buf_reset(&w->r->text);
	buf_add_str(&w->r->text, text);
}

/* A damaged row is one address that has to wait; when the tables are lost the
 * next process recovers them. */
static void
cannot_look(struct search *w)
{
	int error = errno;

	log_error("event=tables_unreadable why=%s", LOG_S(strerror(error)));
	if (error == EIO)
		fatal("event=no_tables");
	decide(w, ADDR_LATER, "the tables cannot be read just now");
}

static void
use_key(struct search *w, struct slice local, struct slice domain)
{
	buf_reset(&w->key);
	canonical_key(local, domain, &w->key);
}

/* ---- names of ours ---- */

void
route_quota(const struct route_settings *s, const struct account *c,
    uint64_t *bytes_r, uint64_t *messages_r)
{
	*bytes_r = c->quota_bytes == QUOTA_DEFAULT ? s->quota_bytes
						   : c->quota_bytes;
	*messages_r = c->quota_messages == QUOTA_DEFAULT ? s->quota_messages
							 : c->quota_messages;
}

static void
take_account(struct search *w, const struct account *c)
{
	struct usage used = accounts_usage(w->a, c->number);
	uint64_t bytes, messages;

	route_quota(w->s, c, &bytes, &messages);
	w->r->account = c->number;
	w->r->is_over_quota = (bytes > 0 && used.bytes >= bytes) ||
	    (messages > 0 && used.messages >= messages);
	buf_reset(&w->r->address);
	canonical_address(c->key, &w->r->address);
	step(w, c->is_enabled ? "account" : "account, switched off",
	    buf_slice(&w->r->address));
	if (w->r->is_over_quota)
		step(w, "over quota", SLICE_NONE);
	if (c->is_enabled)
		decide(w, ADDR_ACCOUNT, "");
	else
		decide(w, ADDR_DISABLED, "the account is switched off");
}

static void
take_alias(struct search *w, struct slice targets, struct slice via,
    struct slice address)
{
	struct slice target, left = targets;

	buf_reset(&w->r->targets);
	buf_add_slice(&w->r->targets, targets);
	buf_reset(&w->r->via);
	buf_add_slice(&w->r->via, via);
	buf_reset(&w->r->address);
	buf_add_slice(&w->r->address, address);
	step(w, "alias", address);
	while (row_next(&left, &target))
		step(w, "target", target);
	decide(w, ADDR_ALIAS, "");
}

static void
take_target(struct search *w, struct slice target, const char *via)
{
	struct buf targets, address;

	buf_init(&targets, 1024);
	row_add(&targets, target);
	buf_init(&address, 1024);
	address_add(&address, &w->in);
	take_alias(w, buf_slice(&targets), slice_str(via),
	    buf_slice(&address));
	buf_fini(&targets);
	buf_fini(&address);
}

/* Takes what w->key names. False when there is nothing. */
static bool
take_name(struct search *w)
{
	struct account c;
	struct name n;
	struct buf address;

	if (accounts_find_name(w->a, buf_slice(&w->key), &n) < 0) {
		if (errno != ENOENT)
			cannot_look(w);
		return errno != ENOENT;
	}
	if (n.account != 0) {
		if (accounts_find(w->a, n.account, &c) < 0)
			cannot_look(w);
		else
			take_account(w, &c);
		return true;
	}
	buf_init(&address, 1024);
	canonical_address(buf_slice(&w->key), &address);
	take_alias(w, n.targets, buf_slice(&w->key), buf_slice(&address));
	buf_fini(&address);
	return true;
}

/* ---- the postmaster ---- */

static bool
is_role_name(struct slice local)
{
	return slice_ieq_str(local, "postmaster") ||
	    slice_ieq_str(local, "abuse");
}

/* Who `server.postmaster` is; false when that is nobody of ours who can get
 * mail. */
static bool
take_configured_postmaster(struct search *w)
{
	struct slice first = accounts_first_domain(w->a);
	struct address p;
	struct buf domain, local;
	struct domain d;
	bool result = false;

	if (address_parse_lenient(w->s->postmaster, &p) < 0 || p.local.n == 0)
		return false;
	buf_init(&domain, CANONICAL_DOMAIN_MAX);
	buf_init(&local, 512);
	address_add_local_text(&local, &p);
	if (p.domain.n == 0) {
		buf_add_slice(&domain, first);
	} else if (canonical_domain(p.domain, &domain) < 0 ||
	    accounts_find_domain(w->a, buf_slice(&domain), &d) < 0) {
		/* Somebody elsewhere. */
		take_target(w, w->s->postmaster, "postmaster");
		result = true;
	}
	if (!result && domain.n > 0) {
		use_key(w, buf_slice(&local), buf_slice(&domain));
		result = take_name(w) && w->r->kind != ADDR_DISABLED;
	}
	buf_fini(&domain);
	buf_fini(&local);
	return result;
}

static void
take_postmaster(struct search *w)
{
	struct account c;

	step(w, "postmaster", w->s->postmaster);
	if (take_configured_postmaster(w))
		return;
	if (accounts_find_first(w->a, &c) == 0) {
		step(w, "no such postmaster: the first account", SLICE_NONE);
		take_account(w, &c);
	} else if (errno == ENOENT) {
		decide(w, ADDR_LATER, "there is no account yet");
	} else {
		cannot_look(w);
	}
}

/* ---- a domain of ours ---- */

static bool
take_catch_all(struct search *w)
{
	struct buf address;

	use_key(w, SLICE_NONE, buf_slice(&w->domain));
	if (take_name(w)) {
		/* It is known by what was asked for. */
		step(w, "catch-all of the domain", buf_slice(&w->domain));
		buf_init(&address, 1024);
		use_key(w, buf_slice(&w->local), buf_slice(&w->domain));
		canonical_address(buf_slice(&w->key), &address);
		buf_reset(&w->r->address);
		buf_add_slice(&w->r->address, buf_slice(&address));
		buf_fini(&address);
		return true;
	}
	if (w->s->catch_all.n == 0)
		return false;
	step(w, "catch-all", w->s->catch_all);
	take_target(w, w->s->catch_all, "catch-all");
	return true;
}

static void
search_domain(struct search *w)
{
	struct slice local = buf_slice(&w->local), user, detail;
	bool is_role = is_role_name(local);

	use_key(w, local, buf_slice(&w->domain));
	if (take_name(w) && (!is_role || w->r->kind != ADDR_DISABLED))
		return;
	if (!is_role &&
	    address_split_detail(local, w->s->delimiter, &user, &detail)) {
		step(w, "without its detail", user);
		use_key(w, user, buf_slice(&w->domain));
		if (take_name(w))
			return;
		is_role = is_role_name(user);
	}
	if (is_role) {
		take_postmaster(w);
		return;
	}
	if (take_catch_all(w))
		return;
	use_key(w, local, buf_slice(&w->domain));
	buf_reset(&w->r->address);
	canonical_address(buf_slice(&w->key), &w->r->address);
	step(w, "nobody has this name", buf_slice(&w->r->address));
	decide(w, ADDR_UNKNOWN, "no such user");
}

/* ---- elsewhere ---- */

static void
add_literal_hop(struct search *w, struct slice literal)
{
	struct ip ip;

	if (ip_parse_literal(literal, &ip) < 0) {
		decide(w, ADDR_INVALID, "not an address literal");
		return;
	}
	/* That is us, by a way on which we might be trusted. */
	if (ip_is_loopback(&ip)) {
		buf_reset(&w->r->nexthop);
		decide(w, ADDR_INVALID, "an address of this machine itself");
		return;
	}
	buf_add_str(&w->r->nexthop, ip.family == IP_V6 ? "smtp:[" : "smtp:");
	ip_add(&w->r->nexthop, &ip);
	buf_add_str(&w->r->nexthop, ip.family == IP_V6 ? "]:25" : ":25");
}

static void
search_elsewhere(struct search *w)
{
	struct slice domain = buf_slice(&w->domain);
	bool is_relay = route_settings_is_relay(w->s, domain);
	const char *next = route_settings_next(w->s, domain);

	address_add(&w->r->address, &w->in);
	decide(w, is_relay ? ADDR_RELAY : ADDR_REMOTE, "");
	step(w, is_relay ? "a domain we relay for" : "not a domain of ours",
	    domain);
	if (next != NULL) {
		buf_add_str(&w->r->nexthop, next);
		step(w, "by its route", slice_str(next));
	} else if (!is_relay && w->s->smarthost != NULL) {
		buf_add_str(&w->r->nexthop, w->s->smarthost);
		step(w, "by the smarthost", slice_str(w->s->smarthost));
	} else if (w->in.is_literal) {
		add_literal_hop(w, domain);
	} else {
		buf_add_str(&w->r->nexthop, "mx:");
		buf_add_slice(&w->r->nexthop, domain);
		step(w, "by its MX", domain);
	}
}

/* ---- all of it ---- */

/* Whether the domain is ours; then w->domain becomes the one to look in. */
enum where { HERE, ELSEWHERE, DECIDED };

static enum where
find_domain(struct search *w)
{
	struct slice first = accounts_first_domain(w->a);
	struct domain d;

	if (accounts_find_domain(w->a, buf_slice(&w->domain), &d) == 0) {
		step(w, "a domain of ours", buf_slice(&w->domain));
		if (d.alias_of.n > 0) {
			buf_reset(&w->domain);
			buf_add_slice(&w->domain, d.alias_of);
			step(w, "which is an alias of", d.alias_of);
		}
		return HERE;
	}
	if (errno != ENOENT) {
		cannot_look(w);
		return DECIDED;
	}
	if (w->s->hostname.n > 0 &&
	    slice_eq(buf_slice(&w->domain), buf_slice(&w->s->hostname))) {
		step(w, "our own host name: the first domain", first);
		buf_reset(&w->domain);
		buf_add_slice(&w->domain, first);
		return HERE;
	}
	return ELSEWHERE;
}

static void
search(struct search *w)
{
	enum where where = HERE;

	if (w->in.local.n == 0) {
		decide(w, ADDR_INVALID, "nothing stands before the @");
		return;
	}
	address_add_local_text(&w->local, &w->in);
	if ((w->in.is_literal || w->in.domain.n == 0) &&
	    is_role_name(buf_slice(&w->local))) {
		take_postmaster(w);
		return;
	}
	if (w->in.domain.n == 0) {
		buf_add_slice(&w->domain, accounts_first_domain(w->a));
		step(w, "no domain: the first one", buf_slice(&w->domain));
	} else if (canonical_domain(w->in.domain, &w->domain) < 0) {
		decide(w, ADDR_INVALID, "not a domain");
		return;
	} else {
		where = find_domain(w);
	}
	if (where == HERE)
		search_domain(w);
	else if (where == ELSEWHERE)
		search_elsewhere(w);
}

void
route_find(const struct route_settings *s, struct accounts *a,
    struct slice address, const struct route_trace *trace, struct route *r)
{
	struct search w = { .s = s, .a = a, .trace = trace, .r = r };

	r->is_over_quota = false;
	r->account = 0;
	buf_reset(&r->address);
	buf_reset(&r->nexthop);
	buf_reset(&r->targets);
	buf_reset(&r->via);
	buf_init(&w.local, 512);
	buf_init(&w.domain, CANONICAL_DOMAIN_MAX);
	buf_init(&w.key, 1024);
	if (address_parse_lenient(address, &w.in) < 0)
		decide(&w, ADDR_INVALID, "not an address");
	else
		search(&w);
	buf_fini(&w.local);
	buf_fini(&w.domain);
	buf_fini(&w.key);
}

/* ---- login names ---- */

/* Makes the key of a login name. */
static int
login_key(struct accounts *a, struct slice user, struct buf *key)
{
	struct address in;
	struct buf domain, local;
	struct domain d;
	int result = 0;

	if (address_parse_lenient(user, &in) < 0 || in.local.n == 0) {
		errno = ENOENT;
		return -1;
	}
	buf_init(&domain, CANONICAL_DOMAIN_MAX);
	buf_init(&local, 512);
	address_add_local_text(&local, &in);
	if (in.domain.n == 0) {
		buf_add_slice(&domain, accounts_first_domain(a));
	} else if (canonical_domain(in.domain, &domain) < 0) {
		errno = ENOENT;
		result = -1;
	} else if (accounts_find_domain(a, buf_slice(&domain), &d) < 0) {
		result = -1;
	} else if (d.alias_of.n > 0) {
		buf_reset(&domain);
		buf_add_slice(&domain, d.alias_of);
	}
	if (result == 0)
		canonical_key(buf_slice(&local), buf_slice(&domain), key);
	buf_fini(&domain);
	buf_fini(&local);
	return result;
}

int
route_login(struct accounts *a, struct slice user, struct buf *address,
    struct account *out_r)
{
	struct name n = { 0 };
	struct buf key;
	int result;

	buf_init(&key, 1024);
	result = login_key(a, user, &key);
	if (result == 0 && address != NULL)
		canonical_address(buf_slice(&key), address);
	if (result == 0)
		result = accounts_find_name(a, buf_slice(&key), &n);
	buf_fini(&key);
	if (result < 0)
		return -1;
	if (n.account != 0)
		return accounts_find(a, n.account, out_r);
	errno = ENOENT;
	return -1;
}
