/* SPDX-License-Identifier: ISC */
/*
 * Content-* fields. A malformed Content-Type is as good as none (RFC 2045 5.2);
 * of repeated fields the first counts.
 */
#include "proto/mime_part.h"

typedef int setter(struct mime_part *, struct region *, struct slice);

bool
mime_part_is(
    const struct mime_part *part, const char *type, const char *subtype)
{
	return slice_ieq_str(part->type, type) &&
	    (subtype == NULL || slice_ieq_str(part->subtype, subtype));
}

static int
set_type(struct mime_part *part, struct region *r, struct slice value)
{
	struct slice type, subtype = SLICE("");
	struct rfc822_scan s;

	if (part->flags & MIME_HAS_TYPE)
		return 0;
	part->flags |= MIME_HAS_TYPE;
	rfc822_scan_init(&s, value);
	type = mime_take_token(&s);
	(void)rfc822_skip(&s);
	if (s.in.n > 0 && s.in.p[0] == '/') {
		s.in = slice_from(s.in, 1);
		subtype = mime_take_token(&s);
	}
	if (type.n == 0 || subtype.n == 0 || (s.in.n > 0 && s.in.p[0] == '/')) {
		type = SLICE("text");
		subtype = SLICE("plain");
	}
	part->type = type;
	part->subtype = subtype;
	return mime_params_parse(r, s.in, &part->params);
}

static const struct {
	const char *name;
	enum mime_encoding encoding;
} encodings[] = {
	{ "7bit", MIME_7BIT },
	{ "8bit", MIME_8BIT },
	{ "binary", MIME_BINARY },
	{ "quoted-printable", MIME_QUOTED_PRINTABLE },
	{ "base64", MIME_BASE64 },
};

static int
set_encoding(struct mime_part *part, struct region *r, struct slice value)
{
	struct rfc822_scan s;
	struct slice name;
	size_t i;

	(void)r;
	if (part->encoding_name.p != NULL)
		return 0;
	rfc822_scan_init(&s, value);
	(void)rfc822_skip(&s);
	if (!rfc822_take_quoted(&s, &name))
		name = mime_take_token(&s);
	if (name.n == 0)
		return 0;
	part->encoding_name = name;
	part->encoding = MIME_OTHER;
	for (i = 0; i < sizeof encodings / sizeof *encodings; i++)
		if (slice_ieq_str(name, encodings[i].name))
			part->encoding = encodings[i].encoding;
	return 0;
}

/* RFC 2183 2. One that has parameters and no type is taken for an attachment,
 * as 2.8 has it for unknown types. */
static int
set_disposition(struct mime_part *part, struct region *r, struct slice value)
{
	struct rfc822_scan s, ahead;
	struct slice type;

	if (part->disposition.p != NULL)
		return 0;
	rfc822_scan_init(&s, value);
	ahead = s;
	type = mime_take_token(&ahead);
	(void)rfc822_skip(&ahead);
	if (type.n > 0 && ahead.in.n > 0 && ahead.in.p[0] == '=')
		type = SLICE("attachment");
	else if (type.n > 0)
		s = ahead;
	else
		return 0;
	part->disposition = type;
	return mime_params_parse(r, s.in, &part->disposition_params);
}

static int
set_languages(struct mime_part *part, struct region *r, struct slice value)
{
	struct mime_word **at = &part->languages;
	struct rfc822_scan s;
	struct slice tag;

	if (*at != NULL)
		return 0;
	rfc822_scan_init(&s, value);
	while (s.in.n > 0) {
		tag = mime_take_token(&s);
		if (tag.n == 0) {
			s.in = slice_from(s.in, 1);
			continue;
		}
		*at = region_alloc(r, sizeof **at);
		if (*at == NULL)
			return -1;
		(*at)->text = tag;
		at = &(*at)->next;
	}
	return 0;
}

static int
set_version(struct mime_part *part, struct region *r, struct slice value)
{
	(void)r;
	(void)value;
	part->flags |= MIME_HAS_VERSION;
	return 0;
}

static void
set_once(struct slice *to, struct slice value)
{
	if (to->p == NULL)
		*to = value;
}

static int
set_id(struct mime_part *part, struct region *r, struct slice value)
{
	(void)r;
	set_once(&part->id, value);
	return 0;
}

static int
set_description(struct mime_part *part, struct region *r, struct slice value)
{
	(void)r;
	set_once(&part->description, value);
	return 0;
}

static int
set_md5(struct mime_part *part, struct region *r, struct slice value)
{
	(void)r;
	set_once(&part->md5, value);
	return 0;
}

/* RFC 2557 4.4.1: a URI may be folded anywhere; the blanks are not its own. */
static int
set_location(struct mime_part *part, struct region *r, struct slice value)
{
	size_t i, n = 0;
	char *to;

	if (part->location.p != NULL)
		return 0;
	to = region_alloc(r, value.n + 1);
	if (to == NULL)
		return -1;
	for (i = 0; i < value.n; i++)
		if (value.p[i] != ' ' && value.p[i] != '\t')
			to[n++] = value.p[i];
	part->location = (struct slice){ to, n };
	return 0;
}

static const struct {
	const char *name;
	setter *set;
} fields[] = {
	{ "content-description", set_description },
	{ "content-disposition", set_disposition },
	{ "content-id", set_id },
	{ "content-language", set_languages },
	{ "content-location", set_location },
	{ "content-md5", set_md5 },
	{ "content-transfer-encoding", set_encoding },
	{ "content-type", set_type },
	{ "mime-version", set_version },
};

int
mime_part_add_field(
    struct mime_part *part, struct region *r, const struct rfc822_field *f)
{
	struct slice value;
	size_t i;

	for (i = 0; i < sizeof fields / sizeof *fields; i++)
		if (slice_ieq_str(f->name, fields[i].name))
			break;
	if (i < sizeof fields / sizeof *fields) {
		value = rfc822_unfold(r, f->value);
		return value.p == NULL ? -1 : fields[i].set(part, r, value);
	}
	if (part->envelope == NULL)
		return 0;
	return rfc822_envelope_add(part->envelope, r, f);
}
