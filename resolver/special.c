/* SPDX-License-Identifier: ISC */
/* Special-use domain names. */
#include "resolver/special.h"

#include "proto/dns_name.h"

enum { TTL = 86400 };

static const struct {
	const char *zone;
	enum dns_status status;
} zones[] = {
	{ "localhost", DNS_OK },
	{ "invalid", DNS_NXDOMAIN },
	{ "onion", DNS_NXDOMAIN },
};

static enum dns_status
add_loopback(uint16_t type, struct buf *records)
{
	const char *text = type == DNS_A ? "127.0.0.1" : "::1";
	struct ip ip;

	if ((type != DNS_A && type != DNS_AAAA) ||
	    ip_parse(slice_str(text), &ip) < 0)
		return DNS_NODATA;
	dns_add_ip(records, &ip);
	return buf_is_ok(records) ? DNS_OK : DNS_BUSY;
}

bool
special_find(struct slice name, uint16_t type, struct buf *records,
    struct answer *out_r)
{
	enum dns_status status;
	size_t i, n = sizeof zones / sizeof *zones;

	for (i = 0; i < n; i++)
		if (dns_name_is_within(name, slice_str(zones[i].zone)))
			break;
	if (i == n)
		return false;
	buf_reset(records);
	status = zones[i].status;
	if (status == DNS_OK)
		status = add_loopback(type, records);
	*out_r = (struct answer){ .status = status, .ttl = TTL,
		.canonical = name, .records = buf_slice(records) };
	return true;
}
