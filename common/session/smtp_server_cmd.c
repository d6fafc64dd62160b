/* SPDX-License-Identifier: ISC */
/*
 * The commands, from a table whose columns are the rules: in which states a
 * command may come, on which servers, and what its refusal leaves behind. "May
 * I" is the table and the first half of each function; "do it" is the policy's
 * verdict and the *_done half. RFC 5321 4.1, RFC 2033 (LMTP), RFC 3207.
 */
#include "session/smtp_server.h"

#include "base/num.h"
#include "proto/limits.h"
#include "session/smtp_server_priv.h"
#include "sys/conn.h"
#include "sys/log.h"

enum {
	/* Octets follow the command whatever becomes of it. */
	F_OCTETS = 1,
	F_SMTP = 2, /* not in LMTP */
	F_LMTP = 4  /* only there */
};

static void cmd_helo(struct smtp_server *s, const struct smtp_cmd *cmd);
static void cmd_mail(struct smtp_server *s, const struct smtp_cmd *cmd);
static void cmd_rcpt(struct smtp_server *s, const struct smtp_cmd *cmd);
static void cmd_rset(struct smtp_server *s, const struct smtp_cmd *cmd);
static void cmd_noop(struct smtp_server *s, const struct smtp_cmd *cmd);
static void cmd_help(struct smtp_server *s, const struct smtp_cmd *cmd);
static void cmd_quit(struct smtp_server *s, const struct smtp_cmd *cmd);
static void cmd_verify(struct smtp_server *s, const struct smtp_cmd *cmd);
static void cmd_starttls(struct smtp_server *s, const struct smtp_cmd *cmd);

static const struct command {
	unsigned states; /* where it may come */
	unsigned flags;
	void (*run)(struct smtp_server *s, const struct smtp_cmd *cmd);
	const char *order; /* what is missing elsewhere */
} commands[SMTP_VERBS] = {
	[SMTP_AUTH] = { S_READY, F_SMTP, smtp_auth,
	    "AUTH comes behind EHLO and before MAIL" },
	[SMTP_BDAT] = { S_RCPT | S_BDAT, F_OCTETS, smtp_bdat,
	    "A recipient is needed first" },
	[SMTP_DATA] = { S_RCPT, 0, smtp_data, "A recipient is needed first" },
	[SMTP_EHLO] = { S_ANY, F_SMTP, cmd_helo, "" },
	[SMTP_EXPN] = { S_ANY, 0, cmd_verify, "" },
	[SMTP_HELO] = { S_ANY, F_SMTP, cmd_helo, "" },
	[SMTP_HELP] = { S_ANY, 0, cmd_help, "" },
	[SMTP_LHLO] = { S_ANY, F_LMTP, cmd_helo, "" },
	[SMTP_MAIL] = { S_READY, 0, cmd_mail, NULL },
	[SMTP_NOOP] = { S_ANY, 0, cmd_noop, "" },
	[SMTP_QUIT] = { S_ANY, 0, cmd_quit, "" },
	[SMTP_RCPT] = { S_MAIL | S_RCPT, 0, cmd_rcpt, "MAIL comes first" },
	[SMTP_RSET] = { S_ANY, 0, cmd_rset, "" },
	[SMTP_STARTTLS] = { S_HELO | S_READY, F_SMTP | F_LMTP, cmd_starttls,
	    "Not within a transaction" },
	[SMTP_VRFY] = { S_ANY, 0, cmd_verify, "" },
};

/* ---- what is offered ---- */

struct tls_server *
smtp_tls(const struct smtp_server *s)
{
	return s->options->tls == NULL ? NULL : s->options->tls();
}

bool
smtp_offers_tls(const struct smtp_server *s)
{
	return smtp_tls(s) != NULL && !conn_is_tls(s->conn) &&
	    !s->is_authenticated;
}

bool
smtp_offers_auth(const struct smtp_server *s)
{
	return s->options->mechs != 0 && !s->is_authenticated &&
	    (s->options->plaintext_auth || conn_is_tls(s->conn));
}

