/* SPDX-License-Identifier: ISC */
/* Local programs write LF; some write CRLF; a stray CR becomes a line end. */
#include "msa/localmail.h"

#include "msa/dropfile.h"
#include "proto/header.h"
#include "proto/rfc822_addr.h"

void
localmail_init(struct localmail *r, bool dot_ends)
{
	*r = (struct localmail){ .dot_ends = dot_ends, .at_start = true };
}

static void
line_end(struct localmail *r, struct buf *out)
{
	if (r->after_dot && r->dot_ends) {
		r->ended = true;
		return;
	}
	if (r->after_dot)
		buf_add_char(out, '.');
	buf_add_str(out, "\r\n");
	r->at_start = true;
	r->after_dot = false;
}

static void
one(struct localmail *r, char c, struct buf *out)
{
	if (r->after_cr && c == '\n') {
		r->after_cr = false;
		return; /* its CR was the line's end */
	}
	r->after_cr = c == '\r';
	if (c == '\n' || c == '\r') {
		line_end(r, out);
		return;
	}
	if (r->at_start && c == '.') {
		r->at_start = false;
		r->after_dot = true;
		return;
	}
	if (r->after_dot)
		buf_add_char(out, '.');
	r->after_dot = false;
	r->at_start = false;
	buf_add_char(out, c);
}

void
localmail_read(struct localmail *r, struct slice in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.n && !r->ended; i++)
		one(r, in.p[i], out);
}

void
localmail_end(struct localmail *r, struct buf *out)
{
	if (!r->ended && !r->at_start)
		line_end(r, out);
}

/* Each mailbox of an address list becomes an R line. */
static int
add_rcpts(struct slice value, struct buf *envelope, size_t *n)
{
	struct rfc822_addrs list;
	struct rfc822_addr a;
	struct buf text, address;
	int result = 0;

	buf_init(&text, value.n + 64);
	buf_init(&address, 1024);
	rfc822_addrs_init(&list, value, &text);
	while (result == 0 && rfc822_addrs_next(&list, &a)) {
		if (a.host.p == NULL || a.mailbox.n == 0)
			continue; /* a group's begin or end */
		buf_reset(&address);
		buf_add_slice(&address, a.mailbox);
		if (a.host.n > 0)
			buf_addf(&address, "@%.*s", SLICE_FMT(a.host));
		result = dropfile_add(envelope, 'R', buf_slice(&address));
		(*n)++;
	}
	buf_fini(&text);
	buf_fini(&address);
	return result;
}

static bool
is_rcpt_field(struct slice name, bool resent)
{
	static const char *const names[][3] = { { "To", "Cc", "Bcc" },
		{ "Resent-To", "Resent-Cc", "Resent-Bcc" } };
	size_t i;

	for (i = 0; i < 3; i++)
		if (slice_ieq_str(name, names[resent][i]))
			return true;
	return false;
}

/* RFC 5322 3.6.6: resent fields speak of this sending. */
static bool
is_resent(struct slice message)
{
	struct header_field f;

	return header_find(message, SLICE("Resent-To"), &f) ||
	    header_find(message, SLICE("Resent-Cc"), &f) ||
	    header_find(message, SLICE("Resent-Bcc"), &f);
}

/* What mail folders put before a message is not of it. A text without a header
 * may begin with that word, too: then no field follows. */
static struct slice
without_from_line(struct slice message)
{
	ptrdiff_t end = slice_chr(message, '\n');
	struct header_field f;
	struct slice rest;

	if (end < 0 || !slice_has_prefix(message, SLICE("From ")))
		return message;
	rest = slice_from(message, (size_t)end + 1);
	return header_scan(rest, true, &f) > 0 && f.kind == HEADER_FIELD
	    ? rest : message;
}

int
localmail_finish(struct slice message, bool take_rcpts, const char *full_name,
    struct buf *out, struct buf *envelope, size_t *n)
{
	struct header_field f;
	struct header_iter it;
	bool resent;

	message = without_from_line(message);
	resent = is_resent(message);
	if (full_name != NULL && !header_find(message, SLICE("From"), &f)) {
		/* pickup completes the address and quotes the name. */
		buf_add_str(out, "X-Veredus-Full-Name: ");
		for (; *full_name != 0; full_name++)
			buf_add_char(out, (unsigned char)*full_name < ' ' ||
				*full_name == 127 ? ' ' : *full_name);
		buf_add_str(out, "\r\n");
	}
	/* A message whose first line is no field has no header. */
	if (header_scan(message, true, &f) > 0 && f.kind == HEADER_JUNK) {
		buf_add_str(out, "\r\n");
		buf_add_slice(out, message);
		return buf_is_ok(out) ? 0 : -1;
	}
	header_iter_init(&it, message);
	while (header_iter_next(&it, &f)) {
		if (take_rcpts && is_rcpt_field(f.name, resent) &&
		    add_rcpts(f.value, envelope, n) < 0)
			return -1;
		if (!slice_ieq(f.name, SLICE("Bcc")) &&
		    !slice_ieq(f.name, SLICE("Resent-Bcc")))
			buf_add_slice(out, f.raw);
	}
	/* A field or header beyond all limits: its rest would travel as text,
	 * with the Bcc in it. */
	if (f.kind != HEADER_END)
		return -1;
	buf_add_str(out, "\r\n");
	buf_add_slice(out, slice_from(message, it.used));
	return buf_is_ok(out) && buf_is_ok(envelope) ? 0 : -1;
}
