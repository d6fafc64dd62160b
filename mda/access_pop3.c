/* SPDX-License-Identifier: ISC */
/*
 * POP3 before the login: the AUTHORIZATION state of RFC 1939 4 and 7, 2449
 * CAPA, 2595 4 STLS, 3206 response codes, 5034 AUTH. The answer to a
 * successful login is the owner's to give.
 */
#include "mda/access_client.h"

#include <stdlib.h>

#include "base/base64.h"
#include "proto/imap_write.h"
#include "proto/limits.h"
#include "proto/line.h"
#include "proto/pop3_cmd.h"
#include "sys/conn.h"

enum { TEXT_MAX = 256 };

struct pre {
	struct line line;
	struct buf user; /* of USER; empty: none was given */
};

static struct pre *
pre_of(const struct access_client *c)
{
	return c->pre;
}

static int
begin(struct access_client *c)
{
	struct pre *pre = calloc(1, sizeof *pre);

	if (pre == NULL)
		return -1;
	line_init(&pre->line, LIMIT_POP3_LINE + 2);
	buf_init(&pre->user, LIMIT_SASL_NAME + 1);
	c->pre = pre;
	return 0;
}

static void
end(struct access_client *c)
{
	buf_fini(&pre_of(c)->user);
	free(c->pre);
}

static struct slice
no_tag(const struct access_client *c)
{
	(void)c;
	return SLICE("");
}

/* ---- answers ---- */

static void
say_err(struct access_client *c, const char *code, struct slice text)
{
	struct buf out;

	buf_init(&out, 1024);
	buf_add_str(&out, "-ERR ");
	if (code[0] != '\0')
		buf_addf(&out, "[%s] ", code);
	/* What fits IMAP's text fits here: one printable line. */
	imap_write_text(&out, slice_head(text, TEXT_MAX), false);
	buf_add_str(&out, "\r\n");
	conn_write(c->conn, buf_slice(&out));
	buf_fini(&out);
}

static void
say_wrong(struct access_client *c, const char *text)
{
	say_err(c, "", slice_str(text));
	access_client_error(c);
}

static void
greet(struct access_client *c)
{
	conn_write_str(c->conn, "+OK Veredus is ready.\r\n");
}

static void
challenge(struct access_client *c, struct slice message)
{
	struct buf text;

	buf_init(&text, 2 * LIMIT_SMTP_AUTH_LINE);
	base64_encode(&text, message);
	conn_writef(c->conn, "+ %s\r\n", text.p);
	buf_fini(&text);
}

static void
refuse(struct access_client *c, enum access_refusal why, struct slice text)
{
	const struct access_words *w = &access_refusals[why];

	buf_reset(&pre_of(c)->user);
	say_err(c, w->pop3, text.n > 0 ? text : slice_str(w->text));
}

static void
bye(struct access_client *c, enum access_bye why)
{
	const struct access_words *w = &access_byes[why];

	say_err(c, w->pop3, slice_str(w->text));
}

/* ---- commands ---- */

static void
run_capa(struct access_client *c, const struct pop3_cmd *cmd)
{
	unsigned mechs = access_client_mechs(c);
	struct buf out;
	int i;

	(void)cmd;
	buf_init(&out, 1024);
	buf_add_str(&out, "+OK These are the capabilities.\r\n"
	    "TOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
	    "EXPIRE NEVER\r\nIMPLEMENTATION Veredus\r\n");
	if (access_client_can_tls(c))
		buf_add_str(&out, "STLS\r\n");
	if (mechs != 0)
		buf_add_str(&out, "USER\r\nSASL");
	for (i = 0; i < SASL_MECHS; i++)
		if ((mechs & 1U << i) != 0)
			buf_addf(&out, " %s",
			    sasl_mech_name((enum sasl_mech)i));
	buf_add_str(&out, mechs != 0 ? "\r\n.\r\n" : ".\r\n");
	conn_write(c->conn, buf_slice(&out));
	buf_fini(&out);
}

static void
run_user(struct access_client *c, const struct pop3_cmd *cmd)
{
	struct buf *user = &pre_of(c)->user;

	if (access_client_mechs(c) == 0) {
		refuse(c, ACCESS_NO_PLAINTEXT, SLICE_NONE);
		access_client_error(c);
		return;
	}
	/* One that is too long stays too long: nobody's. */
	buf_reset(user);
	buf_add_slice(user, slice_head(cmd->arg, LIMIT_SASL_NAME + 1));
	conn_write_str(c->conn, "+OK Now the password.\r\n");
}

static void
run_pass(struct access_client *c, const struct pop3_cmd *cmd)
{
	access_login_password(c, buf_slice(&pre_of(c)->user), cmd->arg);
}

static void
run_auth(struct access_client *c, const struct pop3_cmd *cmd)
{
	buf_reset(&pre_of(c)->user);
	access_login_command(c, cmd->arg, cmd->initial);
}

static void
run_stls(struct access_client *c, const struct pop3_cmd *cmd)
{
	(void)cmd;
	if (conn_is_tls(c->conn)) {
		say_wrong(c, "TLS is active already.");
	} else if (!access_client_can_tls(c)) {
		say_err(c, "SYS/TEMP", SLICE("TLS is not available just now."));
	} else {
		buf_reset(&pre_of(c)->user);
		access_client_starttls(c, "+OK Begin TLS.\r\n");
	}
}

static void
run_quit(struct access_client *c, const struct pop3_cmd *cmd)
{
	(void)cmd;
	conn_write_str(c->conn, "+OK Bye.\r\n");
	access_client_over(c);
}

/* UTF8 and LANG are not offered. */
static void (*const run[POP3_VERB_COUNT])(struct access_client *c,
    const struct pop3_cmd *cmd) = {
	[POP3_AUTH] = run_auth,
	[POP3_CAPA] = run_capa,
	[POP3_PASS] = run_pass,
	[POP3_QUIT] = run_quit,
	[POP3_STLS] = run_stls,
	[POP3_USER] = run_user,
};

static void
run_line(struct access_client *c, struct slice line)
{
	unsigned state = pre_of(c)->user.n > 0 ? POP3_STATE_USER
					       : POP3_STATE_AUTHORIZATION;
	enum pop3_error error;
	struct pop3_cmd cmd;

	error = pop3_cmd_parse(line, state, &cmd);
	if (error != POP3_ERROR_NONE)
		say_wrong(c, pop3_error_text(error));
	else if (run[cmd.row->verb] == NULL)
		say_wrong(c, "This is not offered.");
	else
		run[cmd.row->verb](c, &cmd);
}

static bool
step(struct access_client *c)
{
	return access_client_line(c, &pre_of(c)->line,
	    c->state == ACCESS_EXCHANGE ? access_login_line : run_line);
}

const struct access_protocol access_pop3 = {
	.name = "pop3",
	.begin = begin,
	.end = end,
	.greet = greet,
	.step = step,
	.challenge = challenge,
	.refuse = refuse,
	.bye = bye,
	.tag = no_tag,
};
