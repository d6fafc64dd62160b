/* SPDX-License-Identifier: ISC */
/*
 * IP addresses. inet_pton and inet_ntop do the text: they are pure, strict
 * (no leading zeros, no short forms) and write what RFC 5952 asks for.
 */
#include "proto/ip.h"

#include <arpa/inet.h>
#include <string.h>

int
ip_parse(struct slice s, struct ip *ip_r)
{
	bool is_v6 = slice_has(s, ':');
	struct ip ip = { .family = is_v6 ? IP_V6 : IP_V4 };
	char text[IP_TEXT_MAX + 1];

	/* A NUL inside would end the text early for inet_pton. */
	if (s.n == 0 || s.n > IP_TEXT_MAX || slice_has(s, '\0'))
		return -1;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text, ip.bytes) != 1)
		return -1;
	*ip_r = ip;
	return 0;
}

int
ip_parse_literal(struct slice s, struct ip *ip_r)
{
	struct slice tag = SLICE("IPv6:");
	struct ip ip;
	bool is_v6;

	if (s.n < 2 || s.p[0] != '[' || s.p[s.n - 1] != ']')
		return -1;
	s = slice_head(slice_from(s, 1), s.n - 2);
	is_v6 = slice_has_iprefix(s, tag);
	if (is_v6)
		s = slice_from(s, tag.n);
	if (ip_parse(s, &ip) < 0 || (ip.family == IP_V6) != is_v6)
		return -1;
	*ip_r = ip;
	return 0;
}

int
ip_from_bytes(struct slice bytes, struct ip *ip_r)
{
	struct ip ip = { .family = bytes.n == 4 ? IP_V4 : IP_V6 };

	if (bytes.n != 4 && bytes.n != 16)
		return -1;
	memcpy(ip.bytes, bytes.p, bytes.n);
	*ip_r = ip;
	return 0;
}

struct slice
ip_bytes(const struct ip *ip)
{
	size_t n = ip->family == IP_V4 ? 4 : ip->family == IP_V6 ? 16 : 0;

	return (struct slice){ (const char *)ip->bytes, n };
}

void
ip_add(struct buf *out, const struct ip *ip)
{
	char text[INET6_ADDRSTRLEN];
	int af = ip->family == IP_V4 ? AF_INET : AF_INET6;

	if (ip->family != IP_NONE &&
	    inet_ntop(af, ip->bytes, text, sizeof text) != NULL)
		buf_add_str(out, text);
}

void
ip_add_literal(struct buf *out, const struct ip *ip)
{
	buf_add_str(out, ip->family == IP_V6 ? "[IPv6:" : "[");
	ip_add(out, ip);
	buf_add_char(out, ']');
}

void
ip_add_reverse(struct buf *out, const struct ip *ip, struct slice zone)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	if (ip->family == IP_V4) {
		for (i = 4; i-- > 0;)
			buf_addf(out, "%u.", ip->bytes[i]);
	} else {
		for (i = 16; i-- > 0;) {
			buf_add_char(out, hex[ip->bytes[i] & 15]);
			buf_add_char(out, '.');
			buf_add_char(out, hex[ip->bytes[i] >> 4]);
			buf_add_char(out, '.');
		}
	}
	if (zone.p != NULL)
		buf_add_slice(out, zone);
	else
		buf_add_str(out,
		    ip->family == IP_V4 ? "in-addr.arpa" : "ip6.arpa");
}

bool
ip_is_same(const struct ip *a, const struct ip *b)
{
	return a->family == b->family && slice_eq(ip_bytes(a), ip_bytes(b));
}

bool
ip_is_loopback(const struct ip *ip)
{
	static const unsigned char one[16] = { [15] = 1 };
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (ip->family == IP_V4)
		return ip->bytes[0] == 127;
	if (ip->family != IP_V6)
		return false;
	if (memcmp(ip->bytes, mapped, sizeof mapped) == 0)
		return ip->bytes[12] == 127;
	return memcmp(ip->bytes, one, sizeof one) == 0;
}
