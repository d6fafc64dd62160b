/* SPDX-License-Identifier: ISC */
/*
 * IMAP before the login: RFC 9051 3.1, 6.1, 6.2 (3501 the same), 2971 ID, 4959
 * initial responses, 7888 literals, 5530 codes. The answer to a successful
 * login is the owner's to give. Commands are small here: nobody who has not
 * logged in may have us keep much.
 */
#include "mda/access_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "proto/imap_cmd.h"
#include "proto/imap_frame.h"
#include "proto/imap_write.h"
#include "proto/limits.h"
#include "proto/line.h"
#include "sys/conn.h"
#include "sys/log.h"

enum {
	COMMAND_LINE = LIMIT_SMTP_AUTH_LINE + 512, /* AUTHENTICATE with a response */
	COMMAND_MAX = COMMAND_LINE + 1024,
	LITERAL_MAX = 1024, /* a name or a password */
	SKIP_MAX = 4096,
	REGION_MAX = 65536,
	TEXT_MAX = 256,
	ID_FIELDS = 30 /* RFC 2971 3.3 */
};

static const struct imap_frame_limits frame_limits = {
	.line = COMMAND_LINE, .literal = LITERAL_MAX, .command = COMMAND_MAX,
	.message = 0, .nonsync = LITERAL_MAX, .skip = SKIP_MAX,
};

struct pre {
	struct imap_frame frame;
	struct line line;     /* of an exchange */
	struct region region; /* of one command */
	struct buf tag;       /* of the login command under way */
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
	imap_frame_init(&pre->frame, &frame_limits);
	line_init(&pre->line, LIMIT_SMTP_AUTH_LINE + 2);
	region_init(&pre->region, REGION_MAX);
	buf_init(&pre->tag, COMMAND_LINE);
	c->pre = pre;
	return 0;
}

static void
end(struct access_client *c)
{
	struct pre *pre = c->pre;

	region_fini(&pre->region);
	buf_fini(&pre->tag);
	free(pre);
}

static struct slice
tag_of_login(const struct access_client *c)
{
	return buf_slice(&pre_of(c)->tag);
}

/* ---- answers ---- */

/* "tag OK [CODE] text"; an empty tag is "*". */
static void
say(struct access_client *c, struct slice tag, const char *condition,
    const char *code, struct slice text)
{
	struct buf out;

	buf_init(&out, COMMAND_LINE + 2048);
	buf_add_slice(&out, tag.n > 0 ? tag : SLICE("*"));
	buf_addf(&out, " %s ", condition);
	if (code[0] != '\0')
		buf_addf(&out, "[%s] ", code);
	imap_write_text(&out, slice_head(text, TEXT_MAX), false);
	buf_add_str(&out, "\r\n");
	conn_write(c->conn, buf_slice(&out));
	buf_fini(&out);
}

static void
say_bad(struct access_client *c, struct slice tag, const char *text)
{
	say(c, tag, "BAD", "", slice_str(text));
	access_client_error(c);
}

static void
add_capabilities(const struct access_client *c, struct buf *out)
{
	unsigned mechs = access_client_mechs(c);
	int i;

	buf_add_str(out, "CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE");
	if (access_client_can_tls(c))
		buf_add_str(out, " STARTTLS");
	if (mechs == 0)
		buf_add_str(out, " LOGINDISABLED");
	for (i = 0; i < SASL_MECHS; i++)
		if ((mechs & 1U << i) != 0)
			buf_addf(out, " AUTH=%s",
			    sasl_mech_name((enum sasl_mech)i));
}

static void
greet(struct access_client *c)
{
	struct buf caps;

	buf_init(&caps, 1024);
	add_capabilities(c, &caps);
	say(c, SLICE_NONE, "OK", caps.p, SLICE("Veredus is ready."));
	buf_fini(&caps);
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

	say(c, tag_of_login(c), w->condition, w->imap,
	    text.n > 0 ? text : slice_str(w->text));
}

static void
bye(struct access_client *c, enum access_bye why)
{
	const struct access_words *w = &access_byes[why];

	say(c, SLICE_NONE, "BYE", w->imap, slice_str(w->text));
}

/* ---- commands ---- */

static void
run_capability(struct access_client *c, const struct imap_cmd *cmd)
{
	struct buf caps;

	buf_init(&caps, 1024);
	add_capabilities(c, &caps);
	conn_writef(c->conn, "* %s\r\n", caps.p);
	buf_fini(&caps);
	say(c, cmd->tag, "OK", "", SLICE("These are the capabilities."));
}

static void
run_noop(struct access_client *c, const struct imap_cmd *cmd)
{
	say(c, cmd->tag, "OK", "", SLICE("Done."));
}

static void
log_id(const struct access_client *c, const struct imap_words *pairs)
{
	struct buf text;
	size_t i;

	buf_init(&text, 1024);
	for (i = 0; i + 1 < pairs->n && i < 2 * (size_t)ID_FIELDS; i += 2)
		buf_addf(&text, "%s%.*s=%.*s", i == 0 ? "" : "; ",
		    SLICE_FMT(pairs->v[i]), SLICE_FMT(pairs->v[i + 1]));
	log_info("event=client_id session=%s id=%s", c->front.id,
	    LOG_V(buf_slice(&text)));
	buf_fini(&text);
}

static void
run_id(struct access_client *c, const struct imap_cmd *cmd)
{
	if (cmd->u.id.pairs.n > 0)
		log_id(c, &cmd->u.id.pairs);
	conn_write_str(c->conn, "* ID (\"name\" \"Veredus\")\r\n");
	say(c, cmd->tag, "OK", "", SLICE("Nice to meet you."));
}

