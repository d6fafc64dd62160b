/* SPDX-License-Identifier: ISC */
/*
 * What a person is told: first what happened, then for whom and why in words,
 * then what the other server said, which helps whoever they ask for help.
 */
#include "proto/dsn_text.h"

#include "base/utf8.h"
#include "proto/fold.h"

enum { SAID_MAX = 600, ANY = 0xffff };

/* By enhanced code (RFC 3463 3, RFC 5248); the first row that fits. */
static const struct {
	uint16_t subject, detail;
	const char *text;
} reasons[] = {
	{ 1, 1, "There is no mailbox with this address. "
		"Please check it for a typing mistake." },
	{ 1, 2, "The domain behind the @ does not exist or takes no mail. "
		"Please check it for a typing mistake." },
	{ 1, 3, "This is not a valid mail address." },
	{ 1, 6, "The recipient has moved and left no new address." },
	{ 1, 10, "This domain says that it takes no mail." },
	{ 1, 8, "The recipient's server does not accept your address as the "
		"sender." },
	{ 1, 7, "The recipient's server does not accept your address as the "
		"sender." },
	{ 1, ANY, "The recipient's server does not accept this address." },
	{ 2, 1, "This mailbox is disabled and takes no mail." },
	{ 2, 2, "The mailbox is full." },
	{ 2, 3, "The message is larger than this mailbox accepts." },
	{ 2, 4, "The mailing list could not be expanded." },
	{ 2, ANY, "The mailbox could not take the message." },
	{ 3, 1, "The recipient's server has no space left." },
	{ 3, 2, "The recipient's server is not taking mail at the moment." },
	{ 3, 4, "The message is larger than the recipient's server accepts." },
	{ 3, ANY, "The recipient's server could not take the message." },
	{ 4, 1, "The recipient's server could not be reached." },
	{ 4, 2, "The connection to the recipient's server broke." },
	{ 4, 3, "The name service gave no usable answer about this domain." },
	{ 4, 4, "No way to the recipient's server could be found." },
	{ 4, 6, "The message went round in circles between servers." },
	{ 4, 7, "The recipient's server could not be reached, or did not "
		"accept the message, for so long that we gave up." },
	{ 4, ANY, "The way to the recipient's server is disturbed." },
	{ 5, 3, "The message has more recipients than the server takes at "
		"once." },
	{ 5, ANY, "The servers could not agree on how to pass the message." },
	{ 6, 7, "The recipient's server does not support international mail "
		"addresses." },
	{ 6, 8, "The recipient's server does not support international mail "
		"addresses." },
	{ 6, 9, "The recipient's server does not support international mail." },
	{ 6, ANY, "The recipient's server does not accept the form of the "
		  "message." },
	{ 7, 1, "The recipient's server refused the message by its rules." },
	{ 7, 10, "No secure connection to the recipient's server could be "
		 "made." },
	{ 7, ANY, "The recipient's server refused the message for reasons of "
		  "security or policy." },
};

static const char *
reason(const struct dsn_recipient *r)
{
	const struct enhanced e = r->status.enhanced;
	size_t i;

	switch (r->action) {
	case DSN_DELIVERED:
		return "The message was delivered.";
	case DSN_RELAYED:
		return "The message was passed on to a server that does not "
		       "report deliveries; you may hear no more of it.";
	case DSN_EXPANDED:
		return "The message was passed on to all members of this list.";
	case DSN_FAILED:
	case DSN_DELAYED:
		break;
	}
	for (i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].subject == e.subject &&
		    (reasons[i].detail == e.detail || reasons[i].detail == ANY))
			return reasons[i].text;
	return r->action == DSN_DELAYED
	    ? "The recipient's server did not accept the message for now."
	    : "The recipient's server did not accept the message.";
}

