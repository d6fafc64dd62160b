/* SPDX-License-Identifier: ISC */
/* Envelope lines: a tag, a space, a value. Unknown tags are refused, for they
 * would mean something to whoever wrote them. */
#include "msa/dropfile.h"

#include "base/num.h"
#include "proto/limits.h"
#include "proto/smtp_cmd.h"

enum { VALUE_MAX = 1000 };

static bool
has_control(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return true;
	return false;
}

int
dropfile_add(struct buf *out, char tag, struct slice value)
{
	if (has_control(value))
		return -1;
	buf_addf(out, "%c %.*s\n", tag, SLICE_FMT(value));
	return buf_is_ok(out) ? 0 : -1;
}

int
dropfile_parse_notify(struct slice text, uint8_t *notify_r)
{
	static const struct {
		const char *word;
		uint8_t bit;
	} words[] = { { "success", SMTP_NOTIFY_SUCCESS },
		{ "failure", SMTP_NOTIFY_FAILURE },
		{ "delay", SMTP_NOTIFY_DELAY } };
	struct slice word;
	uint8_t bits = 0;
	size_t i;

	if (slice_ieq(text, SLICE("never"))) {
		*notify_r = SMTP_NOTIFY_NEVER;
		return 0;
	}
	while (slice_split(&text, ',', &word)) {
		for (i = 0; i < 3; i++)
			if (slice_ieq_str(slice_trim(word), words[i].word))
				break;
		if (i == 3)
			return -1;
		bits |= words[i].bit;
	}
	*notify_r = bits;
	return bits == 0 ? -1 : 0;
}

bool
dropfile_next_rcpt(struct slice *rcpts, struct slice *rcpt_r)
{
	struct slice line;

	while (slice_split(rcpts, '\n', &line)) {
		if (slice_has_prefix(line, SLICE("R "))) {
			*rcpt_r = slice_from(line, 2);
			return true;
		}
	}
	return false;
}

static const char *
take_user(struct dropfile *d, struct slice value)
{
	struct slice uid;

	/* Ours is the first; another would be the caller's invention. */
	if (d->user.p != NULL)
		return "a second U line";
	if (!slice_split(&value, ' ', &uid) ||
	    num_parse(uid, 0, UINT32_MAX, &d->uid) < 0)
		return "the uid is no number";
	d->user = value;
	return NULL;
}

static const char *
take_line(struct dropfile *d, char tag, struct slice value)
{
	if (value.n > (tag == 'E' ? LIMIT_ENVID * 3 : VALUE_MAX))
		return "a value that is too long";
	switch (tag) {
	case 'U':
		return take_user(d, value);
	case 'S':
		d->sender = value;
		return NULL;
	case 'R':
		if (++d->n_rcpts > DROP_RCPTS_MAX)
			return "too many recipients";
		return value.n == 0 ? "an empty recipient" : NULL;
	case 'N':
		return dropfile_parse_notify(value, &d->notify) < 0
		    ? "not a list of notifications" : NULL;
	case 'T':
		if (!slice_ieq(value, SLICE("full")) &&
		    !slice_ieq(value, SLICE("hdrs")))
			return "what to return must be full or hdrs";
		d->ret = slice_ieq(value, SLICE("full")) ? SMTP_RET_FULL
							 : SMTP_RET_HDRS;
		return NULL;
	case 'E':
		d->envid = value;
		return NULL;
	case 'L':
		d->has_letter = true;
		return num_parse(value, 0, UINT32_MAX, &d->letter) < 0
		    ? "the length is no number" : NULL;
	default:
		return "a line with an unknown tag";
	}
}

int
dropfile_parse(struct slice in, struct dropfile *d_r, const char **why)
{
	struct slice rest = slice_head(in, DROP_ENVELOPE_MAX), line;
	struct dropfile d = { 0 };

	*why = "no version line";
	if (!slice_split(&rest, '\n', &line) || !slice_eq(line, SLICE("V1")))
		return -1;
	d.rcpts = rest;
	for (;;) {
		*why = "the envelope does not end";
		if (!slice_split(&rest, '\n', &line) || rest.p == NULL)
			return -1;
		if (line.n == 0)
			break;
		*why = "not a tag, a space and a value";
		if (line.n < 2 || line.p[1] != ' ' || has_control(line))
			return -1;
		*why = take_line(&d, line.p[0], slice_from(line, 2));
		if (*why != NULL)
			return -1;
	}
	*why = "no recipients";
	if (d.n_rcpts == 0)
		return -1;
	d.length = (size_t)(rest.p - in.p);
	d.rcpts = slice_head(d.rcpts, (size_t)(rest.p - d.rcpts.p));
	*d_r = d;
	return 0;
}
