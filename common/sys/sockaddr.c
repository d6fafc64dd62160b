/* SPDX-License-Identifier: ISC */
/* Address text, client keys and networks; see the header for what counts. */
#include "sys/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/num.h"

/* The bytes of an IP address, without any padding of its family. */
struct ip {
	sa_family_t family; /* AF_UNSPEC when it is none */
	uint8_t bytes[16];
};

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
	0xff };

static struct ip
ip_of(const struct sockaddr *sa, socklen_t len)
{
	struct ip ip = { .family = AF_UNSPEC };
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (len >= sizeof four && sa->sa_family == AF_INET) {
		memcpy(&four, sa, sizeof four);
		ip.family = AF_INET;
		memcpy(ip.bytes, &four.sin_addr, 4);
	} else if (len >= sizeof six && sa->sa_family == AF_INET6) {
		memcpy(&six, sa, sizeof six);
		ip.family = AF_INET6;
		memcpy(ip.bytes, &six.sin6_addr, 16);
		if (memcmp(ip.bytes, mapped_prefix, 12) == 0) {
			ip.family = AF_INET;
			memcpy(ip.bytes, ip.bytes + 12, 4);
		}
	}
	return ip;
}

/* A number without port; brackets are for the caller. */
static int
ip_parse(struct slice text, struct ip *ip_r)
{
	char z[INET6_ADDRSTRLEN];

	if (text.n == 0 || text.n >= sizeof z || slice_has(text, '\0'))
		return -1;
	memcpy(z, text.p, text.n);
	z[text.n] = 0;
	if (inet_pton(AF_INET, z, ip_r->bytes) == 1) {
		ip_r->family = AF_INET;
		return 0;
	}
	if (inet_pton(AF_INET6, z, ip_r->bytes) != 1)
		return -1;
	ip_r->family = AF_INET6;
	return 0;
}

static void
make_ip(const struct ip *ip, uint16_t port, struct sockaddr_storage *out,
    socklen_t *len)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	memset(out, 0, sizeof *out);
	if (ip->family == AF_INET) {
		four.sin_port = htons(port);
		memcpy(&four.sin_addr, ip->bytes, 4);
		memcpy(out, &four, sizeof four);
		*len = sizeof four;
	} else {
		six.sin6_port = htons(port);
		memcpy(&six.sin6_addr, ip->bytes, 16);
		memcpy(out, &six, sizeof six);
		*len = sizeof six;
	}
}

static int
parse_unix(struct slice path, struct sockaddr_storage *out, socklen_t *len)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (path.n < 2 || path.p[0] != '/' || path.n >= sizeof un.sun_path ||
	    slice_has(path, '\0'))
		return -1;
	memcpy(un.sun_path, path.p, path.n);
	memset(out, 0, sizeof *out);
	memcpy(out, &un, sizeof un);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + 1);
	return 0;
}

/* Cuts "[a]:1", "a:1" or "a" in two; a bare IPv6 address has no port. */
static int
split_port(struct slice text, struct slice *host, struct slice *port)
{
	ptrdiff_t end;

	*port = SLICE_NONE;
	if (text.n > 0 && text.p[0] == '[') {
		end = slice_chr(text, ']');
		if (end < 0)
			return -1;
		*host = (struct slice){ text.p + 1, (size_t)end - 1 };
		text = slice_from(text, (size_t)end + 1);
		if (text.n == 0)
			return slice_has(*host, ':') ? 0 : -1;
		if (text.p[0] != ':' || !slice_has(*host, ':'))
			return -1;
		*port = slice_from(text, 1);
		return port->n > 0 ? 0 : -1;
	}
	end = slice_chr(text, ':');
	*host = text;
	if (end < 0 || end != slice_rchr(text, ':'))
		return 0;
	*host = slice_head(text, (size_t)end);
	*port = slice_from(text, (size_t)end + 1);
	return port->n > 0 ? 0 : -1;
}

int
sockaddr_parse(struct slice text, uint16_t port,
    struct sockaddr_storage *out_r, socklen_t *len_r)
{
	struct ip ip = { .family = AF_INET6 };
	struct slice host, digits;
	uint64_t number = port;

	if (slice_has_prefix(text, SLICE("unix:")))
		return parse_unix(slice_from(text, 5), out_r, len_r);
	if (slice_has_prefix(text, SLICE("/")))
		return parse_unix(text, out_r, len_r);
	if (split_port(text, &host, &digits) < 0)
		return -1;
	if (digits.n > 0 && num_parse(digits, 0, 65535, &number) < 0)
		return -1;
	if (!slice_eq_str(host, "*") && ip_parse(host, &ip) < 0)
		return -1;
	make_ip(&ip, (uint16_t)number, out_r, len_r);
	return 0;
}

const char *
sockaddr_format(const struct sockaddr *sa, socklen_t len,
    char text[SOCKADDR_TEXT_MAX])
{
	struct ip ip = ip_of(sa, len);
	const char *fixed = "unknown";

	if (len >= sizeof sa->sa_family && sa->sa_family == AF_UNIX)
		fixed = "unix";
	if (ip.family == AF_UNSPEC ||
	    inet_ntop(ip.family, ip.bytes, text, SOCKADDR_TEXT_MAX) == NULL)
		(void)snprintf(text, SOCKADDR_TEXT_MAX, "%s", fixed);
	return text;
}