static struct smtp_cmd_rules
rules_of(const struct smtp_server *s)
{
	struct smtp_cmd_rules rules = { 0 };

	/* Who said HELO was offered nothing (RFC 5321 2.2.1). */
	if (s->is_esmtp)
		rules.params = SMTP_PARAM_SIZE | SMTP_PARAM_BODY |
		    SMTP_PARAM_SMTPUTF8 | SMTP_PARAM_DSN |
		    SMTP_PARAM_BINARYMIME |
		    (s->options->mechs != 0 ? SMTP_PARAM_AUTH : 0U);
	rules.is_utf8 = (s->mail.given & SMTP_PARAM_SMTPUTF8) != 0;
	return rules;
}

static void
list_auth(struct smtp_server *s)
{
	unsigned mechs = s->options->mechs;
	unsigned char binding[32];
	int m;

	if (conn_tls_exporter(s->conn, binding) < 0)
		mechs &= ~(1U << SASL_SCRAM_SHA_256_PLUS);
	conn_write_str(s->conn, "250-AUTH");
	for (m = SASL_MECHS - 1; m >= 0; m--)
		if ((mechs & 1U << m) != 0)
			conn_writef(s->conn, " %s",
			    sasl_mech_name((enum sasl_mech)m));
	conn_write_str(s->conn, "\r\n");
}

static void
list_extensions(struct smtp_server *s)
{
	conn_writef(s->conn, "250-%s\r\n250-PIPELINING\r\n250-SIZE %llu\r\n",
	    s->options->hostname,
	    (unsigned long long)s->options->message_size);
	if (smtp_offers_tls(s))
		conn_write_str(s->conn, "250-STARTTLS\r\n");
	if (smtp_offers_auth(s))
		list_auth(s);
	conn_write_str(s->conn, "250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
	    "250-CHUNKING\r\n250-BINARYMIME\r\n250 ENHANCEDSTATUSCODES\r\n");
}

/* ---- HELO, EHLO, LHLO ---- */

static void
cmd_helo(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	smtp_wait(s, WAIT_GREETED);
	s->verb = cmd->verb;
	if (s->policy->greeted != NULL)
		s->policy->greeted(s, cmd->arg);
	else
		smtp_server_answer(s, NULL);
}

void
smtp_greeted_done(struct smtp_server *s, const struct smtp_answer *a)
{
	/* RFC 5321 4.1.4: refused, all stays as it was, also a transaction;
	 * else it is as RSET. */
	if (a->code >= 400) {
		smtp_reply(s, a);
		return;
	}
	smtp_reset(s);
	region_reset(&s->names);
	s->helo = region_slice(&s->names, buf_slice(&s->what));
	s->is_esmtp = s->verb != SMTP_HELO;
	smtp_enter(s, S_READY);
	if (s->is_esmtp)
		list_extensions(s);
	else
		conn_writef(s->conn, "250 %s\r\n", s->options->hostname);
}

/* ---- MAIL ---- */

static const struct smtp_answer *
may_mail(const struct smtp_server *s, const struct smtp_mail *m)
{
	const struct smtp_server_options *o = s->options;

	if (o->needs_auth && !s->is_authenticated)
		return !conn_is_tls(s->conn) && !o->plaintext_auth
		    ? SMTP_ANSWER(530, 5, 7, 0, "STARTTLS first, then AUTH")
		    : SMTP_ANSWER(530, 5, 7, 0, "Authentication required");
	if (s->messages >= o->transactions)
		return SMTP_ANSWER(421, 4, 7, 0,
		    "Too many messages on one connection");
	if ((m->given & SMTP_PARAM_SIZE) != 0 && m->size > o->message_size)
		return SMTP_ANSWER(552, 5, 3, 4,
		    "The message is larger than this server takes");
	return NULL;
}

static void
keep_mail(struct smtp_server *s, const struct smtp_mail *m)
{
	struct region *r = &s->mem;

	s->mail = *m;
	s->mail.from.local = region_slice(r, m->from.local);
	s->mail.from.domain = region_slice(r, m->from.domain);
	s->mail.envid = region_slice(r, m->envid);
	s->mail.auth = region_slice(r, m->auth);
}

