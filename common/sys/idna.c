/* SPDX-License-Identifier: ISC */
/* IDNA by libidn2, which asks no locale when it is given UTF-8. */
#include "sys/idna.h"

#include <idn2.h>

enum { NAME_MAX_OCTETS = 1024 };

static bool
is_ascii(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return false;
	return true;
}

int
idna_add_ascii(struct buf *out, struct slice domain)
{
	const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
	struct buf copy;
	char *ascii = NULL;
	int r;

	if (is_ascii(domain)) {
		buf_add_slice(out, domain);
		return buf_is_ok(out) ? 0 : -1;
	}
	buf_init(&copy, NAME_MAX_OCTETS);
	buf_add_slice(&copy, domain);
	r = buf_is_ok(&copy) && !slice_has(domain, '\0')
	    ? idn2_to_ascii_8z(copy.p, &ascii, flags) : IDN2_MALLOC;
	if (r == IDN2_OK)
		buf_add_str(out, ascii);
	idn2_free(ascii);
	buf_fini(&copy);
	return r == IDN2_OK && buf_is_ok(out) ? 0 : -1;
}
