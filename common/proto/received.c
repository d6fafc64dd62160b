/* SPDX-License-Identifier: ISC */
/*
 * Trace fields. RFC 5321 4.4 for the grammar; comments stand where it has
 * CFWS. Nothing a client says gets in with a character that could end its
 * place in the field.
 */
#include "proto/received.h"

#include "proto/fold.h"
#include "proto/limits.h"

const char *
received_with_word(unsigned with)
{
	/* By protocol, then TLS (1) and AUTH (2). */
	static const char *const words[4][4] = {
		{ "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA" },
		{ "LMTP", "LMTPS", "LMTPA", "LMTPSA" },
		{ "UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA" },
		{ "UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA" },
	};
	unsigned row = (with & RECEIVED_LMTP ? 1u : 0u) |
	    (with & RECEIVED_UTF8 ? 2u : 0u);
	unsigned column = (with & RECEIVED_TLS ? 1u : 0u) |
	    (with & RECEIVED_AUTH ? 2u : 0u);

	/* TLS and AUTH are extensions, so who used one was greeted by EHLO. */
	if (row == 0 && column == 0 && (with & RECEIVED_ESMTP) == 0)
		return "SMTP";
	return words[row][column];
}

/* What can be part of a name, literal, cipher or id, and of nothing else. */
static void
add_atom(struct buf *out, struct slice s)
{
	size_t i;
	char c;

	s = slice_head(s, LIMIT_DOMAIN);
	if (s.n == 0)
		buf_add_str(out, "unknown");
	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		buf_add_char(out, ascii_is_alnum(c) || c == '.' || c == '-' ||
				c == '_' || c == ':' || c == '[' || c == ']'
			? c
			: '?');
	}
}

/* An address as a literal, RFC 5321 4.1.3. */
static void
add_ip(struct buf *out, struct slice ip)
{
	buf_add_str(out, slice_has(ip, ':') ? "[IPv6:" : "[");
	add_atom(out, ip);
	buf_add_char(out, ']');
}

/* "from helo (name [ip])" */
static void
add_from(struct buf *out, const struct received *r)
{
	buf_add_str(out, "from ");
	add_atom(out, r->helo);
	if (r->client_ip.n > 0) {
		buf_add_str(out, " (");
		if (r->client_name.n > 0) {
			add_atom(out, r->client_name);
			buf_add_char(out, ' ');
		}
		add_ip(out, r->client_ip);
		buf_add_char(out, ')');
	}
	buf_add_str(out, "\r\n\t");
}

/* "by us (Veredus) with ESMTPS (TLSv1.3 cipher)" */
static void
add_by(struct buf *out, const struct received *r, bool is_local)
{
	buf_add_str(out, "by ");
	add_atom(out, r->by);
	buf_add_str(out, " (Veredus");
	if (is_local && r->local_user.n > 0) {
		buf_add_str(out, ", from user ");
		add_atom(out, r->local_user);
	}
	buf_add_char(out, ')');
	if (is_local && r->with == 0)
		return;
	buf_add_str(out, " with ");
	buf_add_str(out, received_with_word(r->with));
	if ((r->with & RECEIVED_TLS) == 0 || r->tls_version.n == 0)
		return;
	buf_add_str(out, " (");
	add_atom(out, r->tls_version);
	if (r->tls_cipher.n > 0) {
		buf_add_char(out, ' ');
		add_atom(out, r->tls_cipher);
	}
	buf_add_char(out, ')');
}

void
received_add(struct buf *out, const struct received *r)
{
	const bool is_local = r->helo.n == 0 && r->client_ip.n == 0;
	const size_t from = out->n;

	buf_add_str(out, "Received: ");
	if (!is_local)
		add_from(out, r);
	add_by(out, r, is_local);
	buf_add_str(out, "\r\n\t");
	buf_add_str(out, "id ");
	add_atom(out, r->id);
	/* UTF-8 may stand in a header only if the message came with it. */
	if (r->recipient != NULL && (!r->recipient->is_utf8 ||
				     (r->with & RECEIVED_UTF8) != 0)) {
		buf_add_str(out, " for <");
		address_add(out, r->recipient);
		buf_add_char(out, '>');
	}
	buf_add_char(out, ';');
	buf_add_str(out, "\r\n\t");
	date_add(out, r->date);
	buf_add_str(out, "\r\n");
	fold(out, from, "\t");
}

void
received_add_return_path(struct buf *out, const struct address *sender)
{
	buf_add_str(out, "Return-Path: <");
	address_add(out, sender);
	buf_add_str(out, ">\r\n");
}

void
received_add_delivered_to(struct buf *out, const struct address *to)
{
	buf_add_str(out, "Delivered-To: ");
	address_add(out, to);
	buf_add_str(out, "\r\n");
}
