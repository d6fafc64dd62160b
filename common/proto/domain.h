/* SPDX-License-Identifier: ISC */
/*
 * The right-hand side of an address: domain names (RFC 5321 4.1.2, with the
 * U-labels of RFC 6531 3.3) and address literals (RFC 5321 4.1.3).
 */
#ifndef PROTO_DOMAIN_H
#define PROTO_DOMAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum domain_family { DOMAIN_IPV4 = 4, DOMAIN_IPV6 = 6 };

struct domain_literal {
	enum domain_family family;
	struct slice ip; /* without brackets and without "IPv6:" */
};

/*
 * Letters, digits and hyphens, labels of 1 to 63 octets that do not begin or
 * end with a hyphen, at most LIMIT_DOMAIN octets, no dot at the end.
 */
bool domain_is_valid(struct slice s);
/*
 * The same, but labels may hold characters above U+007F. Whether such a label
 * is a U-label of IDNA needs Unicode's tables and is not decided here.
 */
bool domain_is_valid_utf8(struct slice s);
/*
 * Parses "[192.0.2.1]" or "[IPv6:2001:db8::1]" as a whole. 0 with a view in
 * *literal_r; -1 for anything else: no other tag is registered.
 */
int domain_parse_literal(struct slice s, struct domain_literal *literal_r)
    __attribute__((warn_unused_result));
/* Appends the name, or literal, with ASCII letters in lower case. */
void domain_add(struct buf *out, struct slice s);

#endif
