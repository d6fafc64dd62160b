/* SPDX-License-Identifier: ISC */
/*
 * Command lines: a table of verbs with what each may be followed by, and the
 * table of replies to what is wrong. MAIL's and RCPT's parameters are in
 * smtp_param.c. A line is refused as a whole; nothing of it is used.
 */
#include "proto/smtp_cmd.h"

#include "base/num.h"
#include "base/utf8.h"
#include "proto/domain.h"
#include "proto/limits.h"
#include "proto/smtp_param.h"

typedef int parse_fn(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r);

static parse_fn parse_auth, parse_bdat, parse_helo, parse_mail, parse_none,
    parse_rcpt, parse_text, parse_vrfy;

/* In the order of enum smtp_verb. */
static const struct {
	const char *name;
	parse_fn *parse; /* given what stands behind the verb's space */
} verbs[SMTP_VERBS] = {
	[SMTP_AUTH] = { "AUTH", parse_auth },
	[SMTP_BDAT] = { "BDAT", parse_bdat },
	[SMTP_DATA] = { "DATA", parse_none },
	[SMTP_EHLO] = { "EHLO", parse_helo },
	[SMTP_EXPN] = { "EXPN", parse_vrfy },
	[SMTP_HELO] = { "HELO", parse_helo },
	[SMTP_HELP] = { "HELP", parse_text },
	[SMTP_LHLO] = { "LHLO", parse_helo },
	[SMTP_MAIL] = { "MAIL", parse_mail },
	[SMTP_NOOP] = { "NOOP", parse_text },
	[SMTP_QUIT] = { "QUIT", parse_none },
	[SMTP_RCPT] = { "RCPT", parse_rcpt },
	[SMTP_RSET] = { "RSET", parse_none },
	[SMTP_STARTTLS] = { "STARTTLS", parse_none },
	[SMTP_VRFY] = { "VRFY", parse_vrfy },
};

#define REPLY(code, a, b, c, text) \
	{ (code), { (a), (b), (c) }, { "" text, sizeof(text) - 1 }, false }

/*
 * RFC 5321 4.2.4 and 4.3.2 for the codes, 4.1.1.11 for 555, RFC 6531 3.5 for
 * X.6.7. After a BDAT whose size is unknown nobody can tell where the next
 * command begins, hence 521 (RFC 7504 3.1) and the end.
 */
static const struct smtp_cmd_reply replies[SMTP_CMD_ERRORS] = {
	[SMTP_CMD_UNKNOWN] = REPLY(500, 5, 5, 2, "Command not recognised"),
	[SMTP_CMD_GARBAGE] = REPLY(500, 5, 5, 2,
	    "Control or ill-formed characters in command"),
	[SMTP_CMD_NO_ARGUMENT_ALLOWED] = REPLY(501, 5, 5, 4,
	    "This command takes no argument"),
	[SMTP_CMD_HELO_SYNTAX] = REPLY(501, 5, 5, 4,
	    "Say who you are: one domain name or address literal"),
	[SMTP_CMD_MAIL_SYNTAX] = REPLY(501, 5, 5, 4,
	    "Syntax: MAIL FROM:<address> [parameters]"),
	[SMTP_CMD_RCPT_SYNTAX] = REPLY(501, 5, 5, 4,
	    "Syntax: RCPT TO:<address> [parameters]"),
	[SMTP_CMD_VRFY_SYNTAX] = REPLY(501, 5, 5, 4,
	    "One name or address is needed"),
	[SMTP_CMD_AUTH_SYNTAX] = REPLY(501, 5, 5, 4,
	    "Syntax: AUTH mechanism [initial-response]"),
	[SMTP_CMD_BDAT_SYNTAX] = { 521, { 5, 5, 4 },
	    { "Syntax: BDAT size [LAST]", 24 }, true },
	[SMTP_CMD_SENDER_SYNTAX] = REPLY(501, 5, 1, 7,
	    "Malformed sender address"),
	[SMTP_CMD_SENDER_DOMAIN] = REPLY(553, 5, 1, 7,
	    "The domain of the sender is not a valid one"),
	[SMTP_CMD_SENDER_TOO_LONG] = REPLY(553, 5, 1, 7,
	    "Sender address too long"),
	[SMTP_CMD_SENDER_NON_ASCII] = REPLY(550, 5, 6, 7,
	    "This sender address needs the SMTPUTF8 parameter"),
	[SMTP_CMD_RECIPIENT_SYNTAX] = REPLY(501, 5, 1, 3,
	    "Malformed recipient address"),
	[SMTP_CMD_RECIPIENT_DOMAIN] = REPLY(553, 5, 1, 3,
	    "The domain of the recipient is not a valid one"),
	[SMTP_CMD_RECIPIENT_TOO_LONG] = REPLY(553, 5, 1, 3,
	    "Recipient address too long"),
	[SMTP_CMD_RECIPIENT_NON_ASCII] = REPLY(553, 5, 6, 7,
	    "This recipient address needs the SMTPUTF8 parameter of MAIL"),
	[SMTP_CMD_PARAM_SYNTAX] = REPLY(501, 5, 5, 4, "Malformed parameter"),
	[SMTP_CMD_PARAM_UNKNOWN] = REPLY(555, 5, 5, 4,
	    "Parameter not recognised"),
	[SMTP_CMD_PARAM_TWICE] = REPLY(501, 5, 5, 4,
	    "A parameter was given twice"),
	[SMTP_CMD_PARAM_SIZE] = REPLY(501, 5, 5, 4,
	    "SIZE takes a number of octets"),
	[SMTP_CMD_PARAM_BODY] = REPLY(501, 5, 5, 4,
	    "BODY takes 7BIT, 8BITMIME, or BINARYMIME where offered"),
	[SMTP_CMD_PARAM_SMTPUTF8] = REPLY(501, 5, 5, 4,
	    "SMTPUTF8 takes no value"),
	[SMTP_CMD_PARAM_RET] = REPLY(501, 5, 5, 4, "RET takes FULL or HDRS"),
	[SMTP_CMD_PARAM_ENVID] = REPLY(501, 5, 5, 4,
	    "ENVID takes at most 100 characters of xtext"),
	[SMTP_CMD_PARAM_NOTIFY] = REPLY(501, 5, 5, 4,
	    "NOTIFY takes NEVER, or SUCCESS, FAILURE, DELAY"),
	[SMTP_CMD_PARAM_ORCPT] = REPLY(501, 5, 5, 4,
	    "ORCPT takes type;address with the address in xtext"),
	[SMTP_CMD_PARAM_AUTH] = REPLY(501, 5, 5, 4,
	    "AUTH takes an address in xtext, or <>"),
};

