/* SPDX-License-Identifier: ISC */
/*
 * Delivery status notifications: the frame and the fields that programs read.
 * The part for people is in dsn_text.c. RFC 3464, 6522, 6533; RFC 3834 for the
 * fields that mark it as automatic.
 */
#include "proto/dsn.h"

#include "base/utf8.h"
#include "proto/dsn_text.h"
#include "proto/fold.h"
#include "proto/limits.h"
#include "proto/xtext.h"

enum { FIELD_TEXT_MAX = 800 };

static bool
has_utf8_recipient(const struct dsn *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (utf8_has_8bit(d->recipients[i].address) ||
		    utf8_has_8bit(d->recipients[i].orcpt))
			return true;
	return false;
}

enum dsn_return
dsn_returned(const struct dsn *d)
{
	size_t i;

	if (d->returned != DSN_RETURN_MESSAGE)
		return d->returned;
	for (i = 0; i < d->n; i++)
		if (d->recipients[i].action == DSN_FAILED)
			return DSN_RETURN_MESSAGE;
	return DSN_RETURN_HEADER;
}

bool
dsn_is_smtputf8(const struct dsn *d)
{
	return utf8_has_8bit(d->to);
}

bool
dsn_is_8bit(const struct dsn *d)
{
	return dsn_is_smtputf8(d) || has_utf8_recipient(d) ||
	    (dsn_returned(d) != DSN_RETURN_NOTHING && d->encoding == DSN_8BIT);
}

static void
add_boundary(struct buf *out, const struct dsn *d)
{
	size_t i;

	buf_add_str(out, "=_veredus_");
	for (i = 0; i < d->id.n && i < 50; i++)
		buf_add_char(out, ascii_is_alnum(d->id.p[i]) ? d->id.p[i]
							     : '_');
}

static void
add_part_line(struct buf *out, const struct dsn *d)
{
	buf_add_str(out, "\r\n--");
	add_boundary(out, d);
	buf_add_str(out, "\r\n");
}

/* "Name: type; text" of strangers. */
static void
add_typed_field(struct buf *out, const char *name_and_type, struct slice text)
{
	const size_t from = out->n;

	if (text.n == 0)
		return;
	buf_add_str(out, name_and_type);
	status_add_ascii(out, text, FIELD_TEXT_MAX);
	buf_add_str(out, "\r\n");
	fold(out, from, "\t");
}

static void
add_date_field(struct buf *out, const char *name, int64_t time, int offset)
{
	if (time == 0)
		return;
	buf_add_str(out, name);
	buf_add_str(out, ": ");
	date_add(out, (struct date){ time, offset });
	buf_add_str(out, "\r\n");
}

/* A msg-id and nothing but, since a stranger wrote it. RFC 5322 3.6.4. */
static bool
is_msg_id(struct slice s)
{
	size_t i;

	if (s.n < 5 || s.n > LIMIT_TEXT_LINE - 20 || s.p[0] != '<' ||
	    s.p[s.n - 1] != '>')
		return false;
	for (i = 1; i < s.n - 1; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '<' ||
		    s.p[i] == '>')
			return false;
	return true;
}