static void
cmd_mail(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	const struct smtp_answer *no = may_mail(s, &cmd->mail);

	if (no != NULL) {
		smtp_reply(s, no);
		return;
	}
	smtp_reset(s);
	/* Room for an answer of each recipient, in LMTP. */
	s->mem.max = 16384 + (size_t)s->options->recipients * 1024;
	keep_mail(s, &cmd->mail);
	s->is_begun = true;
	smtp_wait(s, WAIT_MAIL);
	if (s->policy->mail != NULL)
		s->policy->mail(s, &s->mail);
	else
		smtp_server_answer(s, NULL);
}

void
smtp_mail_done(struct smtp_server *s, const struct smtp_answer *a)
{
	if (a->code >= 400) {
		smtp_reply(s, a);
		smtp_reset(s);
		return;
	}
	smtp_enter(s, S_MAIL);
	smtp_say(s, 250, 2, 1, 0, "Sender ok");
}

/* ---- RCPT ---- */

static void
cmd_rcpt(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	if (s->recipients >= s->options->recipients) {
		/* RFC 5321 4.5.3.1.10. */
		smtp_say(s, 452, 4, 5, 3, "Too many recipients");
		return;
	}
	smtp_wait(s, WAIT_RCPT);
	if (s->policy->rcpt != NULL)
		s->policy->rcpt(s, &cmd->rcpt);
	else
		smtp_server_answer(s, NULL);
}

void
smtp_rcpt_done(struct smtp_server *s, const struct smtp_answer *a)
{
	if (a->code >= 400) {
		smtp_reply(s, a);
		return;
	}
	s->recipients++;
	smtp_enter(s, S_RCPT);
	smtp_say(s, 250, 2, 1, 5, "Recipient ok");
}

/* ---- the others ---- */

static void
cmd_rset(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	(void)cmd;
	smtp_reset(s);
	if (s->state != S_HELO)
		smtp_enter(s, S_READY);
	smtp_say(s, 250, 2, 0, 0, "Ok");
}

static void
cmd_noop(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	(void)cmd;
	smtp_say(s, 250, 2, 0, 0, "Ok");
}

static void
cmd_help(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	(void)cmd;
	smtp_say(s, 214, 2, 0, 0,
	    s->options->is_lmtp ? "LMTP, as RFC 2033 has it"
				: "SMTP, as RFC 5321 has it");
}

static void
cmd_quit(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	(void)cmd;
	s->reason = "quit";
	smtp_say(s, 221, 2, 0, 0, "Bye");
	smtp_close(s);
}

static void
cmd_verify(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	smtp_wait(s, WAIT_VERIFY);
	if (cmd->verb == SMTP_VRFY && s->policy->verify != NULL)
		s->policy->verify(s, cmd);
	else
		smtp_server_answer(s, NULL);
}

/* RFC 5321 7.3: 252 where nothing is told. */
void
smtp_verify_done(struct smtp_server *s, const struct smtp_answer *a)
{
	if (a->code != 0)
		smtp_reply(s, a);
	else
		smtp_say(s, 252, 2, 5, 2,
		    s->verb == SMTP_VRFY
			? "Cannot say; send mail, we will try to deliver it"
			: "Lists are not shown; send mail, we will try");
}

/*
 * RFC 3207 4.2: what was said before TLS never was. Bytes that came behind
 * the command in plain text are dropped: whoever put them there may not be who
 * speaks under TLS.
 */
static void
cmd_starttls(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	size_t n, line = smtp_verb_name(cmd->verb).n + 2;

	if (conn_is_tls(s->conn)) {
		smtp_say(s, 503, 5, 5, 1, "TLS is in use already");
		return;
	}
	if (!smtp_offers_tls(s)) {
		smtp_say(s, 454, 4, 7, 0, "TLS is not available now");
		return;
	}
	smtp_say(s, 220, 2, 0, 0, "Go ahead");
	n = conn_discard_input(s->conn);
	if (n > line)
		log_warn("event=plaintext_behind_starttls session=%s "
		    "client=%s bytes=%zu", s->id, conn_peer(s->conn),
		    n - line);
	smtp_reset(s);
	region_reset(&s->names);
	s->helo = SLICE_NONE;
	s->is_esmtp = false;
	line_init(&s->line, s->line.max);
	smtp_enter(s, S_TLS);
	conn_start_tls_server(s->conn, smtp_tls(s));
}