static int
fail(enum smtp_cmd_error *error_r, enum smtp_cmd_error error)
{
	*error_r = error;
	return -1;
}

static int
parse_none(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r)
{
	return arg.n == 0 ? 0 : fail(error_r, SMTP_CMD_NO_ARGUMENT_ALLOWED);
}

static int
parse_text(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r)
{
	cmd->arg = arg;
	return 0;
}

/*
 * Many clients name themselves badly and are otherwise honest, so a bad name
 * is only marked (RFC 5321 4.1.4 forbids refusing on verification alone). Two
 * words or 8-bit octets are no name of anything.
 */
static int
parse_helo(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r)
{
	struct domain_literal lit;

	if (arg.n == 0 || arg.n > LIMIT_DOMAIN || slice_has(arg, ' ') ||
	    utf8_has_8bit(arg))
		return fail(error_r, SMTP_CMD_HELO_SYNTAX);
	cmd->arg = arg;
	cmd->is_domain =
	    domain_is_valid(arg) || domain_parse_literal(arg, &lit) == 0;
	return 0;
}

/* RFC 6531 3.7.4.2: "String [SP SMTPUTF8]"; the String may hold spaces in
 * practice ("VRFY Joe User"). */
static int
parse_vrfy(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r)
{
	const struct slice utf8 = SLICE(" SMTPUTF8");

	if (arg.n > utf8.n && (rules->params & SMTP_PARAM_SMTPUTF8) != 0 &&
	    slice_ieq(slice_from(arg, arg.n - utf8.n), utf8)) {
		cmd->is_utf8 = true;
		arg.n -= utf8.n;
	}
	if (arg.n == 0 || (utf8_has_8bit(arg) && !cmd->is_utf8))
		return fail(error_r, SMTP_CMD_VRFY_SYNTAX);
	cmd->arg = arg;
	return 0;
}

