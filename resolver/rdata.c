/* SPDX-License-Identifier: ISC */
/*
 * The data of records, checked to the last octet. RFC 1035 3.3 (MX, PTR, TXT),
 * 3.4.1 (A), RFC 3596 2.2 (AAAA), RFC 6698 2.1 (TLSA).
 */
#include "resolver/rdata.h"

#include "base/buf.h"
#include "proto/dns.h"

struct slice
rdata_name(char *name)
{
	char *p;

	if (name[0] == 0)
		return SLICE(".");
	for (p = name; *p != 0; p++)
		*p = ascii_lower(*p);
	return slice_str(name);
}

int
rdata_take_name(const ns_msg *m, const ns_rr *rr, size_t at,
    char name[NS_MAXDNAME])
{
	size_t n = ns_rr_rdlen(*rr);
	int used;

	if (n <= at)
		return -1;
	used = ns_name_uncompress(ns_msg_base(*m), ns_msg_end(*m),
	    ns_rr_rdata(*rr) + at, name, NS_MAXDNAME);
	return used >= 0 && (size_t)used == n - at ? 0 : -1;
}

/* Each: 0, or -1 when the data is malformed. */

static int
pack_ip(struct buf *out, const ns_msg *m, const ns_rr *rr)
{
	struct slice data = { (const char *)ns_rr_rdata(*rr),
		ns_rr_rdlen(*rr) };
	struct ip ip;

	if (ip_from_bytes(data, &ip) < 0 ||
	    (ip.family == IP_V4) != (rr->type == DNS_A))
		return -1;
	dns_add_ip(out, &ip);
	return 0;
}

static int
pack_mx(struct buf *out, const ns_msg *m, const ns_rr *rr)
{
	char name[NS_MAXDNAME];

	if (rdata_take_name(m, rr, 2, name) < 0)
		return -1;
	dns_add_mx(out, (uint16_t)ns_get16(ns_rr_rdata(*rr)), rdata_name(name));
	return 0;
}

static int
pack_ptr(struct buf *out, const ns_msg *m, const ns_rr *rr)
{
	char name[NS_MAXDNAME];

	if (rdata_take_name(m, rr, 0, name) < 0)
		return -1;
	dns_add_ptr(out, rdata_name(name));
	return 0;
}

/* Strings of up to 255 octets, each behind its length; at least one. */
static int
pack_txt(struct buf *out, const ns_msg *m, const ns_rr *rr)
{
	const unsigned char *p = ns_rr_rdata(*rr);
	size_t n = ns_rr_rdlen(*rr), at;
	struct buf text;

	for (at = 0; at < n; at += (size_t)p[at] + 1)
		continue;
	if (n == 0 || at != n)
		return -1;
	buf_init(&text, UINT16_MAX);
	for (at = 0; at < n; at += (size_t)p[at] + 1)
		buf_add(&text, p + at + 1, p[at]);
	if (buf_is_ok(&text))
		dns_add_txt(out, buf_slice(&text));
	else
		out->err = text.err;
	buf_fini(&text);
	return 0;
}

static int
pack_tlsa(struct buf *out, const ns_msg *m, const ns_rr *rr)
{
	const unsigned char *p = ns_rr_rdata(*rr);
	struct dns_tlsa tlsa;

	if (ns_rr_rdlen(*rr) < 3)
		return -1;
	tlsa = (struct dns_tlsa){ p[0], p[1], p[2],
		{ (const char *)p + 3, ns_rr_rdlen(*rr) - 3U } };
	dns_add_tlsa(out, &tlsa);
	return 0;
}

static const struct {
	unsigned type;
	int (*pack)(struct buf *out, const ns_msg *m, const ns_rr *rr);
} packers[] = {
	{ DNS_A, pack_ip },
	{ DNS_AAAA, pack_ip },
	{ DNS_MX, pack_mx },
	{ DNS_PTR, pack_ptr },
	{ DNS_TLSA, pack_tlsa },
	{ DNS_TXT, pack_txt },
};

int
rdata_pack(struct buf *out, const ns_msg *m, const ns_rr *rr)
{
	size_t i;

	for (i = 0; i < sizeof packers / sizeof *packers; i++)
		if (packers[i].type == rr->type)
			return packers[i].pack(out, m, rr);
	return -1;
}
