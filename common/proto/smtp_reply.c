/* SPDX-License-Identifier: ISC */
/*
 * Replies, in two steps: find the end, checking every line's code; then walk
 * the lines once more and gather their text. The first step never looks at an
 * octet twice, however the reply trickles in.
 */
#include "proto/smtp_reply.h"

#include "proto/limits.h"

void
smtp_reply_init(struct smtp_reply_parser *p)
{
	*p = (struct smtp_reply_parser){ 0 };
}

/* "250 text", "250-text", "250": the code, or -1. RFC 5321 4.2. */
static int
line_code(struct slice line)
{
	int i;

	if (line.n < 3 || line.p[0] < '2' || line.p[0] > '5')
		return -1;
	for (i = 1; i < 3; i++)
		if (!ascii_is_digit(line.p[i]))
			return -1;
	if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
		return -1;
	return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 +
	    (line.p[2] - '0');
}

/* The line at the front of `in`, without its end, of `n` octets with it. */
static struct slice
strip_end(struct slice in, size_t n)
{
	n--;
	if (n > 0 && in.p[n - 1] == '\r')
		n--;
	return slice_head(in, n);
}

/* As smtp_reply_next, for the next line only; *is_last_r when > 0. */
static ssize_t
scan_line(struct smtp_reply_parser *p, struct slice in, bool *is_last_r,
    enum smtp_reply_error *error_r)
{
	struct slice rest = slice_from(in, p->seen);
	struct slice fresh = slice_from(rest, p->line_seen), line;
	ptrdiff_t lf = slice_chr(fresh, '\n');
	size_t n = lf < 0 ? rest.n : p->line_seen + (size_t)lf + 1;
	int code;

	if (n > LIMIT_SMTP_REPLY_LINE || p->seen + n > LIMIT_SMTP_REPLY) {
		*error_r = SMTP_REPLY_TOO_LONG;
		return -1;
	}
	p->line_seen = lf < 0 ? n : 0;
	if (lf < 0)
		return 0;
	line = strip_end(rest, n);
	code = line_code(line);
	if (code < 0 || (p->code != 0 && code != p->code)) {
		*error_r =
		    code < 0 ? SMTP_REPLY_SYNTAX : SMTP_REPLY_CODE_CHANGED;
		return -1;
	}
	p->code = code;
	*is_last_r = line.n == 3 || line.p[3] == ' ';
	return (ssize_t)n;
}

static void
add_line(struct buf *text, struct slice s, struct smtp_reply *reply)
{
	size_t room = text->max - text->n;

	if (s.n > room)
		reply->is_cut = true;
	buf_add_slice(text, slice_head(s, room));
}

/* Takes the enhanced code off a line; it may stand on every one. */
static void
take_enhanced(struct slice *line, struct smtp_reply *reply)
{
	struct slice rest = *line;
	struct enhanced e;

	if (enhanced_take(&rest, &e) < 0 || e.class != reply->code / 100)
		return;
	*line = rest;
	if (enhanced_is_none(reply->enhanced))
		reply->enhanced = e;
}

/* `in` is the whole reply. */
static void
gather(struct slice in, struct buf *text, struct smtp_reply *reply)
{
	struct slice line;
	bool is_first = true;

	for (; in.n > 0; is_first = false) {
		line = slice_head(in, (size_t)slice_chr(in, '\n') + 1);
		in = slice_from(in, line.n);
		line = slice_from(strip_end(line, line.n), 4);
		take_enhanced(&line, reply);
		if (!is_first)
			add_line(text, SLICE("\n"), reply);
		add_line(text, line, reply);
	}
	reply->is_cut = reply->is_cut || !buf_is_ok(text);
	reply->text = buf_slice(text);
}

ssize_t
smtp_reply_next(struct smtp_reply_parser *p, struct slice in, struct buf *text,
    struct smtp_reply *reply_r, enum smtp_reply_error *error_r)
{
	bool is_last = false;
	ssize_t n;

	do {
		n = scan_line(p, in, &is_last, error_r);
		if (n <= 0)
			return n;
		p->seen += (size_t)n;
	} while (!is_last);
	*reply_r = (struct smtp_reply){ .code = p->code };
	n = (ssize_t)p->seen;
	buf_reset(text);
	gather(slice_head(in, p->seen), text, reply_r);
	smtp_reply_init(p);
	return n;
}
