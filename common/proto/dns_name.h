/* SPDX-License-Identifier: ISC */
/*
 * Domain names as the DNS sees them (RFC 1035 2.3, 3.1; RFC 2181 11), in text
 * form: labels with dots between, lower case, no dot at the end, "." for the
 * root. What mail calls a domain is narrower: see dns_name_is_host.
 */
#ifndef PROTO_DNS_NAME_H
#define PROTO_DNS_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* Longest text of a name that can be asked for: 255 octets on the wire. */
enum { DNS_NAME_TEXT_MAX = 253 };

/*
 * Can this be asked for? One or more labels of 1 to 63 printable ASCII
 * characters other than dot and backslash (SPF macros and RFC 2317 make names
 * that are no host names), at most DNS_NAME_TEXT_MAX, one dot at the end
 * allowed. The root is not: nothing about mail is asked there.
 */
bool dns_name_is_valid(struct slice name);
/*
 * Is it a host's name (RFC 1123 2.1)? Letters, digits and hyphens, no hyphen
 * at either end of a label, the last label not all digits; no dot at the end.
 * Names out of PTR and MX records are what their owner wrote: check them with
 * this before they are used or shown to others.
 */
bool dns_name_is_host(struct slice name);
/* Appends the form described above. 0; -1 when not dns_name_is_valid (nothing
 * is added) or out is full. */
int dns_name_add(struct buf *out, struct slice name)
    __attribute__((warn_unused_result));
/* Without the dot at the end, if there is one: a view. "." stays. */
struct slice dns_name_trim(struct slice name);
/* Equal but for case and a dot at the end. */
bool dns_name_is_same(struct slice a, struct slice b);
/* Is `name` the same as `zone` or below it? Everything is below ".". */
bool dns_name_is_within(struct slice name, struct slice zone);
/* How many labels it has; 0 for the root. */
unsigned dns_name_labels(struct slice name);
/* Appends "_25._tcp.host", where TLSA records are (RFC 6698 3). */
void dns_name_add_tlsa(struct buf *out, uint16_t port, struct slice host);

#endif
