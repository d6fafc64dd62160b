/* SPDX-License-Identifier: ISC */
/*
 * ENVELOPE. Fields that are absent are NIL, present but empty strings are "",
 * address lists without an address NIL; Sender and Reply-To fall back to From.
 */
#include "proto/imap_envelope.h"

#include "proto/imap_write.h"
#include "proto/rfc822_addr.h"

static void
add_part(struct buf *out, struct slice s, const char *when_empty)
{
	if (s.p != NULL && s.n == 0)
		s = slice_str(when_empty);
	imap_write_nstring(out, s, false);
}

static void
add_address(struct buf *out, const struct rfc822_addr *a)
{
	buf_add_char(out, '(');
	imap_write_nstring(out, a->name, false);
	buf_add_char(out, ' ');
	imap_write_nstring(out, a->route, false);
	buf_add_char(out, ' ');
	add_part(out, a->mailbox, "MISSING_MAILBOX");
	buf_add_char(out, ' ');
	add_part(out, a->host, "MISSING_DOMAIN");
	buf_add_char(out, ')');
}

/* False, with nothing written, when there is no address. */
static bool
add_list(struct buf *out, struct slice value, struct buf *text)
{
	struct rfc822_addrs list;
	struct rfc822_addr a;
	size_t n = 0;

	rfc822_addrs_init(&list, value, text);
	while (buf_is_ok(out) && rfc822_addrs_next(&list, &a)) {
		if (n++ == 0)
			buf_add_char(out, '(');
		add_address(out, &a);
	}
	if (n > 0)
		buf_add_char(out, ')');
	if (!buf_is_ok(text) && buf_is_ok(out))
		out->err = text->err;
	return n > 0;
}

void
imap_envelope_write(
    struct buf *out, const struct rfc822_envelope *e, struct buf *text)
{
	static const struct rfc822_envelope none;
	struct slice from;
	size_t i;

	if (e == NULL)
		e = &none;
	from = e->value[RFC822_FROM];
	for (i = 0; i < RFC822_KNOWN; i++) {
		buf_add_char(out, i == 0 ? '(' : ' ');
		if (i < RFC822_FROM || i > RFC822_BCC) {
			imap_write_nstring(out, e->value[i], false);
			continue;
		}
		if (add_list(out, e->value[i], text))
			continue;
		if ((i != RFC822_SENDER && i != RFC822_REPLY_TO) ||
		    !add_list(out, from, text))
			buf_add_str(out, "NIL");
	}
	buf_add_char(out, ')');
}

int
imap_envelope_of_header(
    struct buf *out, struct slice header, struct region *r, struct buf *text)
{
	struct rfc822_envelope e;

	if (rfc822_envelope_read(&e, r, header) < 0)
		return -1;
	imap_envelope_write(out, &e, text);
	return 0;
}
