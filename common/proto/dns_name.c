/* SPDX-License-Identifier: ISC */
/* Domain names in text form. RFC 1035 2.3.1, 2.3.4; RFC 1123 2.1. */
#include "proto/dns_name.h"

#include "proto/limits.h"

struct slice
dns_name_trim(struct slice name)
{
	if (name.n > 1 && name.p[name.n - 1] == '.')
		name.n--;
	return name;
}

static bool
is_label(struct slice label)
{
	size_t i;

	if (label.n == 0 || label.n > LIMIT_DNS_LABEL)
		return false;
	for (i = 0; i < label.n; i++)
		if (label.p[i] <= ' ' || label.p[i] > '~' ||
		    label.p[i] == '\\')
			return false;
	return true;
}

bool
dns_name_is_valid(struct slice name)
{
	struct slice label;

	name = dns_name_trim(name);
	if (name.n == 0 || name.n > DNS_NAME_TEXT_MAX ||
	    name.p[name.n - 1] == '.')
		return false;
	while (slice_split(&name, '.', &label))
		if (!is_label(label))
			return false;
	return true;
}

static bool
is_host_label(struct slice label)
{
	size_t i;

	if (label.n == 0 || label.n > LIMIT_DNS_LABEL ||
	    label.p[0] == '-' || label.p[label.n - 1] == '-')
		return false;
	for (i = 0; i < label.n; i++)
		if (!ascii_is_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	return true;
}

bool
dns_name_is_host(struct slice name)
{
	struct slice label = SLICE_NONE;
	size_t i;

	if (name.n == 0 || name.n > DNS_NAME_TEXT_MAX ||
	    name.p[name.n - 1] == '.')
		return false;
	while (slice_split(&name, '.', &label))
		if (!is_host_label(label))
			return false;
	/* "1.2.3.4" looks like a name but is never one. */
	for (i = 0; i < label.n && ascii_is_digit(label.p[i]); i++)
		continue;
	return i < label.n;
}

int
dns_name_add(struct buf *out, struct slice name)
{
	size_t i;
	char *to;

	if (!dns_name_is_valid(name))
		return -1;
	name = dns_name_trim(name);
	to = buf_room(out, name.n);
	if (to == NULL)
		return -1;
	for (i = 0; i < name.n; i++)
		to[i] = ascii_lower(name.p[i]);
	buf_grew(out, name.n);
	return 0;
}

bool
dns_name_is_same(struct slice a, struct slice b)
{
	return slice_ieq(dns_name_trim(a), dns_name_trim(b));
}

/* The dot at `at` separates labels unless a backslash makes it part of one
 * (RFC 1035 5.1), as in names that came off the wire. */
static bool
is_separator(struct slice name, size_t at)
{
	size_t slashes = 0;

	if (name.p[at] != '.')
		return false;
	while (slashes < at && name.p[at - 1 - slashes] == '\\')
		slashes++;
	return slashes % 2 == 0;
}

bool
dns_name_is_within(struct slice name, struct slice zone)
{
	size_t at;

	name = dns_name_trim(name);
	zone = dns_name_trim(zone);
	if (slice_eq_str(zone, "."))
		return true;
	if (zone.n == 0 || name.n < zone.n)
		return false;
	at = name.n - zone.n;
	return slice_ieq(slice_from(name, at), zone) &&
	    (at == 0 || is_separator(name, at - 1));
}

unsigned
dns_name_labels(struct slice name)
{
	struct slice label;
	unsigned n = 0;

	name = dns_name_trim(name);
	if (slice_eq_str(name, "."))
		return 0;
	while (slice_split(&name, '.', &label))
		n++;
	return n;
}

void
dns_name_add_tlsa(struct buf *out, uint16_t port, struct slice host)
{
	buf_addf(out, "_%u._tcp.", port);
	buf_add_slice(out, dns_name_trim(host));
}