static void
add_message_header(struct buf *out, const struct dsn *d)
{
	buf_addf(out, "Date: ");
	date_add(out, d->date);
	buf_add_str(out, "\r\nFrom: Mail Delivery System <MAILER-DAEMON@");
	buf_add_slice(out, d->host);
	buf_add_str(out, ">\r\nTo: <");
	buf_add_slice(out, d->to);
	buf_addf(out, ">\r\nSubject: %s\r\nMessage-ID: <", dsn_subject(d));
	buf_add_slice(out, d->id);
	buf_add_char(out, '@');
	buf_add_slice(out, d->host);
	buf_add_str(out, ">\r\n");
	if (is_msg_id(d->message_id)) {
		buf_add_str(out, "In-Reply-To: ");
		buf_add_slice(out, d->message_id);
		buf_add_str(out, "\r\nReferences: ");
		buf_add_slice(out, d->message_id);
		buf_add_str(out, "\r\n");
	}
	buf_add_str(out, "Auto-Submitted: auto-replied\r\n"
			 "MIME-Version: 1.0\r\n"
			 "Content-Type: multipart/report;"
			 " report-type=delivery-status;\r\n\tboundary=\"");
	add_boundary(out, d);
	buf_add_str(out, "\"\r\n");
	if (dsn_is_8bit(d))
		buf_add_str(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_add_str(out, "\r\nThis is a MIME-encapsulated message.\r\n");
}

static void
add_human_part(struct buf *out, const struct dsn *d)
{
	const bool utf8 = has_utf8_recipient(d);

	add_part_line(out, d);
	buf_addf(out,
	    "Content-Type: text/plain; charset=%s\r\n"
	    "Content-Transfer-Encoding: %s\r\n\r\n",
	    utf8 ? "utf-8" : "us-ascii", utf8 ? "8bit" : "7bit");
	dsn_add_text(out, d);
}

/*
 * RFC 3464 2.3.1. Decoding gives back what the sender wrote. One of type utf-8
 * is written natively in a global part; in another it is ASCII already and
 * stays encoded (RFC 6533 3).
 */
static void
add_original_recipient(struct buf *out, const struct dsn_recipient *r,
    bool is_global)
{
	const bool utf8 = slice_ieq_str(r->orcpt_type, "utf-8");
	int rc = 0;

	if (r->orcpt.n == 0 || (utf8 ? !unitext_is_valid(r->orcpt)
				     : !xtext_is_printable(r->orcpt)))
		return;
	buf_add_str(out, "Original-Recipient: ");
	buf_add_slice(out, r->orcpt_type);
	buf_add_char(out, ';');
	if (!utf8)
		rc = xtext_decode(out, r->orcpt);
	else if (is_global)
		rc = unitext_decode(out, r->orcpt);
	else
		buf_add_slice(out, r->orcpt);
	if (rc == 0) /* else out of room, and `out` says so */
		buf_add_str(out, "\r\n");
}

static void
add_final_recipient(struct buf *out, const struct dsn_recipient *r,
    bool is_global)
{
	const bool utf8 = utf8_has_8bit(r->address);

	buf_add_str(out, "Final-Recipient: ");
	buf_add_str(out, utf8 ? "utf-8;" : "rfc822;");
	if (utf8 && !is_global)
		unitext_encode_ascii(out, r->address);
	else
		buf_add_slice(out, r->address);
	buf_add_str(out, "\r\n");
}

/* RFC 3464 2.3.6: the reply as it was had. Type "smtp" only for one. */
static void
add_diagnostic(struct buf *out, const struct status *s)
{
	const size_t from = out->n;

	if (s->code == 0) {
		add_typed_field(out, "Diagnostic-Code: x-veredus; ", s->text);
		return;
	}
	buf_addf(out, "Diagnostic-Code: smtp; %d ", s->code);
	enhanced_add(out, s->enhanced);
	buf_add_char(out, ' ');
	status_add_ascii(out, s->text, FIELD_TEXT_MAX);
	buf_add_str(out, "\r\n");
	fold(out, from, "\t");
}

/* RFC 3464 2.3; Will-Retry-Until only where it is allowed (2.3.9). */
static void
add_recipient(struct buf *out, const struct dsn *d,
    const struct dsn_recipient *r, bool is_global)
{
	static const char *const actions[] = {
		[DSN_FAILED] = "failed",
		[DSN_DELAYED] = "delayed",
		[DSN_DELIVERED] = "delivered",
		[DSN_RELAYED] = "relayed",
		[DSN_EXPANDED] = "expanded",
	};

	buf_add_str(out, "\r\n");
	add_original_recipient(out, r, is_global);
	add_final_recipient(out, r, is_global);
	buf_addf(out, "Action: %s\r\nStatus: ", actions[r->action]);
	enhanced_add(out, r->status.enhanced);
	buf_add_str(out, "\r\n");
	add_typed_field(out, "Remote-MTA: dns; ", r->remote_host);
	add_diagnostic(out, &r->status);
	add_date_field(out, "Last-Attempt-Date", r->last_attempt,
	    d->date.offset);
	if (r->action == DSN_DELAYED)
		add_date_field(out, "Will-Retry-Until", r->retry_until,
		    d->date.offset);
}

/* RFC 3464 2.2.1. Out of room, `out` itself says so. */
static void
add_envid(struct buf *out, struct slice envid)
{
	if (envid.n == 0 || !xtext_is_printable(envid))
		return;
	buf_add_str(out, "Original-Envelope-Id: ");
	if (xtext_decode(out, envid) == 0)
		buf_add_str(out, "\r\n");
}

static void
add_status_part(struct buf *out, const struct dsn *d)
{
	const bool is_global = has_utf8_recipient(d);
	size_t i;

	add_part_line(out, d);
	buf_addf(out, "Content-Type: message/%sdelivery-status\r\n"
		      "Content-Transfer-Encoding: %s\r\n\r\n",
	    is_global ? "global-" : "", is_global ? "8bit" : "7bit");
	add_envid(out, d->envid);
	add_typed_field(out, "Reporting-MTA: dns; ", d->host);
	add_typed_field(out, "Received-From-MTA: dns; ", d->received_from);
	add_date_field(out, "Arrival-Date", d->arrival, d->date.offset);
	add_typed_field(out, "X-Veredus-Queue-Id: ", d->queue_id);
	for (i = 0; i < d->n; i++)
		add_recipient(out, d, &d->recipients[i], is_global);
}

/* Up to the octets of what is returned. RFC 6522 3, RFC 6533 4.2, 4.3. */
static void
add_returned_part(struct buf *out, const struct dsn *d)
{
	static const char *const encodings[] = {
		[DSN_7BIT] = "7bit",
		[DSN_8BIT] = "8bit",
		[DSN_BASE64] = "base64",
	};
	const char *type;

	if (dsn_returned(d) == DSN_RETURN_MESSAGE)
		type = d->is_utf8 ? "message/global" : "message/rfc822";
	else
		type = d->is_utf8 ? "message/global-headers"
				  : "text/rfc822-headers";
	add_part_line(out, d);
	buf_addf(out, "Content-Type: %s\r\n"
		      "Content-Transfer-Encoding: %s\r\n\r\n",
	    type, encodings[d->encoding]);
}

void
dsn_add_head(struct buf *out, const struct dsn *d)
{
	add_message_header(out, d);
	add_human_part(out, d);
	add_status_part(out, d);
	if (dsn_returned(d) != DSN_RETURN_NOTHING)
		add_returned_part(out, d);
}

void
dsn_add_tail(struct buf *out, const struct dsn *d)
{
	buf_add_str(out, "\r\n--");
	add_boundary(out, d);
	buf_add_str(out, "--\r\n");
}
