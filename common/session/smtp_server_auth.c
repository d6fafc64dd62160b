/* SPDX-License-Identifier: ISC */
/*
 * AUTH, RFC 4954: base 64 lines to and fro. Nothing of an exchange is kept,
 * logged or looked into here; it is the policy's to judge.
 */
#include "session/smtp_server.h"

#include "base/base64.h"
#include "proto/limits.h"
#include "session/smtp_server_priv.h"
#include "sys/conn.h"
#include "sys/log.h"

static const struct smtp_answer *
may_auth(const struct smtp_server *s, const struct smtp_cmd *cmd,
    enum sasl_mech *mech_r)
{
	if (s->options->mechs == 0)
		return SMTP_ANSWER(503, 5, 5, 1, "AUTH is not offered here");
	if (s->is_authenticated)
		return SMTP_ANSWER(503, 5, 5, 1, "Authenticated already");
	if (!smtp_offers_auth(s))
		return SMTP_ANSWER(530, 5, 7, 0, "STARTTLS first");
	if (!s->is_esmtp)
		return SMTP_ANSWER(503, 5, 5, 1, "EHLO comes first");
	if (sasl_mech_find(cmd->arg, mech_r) < 0 ||
	    (s->options->mechs & 1U << *mech_r) == 0)
		return SMTP_ANSWER(504, 5, 5, 4,
		    "This mechanism is not offered");
	return NULL;
}

void
smtp_auth_drop(struct smtp_server *s)
{
	if (s->is_auth_open && s->policy->auth_abort != NULL)
		s->policy->auth_abort(s);
	s->is_auth_open = false;
	if (s->state == S_AUTH)
		smtp_enter(s, S_READY);
}

/* The message of a line, or the end of the exchange. */
static int
decode(struct smtp_server *s, struct slice line, bool is_initial,
    struct buf *out)
{
	enum sasl_line_error error;

	if (sasl_line_decode(line, is_initial, out, &error) == 0)
		return 0;
	smtp_auth_drop(s);
	switch (error) {
	case SASL_LINE_CANCELLED:
		smtp_say(s, 501, 5, 7, 0, "Authentication cancelled");
		break;
	case SASL_LINE_MALFORMED:
		smtp_say(s, 501, 5, 5, 2, "This is not base 64");
		break;
	case SASL_LINE_TOO_LONG:
		smtp_say(s, 500, 5, 5, 6, "Authentication line too long");
		break;
	}
	return -1;
}

void
smtp_auth(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	const struct smtp_answer *no;
	enum sasl_mech mech;
	struct buf message;

	no = may_auth(s, cmd, &mech);
	if (no != NULL) {
		smtp_reply(s, no);
		return;
	}
	buf_init(&message, LIMIT_SASL_MESSAGE);
	/* The parser gives "=" as an empty message. */
	if (cmd->initial.n == 0 || decode(s, cmd->initial, false, &message) == 0) {
		smtp_wait(s, WAIT_AUTH);
		smtp_enter(s, S_AUTH);
		s->is_auth_open = true;
		s->policy->auth(s, mech, cmd->has_initial,
		    buf_slice(&message));
	}
	buf_fini_secret(&message);
}

void
smtp_auth_line(struct smtp_server *s, struct slice line)
{
	struct buf message;

	s->verb = SMTP_AUTH;
	buf_init(&message, LIMIT_SASL_MESSAGE);
	if (decode(s, line, false, &message) == 0) {
		smtp_wait(s, WAIT_AUTH);
		s->policy->auth_more(s, buf_slice(&message));
	}
	buf_fini_secret(&message);
}

static void
say_challenge(struct smtp_server *s, struct slice message)
{
	struct buf text;

	buf_init(&text, LIMIT_SMTP_AUTH_LINE * 2);
	base64_encode(&text, message);
	conn_writef(s->conn, "334 %s\r\n", text.p);
	buf_fini(&text);
}

void
smtp_auth_done(struct smtp_server *s, const struct smtp_answer *a)
{
	if (a->code == 334) {
		say_challenge(s, a->text);
		return;
	}
	s->is_auth_open = false;
	smtp_enter(s, S_READY);
	if (a->code == 0 || a->code < 400) {
		s->is_authenticated = true;
		smtp_say(s, 235, 2, 7, 0, "Authentication succeeded");
	} else {
		smtp_reply(s, a);
	}
}
