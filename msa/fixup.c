/* SPDX-License-Identifier: ISC */
/*
 * Header fix-ups of submission. A table says what is done with which field;
 * all others pass. What a user wrote is never changed, only added to.
 */
#include "msa/fixup.h"

#include "base/base64.h"
#include "proto/address.h"
#include "proto/limits.h"
#include "proto/rfc822_addr.h"

enum {
	SEEN_FROM = 1,
	SEEN_SENDER = 2,
	SEEN_DATE = 4,
	SEEN_MESSAGE_ID = 8,
	SEEN_SUBJECT = 16,
	SEEN_REPLY_TO = 32
};

enum {
	DO_ONCE = 1,  /* RFC 5322 3.6: no more than one */
	DO_DROP = 2,
	DO_OWNED = 4  /* its addresses must be the sender's */
};

static const struct {
	struct slice name;
	unsigned seen, what;
} rules[] = {
	{ SLICE("From"), SEEN_FROM, DO_ONCE | DO_OWNED },
	{ SLICE("Sender"), SEEN_SENDER, DO_ONCE | DO_OWNED },
	{ SLICE("Date"), SEEN_DATE, DO_ONCE },
	{ SLICE("Message-ID"), SEEN_MESSAGE_ID, DO_ONCE },
	{ SLICE("Subject"), SEEN_SUBJECT, DO_ONCE },
	{ SLICE("Reply-To"), SEEN_REPLY_TO, DO_ONCE },
	/* RFC 5322 3.6.3: the blind copies are in the envelope. */
	{ SLICE("Bcc"), 0, DO_DROP },
	{ SLICE("Resent-Bcc"), 0, DO_DROP },
	/* RFC 5321 4.4: only final delivery writes it. */
	{ SLICE("Return-Path"), 0, DO_DROP },
};

void
fixup_init(struct fixup *f)
{
	*f = (struct fixup){ 0 };
	buf_init(&f->owned, (FIXUP_AUTHORS_MAX + 2) * (LIMIT_PATH + 4));
}

void
fixup_fini(struct fixup *f)
{
	buf_fini(&f->owned);
}

static int
fail(struct fixup *f, enum fixup_error why)
{
	f->why = why;
	return -1;
}

/* The canonical text of an address taken apart: its local part has lost its
 * quotes, so it gets them, and address_add() takes off what it can. */
static int
add_owned(struct fixup *f, const struct rfc822_addr *addr)
{
	struct buf quoted;
	struct address a;
	enum address_error error;
	size_t i;
	int rc = -1;

	buf_init(&quoted, 4 * LIMIT_PATH);
	buf_add_char(&quoted, '"');
	for (i = 0; i < addr->mailbox.n; i++) {
		if (addr->mailbox.p[i] == '"' || addr->mailbox.p[i] == '\\')
			buf_add_char(&quoted, '\\');
		buf_add_char(&quoted, addr->mailbox.p[i]);
	}
	buf_add_str(&quoted, "\"@");
	buf_add_slice(&quoted, addr->host);
	if (addr->mailbox.n > 0 && buf_is_ok(&quoted) &&
	    address_parse(buf_slice(&quoted), ADDRESS_UTF8, &a, &error) == 0) {
		address_add(&f->owned, &a);
		buf_add_char(&f->owned, '\n');
		rc = buf_is_ok(&f->owned) ? 0 : -1;
	}
	buf_fini(&quoted);
	return rc == 0 ? 0 : fail(f, FIXUP_NO_ADDRESS);
}

/* RFC 5322 3.6.2; groups have authors too (RFC 6854). */
static int
note_authors(struct fixup *f, struct slice value)
{
	struct rfc822_addrs list;
	struct rfc822_addr addr;
	struct buf text;
	size_t n = 0;
	int rc = 0;

	buf_init(&text, value.n + 8);
	rfc822_addrs_init(&list, value, &text);
	while (rc == 0 && rfc822_addrs_next(&list, &addr)) {
		if (addr.host.p == NULL)
			continue; /* the ends of a group */
		n++;
		rc = n > FIXUP_AUTHORS_MAX ? fail(f, FIXUP_TOO_MANY)
					   : add_owned(f, &addr);
	}
	buf_fini(&text);
	if (rc == 0 && n == 0)
		rc = fail(f, FIXUP_NO_ADDRESS);
	f->n_authors += n;
	return rc;
}

static enum fixup_verdict
apply(struct fixup *f, const struct header_field *h, unsigned seen,
    unsigned what)
{
	if ((what & DO_DROP) != 0)
		return FIXUP_DROP;
	if ((what & DO_ONCE) != 0 && (f->seen & seen) != 0) {
		(void)fail(f, FIXUP_TWICE);
		return FIXUP_REFUSE;
	}
	f->seen |= seen;
	if ((what & DO_OWNED) != 0 && note_authors(f, h->value) < 0)
		return FIXUP_REFUSE;
	return FIXUP_KEEP;
}

enum fixup_verdict
fixup_field(struct fixup *f, const struct header_field *h)
{
	size_t i, before = f->n_authors;
	enum fixup_verdict verdict;

	if (h->kind == HEADER_JUNK)
		/* What mail folders put before a message is not of it. */
		return f->n_fields == 0 &&
			slice_has_prefix(h->raw, SLICE("From "))
		    ? FIXUP_DROP : FIXUP_BODY;
	f->n_fields++;
	for (i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (!slice_ieq(h->name, rules[i].name))
			continue;
		verdict = apply(f, h, rules[i].seen, rules[i].what);
		if (rules[i].seen == SEEN_SENDER)
			f->n_authors = before; /* it is no author */
		return verdict;
	}
	return FIXUP_KEEP;
}

/* RFC 5322 3.2.4; what is not ASCII in one word of RFC 2047, which has room
 * for so much and no more. */
static void
add_name(struct buf *out, struct slice name)
{
	bool is_ascii = true;
	size_t i;

	for (i = 0; i < name.n; i++)
		is_ascii = is_ascii && (unsigned char)name.p[i] < 128;
	if (!is_ascii && name.n <= 45) {
		buf_add_str(out, "=?utf-8?B?");
		base64_encode(out, name);
		buf_add_str(out, "?= ");
	} else if (is_ascii && name.n > 0 && name.n < 900) {
		buf_add_char(out, '"');
		for (i = 0; i < name.n; i++) {
			if (name.p[i] == '"' || name.p[i] == '\\')
				buf_add_char(out, '\\');
			buf_add_char(out, name.p[i]);
		}
		buf_add_str(out, "\" ");
	}
}

void
fixup_end(struct fixup *f, const struct fixup_facts *facts, struct buf *out)
{
	if ((f->seen & SEEN_DATE) == 0) {
		buf_add_str(out, "Date: ");
		date_add(out, facts->now);
		buf_add_str(out, "\r\n");
	}
	if ((f->seen & SEEN_MESSAGE_ID) == 0)
		buf_addf(out, "Message-ID: <%.*s@%.*s>\r\n",
		    SLICE_FMT(facts->id), SLICE_FMT(facts->host));
	if ((f->seen & SEEN_FROM) == 0) {
		buf_add_str(out, "From: ");
		add_name(out, facts->name);
		buf_addf(out, "<%.*s>\r\n", SLICE_FMT(facts->address));
	}
	/* RFC 5322 3.6.2: several authors, then somebody sent it. */
	if (f->n_authors > 1 && (f->seen & SEEN_SENDER) == 0)
		buf_addf(out, "Sender: <%.*s>\r\n",
		    SLICE_FMT(facts->address));
}
