/* SPDX-License-Identifier: ISC */
/* RFC 4648 sections 4 and 8. */
#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_encode(struct buf *out, struct slice in)
{
	const unsigned char *p = (const unsigned char *)in.p;
	char *to = buf_room(out, (in.n + 2) / 3 * 4);
	size_t i, n = 0;
	uint32_t v;

	if (to == NULL || in.n == 0)
		return;
	for (i = 0; i + 2 < in.n; i += 3) {
		v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
		to[n++] = alphabet[v >> 18];
		to[n++] = alphabet[v >> 12 & 63];
		to[n++] = alphabet[v >> 6 & 63];
		to[n++] = alphabet[v & 63];
	}
	if (i < in.n) {
		v = (uint32_t)p[i] << 16;
		if (i + 1 < in.n)
			v |= (uint32_t)p[i + 1] << 8;
		to[n++] = alphabet[v >> 18];
		to[n++] = alphabet[v >> 12 & 63];
		to[n++] = i + 1 < in.n ? alphabet[v >> 6 & 63] : '=';
		to[n++] = '=';
	}
	buf_grew(out, n);
}

static int
value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

int
base64_decode(struct buf *out, struct slice in)
{
	size_t i, n = 0, pad = 0;
	uint32_t v = 0;
	char *to;
	int d;

	if (in.n % 4 != 0)
		return -1;
	while (pad < 2 && pad < in.n && in.p[in.n - 1 - pad] == '=')
		pad++;
	to = buf_room(out, in.n / 4 * 3);
	if (to == NULL)
		return -1;
	if (in.n == 0)
		return 0;
	for (i = 0; i < in.n; i++) {
		d = i >= in.n - pad ? 0 : value(in.p[i]);
		if (d < 0)
			goto out;
		v = v << 6 | (uint32_t)d;
		if (i % 4 != 3)
			continue;
		to[n++] = (char)(v >> 16);
		to[n++] = (char)(v >> 8);
		to[n++] = (char)v;
		if (i + 1 == in.n && pad > 0 &&
		    (v & (pad == 1 ? 0xffU : 0xffffU)) != 0)
			goto out;
		v = 0;
	}
	buf_grew(out, n - pad);
	return 0;
out:
	buf_grew(out, 0); /* what was tried there is no part of it */
	return -1;
}

void
hex_encode(struct buf *out, struct slice in)
{
	static const char digits[] = "0123456789abcdef";
	char *to = buf_room(out, in.n * 2);
	size_t i;

	if (to == NULL || in.n == 0)
		return;
	for (i = 0; i < in.n; i++) {
		to[2 * i] = digits[(unsigned char)in.p[i] >> 4];
		to[2 * i + 1] = digits[(unsigned char)in.p[i] & 15];
	}
	buf_grew(out, in.n * 2);
}

static int
hex_value(char c)
{
	c = ascii_lower(c);
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
hex_decode(struct buf *out, struct slice in)
{
	char *to;
	size_t i;
	int hi, lo;

	if (in.n % 2 != 0)
		return -1;
	to = buf_room(out, in.n / 2);
	if (to == NULL)
		return -1;
	if (in.n == 0)
		return 0;
	for (i = 0; i < in.n; i += 2) {
		hi = hex_value(in.p[i]);
		lo = hex_value(in.p[i + 1]);
		if (hi < 0 || lo < 0) {
			buf_grew(out, 0);
			return -1;
		}
		to[i / 2] = (char)(hi << 4 | lo);
	}
	buf_grew(out, in.n / 2);
	return 0;
}
