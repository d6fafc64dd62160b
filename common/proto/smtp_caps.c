/* SPDX-License-Identifier: ISC */
/* EHLO keywords: a row each, with a reader for those that have parameters. */
#include "proto/smtp_caps.h"

#include "base/num.h"

static void
read_size(struct slice params, struct smtp_caps *caps)
{
	/* RFC 1870 3: without a number, or with 0, there is no fixed maximum. */
	if (num_parse(slice_trim(params), 0, UINT64_MAX, &caps->size) < 0)
		caps->size = 0;
}

static void
read_auth(struct slice params, struct smtp_caps *caps)
{
	static const struct {
		const char *name;
		unsigned bit;
	} mechs[] = {
		{ "PLAIN", SMTP_AUTH_PLAIN },
		{ "LOGIN", SMTP_AUTH_LOGIN },
		{ "SCRAM-SHA-256", SMTP_AUTH_SCRAM_SHA_256 },
		{ "SCRAM-SHA-256-PLUS", SMTP_AUTH_SCRAM_SHA_256_PLUS },
	};
	struct slice word;
	size_t i;

	while (slice_split(&params, ' ', &word))
		for (i = 0; i < sizeof mechs / sizeof *mechs; i++)
			if (slice_ieq_str(word, mechs[i].name))
				caps->auth |= mechs[i].bit;
}

static bool
is_limit(struct slice s)
{
	struct slice name;
	size_t i;

	if (!slice_split(&s, '=', &name) || name.n == 0)
		return false;
	for (i = 0; i < name.n; i++)
		if (!ascii_is_alnum(name.p[i]) && name.p[i] != '-' &&
		    name.p[i] != '_')
			return false;
	for (i = 0; i < s.n; i++)
		if (s.p[i] < '!' || s.p[i] > '~' || s.p[i] == ';')
			return false;
	return s.p == NULL || s.n > 0;
}

/*
 * RFC 9422 3.7: one malformed item voids the whole parameter; a value that is
 * malformed for its name (4.1: 1 to 999999, no leading zero) voids that limit.
 */
static void
read_limits(struct slice params, struct smtp_caps *caps)
{
	struct slice rest = params, item, name;
	uint64_t v;

	while (slice_split(&rest, ' ', &item))
		if (!is_limit(item)) {
			caps->bits &= ~(unsigned)SMTP_CAP_LIMITS;
			return;
		}
	while (slice_split(&params, ' ', &item)) {
		(void)slice_split(&item, '=', &name);
		if (item.n == 0 || item.p[0] == '0' ||
		    num_parse(item, 1, 999999, &v) < 0)
			continue;
		if (slice_ieq_str(name, "MAILMAX"))
			caps->mail_max = (uint32_t)v;
		else if (slice_ieq_str(name, "RCPTMAX"))
			caps->rcpt_max = (uint32_t)v;
		else if (slice_ieq_str(name, "RCPTDOMAINMAX"))
			caps->rcpt_domain_max = (uint32_t)v;
	}
}

static const struct {
	const char *name;
	unsigned bit;
	void (*read)(struct slice params, struct smtp_caps *caps);
} keywords[] = {
	{ "PIPELINING", SMTP_CAP_PIPELINING, NULL },
	{ "SIZE", SMTP_CAP_SIZE, read_size },
	{ "8BITMIME", SMTP_CAP_8BITMIME, NULL },
	{ "BINARYMIME", SMTP_CAP_BINARYMIME, NULL },
	{ "CHUNKING", SMTP_CAP_CHUNKING, NULL },
	{ "SMTPUTF8", SMTP_CAP_SMTPUTF8, NULL },
	{ "DSN", SMTP_CAP_DSN, NULL },
	{ "STARTTLS", SMTP_CAP_STARTTLS, NULL },
	{ "ENHANCEDSTATUSCODES", SMTP_CAP_ENHANCEDSTATUSCODES, NULL },
	{ "AUTH", SMTP_CAP_AUTH, read_auth },
	{ "LIMITS", SMTP_CAP_LIMITS, read_limits },
};

static void
read_line(struct slice line, struct smtp_caps *caps)
{
	const struct slice old_auth = SLICE("AUTH=");
	struct slice name;
	size_t i;

	/* "AUTH=LOGIN PLAIN", from before RFC 2554, beside the proper line. */
	if (slice_has_iprefix(line, old_auth)) {
		name = SLICE("AUTH");
		line = slice_from(line, old_auth.n);
	} else if (!slice_split(&line, ' ', &name)) {
		return;
	}
	for (i = 0; i < sizeof keywords / sizeof *keywords; i++)
		if (slice_ieq_str(name, keywords[i].name)) {
			caps->bits |= keywords[i].bit;
			if (keywords[i].read != NULL)
				keywords[i].read(slice_trim(line), caps);
		}
}

void
smtp_caps_parse(struct slice text, struct smtp_caps *caps_r)
{
	struct slice line, name = SLICE_NONE;

	*caps_r = (struct smtp_caps){ 0 };
	if (!slice_split(&text, '\n', &line))
		return;
	(void)slice_split(&line, ' ', &name);
	caps_r->name = name;
	while (slice_split(&text, '\n', &line))
		read_line(slice_trim(line), caps_r);
}