/* ---- dispatch ---- */

/* What the command is about, for the log (and the name of HELO). */
static void
note_subject(struct smtp_server *s, const struct smtp_cmd *cmd)
{
	buf_reset(&s->what);
	s->verb = cmd->verb;
	if (cmd->verb == SMTP_RCPT)
		address_add(&s->what, &cmd->rcpt.to);
	else if (cmd->verb == SMTP_MAIL)
		address_add(&s->what, &cmd->mail.from);
	else
		buf_add_slice(&s->what, cmd->arg);
}

/* Web browsers that some page made post to a mail server: they would go on
 * to send commands in what they post. */
static bool
is_http(struct slice line)
{
	return slice_has_iprefix(line, SLICE("GET /")) ||
	    slice_has_iprefix(line, SLICE("POST /")) ||
	    slice_has_iprefix(line, SLICE("CONNECT "));
}

static void
refuse_line(struct smtp_server *s, struct slice line,
    const struct smtp_cmd *cmd, enum smtp_cmd_error error)
{
	const struct smtp_cmd_reply *r = smtp_cmd_error_reply(error);
	const struct smtp_answer a = { .code = r->code,
		.enhanced = r->enhanced, .text = r->text,
		.is_last = r->is_fatal };

	s->verb = cmd->verb;
	buf_reset(&s->what);
	buf_add_slice(&s->what, slice_head(line, 200));
	if (cmd->verb == SMTP_AUTH)
		buf_reset(&s->what); /* may hold a password */
	smtp_reply(s, cmd->verb == SMTP_VERBS && is_http(line)
		? SMTP_ANSWER(421, 4, 7, 0, "This is not a web server") : &a);
}

static const struct smtp_answer *
may_run(const struct smtp_server *s, const struct smtp_cmd *cmd,
    struct smtp_answer *order)
{
	const struct command *c = &commands[cmd->verb];
	unsigned kind = s->options->is_lmtp ? F_LMTP : F_SMTP;

	if ((c->flags & (F_SMTP | F_LMTP)) != 0 && (c->flags & kind) == 0)
		return s->options->is_lmtp
		    ? SMTP_ANSWER(500, 5, 5, 1, "This is LMTP: say LHLO")
		    : SMTP_ANSWER(500, 5, 5, 1, "This is not LMTP");
	if ((c->states & s->state) != 0)
		return NULL;
	*order = *SMTP_ANSWER(503, 5, 5, 1, "");
	order->text = slice_str(c->order);
	if (cmd->verb == SMTP_MAIL)
		order->text = s->state != S_HELO
		    ? SLICE("A transaction is under way")
		    : s->options->is_lmtp ? SLICE("LHLO comes first")
					  : SLICE("HELO or EHLO comes first");
	return order;
}

static void
trace_line(const struct smtp_server *s, struct slice line)
{
	if (!log_is_debug())
		return;
	if (slice_has_iprefix(line, SLICE("AUTH ")))
		line = SLICE("AUTH ****");
	log_debug("event=smtp session=%s in=%s", s->id, LOG_V(line));
}

void
smtp_run_line(struct smtp_server *s, struct slice line)
{
	const struct smtp_cmd_rules rules = rules_of(s);
	const struct smtp_answer *no;
	struct smtp_answer order;
	enum smtp_cmd_error error;
	struct smtp_cmd cmd;

	trace_line(s, line);
	if (line.n + 2 > LIMIT_SMTP_COMMAND &&
	    !slice_has_iprefix(line, SLICE("AUTH "))) {
		smtp_say(s, 500, 5, 5, 6, "Line too long");
		return;
	}
	if (smtp_cmd_parse(line, &rules, &cmd, &error) < 0) {
		refuse_line(s, line, &cmd, error);
		return;
	}
	note_subject(s, &cmd);
	no = may_run(s, &cmd, &order);
	if (no == NULL)
		commands[cmd.verb].run(s, &cmd);
	else if ((commands[cmd.verb].flags & F_OCTETS) != 0)
		smtp_bdat_refuse(s, &cmd, no);
	else
		smtp_reply(s, no);
}
