/* SPDX-License-Identifier: ISC */
/* Canonical forms; libidn2 turns U-labels into A-labels (RFC 5891). */
#include "auth/canonical.h"

#include <idn2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "proto/address.h"
#include "proto/domain.h"

/* A name of a folder stays well below the 255 that file systems take. */
enum { HOME_PART_MAX = 200 };

static bool
is_ascii(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] > 127)
			return false;
	return true;
}

static int
add_a_labels(struct slice domain, struct buf *out)
{
	struct slice result;
	char *in, *ascii = NULL;
	int r;

	in = strndup(domain.p, domain.n);
	if (in == NULL)
		return -1;
	r = idn2_to_ascii_8z(in, &ascii,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	free(in);
	if (r != IDN2_OK)
		return -1;
	result = slice_str(ascii);
	if (domain_is_valid(result))
		domain_add(out, result);
	r = domain_is_valid(result) ? 0 : -1;
	idn2_free(ascii);
	return r;
}

int
canonical_domain(struct slice domain, struct buf *out)
{
	struct domain_literal literal;

	if (domain_is_valid(domain) ||
	    domain_parse_literal(domain, &literal) == 0) {
		domain_add(out, domain);
		return 0;
	}
	if (is_ascii(domain) || !domain_is_valid_utf8(domain))
		return -1;
	return add_a_labels(domain, out);
}

void
canonical_key(struct slice local_text, struct slice domain, struct buf *out)
{
	size_t i;

	buf_add_slice(out, domain);
	buf_add_char(out, '@');
	for (i = 0; i < local_text.n; i++)
		buf_add_char(out, ascii_lower(local_text.p[i]));
}

void
canonical_split(struct slice key, struct slice *local_r,
    struct slice *domain_r)
{
	ptrdiff_t at = slice_chr(key, '@');

	*domain_r = at < 0 ? key : slice_head(key, (size_t)at);
	*local_r = at < 0 ? SLICE_NONE : slice_from(key, (size_t)at + 1);
}

void
canonical_address(struct slice key, struct buf *out)
{
	struct address a = { .is_quoted = true };
	struct slice local;
	struct buf quoted;
	size_t i;

	canonical_split(key, &local, &a.domain);
	/* As a Quoted-string it is always valid; address_add takes the quotes
	 * off where it can. */
	buf_init(&quoted, 2 * CANONICAL_KEY_MAX + 2);
	buf_add_char(&quoted, '"');
	for (i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_add_char(&quoted, '\\');
		buf_add_char(&quoted, local.p[i]);
	}
	buf_add_char(&quoted, '"');
	a.local = buf_slice(&quoted);
	if (local.n > 0) {
		address_add(out, &a);
	} else {
		buf_add_char(out, '@');
		buf_add_slice(out, a.domain);
	}
	buf_fini(&quoted);
}

static void
add_part(struct slice part, struct buf *out)
{
	size_t i, start = out->n;
	char c;

	for (i = 0; i < part.n; i++) {
		c = part.p[i];
		if (ascii_is_alnum(c) || c == '-' || c == '_' || c == '+' ||
		    c == '=' || (c == '.' && i > 0)) {
			buf_add_char(out, c);
		} else {
			buf_add_char(out, '%');
			hex_encode(out, (struct slice){ part.p + i, 1 });
		}
	}
	if (out->n - start > HOME_PART_MAX)
		buf_cut(out, start + HOME_PART_MAX);
}

void
canonical_home(struct slice key, struct buf *out)
{
	struct slice local, domain;

	canonical_split(key, &local, &domain);
	add_part(domain, out);
	buf_add_char(out, '/');
	add_part(local, out);
}
