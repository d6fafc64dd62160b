/* SPDX-License-Identifier: ISC */
/*
 * Answers of the resolver role: what became of a question, and the records as
 * they travel in message DNS_ANSWER. A set of records is packed one after the
 * other, all of the type that was asked for: its length in 2 octets, then its
 * data in network order, names as text in lower case.
 *
 * Steps through a set, with `records` being the field of the message:
 *
 *	struct slice left = m->records;
 *	struct dns_mx mx;
 *	while (dns_next_mx(&left, &mx))
 *		…
 */
#ifndef PROTO_DNS_H
#define PROTO_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/ip.h"

/* Record types that can be asked for (RFC 1035 3.2.2, RFC 3596, RFC 6698). */
enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52
};

/* What became of a question. "Later" means: nothing is known, nothing may be
 * decided for good, ask again later. */
enum dns_status {
	/* There are records. */
	DNS_OK = 0,
	/* The name does not exist, nor any name below it (RFC 8020). */
	DNS_NXDOMAIN,
	/* The name exists, but has no records of this type. */
	DNS_NODATA,
	/* Later: the servers could not, or would not, find out. */
	DNS_SERVFAIL,
	/* Later: no server answered in time. */
	DNS_TIMEOUT,
	/* Later: the server says that DNSSEC validation failed (RFC 8914). */
	DNS_BOGUS,
	/* Later: the aliases lead in a circle, or are too many. */
	DNS_LOOP,
	/* Later: too many questions wait, or memory is short. */
	DNS_BUSY,
	/* For good: this cannot be asked, the name or type is malformed. */
	DNS_INVALID
};

enum {
	DNS_STATUS_COUNT = DNS_INVALID + 1,
	/* Most octets of a packed set: it must fit into one message. */
	DNS_RECORDS_MAX = 49152
};

/* "ok", "nxdomain", … for logs; "?" for a number out of range. */
const char *dns_status_name(unsigned status);
/* Must the asker treat it as a temporary failure? Also for numbers out of
 * range. */
bool dns_status_is_later(unsigned status);
/* "MX"; NULL for types that cannot be asked for. */
const char *dns_type_name(unsigned type);
/* The type of that name in either case, or 0. */
unsigned dns_type_by_name(struct slice name);

struct dns_mx {
	uint16_t preference;
	struct slice host; /* "." for the null MX (RFC 7505) */
};

struct dns_tlsa {
	uint8_t usage, selector, matching;
	struct slice data;
};

/* Append one record; a text or name of more than 65,535 octets, or no room,
 * sets out's error. */
void dns_add_ip(struct buf *out, const struct ip *ip);
void dns_add_mx(struct buf *out, uint16_t preference, struct slice host);
void dns_add_txt(struct buf *out, struct slice text);
void dns_add_ptr(struct buf *out, struct slice name);
void dns_add_tlsa(struct buf *out, const struct dns_tlsa *tlsa);

/*
 * Take the next record off *records; slices are views into it. False at the
 * end, or where the bytes are malformed (then *records is emptied).
 */
bool dns_next_ip(struct slice *records, struct ip *ip_r);
bool dns_next_mx(struct slice *records, struct dns_mx *mx_r);
/* The strings of one TXT record joined without anything between
 * (RFC 7208 3.3); any octets. */
bool dns_next_txt(struct slice *records, struct slice *text_r);
/* What its owner wrote: check with dns_name_is_host. */
bool dns_next_ptr(struct slice *records, struct slice *name_r);
bool dns_next_tlsa(struct slice *records, struct dns_tlsa *tlsa_r);
/* How many records the set has. */
unsigned dns_count(struct slice records);
/* Does this set of MX records say "no mail, ever" (RFC 7505 3)? */
bool dns_is_null_mx(struct slice records);

#endif
