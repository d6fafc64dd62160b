/* SPDX-License-Identifier: ISC */
/*
 * Outcomes and status codes. RFC 3463 for the codes, RFC 5321 4.2 for what the
 * first digit of a reply means, RFC 5248 for which codes go with which reply.
 */
#include "proto/status.h"

#include "base/num.h"
#include "base/utf8.h"

/* Replies that say more than their first digit when no enhanced code came. */
static const struct {
	int code;
	struct enhanced enhanced;
} defaults[] = {
	{ 421, { 4, 3, 2 } },
	{ 450, { 4, 2, 0 } },
	{ 451, { 4, 3, 0 } },
	{ 452, { 4, 3, 1 } },
	{ 454, { 4, 7, 0 } },
	{ 455, { 4, 5, 4 } },
	{ 500, { 5, 5, 2 } },
	{ 501, { 5, 5, 4 } },
	{ 502, { 5, 5, 1 } },
	{ 503, { 5, 5, 1 } },
	{ 504, { 5, 5, 4 } },
	{ 521, { 5, 3, 2 } },
	{ 530, { 5, 7, 0 } },
	{ 534, { 5, 7, 9 } },
	{ 535, { 5, 7, 8 } },
	{ 538, { 5, 7, 11 } },
	{ 551, { 5, 1, 6 } },
	{ 552, { 5, 3, 4 } },
	{ 553, { 5, 1, 3 } },
	{ 555, { 5, 5, 4 } },
	{ 556, { 5, 1, 10 } },
};

static struct enhanced
default_enhanced(int code)
{
	size_t i;

	for (i = 0; i < sizeof defaults / sizeof *defaults; i++)
		if (defaults[i].code == code)
			return defaults[i].enhanced;
	return (struct enhanced){ (uint16_t)(code / 100), 0, 0 };
}

/*
 * "Too many recipients" is a matter of this transaction, whatever its first
 * digit: RFC 5321 4.5.3.1.10 wants 552 taken for 452 where it means that, and
 * X.5.3 says that it does.
 */
static bool
is_too_many_recipients(struct enhanced e)
{
	return e.class == 5 && e.subject == 5 && e.detail == 3;
}

struct status
status_from_reply(int code, struct enhanced enhanced, struct slice text)
{
	struct status s = { OUTCOME_LATER, code, enhanced, text };

	if (code / 100 != 2 && code / 100 != 4 && code / 100 != 5) {
		/* 4.5.0: a protocol status that is nobody's final word. */
		s.enhanced = (struct enhanced){ 4, 5, 0 };
		return s;
	}
	if (enhanced.class != code / 100)
		s.enhanced = default_enhanced(code);
	if (code / 100 == 2)
		s.outcome = OUTCOME_DONE;
	else if (code / 100 == 5 && !is_too_many_recipients(s.enhanced))
		s.outcome = OUTCOME_FAILED;
	if (is_too_many_recipients(s.enhanced))
		s.enhanced.class = 4;
	return s;
}

struct status
status_from_rcpt_reply(int code, struct enhanced enhanced, struct slice text)
{
	if (code == 552 && enhanced.class != 5)
		return status_from_reply(452, (struct enhanced){ 4, 5, 3 },
		    text);
	return status_from_reply(code, enhanced, text);
}

int
enhanced_take(struct slice *s, struct enhanced *e_r)
{
	struct slice in = *s;
	uint64_t subject, detail;

	if (in.n < 5 || in.p[1] != '.' ||
	    (in.p[0] != '2' && in.p[0] != '4' && in.p[0] != '5'))
		return -1;
	in = slice_from(in, 2);
	if (num_take(&in, 999, &subject) < 0 || in.n == 0 || in.p[0] != '.')
		return -1;
	in = slice_from(in, 1);
	if (num_take(&in, 999, &detail) < 0 || (in.n > 0 && in.p[0] != ' '))
		return -1;
	e_r->class = (uint16_t)(s->p[0] - '0');
	e_r->subject = (uint16_t)subject;
	e_r->detail = (uint16_t)detail;
	while (in.n > 0 && in.p[0] == ' ')
		in = slice_from(in, 1);
	*s = in;
	return 0;
}

bool
enhanced_is_none(struct enhanced e)
{
	return e.class == 0;
}

void
enhanced_add(struct buf *out, struct enhanced e)
{
	buf_addf(out, "%u.%u.%u", e.class, e.subject, e.detail);
}

/* Controls of C0 and C1, line and paragraph separators, and directions that
 * could make a line read as something else. */
static bool
is_control(uint32_t cp)
{
	return cp < ' ' || (cp >= 0x7f && cp < 0xa0) ||
	    (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

static void
add_clean(struct buf *out, struct slice text, size_t max, bool ascii)
{
	size_t n, used = 0;
	bool after_space = true;
	uint32_t cp;

	for (; text.n > 0; text = slice_from(text, n)) {
		n = utf8_next(text, &cp);
		if (n == 0 || (ascii && n > 1))
			cp = '?';
		n = n == 0 ? 1 : n;
		if (is_control(cp)) {
			if (after_space)
				continue;
			cp = ' ';
		}
		if (used + (cp < 0x80 ? 1 : n) > max)
			return;
		if (cp < 0x80)
			buf_add_char(out, (char)cp);
		else
			buf_add(out, text.p, n);
		used += cp < 0x80 ? 1 : n;
		after_space = cp == ' ';
	}
}

void
status_add_text(struct buf *out, struct slice text, size_t max)
{
	add_clean(out, text, max, false);
}

void
status_add_ascii(struct buf *out, struct slice text, size_t max)
{
	add_clean(out, text, max, true);
}