const char *
sockaddr_format_port(const struct sockaddr *sa, socklen_t len,
    char text[SOCKADDR_TEXT_MAX])
{
	struct ip ip = ip_of(sa, len);
	char host[SOCKADDR_TEXT_MAX];
	struct sockaddr_un un;

	memset(&un, 0, sizeof un);
	(void)sockaddr_format(sa, len, host);
	if (ip.family == AF_INET6)
		(void)snprintf(text, SOCKADDR_TEXT_MAX, "[%.64s]:%u", host,
		    sockaddr_port(sa, len));
	else if (ip.family == AF_INET)
		(void)snprintf(text, SOCKADDR_TEXT_MAX, "%.64s:%u", host,
		    sockaddr_port(sa, len));
	else if (len > offsetof(struct sockaddr_un, sun_path) &&
	    len <= sizeof un && sa->sa_family == AF_UNIX) {
		memcpy(&un, sa, len);
		(void)snprintf(text, SOCKADDR_TEXT_MAX, "unix:%.*s",
		    (int)sizeof un.sun_path, un.sun_path);
	} else
		(void)snprintf(text, SOCKADDR_TEXT_MAX, "%s", host);
	return text;
}

uint16_t
sockaddr_port(const struct sockaddr *sa, socklen_t len)
{
	struct sockaddr_in six;

	/* The port stands at the same place in both families. */
	if (len < sizeof six ||
	    (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
		return 0;
	memcpy(&six, sa, sizeof six);
	return ntohs(six.sin_port);
}

void
sockaddr_set_port(struct sockaddr_storage *sa, uint16_t port)
{
	if (sa->ss_family == AF_INET)
		((struct sockaddr_in *)(void *)sa)->sin_port = htons(port);
	else if (sa->ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)sa)->sin6_port = htons(port);
}

void
sockaddr_unmap(struct sockaddr_storage *sa, socklen_t *len)
{
	const struct sockaddr *any = (const struct sockaddr *)sa;
	struct ip ip = ip_of(any, *len);

	if (ip.family == AF_INET && sa->ss_family == AF_INET6)
		make_ip(&ip, sockaddr_port(any, *len), sa, len);
}

bool
sockaddr_is_loopback(const struct sockaddr *sa, socklen_t len)
{
	static const uint8_t one[16] = { [15] = 1 };
	struct ip ip = ip_of(sa, len);

	if (ip.family == AF_INET)
		return ip.bytes[0] == 127;
	return ip.family == AF_INET6 && memcmp(ip.bytes, one, 16) == 0;
}

const char *
sockaddr_client_key(const struct sockaddr *sa, socklen_t len,
    char key[SOCKADDR_KEY_MAX])
{
	struct ip ip = ip_of(sa, len);
	char text[SOCKADDR_TEXT_MAX];

	if (ip.family != AF_INET6) {
		(void)snprintf(key, SOCKADDR_KEY_MAX, "%.46s",
		    sockaddr_format(sa, len, text));
		return key;
	}
	memset(ip.bytes + 8, 0, 8);
	if (inet_ntop(AF_INET6, ip.bytes, text, sizeof text) == NULL)
		text[0] = 0;
	(void)snprintf(key, SOCKADDR_KEY_MAX, "%.40s/64", text);
	return key;
}

/* Do the first `bits` bits agree? */
static bool
is_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool
has_bits_behind(const uint8_t *addr, unsigned bits, unsigned all)
{
	unsigned i;

	for (i = bits; i < all; i++)
		if (addr[i / 8] & (0x80 >> (i % 8)))
			return true;
	return false;
}

int
cidr_parse(struct slice text, struct cidr *out_r)
{
	struct slice host, bits;
	struct ip ip = { .family = AF_UNSPEC };
	uint64_t n;
	unsigned all;

	if (slice_split(&text, '/', &host) == false)
		return -1;
	bits = text;
	if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') {
		host = slice_head(slice_from(host, 1), host.n - 2);
		if (!slice_has(host, ':'))
			return -1;
	}
	if (ip_parse(host, &ip) < 0)
		return -1;
	all = ip.family == AF_INET ? 32 : 128;
	n = all;
	if (bits.p != NULL && num_parse(bits, 0, all, &n) < 0)
		return -1;
	if (has_bits_behind(ip.bytes, (unsigned)n, all))
		return -1;
	*out_r = (struct cidr){ .family = ip.family, .bits = (uint8_t)n };
	memcpy(out_r->addr, ip.bytes, all / 8);
	/* ::ffff:192.0.2.0/120 is 192.0.2.0/24: addresses come unmapped. */
	if (ip.family == AF_INET6 && n >= 96 &&
	    memcmp(ip.bytes, mapped_prefix, 12) == 0) {
		*out_r = (struct cidr){ .family = AF_INET,
			.bits = (uint8_t)(n - 96) };
		memcpy(out_r->addr, ip.bytes + 12, 4);
	}
	return 0;
}

bool
cidr_has(const struct cidr *net, const struct sockaddr *sa, socklen_t len)
{
	struct ip ip = ip_of(sa, len);

	return ip.family == net->family &&
	    is_prefix(net->addr, ip.bytes, net->bits);
}
