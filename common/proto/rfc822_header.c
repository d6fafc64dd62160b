/* SPDX-License-Identifier: ISC */
/* Fields of stored headers. A line ends in LF, with or without CR before it. */
#include "proto/rfc822_header.h"

#include <string.h>

static const struct {
	const char *name;
	bool is_list; /* of addresses: repeated fields are joined */
} known[RFC822_KNOWN] = {
	[RFC822_DATE] = { "date", false },
	[RFC822_SUBJECT] = { "subject", false },
	[RFC822_FROM] = { "from", true },
	[RFC822_SENDER] = { "sender", true },
	[RFC822_REPLY_TO] = { "reply-to", true },
	[RFC822_TO] = { "to", true },
	[RFC822_CC] = { "cc", true },
	[RFC822_BCC] = { "bcc", true },
	[RFC822_IN_REPLY_TO] = { "in-reply-to", false },
	[RFC822_MESSAGE_ID] = { "message-id", false },
};

struct slice
rfc822_line(struct slice s)
{
	ptrdiff_t nl = slice_chr(s, '\n');

	return nl < 0 ? s : slice_head(s, (size_t)nl + 1);
}

struct slice
rfc822_line_text(struct slice line)
{
	if (line.n > 0 && line.p[line.n - 1] == '\n')
		line.n--;
	else
		return line;
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice
trim(struct slice s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = slice_from(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* RFC 5322 3.6.8 and 4.5: the name may have blanks behind, not within. */
static void
split_name(struct rfc822_field *f)
{
	ptrdiff_t colon = slice_chr(rfc822_line(f->raw), ':');
	struct slice name;

	f->name = SLICE("");
	f->value = trim(f->raw);
	if (colon < 0)
		return;
	name = slice_head(f->raw, (size_t)colon);
	while (name.n > 0 &&
	    (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t'))
		name.n--;
	if (name.n == 0 || slice_has(name, ' ') || slice_has(name, '\t'))
		return;
	f->name = name;
	f->value = trim(slice_from(f->raw, (size_t)colon + 1));
}

bool
rfc822_field_next(struct slice *header, struct rfc822_field *f_r)
{
	struct slice line = rfc822_line(*header), rest;
	size_t n = 0;

	if (header->n == 0 || rfc822_line_text(line).n == 0)
		return false;
	do {
		n += line.n;
		rest = slice_from(*header, n);
		line = rfc822_line(rest);
	} while (rest.n > 0 && (rest.p[0] == ' ' || rest.p[0] == '\t'));
	f_r->raw = slice_head(*header, n);
	*header = rest;
	split_name(f_r);
	return true;
}

/* Writes the trimmed value to `to` without its line ends; how many bytes. */
static size_t
unfold(char *to, struct slice value)
{
	struct slice line, text;
	size_t n = 0;

	while (value.n > 0) {
		line = rfc822_line(value);
		text = rfc822_line_text(line);
		if (text.n > 0)
			memcpy(to + n, text.p, text.n);
		n += text.n;
		value = slice_from(value, line.n);
	}
	return n;
}

struct slice
rfc822_unfold(struct region *r, struct slice value)
{
	char *to;

	value = trim(value);
	to = region_alloc(r, value.n + 1);
	if (to == NULL)
		return SLICE_NONE;
	return (struct slice){ to, unfold(to, value) };
}

/* Appends to the i-th list; the room doubles, so that many fields stay cheap.
 */
static int
join(struct rfc822_envelope *e, struct region *r, size_t i, struct slice value)
{
	struct slice *have = &e->value[i];
	char *to = e->grown[i];

	value = trim(value);
	if (e->room[i] - have->n < value.n + 2) {
		e->room[i] = 2 * (have->n + value.n + 2);
		to = region_alloc(r, e->room[i]);
		if (to == NULL)
			return -1;
		memcpy(to, have->p, have->n);
		have->p = e->grown[i] = to;
	}
	memcpy(to + have->n, ", ", 2);
	have->n += 2;
	have->n += unfold(to + have->n, value);
	return 0;
}

int
rfc822_envelope_add(
    struct rfc822_envelope *e, struct region *r, const struct rfc822_field *f)
{
	struct slice value;
	size_t i;

	for (i = 0; i < RFC822_KNOWN; i++)
		if (slice_ieq_str(f->name, known[i].name))
			break;
	if (i == RFC822_KNOWN)
		return 0;
	if (e->value[i].p != NULL)
		return known[i].is_list ? join(e, r, i, f->value) : 0;
	value = rfc822_unfold(r, f->value);
	if (value.p == NULL)
		return -1;
	e->value[i] = value;
	e->room[i] = value.n;
	return 0;
}

int
rfc822_envelope_read(
    struct rfc822_envelope *e_r, struct region *r, struct slice header)
{
	struct rfc822_field f;

	*e_r = (struct rfc822_envelope){ .value = { SLICE_NONE } };
	while (rfc822_field_next(&header, &f))
		if (rfc822_envelope_add(e_r, r, &f) < 0)
			return -1;
	return 0;
}
