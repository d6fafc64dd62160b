/* SPDX-License-Identifier: ISC */
/*
 * Domain names and address literals. A U-label's octets are not those that
 * count in the DNS, so its characters are counted: of the 63 octets of its
 * A-label four are "xn--", and Punycode spends at least one per character.
 */
#include "proto/domain.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/utf8.h"
#include "proto/limits.h"

enum { U_LABEL_MAX = LIMIT_DNS_LABEL - 4 };

static bool
is_ldh(struct slice label)
{
	size_t i;

	for (i = 0; i < label.n; i++)
		if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	return true;
}

/*
 * Controls, separators, and the dots that IDNA maps to '.' (RFC 3490 3.1): the
 * last would make one label of ours into two of somebody else's.
 */
static bool
is_u_label_char(uint32_t cp)
{
	switch (cp) {
	case 0x2028:
	case 0x2029:
	case 0x3000:
	case 0x3002:
	case 0xff0e:
	case 0xff61:
	case 0xfeff:
		return false;
	default:
		return cp > 0xa0;
	}
}

static bool
is_u_label(struct slice label)
{
	size_t chars = 0, n;
	uint32_t cp;

	for (; label.n > 0; label = slice_from(label, n), chars++) {
		n = utf8_next(label, &cp);
		if (n == 0 || chars == U_LABEL_MAX)
			return false;
		if (n == 1 ? !ascii_is_alnum(label.p[0]) && label.p[0] != '-'
			   : !is_u_label_char(cp))
			return false;
	}
	return true;
}

static bool
is_label(struct slice label, bool utf8)
{
	if (label.n == 0 || label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	if (utf8 && utf8_has_8bit(label))
		return is_u_label(label);
	return label.n <= LIMIT_DNS_LABEL && is_ldh(label);
}

static bool
are_labels(struct slice s, bool utf8)
{
	struct slice label;

	if (s.n == 0 || s.n > LIMIT_DOMAIN || s.p[s.n - 1] == '.')
		return false;
	while (slice_split(&s, '.', &label))
		if (!is_label(label, utf8))
			return false;
	return true;
}

bool
domain_is_valid(struct slice s)
{
	return are_labels(s, false);
}

bool
domain_is_valid_utf8(struct slice s)
{
	return are_labels(s, true);
}

int
domain_parse_literal(struct slice s, struct domain_literal *literal_r)
{
	const struct slice tag = SLICE("IPv6:");
	char text[INET6_ADDRSTRLEN];
	struct domain_literal lit = { DOMAIN_IPV4, SLICE_NONE };
	struct in6_addr ip;

	if (s.n < 3 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return -1;
	lit.ip = (struct slice){ s.p + 1, s.n - 2 };
	if (slice_has_iprefix(lit.ip, tag)) {
		lit.family = DOMAIN_IPV6;
		lit.ip = slice_from(lit.ip, tag.n);
	}
	if (lit.ip.n >= sizeof text || slice_has(lit.ip, '\0'))
		return -1;
	memcpy(text, lit.ip.p, lit.ip.n);
	text[lit.ip.n] = '\0';
	if (inet_pton(lit.family == DOMAIN_IPV4 ? AF_INET : AF_INET6, text,
		&ip) != 1)
		return -1;
	*literal_r = lit;
	return 0;
}

void
domain_add(struct buf *out, struct slice s)
{
	struct domain_literal lit;
	size_t i;

	if (domain_parse_literal(s, &lit) == 0 && lit.family == DOMAIN_IPV6) {
		buf_add_str(out, "[IPv6:");
		s = (struct slice){ lit.ip.p, lit.ip.n + 1 };
	}
	for (i = 0; i < s.n; i++)
		buf_add_char(out, ascii_lower(s.p[i]));
}
