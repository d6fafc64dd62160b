/* SPDX-License-Identifier: ISC */
/* The common part of a session; its memory is that of the role's own struct. */
#include "session/smtp_session.h"

#include <unistd.h>

#include "base/clock.h"
#include "proto/limits.h"
#include "proto/received.h"
#include "sys/conn.h"
#include "sys/daemon.h"

/* ---- beginning and end ---- */

int
smtp_session_open(struct smtp_session *s, const char *service, int fd,
    const struct smtp_server_options *options, const struct smtp_policy *policy,
    unsigned start)
{
	front_open(&s->client, service, fd);
	buf_init(&s->sender, LIMIT_PATH + 2);
	buf_init(&s->first, LIMIT_PATH + 2);
	buf_init(&s->rcpt, LIMIT_PATH + 2);
	buf_init(&s->orcpt, LIMIT_ORCPT + 128);
	s->smtp = smtp_server_new(daemon_loop(), fd, s->client.id, options,
	    policy, s, start);
	if (s->smtp != NULL)
		return 0;
	(void)close(fd);
	front_done(&s->client);
	return -1;
}

void
smtp_session_reset(struct smtp_session *s)
{
	buf_release(&s->sender);
	buf_release(&s->first);
	buf_release(&s->rcpt);
	buf_release(&s->orcpt);
}

void
smtp_session_close(struct smtp_session *s)
{
	smtp_session_reset(s);
	front_done(&s->client);
}

void
smtp_session_stop(struct front_client *c)
{
	smtp_server_stop(LIST_OF(c, struct smtp_session, client)->smtp);
}

void
smtp_session_abort(struct front_client *c)
{
	smtp_server_abort(LIST_OF(c, struct smtp_session, client)->smtp);
}

/* ---- the client ---- */

static void
on_checked(struct front_client *c, bool is_allowed)
{
	struct smtp_session *s = LIST_OF(c, struct smtp_session, client);

	smtp_server_answer(s->smtp, is_allowed ? NULL
	    : SMTP_ANSWER(421, 4, 7, 0,
		"Too many connections from your address"));
}

void
smtp_session_check(struct smtp_session *s, uint64_t limit)
{
	front_check(&s->client, limit, on_checked);
}

/* ---- the envelope ---- */

void
smtp_session_set_sender(struct smtp_session *s, const struct smtp_mail *m)
{
	buf_reset(&s->sender);
	address_add(&s->sender, &m->from);
}

void
smtp_session_set_rcpt(struct smtp_session *s, const struct smtp_rcpt *r)
{
	buf_reset(&s->rcpt);
	address_add(&s->rcpt, &r->to);
	buf_reset(&s->orcpt);
	if ((r->given & SMTP_PARAM_ORCPT) != 0) {
		buf_add_slice(&s->orcpt, r->orcpt_type);
		buf_add_char(&s->orcpt, ';');
		buf_add_slice(&s->orcpt, r->orcpt);
	}
	s->notify = (uint8_t)r->notify;
}

const struct smtp_answer *
smtp_session_refusal(enum addr_kind kind, bool is_over_quota)
{
	switch (kind) {
	case ADDR_ACCOUNT:
		return is_over_quota ? SMTP_ANSWER(452, 4, 2, 2,
		    "The mailbox of this recipient is full") : NULL;
	case ADDR_ALIAS:
	case ADDR_RELAY:
	case ADDR_REMOTE:
		return NULL;
	case ADDR_UNKNOWN:
		return SMTP_ANSWER(550, 5, 1, 1, "No such user here");
	case ADDR_DISABLED:
		return SMTP_ANSWER(550, 5, 2, 1,
		    "This mailbox is switched off");
	case ADDR_INVALID:
		return SMTP_ANSWER(553, 5, 1, 3, "Not a valid address");
	case ADDR_LOOP:
		return SMTP_ANSWER(550, 5, 4, 6,
		    "This address leads back to itself");
	case ADDR_LATER:
	case ADDR_KIND_COUNT:
		break;
	}
	return SMTP_ANSWER(451, 4, 3, 0,
	    "The recipient cannot be checked just now, try again");
}

void
smtp_session_complete_rcpt(struct smtp_session *s, struct slice known)
{
	if (slice_has(buf_slice(&s->rcpt), '@'))
		return;
	if (slice_has(known, '@')) {
		buf_reset(&s->rcpt);
		buf_add_slice(&s->rcpt, known);
	} else {
		buf_addf(&s->rcpt, "@%s",
		    smtp_server_options(s->smtp)->hostname);
	}
}

void
smtp_session_note_rcpt(struct smtp_session *s)
{
	if (smtp_server_recipients(s->smtp) > 0)
		return;
	buf_reset(&s->first);
	buf_add_slice(&s->first, buf_slice(&s->rcpt));
}

/* ---- the trace ---- */

void
smtp_session_add_trace(const struct smtp_session *s, struct buf *out,
    const struct received *r)
{
	const struct conn *conn = smtp_server_conn(s->smtp);
	struct received all = *r;
	struct address only;

	all.with = smtp_server_with(s->smtp);
	all.by = slice_str(smtp_server_options(s->smtp)->hostname);
	all.date = (struct date){ clock_wall(), clock_utc_offset() };
	if (conn_is_tls(conn)) {
		all.tls_version = slice_str(conn_tls_version(conn));
		all.tls_cipher = slice_str(conn_tls_cipher(conn));
	}
	if (smtp_server_recipients(s->smtp) == 1 &&
	    address_parse_lenient(buf_slice(&s->first), &only) == 0)
		all.recipient = &only;
	received_add(out, &all);
}