/* RFC 4422 3.1: at most 20 of A-Z, digits, hyphen and underscore. */
static bool
is_mechanism(struct slice s)
{
	size_t i;

	if (s.n == 0 || s.n > 20)
		return false;
	for (i = 0; i < s.n; i++)
		if (!ascii_is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
			return false;
	return true;
}

/* RFC 4954 4. Whether the base64 can be decoded is found by decoding it. */
static int
parse_auth(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r)
{
	if (!slice_split(&arg, ' ', &cmd->arg) || !is_mechanism(cmd->arg))
		return fail(error_r, SMTP_CMD_AUTH_SYNTAX);
	if (arg.p == NULL)
		return 0;
	if (arg.n == 0 || slice_has(arg, ' '))
		return fail(error_r, SMTP_CMD_AUTH_SYNTAX);
	cmd->has_initial = true;
	if (!slice_eq_str(arg, "="))
		cmd->initial = arg;
	return 0;
}

/* RFC 3030 2. */
static int
parse_bdat(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r)
{
	struct slice size;

	if (!slice_split(&arg, ' ', &size) ||
	    num_parse(size, 0, INT64_MAX, &cmd->bdat_size) < 0)
		return fail(error_r, SMTP_CMD_BDAT_SYNTAX);
	cmd->is_bdat_last = arg.p != NULL;
	if (cmd->is_bdat_last && !slice_ieq_str(arg, "LAST"))
		return fail(error_r, SMTP_CMD_BDAT_SYNTAX);
	return 0;
}

/* What differs between the paths of MAIL and RCPT. */
struct path_rule {
	struct slice keyword;
	enum smtp_cmd_error no_path;
	enum smtp_cmd_error bad_path[ADDRESS_NON_ASCII + 1];
};

static const struct path_rule sender_rule = {
	.keyword = { "FROM:", 5 },
	.no_path = SMTP_CMD_MAIL_SYNTAX,
	.bad_path = {
		[ADDRESS_SYNTAX] = SMTP_CMD_SENDER_SYNTAX,
		[ADDRESS_DOMAIN] = SMTP_CMD_SENDER_DOMAIN,
		[ADDRESS_TOO_LONG] = SMTP_CMD_SENDER_TOO_LONG,
		[ADDRESS_NON_ASCII] = SMTP_CMD_SENDER_NON_ASCII,
	},
};

static const struct path_rule recipient_rule = {
	.keyword = { "TO:", 3 },
	.no_path = SMTP_CMD_RCPT_SYNTAX,
	.bad_path = {
		[ADDRESS_SYNTAX] = SMTP_CMD_RECIPIENT_SYNTAX,
		[ADDRESS_DOMAIN] = SMTP_CMD_RECIPIENT_DOMAIN,
		[ADDRESS_TOO_LONG] = SMTP_CMD_RECIPIENT_TOO_LONG,
		[ADDRESS_NON_ASCII] = SMTP_CMD_RECIPIENT_NON_ASCII,
	},
};

/*
 * Takes "FROM:" or "TO:" and the path. Spaces between them are wrong and so
 * common that all servers let them pass.
 */
static int
take_path(struct slice *arg, const struct path_rule *rule, unsigned flags,
    struct address *a_r, enum smtp_cmd_error *error_r)
{
	enum address_error bad;

	if (!slice_has_iprefix(*arg, rule->keyword))
		return fail(error_r, rule->no_path);
	*arg = slice_from(*arg, rule->keyword.n);
	while (arg->n > 0 && arg->p[0] == ' ')
		*arg = slice_from(*arg, 1);
	if (arg->n == 0)
		return fail(error_r, rule->no_path);
	if (address_take_path(arg, flags, a_r, &bad) < 0)
		return fail(error_r, rule->bad_path[bad]);
	return 0;
}

static int
parse_mail(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r)
{
	struct smtp_mail *m = &cmd->mail;

	/* SMTPUTF8 comes behind the address that needs it. */
	if (take_path(&arg, &sender_rule, ADDRESS_NULL | ADDRESS_UTF8,
		&m->from, error_r) < 0 ||
	    smtp_param_parse_mail(arg, rules->params, m, error_r) < 0)
		return -1;
	if (m->from.is_utf8 && (m->given & SMTP_PARAM_SMTPUTF8) == 0)
		return fail(error_r, SMTP_CMD_SENDER_NON_ASCII);
	return 0;
}

static int
parse_rcpt(struct slice arg, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd, enum smtp_cmd_error *error_r)
{
	unsigned flags = ADDRESS_POSTMASTER;

	if (rules->is_utf8)
		flags |= ADDRESS_UTF8;
	if (take_path(&arg, &recipient_rule, flags, &cmd->rcpt.to, error_r) < 0)
		return -1;
	return smtp_param_parse_rcpt(arg, rules->params, &cmd->rcpt, error_r);
}

static bool
is_clean(struct slice line)
{
	size_t i;

	for (i = 0; i < line.n; i++)
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 127)
			return false;
	return utf8_is_valid(line);
}

static enum smtp_verb
find_verb(struct slice name)
{
	int v;

	for (v = 0; v < SMTP_VERBS; v++)
		if (slice_ieq_str(name, verbs[v].name))
			return (enum smtp_verb)v;
	return SMTP_VERBS;
}

int
smtp_cmd_parse(struct slice line, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd_r, enum smtp_cmd_error *error_r)
{
	struct slice name = SLICE_NONE;
	ptrdiff_t space;

	*cmd_r = (struct smtp_cmd){ .verb = SMTP_VERBS };
	while (line.n > 0 &&
	    (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	space = slice_chr(line, ' ');
	name = space < 0 ? line : slice_head(line, (size_t)space);
	cmd_r->verb = find_verb(name);
	if (cmd_r->verb == SMTP_VERBS)
		return fail(error_r,
		    is_clean(line) ? SMTP_CMD_UNKNOWN : SMTP_CMD_GARBAGE);
	/* BDAT's answer says more than "garbage" does: the end of all. */
	if (cmd_r->verb != SMTP_BDAT && !is_clean(line))
		return fail(error_r, SMTP_CMD_GARBAGE);
	return verbs[cmd_r->verb].parse(
	    space < 0 ? SLICE_NONE : slice_from(line, (size_t)space + 1), rules,
	    cmd_r, error_r);
}

const struct smtp_cmd_reply *
smtp_cmd_error_reply(enum smtp_cmd_error error)
{
	return &replies[error];
}

struct slice
smtp_verb_name(enum smtp_verb verb)
{
	return verb < SMTP_VERBS ? slice_str(verbs[verb].name) : SLICE("?");
}
