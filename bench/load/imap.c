/* SPDX-License-Identifier: ISC */
/* IMAP as a client reads it. Only what load clients must know is looked at. */
#include "bench/load/imap.h"

#include <string.h>

#include "base/num.h"
#include "bench/load/load.h"

enum {
	LINE_LONG = 16384, /* from here on a line is taken in pieces */
	LINE_KEEP = 64     /* its end waits: it may announce a literal */
};

/* Text of these may end in anything. */
static bool
is_status(struct slice line)
{
	static const char *const words[] = { "* OK ", "* NO ", "* BAD ",
		"* BYE ", "* PREAUTH " };
	size_t i;

	if (!slice_has_prefix(line, SLICE("* ")))
		return true; /* tagged, or a continuation */
	if (line.n > 2 && ascii_is_digit(line.p[2]))
		return false;
	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_has_iprefix(line, slice_str(words[i])))
			return true;
	return false;
}

/* "{12}" at the end, without CRLF. */
static bool
announces(struct slice line, uint64_t *size_r)
{
	ptrdiff_t open;

	if (line.n == 0 || line.p[line.n - 1] != '}')
		return false;
	line.n--;
	open = slice_rchr(line, '{');
	return open >= 0 &&
	    num_parse(slice_from(line, (size_t)open + 1), 0, INT64_MAX,
		size_r) == 0;
}

ssize_t
imap_next(struct imap_reader *r, struct slice in, struct slice *head_r)
{
	struct slice line;
	const char *end;
	size_t n;
	bool goes_on;

	*head_r = SLICE_NONE;
	if (r->skip > 0) {
		n = in.n < r->skip ? in.n : (size_t)r->skip;
		r->skip -= n;
		return (ssize_t)n;
	}
	end = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);
	if (end == NULL && in.n < LINE_LONG)
		return 0;
	n = end == NULL ? in.n - LINE_KEEP : (size_t)(end - in.p) + 1;
	line = slice_head(in, n);
	if (end != NULL)
		line.n -= n > 1 && end[-1] == '\r' ? 2 : 1;
	goes_on = end == NULL ||
	    (announces(line, &r->skip) && (r->is_inside || !is_status(line)));
	if (!goes_on)
		r->skip = 0;
	if (!r->is_inside)
		*head_r = line;
	r->is_inside = goes_on;
	return (ssize_t)n;
}

void
imap_add_tag(struct buf *b, uint64_t tag)
{
	buf_add_char(b, 'b');
	load_add_number(b, tag);
	buf_add_char(b, ' ');
}

bool
imap_is_tagged(struct slice head, uint64_t tag, struct slice *rest_r)
{
	uint64_t n;

	if (head.n < 3 || head.p[0] != 'b')
		return false;
	*rest_r = slice_from(head, 1);
	if (num_take(rest_r, UINT64_MAX, &n) < 0 || n != tag ||
	    !slice_has_prefix(*rest_r, SLICE(" ")))
		return false;
	*rest_r = slice_from(*rest_r, 1);
	return true;
}

bool
imap_is_ok(struct slice rest)
{
	return slice_has_iprefix(rest, SLICE("OK"));
}

bool
imap_has_word(struct slice head, const char *word)
{
	struct slice piece;
	ptrdiff_t bracket = slice_chr(head, ']');

	/* "OK [CAPABILITY A B] text" */
	if (bracket >= 0)
		head = slice_head(head, (size_t)bracket);
	while (slice_split(&head, ' ', &piece))
		if (slice_ieq_str(piece, word))
			return true;
	return false;
}

static void
add_quoted(struct buf *b, struct slice text)
{
	size_t i;

	buf_add_char(b, '"');
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_add_char(b, '\\');
		buf_add_char(b, text.p[i]);
	}
	buf_add_char(b, '"');
}

void
imap_add_login(struct buf *b, struct slice user, struct slice password)
{
	buf_add_str(b, "LOGIN ");
	add_quoted(b, user);
	buf_add_char(b, ' ');
	add_quoted(b, password);
	buf_add_str(b, "\r\n");
}
