/* SPDX-License-Identifier: ISC */
/* RFC 3629 section 4, read as a table of lead bytes. */
#include "base/utf8.h"

/* Length of the sequence whose first two bytes these are; 0 when illegal. */
static size_t
sequence(unsigned char a, unsigned char b)
{
	if (a >= 0xc2 && a <= 0xdf)
		return 2;
	if (a == 0xe0)
		return b >= 0xa0 ? 3 : 0;
	if (a == 0xed)
		return b <= 0x9f ? 3 : 0;
	if (a >= 0xe1 && a <= 0xef)
		return 3;
	if (a == 0xf0)
		return b >= 0x90 ? 4 : 0;
	if (a >= 0xf1 && a <= 0xf3)
		return 4;
	if (a == 0xf4)
		return b <= 0x8f ? 4 : 0;
	return 0;
}

size_t
utf8_next(struct slice s, uint32_t *cp_r)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t k, n;
	uint32_t cp;

	if (s.n == 0)
		return 0;
	if (p[0] < 0x80) {
		*cp_r = p[0];
		return 1;
	}
	n = s.n > 1 ? sequence(p[0], p[1]) : 0;
	if (n == 0 || n > s.n)
		return 0;
	cp = p[0] & (0x7fu >> n);
	for (k = 1; k < n; k++) {
		if ((p[k] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[k] & 0x3fu);
	}
	*cp_r = cp;
	return n;
}

void
utf8_add(struct buf *out, uint32_t cp)
{
	unsigned char c[4];
	size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4, k;

	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff)) {
		buf_add_str(out, "\xef\xbf\xbd");
		return;
	}
	for (k = n - 1; k > 0; k--) {
		c[k] = (unsigned char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	c[0] = (unsigned char)(n == 1 ? cp : (0xf00u >> n & 0xff) | cp);
	buf_add(out, c, n);
}

bool
utf8_is_valid(struct slice s)
{
	uint32_t cp;
	size_t n;

	while (s.n > 0) {
		n = utf8_next(s, &cp);
		if (n == 0)
			return false;
		s = slice_from(s, n);
	}
	return true;
}

bool
utf8_has_8bit(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return true;
	return false;
}