/* The action that comes first in enum dsn_action. */
static enum dsn_action
worst(const struct dsn *d)
{
	enum dsn_action action = DSN_EXPANDED;
	size_t i;

	for (i = 0; i < d->n; i++)
		if (d->recipients[i].action < action)
			action = d->recipients[i].action;
	return action;
}

const char *
dsn_subject(const struct dsn *d)
{
	static const char *const subjects[] = {
		[DSN_FAILED] = "Your mail could not be delivered",
		[DSN_DELAYED] = "Your mail is delayed, delivery is being tried",
		[DSN_DELIVERED] = "Your mail was delivered",
		[DSN_RELAYED] = "Your mail was passed on",
		[DSN_EXPANDED] = "Your mail was passed on to a list",
	};

	return subjects[worst(d)];
}

static void
add_paragraph(struct buf *out, const char *indent, const char *text)
{
	const size_t from = out->n;

	buf_add_str(out, indent);
	buf_add_str(out, text);
	buf_add_str(out, "\r\n");
	fold(out, from, indent);
}

/* What the other server said, or we noted ourselves. */
static void
add_said(struct buf *out, const struct dsn_recipient *r, bool utf8)
{
	size_t from = out->n;

	if (r->status.text.n == 0 && r->status.code == 0)
		return;
	if (r->remote_host.n > 0) {
		buf_add_str(out, "    The server ");
		status_add_ascii(out, r->remote_host, SAID_MAX);
		if (r->remote_ip.n > 0) {
			buf_add_str(out, " [");
			status_add_ascii(out, r->remote_ip, SAID_MAX);
			buf_add_char(out, ']');
		}
		buf_add_str(out, " said:\r\n");
	}
	buf_add_str(out, "        ");
	if (r->status.code != 0) {
		buf_addf(out, "%d ", r->status.code);
		enhanced_add(out, r->status.enhanced);
		buf_add_char(out, ' ');
	}
	if (utf8)
		status_add_text(out, r->status.text, SAID_MAX);
	else
		status_add_ascii(out, r->status.text, SAID_MAX);
	buf_add_str(out, "\r\n");
	fold(out, from, "        ");
}

static void
add_recipient(struct buf *out, const struct dsn *d,
    const struct dsn_recipient *r, bool utf8)
{
	buf_add_str(out, "\r\n<");
	buf_add_slice(out, r->address);
	buf_add_str(out, ">\r\n");
	add_paragraph(out, "    ", reason(r));
	add_said(out, r, utf8);
	if (r->action == DSN_DELAYED && r->retry_until != 0) {
		buf_add_str(out, "    It will be tried until ");
		date_add(out, (struct date){ r->retry_until, d->date.offset });
		buf_add_str(out, ".\r\n");
	}
}

void
dsn_add_text(struct buf *out, const struct dsn *d)
{
	static const char *const openings[] = {
		[DSN_FAILED] = "Your message could not be delivered to one or "
			       "more recipients. It will not be tried again.",
		[DSN_DELAYED] = "Your message could not be delivered yet. You "
				"need not do anything: delivery is tried "
				"again, and you will be told if it fails for "
				"good.",
		[DSN_DELIVERED] = "You asked to be told of the delivery of "
				  "your message.",
		[DSN_RELAYED] = "You asked to be told of the delivery of your "
				"message.",
		[DSN_EXPANDED] = "You asked to be told of the delivery of "
				 "your message.",
	};
	bool utf8 = false;
	size_t i;

	for (i = 0; i < d->n; i++)
		utf8 = utf8 || utf8_has_8bit(d->recipients[i].address);
	buf_add_str(out, "This is the mail server ");
	buf_add_slice(out, d->host);
	buf_add_str(out, ".\r\n\r\n");
	add_paragraph(out, "", openings[worst(d)]);
	for (i = 0; i < d->n; i++)
		add_recipient(out, d, &d->recipients[i], utf8);
	buf_add_str(out, "\r\n");
	add_paragraph(out, "", "If you need help, write to the postmaster of "
			       "the server above and include this report.");
}
