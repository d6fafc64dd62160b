/* SPDX-License-Identifier: ISC */
/*
 * The command lines that an SMTP, LMTP or submission server is sent: from a
 * framed line to a struct of views, checked as far as syntax goes. Whether the
 * command may run now is the session's to say. RFC 5321 4.1 and the RFCs of
 * the extensions.
 */
#ifndef PROTO_SMTP_CMD_H
#define PROTO_SMTP_CMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/address.h"
#include "proto/status.h"

enum smtp_verb {
	SMTP_AUTH,
	SMTP_BDAT,
	SMTP_DATA,
	SMTP_EHLO,
	SMTP_EXPN,
	SMTP_HELO,
	SMTP_HELP,
	SMTP_LHLO,
	SMTP_MAIL,
	SMTP_NOOP,
	SMTP_QUIT,
	SMTP_RCPT,
	SMTP_RSET,
	SMTP_STARTTLS,
	SMTP_VRFY,
	SMTP_VERBS /* how many there are */
};

/* The parameters of MAIL and RCPT: bits for what is offered, what was given. */
enum smtp_param {
	SMTP_PARAM_SIZE = 1 << 0,     /* RFC 1870 */
	SMTP_PARAM_BODY = 1 << 1,     /* RFC 6152, 3030 */
	SMTP_PARAM_SMTPUTF8 = 1 << 2, /* RFC 6531; also of VRFY and EXPN */
	SMTP_PARAM_RET = 1 << 3,      /* RFC 3461 */
	SMTP_PARAM_ENVID = 1 << 4,
	SMTP_PARAM_NOTIFY = 1 << 5,
	SMTP_PARAM_ORCPT = 1 << 6,
	SMTP_PARAM_AUTH = 1 << 7,	/* RFC 4954 */
	SMTP_PARAM_BINARYMIME = 1 << 8, /* offered only: BODY may say so */
	SMTP_PARAM_DSN = SMTP_PARAM_RET | SMTP_PARAM_ENVID | SMTP_PARAM_NOTIFY |
	    SMTP_PARAM_ORCPT,
};

enum smtp_body { SMTP_BODY_7BIT, SMTP_BODY_8BITMIME, SMTP_BODY_BINARYMIME };
enum smtp_ret { SMTP_RET_NONE, SMTP_RET_FULL, SMTP_RET_HDRS };

/* NEVER is a bit of its own: no bits at all is "not said". */
enum smtp_notify {
	SMTP_NOTIFY_NEVER = 1,
	SMTP_NOTIFY_SUCCESS = 2,
	SMTP_NOTIFY_FAILURE = 4,
	SMTP_NOTIFY_DELAY = 8,
};

struct smtp_mail {
	struct address from; /* null for <> */
	unsigned given;	     /* enum smtp_param */
	uint64_t size;	     /* 0 not said, UINT64_MAX: more than that */
	enum smtp_body body;
	enum smtp_ret ret;
	struct slice envid; /* xtext, valid, not decoded; 1 to 100 octets */
	struct slice auth;  /* xtext, valid, not decoded; "<>" for unknown */
};

struct smtp_rcpt {
	struct address to; /* the domain is empty for <postmaster> */
	unsigned given;
	unsigned notify;	 /* enum smtp_notify */
	struct slice orcpt_type; /* "rfc822", "utf-8" … */
	struct slice orcpt;	 /* not decoded; valid xtext, or unitext where
				  * the type is utf-8 */
};

struct smtp_cmd {
	enum smtp_verb verb;
	/*
	 * HELO EHLO LHLO: the name; VRFY EXPN: what is asked about; NOOP HELP:
	 * whatever was said; AUTH: the mechanism.
	 */
	struct slice arg;
	bool is_domain;	   /* HELO EHLO LHLO: a valid domain or literal */
	bool is_utf8;	   /* VRFY EXPN: SMTPUTF8 was given */
	bool has_initial;  /* AUTH: an initial response was given … */
	struct slice initial; /* … this, base64; empty for "=" */
	uint64_t bdat_size;
	bool is_bdat_last;
	struct smtp_mail mail;
	struct smtp_rcpt rcpt;
};

/* What the session offers and where it stands. */
struct smtp_cmd_rules {
	unsigned params; /* enum smtp_param: offered here; others are unknown */
	bool is_utf8;	 /* for RCPT: MAIL had SMTPUTF8 */
};

enum smtp_cmd_error {
	SMTP_CMD_UNKNOWN,
	SMTP_CMD_GARBAGE, /* controls, or octets that are not UTF-8 */
	SMTP_CMD_NO_ARGUMENT_ALLOWED,
	SMTP_CMD_HELO_SYNTAX,
	SMTP_CMD_MAIL_SYNTAX,
	SMTP_CMD_RCPT_SYNTAX,
	SMTP_CMD_VRFY_SYNTAX,
	SMTP_CMD_AUTH_SYNTAX,
	SMTP_CMD_BDAT_SYNTAX,
	SMTP_CMD_SENDER_SYNTAX,
	SMTP_CMD_SENDER_DOMAIN,
	SMTP_CMD_SENDER_TOO_LONG,
	SMTP_CMD_SENDER_NON_ASCII,
	SMTP_CMD_RECIPIENT_SYNTAX,
	SMTP_CMD_RECIPIENT_DOMAIN,
	SMTP_CMD_RECIPIENT_TOO_LONG,
	SMTP_CMD_RECIPIENT_NON_ASCII,
	SMTP_CMD_PARAM_SYNTAX,
	SMTP_CMD_PARAM_UNKNOWN,
	SMTP_CMD_PARAM_TWICE,
	SMTP_CMD_PARAM_SIZE,
	SMTP_CMD_PARAM_BODY,
	SMTP_CMD_PARAM_SMTPUTF8,
	SMTP_CMD_PARAM_RET,
	SMTP_CMD_PARAM_ENVID,
	SMTP_CMD_PARAM_NOTIFY,
	SMTP_CMD_PARAM_ORCPT,
	SMTP_CMD_PARAM_AUTH,
	SMTP_CMD_ERRORS /* how many there are */
};

struct smtp_cmd_reply {
	int code;
	struct enhanced enhanced;
	struct slice text; /* static, one line */
	bool is_fatal;	   /* the connection must be closed behind it */
};

/*
 * Parses one line without its CRLF. 0, or -1 with the reason in *error_r; then
 * *cmd_r says the verb if there was a known one, else SMTP_VERBS. All slices
 * are views into `line`.
 */
int smtp_cmd_parse(struct slice line, const struct smtp_cmd_rules *rules,
    struct smtp_cmd *cmd_r, enum smtp_cmd_error *error_r)
    __attribute__((warn_unused_result));
/* The reply that an error asks for. */
const struct smtp_cmd_reply *smtp_cmd_error_reply(enum smtp_cmd_error error);
/* "MAIL", for logs and replies. */
struct slice smtp_verb_name(enum smtp_verb verb);

#endif
