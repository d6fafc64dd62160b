/* SPDX-License-Identifier: ISC */
/*
 * The header of a message as it streams by (RFC 5322 2.2): whole fields are
 * shown to the policy, hops are counted (RFC 5321 6.3), and no more than one
 * field is held back.
 */
#include "session/smtp_server.h"

#include "proto/limits.h"
#include "session/smtp_server_priv.h"

void
smtp_header_init(struct smtp_server *s)
{
	struct smtp_header *h = &s->header;

	*h = (struct smtp_header){ 0 };
	/* A field and the octets that came with its end. */
	buf_init(&h->rest, LIMIT_HEADER_FIELD + 2 * 65536);
}

void
smtp_header_fini(struct smtp_server *s)
{
	if (s->header.rest.p != NULL)
		buf_fini(&s->header.rest);
	s->header = (struct smtp_header){ 0 };
}

static void
over(struct smtp_server *s, bool has_blank)
{
	s->header.is_over = true;
	if (s->policy->header_end != NULL)
		s->policy->header_end(s, has_blank);
}

static bool
is_in_circles(struct smtp_server *s, const struct header_field *f)
{
	return f->kind == HEADER_FIELD &&
	    slice_ieq_str(f->name, "Received") &&
	    ++s->header.hops > s->options->hops;
}

static void
take_field(struct smtp_server *s, const struct header_field *f)
{
	enum smtp_field what = SMTP_FIELD_KEEP;

	if (is_in_circles(s, f)) {
		smtp_server_refuse(s, SMTP_ANSWER(554, 5, 4, 6,
		    "Too many hops: the message goes in circles"));
		return;
	}
	if (f->kind == HEADER_END)
		over(s, f->raw.n > 0);
	else if (s->policy->field != NULL)
		what = s->policy->field(s, f);
	if (what == SMTP_FIELD_END && !s->is_refused)
		over(s, false);
	if (what != SMTP_FIELD_DROP && !s->is_refused && f->raw.n > 0)
		s->policy->body(s, f->raw);
}

/* Takes whole fields off `in`; returns how much was used. */
static size_t
scan(struct smtp_server *s, struct slice in, bool is_all)
{
	struct header_field f;
	size_t used = 0;
	ssize_t n;

	while (!s->header.is_over && !s->is_refused) {
		n = header_scan(slice_from(in, used), is_all, &f);
		if (n == 0)
			break;
		if (n < 0) {
			smtp_server_refuse(s, SMTP_ANSWER(552, 5, 6, 0,
			    "A header field is too long"));
			break;
		}
		take_field(s, &f);
		used += (size_t)n;
		s->header.seen += (size_t)n;
		if (s->header.seen > LIMIT_HEADER && !s->header.is_over)
			smtp_server_refuse(s, SMTP_ANSWER(552, 5, 6, 0,
			    "The header is too long"));
	}
	return used;
}

void
smtp_header_feed(struct smtp_server *s, struct slice bytes)
{
	struct smtp_header *h = &s->header;
	struct slice in = bytes;
	size_t used;

	if (!h->is_over) {
		if (h->rest.n > 0) {
			buf_add_slice(&h->rest, bytes);
			in = buf_slice(&h->rest);
		}
		used = scan(s, in, false);
		in = slice_from(in, used);
		if (!h->is_over && h->rest.n > 0) {
			buf_drop(&h->rest, used);
			in = SLICE_NONE;
		} else if (!h->is_over) {
			buf_add_slice(&h->rest, in);
			in = SLICE_NONE;
		}
		if (!s->is_refused && !buf_is_ok(&h->rest))
			smtp_server_refuse(s, SMTP_ANSWER(451, 4, 3, 0,
			    "Out of memory, try again"));
	}
	if (in.n > 0 && !s->is_refused)
		s->policy->body(s, in);
	if (h->is_over)
		buf_release(&h->rest);
}

void
smtp_header_end(struct smtp_server *s)
{
	struct smtp_header *h = &s->header;

	if (h->is_over)
		return;
	(void)scan(s, buf_slice(&h->rest), true);
	if (!h->is_over && !s->is_refused)
		over(s, false);
	buf_release(&h->rest);
}
