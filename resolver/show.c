/* SPDX-License-Identifier: ISC */
/* Records as text, the way a zone file has them. */
#include "resolver/show.h"

#include "base/base64.h"
#include "proto/dns.h"

static bool
show_mx(struct buf *out, struct slice *left)
{
	struct dns_mx mx;

	if (!dns_next_mx(left, &mx))
		return false;
	buf_addf(out, "%u ", mx.preference);
	buf_add_slice(out, mx.host);
	return true;
}

static bool
show_tlsa(struct buf *out, struct slice *left)
{
	struct dns_tlsa tlsa;

	if (!dns_next_tlsa(left, &tlsa))
		return false;
	buf_addf(out, "%u %u %u ", tlsa.usage, tlsa.selector, tlsa.matching);
	hex_encode(out, tlsa.data);
	return true;
}

static bool
show_txt(struct buf *out, struct slice *left)
{
	struct slice text;

	if (!dns_next_txt(left, &text))
		return false;
	buf_add_char(out, '"');
	buf_add_slice(out, text);
	buf_add_char(out, '"');
	return true;
}

bool
show_next(struct buf *out, uint16_t type, struct slice *left)
{
	struct slice name;
	struct ip ip;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		if (!dns_next_ip(left, &ip))
			return false;
		ip_add(out, &ip);
		return true;
	case DNS_MX:
		return show_mx(out, left);
	case DNS_TLSA:
		return show_tlsa(out, left);
	case DNS_TXT:
		return show_txt(out, left);
	case DNS_PTR:
		if (!dns_next_ptr(left, &name))
			return false;
		buf_add_slice(out, name);
		return true;
	default:
		return false;
	}
}
