/* SPDX-License-Identifier: ISC */
/*
 * IP addresses as values: from text, to text, as address literals (RFC 5321
 * 4.1.3) and as the names under which the DNS keeps what belongs to them
 * (in-addr.arpa, RFC 1035 3.5; ip6.arpa, RFC 3596 2.5; DNS lists, RFC 5782).
 */
#ifndef PROTO_IP_H
#define PROTO_IP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
	enum ip_family family;
	unsigned char bytes[16]; /* network order; 4 of them for IP_V4 */
};

/* Longest text of an address, and of its literal with brackets and tag. */
enum { IP_TEXT_MAX = 45, IP_LITERAL_MAX = IP_TEXT_MAX + 7 };

/* All of `s` as "192.0.2.1" (four decimal numbers) or "2001:db8::1", without
 * scope. 0, or -1 with *ip_r untouched. */
int ip_parse(struct slice s, struct ip *ip_r)
    __attribute__((warn_unused_result));
/* "[192.0.2.1]" or "[IPv6:2001:db8::1]" (the tag in any case). 0 or -1. */
int ip_parse_literal(struct slice s, struct ip *ip_r)
    __attribute__((warn_unused_result));
/* 4 or 16 bytes in network order. 0, or -1 for any other length. */
int ip_from_bytes(struct slice bytes, struct ip *ip_r)
    __attribute__((warn_unused_result));
/* The bytes in network order: a view into *ip. */
struct slice ip_bytes(const struct ip *ip);

/* Append text (RFC 5952) and literal; errors are out's. */
void ip_add(struct buf *out, const struct ip *ip);
void ip_add_literal(struct buf *out, const struct ip *ip);
/*
 * Appends the reversed octets or nibbles and `.` and `zone`: with SLICE_NONE
 * the name that holds the PTR records ("1.2.0.192.in-addr.arpa"), with
 * "bl.example" the name to ask a DNS list for (RFC 5782 2.1, 2.4).
 */
void ip_add_reverse(struct buf *out, const struct ip *ip, struct slice zone);

bool ip_is_same(const struct ip *a, const struct ip *b);
/* 127.0.0.0/8, ::1, and the former as ::ffff:127.0.0.0/104. */
bool ip_is_loopback(const struct ip *ip);

#endif
