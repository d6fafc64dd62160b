/* SPDX-License-Identifier: ISC */
/* Names of types and outcomes; packing and unpacking of record sets. */
#include "proto/dns.h"

#include <errno.h>

static const struct {
	const char *name;
	bool is_later;
} statuses[DNS_STATUS_COUNT] = {
	[DNS_OK] = { "ok", false },
	[DNS_NXDOMAIN] = { "nxdomain", false },
	[DNS_NODATA] = { "nodata", false },
	[DNS_SERVFAIL] = { "servfail", true },
	[DNS_TIMEOUT] = { "timeout", true },
	[DNS_BOGUS] = { "bogus", true },
	[DNS_LOOP] = { "loop", true },
	[DNS_BUSY] = { "busy", true },
	[DNS_INVALID] = { "invalid", false },
};

static const struct {
	unsigned type;
	const char *name;
} types[] = {
	{ DNS_A, "A" },
	{ DNS_AAAA, "AAAA" },
	{ DNS_MX, "MX" },
	{ DNS_PTR, "PTR" },
	{ DNS_TLSA, "TLSA" },
	{ DNS_TXT, "TXT" },
};

const char *
dns_status_name(unsigned status)
{
	return status < DNS_STATUS_COUNT ? statuses[status].name : "?";
}

bool
dns_status_is_later(unsigned status)
{
	return status >= DNS_STATUS_COUNT || statuses[status].is_later;
}

const char *
dns_type_name(unsigned type)
{
	size_t i;

	for (i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == type)
			return types[i].name;
	return NULL;
}

unsigned
dns_type_by_name(struct slice name)
{
	size_t i;

	for (i = 0; i < sizeof types / sizeof *types; i++)
		if (slice_ieq_str(name, types[i].name))
			return types[i].type;
	return 0;
}

/* Writes the length and gives room for the `n` bytes of a record. */
static unsigned char *
record_room(struct buf *out, size_t n)
{
	unsigned char *p;

	if (n > UINT16_MAX) {
		if (out->err == 0)
			out->err = ENOBUFS;
		return NULL;
	}
	p = (unsigned char *)buf_room(out, n + 2);
	if (p == NULL)
		return NULL;
	p[0] = (unsigned char)(n >> 8);
	p[1] = (unsigned char)n;
	return p + 2;
}

static void
copy(unsigned char *to, struct slice from)
{
	size_t i;

	for (i = 0; i < from.n; i++)
		to[i] = (unsigned char)from.p[i];
}

static void
add_bytes(struct buf *out, struct slice bytes)
{
	unsigned char *p = record_room(out, bytes.n);

	if (p == NULL)
		return;
	copy(p, bytes);
	buf_grew(out, bytes.n + 2);
}

void
dns_add_ip(struct buf *out, const struct ip *ip)
{
	add_bytes(out, ip_bytes(ip));
}

void
dns_add_mx(struct buf *out, uint16_t preference, struct slice host)
{
	unsigned char *p = record_room(out, host.n + 2);

	if (p == NULL)
		return;
	p[0] = (unsigned char)(preference >> 8);
	p[1] = (unsigned char)preference;
	copy(p + 2, host);
	buf_grew(out, host.n + 4);
}

void
dns_add_txt(struct buf *out, struct slice text)
{
	add_bytes(out, text);
}

void
dns_add_ptr(struct buf *out, struct slice name)
{
	add_bytes(out, name);
}

void
dns_add_tlsa(struct buf *out, const struct dns_tlsa *tlsa)
{
	unsigned char *p = record_room(out, tlsa->data.n + 3);

	if (p == NULL)
		return;
	p[0] = tlsa->usage;
	p[1] = tlsa->selector;
	p[2] = tlsa->matching;
	copy(p + 3, tlsa->data);
	buf_grew(out, tlsa->data.n + 5);
}

/* The next record of at least `min` bytes. */
static bool
next(struct slice *records, size_t min, struct slice *data_r)
{
	const unsigned char *p = (const unsigned char *)records->p;
	size_t n = records->n < 2 ? 0 : (size_t)p[0] << 8 | p[1];

	if (records->n < 2 || records->n - 2 < n || n < min) {
		*records = slice_from(*records, records->n);
		return false;
	}
	*data_r = slice_head(slice_from(*records, 2), n);
	*records = slice_from(*records, n + 2);
	return true;
}

bool
dns_next_ip(struct slice *records, struct ip *ip_r)
{
	struct slice data;

	if (!next(records, 4, &data))
		return false;
	if (ip_from_bytes(data, ip_r) == 0)
		return true;
	*records = slice_from(*records, records->n);
	return false;
}

bool
dns_next_mx(struct slice *records, struct dns_mx *mx_r)
{
	const unsigned char *p;
	struct slice data;

	if (!next(records, 3, &data))
		return false;
	p = (const unsigned char *)data.p;
	mx_r->preference = (uint16_t)(p[0] << 8 | p[1]);
	mx_r->host = slice_from(data, 2);
	return true;
}

bool
dns_next_txt(struct slice *records, struct slice *text_r)
{
	return next(records, 0, text_r);
}

bool
dns_next_ptr(struct slice *records, struct slice *name_r)
{
	return next(records, 1, name_r);
}

bool
dns_next_tlsa(struct slice *records, struct dns_tlsa *tlsa_r)
{
	const unsigned char *p;
	struct slice data;

	if (!next(records, 3, &data))
		return false;
	p = (const unsigned char *)data.p;
	tlsa_r->usage = p[0];
	tlsa_r->selector = p[1];
	tlsa_r->matching = p[2];
	tlsa_r->data = slice_from(data, 3);
	return true;
}

unsigned
dns_count(struct slice records)
{
	struct slice data;
	unsigned n = 0;

	while (next(&records, 0, &data))
		n++;
	return n;
}

bool
dns_is_null_mx(struct slice records)
{
	struct dns_mx mx;

	return dns_count(records) == 1 && dns_next_mx(&records, &mx) &&
	    slice_eq_str(mx.host, ".");
}
