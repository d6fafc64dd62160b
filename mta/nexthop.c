/* SPDX-License-Identifier: ISC */
/* The text form of next hops. */
#include "mta/nexthop.h"

#include "base/num.h"
#include "proto/domain.h"

static const struct {
	const char *name;
	enum nexthop_kind kind;
} kinds[] = {
	{ "mx", NEXTHOP_MX },
	{ "smtp", NEXTHOP_SMTP },
	{ "lmtp", NEXTHOP_LMTP },
};

static int
take_kind(struct slice *in, enum nexthop_kind *kind_r)
{
	struct slice name;
	size_t i;

	if (!slice_has(*in, ':') || !slice_split(in, ':', &name))
		return -1;
	for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (slice_ieq_str(name, kinds[i].name)) {
			*kind_r = kinds[i].kind;
			return 0;
		}
	return -1;
}

static bool
is_host(struct slice s)
{
	return domain_is_valid(s) || domain_is_valid_utf8(s);
}

/* What stands in brackets, with or without the tag of RFC 5321 4.1.3. */
static int
parse_bracketed(struct slice in, struct nexthop *n)
{
	static const struct slice tag = { "IPv6:", 5 };

	if (slice_has_iprefix(in, tag))
		return ip_parse(slice_from(in, tag.n), &n->ip) < 0 ||
			n->ip.family != IP_V6 ? -1 : 0;
	if (ip_parse(in, &n->ip) == 0)
		return 0;
	return is_host(in) ? 0 : -1;
}

static int
take_host(struct slice *in, struct nexthop *n)
{
	ptrdiff_t end;

	if (in->n > 0 && in->p[0] == '[') {
		end = slice_chr(*in, ']');
		if (end < 0)
			return -1;
		n->host = slice_head(slice_from(*in, 1), (size_t)end - 1);
		*in = slice_from(*in, (size_t)end + 1);
		return parse_bracketed(n->host, n);
	}
	end = slice_chr(*in, ':');
	n->host = end < 0 ? *in : slice_head(*in, (size_t)end);
	*in = slice_from(*in, n->host.n);
	if (ip_parse(n->host, &n->ip) == 0)
		return 0;
	return is_host(n->host) ? 0 : -1;
}

int
nexthop_parse(struct slice in, struct nexthop *n_r)
{
	struct nexthop n = { .kind = NEXTHOP_MX };
	uint64_t port;

	if (take_kind(&in, &n.kind) < 0 || take_host(&in, &n) < 0)
		return -1;
	if (in.n > 0) {
		if (n.kind == NEXTHOP_MX || in.p[0] != ':' ||
		    num_parse(slice_from(in, 1), 1, 65535, &port) < 0)
			return -1;
		n.port = (uint16_t)port;
	}
	*n_r = n;
	return 0;
}
