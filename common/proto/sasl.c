/* SPDX-License-Identifier: ISC */
/* Mechanism names, base 64 lines, PLAIN. RFC 4422, 4616, 4954 4, 5034 4. */
#include "proto/sasl.h"

#include "base/base64.h"
#include "base/utf8.h"
#include "proto/limits.h"

static const char *const names[SASL_MECHS] = {
	[SASL_PLAIN] = "PLAIN",
	[SASL_LOGIN] = "LOGIN",
	[SASL_SCRAM_SHA_256] = "SCRAM-SHA-256",
	[SASL_SCRAM_SHA_256_PLUS] = "SCRAM-SHA-256-PLUS",
};

int
sasl_mech_find(struct slice name, enum sasl_mech *mech_r)
{
	int i;

	for (i = 0; i < SASL_MECHS; i++) {
		if (slice_ieq_str(name, names[i])) {
			*mech_r = (enum sasl_mech)i;
			return 0;
		}
	}
	return -1;
}

const char *
sasl_mech_name(enum sasl_mech mech)
{
	return names[mech];
}

unsigned
sasl_mech_set(struct slice list)
{
	enum sasl_mech mech;
	struct slice name;
	unsigned set = 0;

	while (slice_split(&list, ' ', &name))
		if (sasl_mech_find(name, &mech) == 0)
			set |= 1U << mech;
	return set;
}

bool
sasl_has_binding(const struct sasl_channel *c)
{
	return c->exporter.n > 0 || c->unique.n > 0 || c->end_point.n > 0;
}

int
sasl_line_decode(struct slice line, bool initial, struct buf *out,
    enum sasl_line_error *error_r)
{
	if (slice_eq(line, SLICE("*"))) {
		*error_r = SASL_LINE_CANCELLED;
		return -1;
	}
	if (initial && slice_eq(line, SLICE("=")))
		return 0;
	if (base64_decode(out, line) == 0)
		return 0;
	*error_r = buf_is_ok(out) ? SASL_LINE_MALFORMED : SASL_LINE_TOO_LONG;
	return -1;
}

void
sasl_line_encode(struct buf *out, struct slice message, bool initial)
{
	if (initial && message.n == 0)
		buf_add_char(out, '=');
	else
		base64_encode(out, message);
}

static bool
is_text(struct slice s, size_t max)
{
	return s.n > 0 && s.n <= max && !slice_has(s, '\0') &&
	    utf8_is_valid(s);
}

bool
sasl_is_name(struct slice s)
{
	return is_text(s, LIMIT_SASL_NAME);
}

bool
sasl_is_password(struct slice s)
{
	return is_text(s, LIMIT_SASL_PASSWORD);
}

int
sasl_plain_parse(struct slice message, struct sasl_plain *plain_r)
{
	struct sasl_plain p;
	ptrdiff_t at;

	at = slice_chr(message, '\0');
	if (at < 0)
		return -1;
	p.authzid = slice_head(message, (size_t)at);
	message = slice_from(message, (size_t)at + 1);
	at = slice_chr(message, '\0');
	if (at < 0)
		return -1;
	p.name = slice_head(message, (size_t)at);
	p.password = slice_from(message, (size_t)at + 1);
	if (p.authzid.n > 0 && !sasl_is_name(p.authzid))
		return -1;
	if (!sasl_is_name(p.name) || !sasl_is_password(p.password))
		return -1;
	*plain_r = p;
	return 0;
}

void
sasl_plain_format(struct buf *out, const struct sasl_plain *plain)
{
	buf_add_slice(out, plain->authzid);
	buf_add_char(out, '\0');
	buf_add_slice(out, plain->name);
	buf_add_char(out, '\0');
	buf_add_slice(out, plain->password);
}