static void
run_logout(struct access_client *c, const struct imap_cmd *cmd)
{
	say(c, SLICE_NONE, "BYE", "", SLICE("Logging out."));
	say(c, cmd->tag, "OK", "", SLICE("Logged out."));
	access_client_over(c);
}

static void
run_starttls(struct access_client *c, const struct imap_cmd *cmd)
{
	struct buf ok;

	if (conn_is_tls(c->conn)) {
		say_bad(c, cmd->tag, "TLS is active already.");
	} else if (!access_client_can_tls(c)) {
		say(c, cmd->tag, "NO", "UNAVAILABLE",
		    SLICE("TLS is not available just now."));
	} else {
		buf_init(&ok, COMMAND_LINE + 64);
		buf_addf(&ok, "%.*s OK Begin TLS.\r\n", (int)cmd->tag.n,
		    cmd->tag.p);
		access_client_starttls(c, ok.p);
		buf_fini(&ok);
	}
}

static void
begin_login(struct access_client *c, struct slice tag)
{
	buf_reset(&pre_of(c)->tag);
	buf_add_slice(&pre_of(c)->tag, tag);
}

static void
run_login(struct access_client *c, const struct imap_cmd *cmd)
{
	begin_login(c, cmd->tag);
	access_login_password(c, cmd->u.login.user, cmd->u.login.password);
}

static void
run_authenticate(struct access_client *c, const struct imap_cmd *cmd)
{
	begin_login(c, cmd->tag);
	access_login_command(c, cmd->u.authenticate.mechanism,
	    cmd->u.authenticate.initial);
}

/* What the parser lets pass in state NONAUTH. */
static void (*const run[IMAP_VERB_COUNT])(struct access_client *c,
    const struct imap_cmd *cmd) = {
	[IMAP_AUTHENTICATE] = run_authenticate,
	[IMAP_CAPABILITY] = run_capability,
	[IMAP_ID] = run_id,
	[IMAP_LOGIN] = run_login,
	[IMAP_LOGOUT] = run_logout,
	[IMAP_NOOP] = run_noop,
	[IMAP_STARTTLS] = run_starttls,
};

static void
run_command(struct access_client *c, struct slice text)
{
	struct imap_cmd cmd;

	if (imap_cmd_parse(text, IMAP_STATE_NONAUTH, &pre_of(c)->region,
		&cmd) < 0)
		say_bad(c, cmd.tag, imap_error_text(cmd.error));
	else if (run[cmd.row->verb] == NULL)
		BUG("%s before the login", cmd.row->name);
	else
		run[cmd.row->verb](c, &cmd);
	region_reset(&pre_of(c)->region);
}

/* ---- framing ---- */

static bool
is_login(struct slice text)
{
	struct slice word;

	return slice_split(&text, ' ', &word) &&
	    slice_split(&text, ' ', &word) && slice_ieq_str(word, "LOGIN");
}

/* The client asks whether to send a literal: where it cannot log in it should
 * keep its password to itself. */
static void
answer_literal(struct access_client *c, struct slice text)
{
	if (is_login(text) && access_client_mechs(c) == 0) {
		begin_login(c, imap_cmd_tag(text));
		refuse(c, ACCESS_NO_PLAINTEXT, SLICE_NONE);
		imap_frame_refuse(&pre_of(c)->frame);
		access_client_error(c);
	} else {
		conn_write_str(c->conn, "+ Go on.\r\n");
	}
}

static void
answer_error(struct access_client *c, const struct imap_frame_event *e)
{
	const char *text = imap_frame_error_text(e->error);

	if (e->is_fatal) {
		access_client_bye(c, ACCESS_BYE_FRAMING);
		return;
	}
	say(c, imap_cmd_tag(e->text), "BAD",
	    e->error == IMAP_FRAME_LITERAL_BIG ||
		    e->error == IMAP_FRAME_NONSYNC_BIG ||
		    e->error == IMAP_FRAME_TOO_LONG
		? "LIMIT" : "",
	    slice_str(text));
	access_client_error(c);
}

static bool
next_command(struct access_client *c)
{
	struct imap_frame *frame = &pre_of(c)->frame;
	struct imap_frame_event e;

	switch (imap_frame_next(frame, conn_input(c->conn), &e)) {
	case IMAP_FRAME_MORE:
		return false;
	case IMAP_FRAME_CONTINUE:
		answer_literal(c, e.text);
		break;
	case IMAP_FRAME_COMMAND:
		run_command(c, e.text);
		break;
	case IMAP_FRAME_MESSAGE:
		say_bad(c, imap_cmd_tag(e.text),
		    imap_error_text(IMAP_ERROR_STATE));
		imap_frame_refuse(frame);
		break;
	case IMAP_FRAME_ERROR:
		answer_error(c, &e);
		break;
	case IMAP_FRAME_SKIP:
		break;
	}
	access_client_took(c, e.consumed);
	return true;
}

static bool
step(struct access_client *c)
{
	if (c->state == ACCESS_EXCHANGE)
		return access_client_line(c, &pre_of(c)->line,
		    access_login_line);
	return next_command(c);
}

const struct access_protocol access_imap = {
	.name = "imap",
	.begin = begin,
	.end = end,
	.greet = greet,
	.step = step,
	.challenge = challenge,
	.refuse = refuse,
	.bye = bye,
	.tag = tag_of_login,
};
