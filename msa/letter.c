/* SPDX-License-Identifier: ISC */
/*
 * A submitted message on its way to the queue: fix-ups, the trace header, and
 * whether it says it is from whom it is. Ownership is asked while the body
 * streams; nothing is committed before the last answer.
 */
#include "session/smtp_server.h"

#include "base/clock.h"
#include "conf/conf_submission.h"
#include "msa/session_priv.h"
#include "proto/received.h"
#include "session/queue_tx.h"
#include "session/smtp_intake.h"
#include "sys/conn.h"
#include "sys/daemon.h"
#include "sys/log.h"

enum { HEAD_MAX = 65536, OWNS_MS = 10000 };

/* RFC 5321 4.4; with hide_client it does not say from where. */
void
letter_begin(struct smtp_session *base)
{
	struct session *s = LIST_OF(base, struct session, base);
	struct received r = { 0 };

	fixup_init(&s->fixup);
	s->has_fixup = true;
	if (!session_conf()->hide_client) {
		r.helo = smtp_server_helo(base->smtp);
		r.client_ip =
		    slice_str(conn_peer(smtp_server_conn(base->smtp)));
	}
	smtp_intake_write_trace(base, &r);
}

/* ---- the header ---- */

static const struct smtp_answer *
fixup_refusal(enum fixup_error why)
{
	switch (why) {
	case FIXUP_TWICE:
		return SMTP_ANSWER(550, 5, 6, 0,
		    "A header field that may be there once is there twice");
	case FIXUP_NO_ADDRESS:
		return SMTP_ANSWER(553, 5, 6, 0,
		    "From or Sender has no valid address");
	case FIXUP_TOO_MANY:
		return SMTP_ANSWER(553, 5, 6, 0,
		    "From has too many addresses");
	case FIXUP_FINE:
		break;
	}
	BUG("refused for nothing");
}

enum smtp_field
letter_field(struct smtp_server *smtp, const struct header_field *f)
{
	struct session *s = session_of(smtp);

	switch (fixup_field(&s->fixup, f)) {
	case FIXUP_KEEP:
		return SMTP_FIELD_KEEP;
	case FIXUP_DROP:
		return SMTP_FIELD_DROP;
	case FIXUP_BODY:
		return SMTP_FIELD_END;
	case FIXUP_REFUSE:
		break;
	}
	smtp_server_refuse(smtp, fixup_refusal(s->fixup.why));
	return SMTP_FIELD_DROP;
}

/* ---- whose it says it is ---- */

static void ask_next(struct session *s);

static void
not_owned(struct session *s, bool is_known)
{
	const struct smtp_answer *a = is_known
	    ? SMTP_ANSWER(553, 5, 7, 1,
		  "From or Sender is not an address of yours")
	    : SMTP_ANSWER(451, 4, 3, 0,
		  "The sender cannot be checked just now, try again");

	if (s->is_complete)
		smtp_server_answer(s->base.smtp, a);
	else
		smtp_server_refuse(s->base.smtp, a);
}

static void
on_owns(void *arg, int type, const union ipc_any *m, int fd)
{
	struct session *s = arg;

	(void)type;
	(void)fd;
	s->owns = NULL;
	if (m != NULL && m->OWNS_ANSWER.yes)
		ask_next(s);
	else
		not_owned(s, m != NULL);
}

/* One address after the other; most letters have one, the login's own. */
static void
ask_next(struct session *s)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);
	struct slice address;

	while (slice_split(&s->unasked, '\n', &address)) {
		if (address.n == 0 || slice_ieq(address,
			buf_slice(&s->address)))
			continue;
		if (directory == NULL) {
			not_owned(s, false);
			return;
		}
		s->owns = ipc_ask(directory, OWNS_ASK, -1, OWNS_MS, on_owns,
		    s, .account = s->account, .address = address);
		return;
	}
	s->is_owned = true;
	if (s->is_complete)
		smtp_intake_end(s->base.smtp);
}

void
letter_header_end(struct smtp_server *smtp, bool has_blank)
{
	struct session *s = session_of(smtp);
	const struct fixup_facts facts = {
		.address = buf_slice(&s->address),
		.id = slice_str(queue_tx_id(s->base.tx)),
		.host = slice_str(smtp_server_options(smtp)->hostname),
		.now = { clock_wall(), clock_utc_offset() },
	};
	struct buf added;

	buf_init(&added, HEAD_MAX);
	fixup_end(&s->fixup, &facts, &added);
	if (!has_blank)
		buf_add_str(&added, "\r\n");
	queue_tx_write(s->base.tx, buf_slice(&added));
	buf_fini(&added);
	s->unasked = buf_slice(&s->fixup.owned);
	ask_next(s);
}

void
letter_end(struct smtp_server *smtp)
{
	struct session *s = session_of(smtp);

	s->is_complete = true;
	if (s->is_owned)
		smtp_intake_end(smtp);
}

void
letter_reset(struct session *s)
{
	ipc_call_cancel(&s->owns);
	if (s->has_fixup)
		fixup_fini(&s->fixup);
	s->has_fixup = s->is_complete = s->is_owned = false;
	s->unasked = SLICE_NONE;
}
