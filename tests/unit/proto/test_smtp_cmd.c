/* SPDX-License-Identifier: ISC */
#include "proto/smtp_cmd.h"

#include "tests/unit/unit.h"

#define A10 "aaaaaaaaaa"
#define A50 A10 A10 A10 A10 A10
#define A100 A50 A50

enum {
	ALL = SMTP_PARAM_SIZE | SMTP_PARAM_BODY | SMTP_PARAM_SMTPUTF8 |
	    SMTP_PARAM_DSN | SMTP_PARAM_AUTH,
	OK = SMTP_CMD_ERRORS,
};

static const struct smtp_cmd_rules rules = { .params = ALL };

/* error OK: it parses. */
static const struct {
	const char *line;
	enum smtp_verb verb;
	int error;
} cases[] = {
	{ "NOOP", SMTP_NOOP, OK },
	{ "noop  hello ", SMTP_NOOP, OK },
	{ "NoOp", SMTP_NOOP, OK },
	{ "NOOPS", SMTP_VERBS, SMTP_CMD_UNKNOWN },
	{ "NOO", SMTP_VERBS, SMTP_CMD_UNKNOWN },
	{ " NOOP", SMTP_VERBS, SMTP_CMD_UNKNOWN },
	{ "", SMTP_VERBS, SMTP_CMD_UNKNOWN },
	{ "GET / HTTP/1.1", SMTP_VERBS, SMTP_CMD_UNKNOWN },
	{ "\x16\x03\x01", SMTP_VERBS, SMTP_CMD_GARBAGE },
	{ "NOOP \x01", SMTP_NOOP, SMTP_CMD_GARBAGE },
	{ "NOOP a\tb", SMTP_NOOP, SMTP_CMD_GARBAGE },
	{ "NOOP \xff", SMTP_NOOP, SMTP_CMD_GARBAGE },
	{ "HELP mail", SMTP_HELP, OK },
	{ "RSET", SMTP_RSET, OK },
	{ "RSET  ", SMTP_RSET, OK },
	{ "RSET x", SMTP_RSET, SMTP_CMD_NO_ARGUMENT_ALLOWED },
	{ "DATA now", SMTP_DATA, SMTP_CMD_NO_ARGUMENT_ALLOWED },
	{ "QUIT", SMTP_QUIT, OK },
	{ "STARTTLS", SMTP_STARTTLS, OK },
	{ "STARTTLS x", SMTP_STARTTLS, SMTP_CMD_NO_ARGUMENT_ALLOWED },

	{ "HELO a.test", SMTP_HELO, OK },
	{ "EHLO [192.0.2.1]", SMTP_EHLO, OK },
	{ "LHLO a_b", SMTP_LHLO, OK },
	{ "EHLO", SMTP_EHLO, SMTP_CMD_HELO_SYNTAX },
	{ "EHLO a b", SMTP_EHLO, SMTP_CMD_HELO_SYNTAX },
	{ "EHLO b\xc3\xbc.test", SMTP_EHLO, SMTP_CMD_HELO_SYNTAX },

	{ "VRFY joe", SMTP_VRFY, OK },
	{ "VRFY j\xc3\xb6 SMTPUTF8", SMTP_VRFY, OK },
	{ "VRFY j\xc3\xb6", SMTP_VRFY, SMTP_CMD_VRFY_SYNTAX },
	{ "EXPN", SMTP_EXPN, SMTP_CMD_VRFY_SYNTAX },

	{ "AUTH PLAIN", SMTP_AUTH, OK },
	{ "AUTH PLAIN AGpvZQBz", SMTP_AUTH, OK },
	{ "AUTH EXTERNAL =", SMTP_AUTH, OK },
	{ "AUTH SCRAM-SHA-256-PLUS", SMTP_AUTH, OK },
	{ "AUTH", SMTP_AUTH, SMTP_CMD_AUTH_SYNTAX },
	{ "AUTH PLAIN a b", SMTP_AUTH, SMTP_CMD_AUTH_SYNTAX },
	{ "AUTH PLAIN  a", SMTP_AUTH, SMTP_CMD_AUTH_SYNTAX },
	{ "AUTH PLA!N", SMTP_AUTH, SMTP_CMD_AUTH_SYNTAX },
	{ "AUTH " A10 A10 "a", SMTP_AUTH, SMTP_CMD_AUTH_SYNTAX },

	{ "BDAT 0", SMTP_BDAT, OK },
	{ "BDAT 9223372036854775807 last", SMTP_BDAT, OK },
	{ "BDAT", SMTP_BDAT, SMTP_CMD_BDAT_SYNTAX },
	{ "BDAT -1", SMTP_BDAT, SMTP_CMD_BDAT_SYNTAX },
	{ "BDAT 1 MORE", SMTP_BDAT, SMTP_CMD_BDAT_SYNTAX },
	{ "BDAT 1 LAST LAST", SMTP_BDAT, SMTP_CMD_BDAT_SYNTAX },
	{ "BDAT 18446744073709551616", SMTP_BDAT, SMTP_CMD_BDAT_SYNTAX },
	{ "BDAT 1\x01", SMTP_BDAT, SMTP_CMD_BDAT_SYNTAX },

	{ "MAIL FROM:<>", SMTP_MAIL, OK },
	{ "mail from:<joe@a.test>", SMTP_MAIL, OK },
	{ "MAIL FROM: <joe@a.test> ", SMTP_MAIL, OK },
	{ "MAIL FROM:<@r.test:joe@a.test>", SMTP_MAIL, OK },
	{ "MAIL FROM:<j@a> SIZE=1 BODY=8bitmime SMTPUTF8 RET=FULL ENVID=x"
	  " AUTH=<>", SMTP_MAIL, OK },
	{ "MAIL FROM:<j\xc3\xb6@a> SMTPUTF8", SMTP_MAIL, OK },
	{ "MAIL", SMTP_MAIL, SMTP_CMD_MAIL_SYNTAX },
	{ "MAIL FROM", SMTP_MAIL, SMTP_CMD_MAIL_SYNTAX },
	{ "MAIL FROM:", SMTP_MAIL, SMTP_CMD_MAIL_SYNTAX },
	{ "MAIL TO:<j@a>", SMTP_MAIL, SMTP_CMD_MAIL_SYNTAX },
	{ "MAIL FROM :<j@a>", SMTP_MAIL, SMTP_CMD_MAIL_SYNTAX },
	{ "MAIL  FROM:<j@a>", SMTP_MAIL, SMTP_CMD_MAIL_SYNTAX },
	{ "MAIL FROM:j@a", SMTP_MAIL, SMTP_CMD_SENDER_SYNTAX },
	{ "MAIL FROM:<j>", SMTP_MAIL, SMTP_CMD_SENDER_SYNTAX },
	{ "MAIL FROM:<postmaster>", SMTP_MAIL, SMTP_CMD_SENDER_SYNTAX },
	{ "MAIL FROM:<j@a_b>", SMTP_MAIL, SMTP_CMD_SENDER_DOMAIN },
	{ "MAIL FROM:<" A100 A100 A100 "@a>", SMTP_MAIL,
	    SMTP_CMD_SENDER_TOO_LONG },
	{ "MAIL FROM:<j\xc3\xb6@a>", SMTP_MAIL, SMTP_CMD_SENDER_NON_ASCII },
	{ "MAIL FROM:<j@a>SIZE=1", SMTP_MAIL, SMTP_CMD_PARAM_SYNTAX },
	{ "MAIL FROM:<j@a>  SIZE=1", SMTP_MAIL, SMTP_CMD_PARAM_SYNTAX },
	{ "MAIL FROM:<j@a> SIZE=", SMTP_MAIL, SMTP_CMD_PARAM_SYNTAX },
	{ "MAIL FROM:<j@a> =1", SMTP_MAIL, SMTP_CMD_PARAM_SYNTAX },
	{ "MAIL FROM:<j@a> -X=1", SMTP_MAIL, SMTP_CMD_PARAM_SYNTAX },
	{ "MAIL FROM:<j@a> X=1=2", SMTP_MAIL, SMTP_CMD_PARAM_SYNTAX },
	{ "MAIL FROM:<j@a> X_Y", SMTP_MAIL, SMTP_CMD_PARAM_SYNTAX },
	{ "MAIL FROM:<j@a> XY", SMTP_MAIL, SMTP_CMD_PARAM_UNKNOWN },
	{ "MAIL FROM:<j@a> NOTIFY=NEVER", SMTP_MAIL, SMTP_CMD_PARAM_UNKNOWN },
	{ "MAIL FROM:<j@a> SIZE=1 size=1", SMTP_MAIL, SMTP_CMD_PARAM_TWICE },
	{ "MAIL FROM:<j@a> SIZE", SMTP_MAIL, SMTP_CMD_PARAM_SIZE },
	{ "MAIL FROM:<j@a> SIZE=-1", SMTP_MAIL, SMTP_CMD_PARAM_SIZE },
	{ "MAIL FROM:<j@a> SIZE=999999999999999999999", SMTP_MAIL,
	    SMTP_CMD_PARAM_SIZE },
	{ "MAIL FROM:<j@a> BODY=9BIT", SMTP_MAIL, SMTP_CMD_PARAM_BODY },
	{ "MAIL FROM:<j@a> BODY=BINARYMIME", SMTP_MAIL, SMTP_CMD_PARAM_BODY },
	{ "MAIL FROM:<j@a> SMTPUTF8=y", SMTP_MAIL, SMTP_CMD_PARAM_SMTPUTF8 },
	{ "MAIL FROM:<j@a> RET=ALL", SMTP_MAIL, SMTP_CMD_PARAM_RET },
	{ "MAIL FROM:<j@a> ENVID=" A100, SMTP_MAIL, OK },
	{ "MAIL FROM:<j@a> ENVID=" A100 "a", SMTP_MAIL, SMTP_CMD_PARAM_ENVID },
	{ "MAIL FROM:<j@a> ENVID=+0A", SMTP_MAIL, SMTP_CMD_PARAM_ENVID },
	{ "MAIL FROM:<j@a> ENVID=+", SMTP_MAIL, SMTP_CMD_PARAM_ENVID },
	{ "MAIL FROM:<j@a> AUTH=e+3Dmc2@a", SMTP_MAIL, OK },
	{ "MAIL FROM:<j@a> AUTH=e+mc2@a", SMTP_MAIL, SMTP_CMD_PARAM_AUTH },

	{ "RCPT TO:<joe@a.test>", SMTP_RCPT, OK },
	{ "RCPT to: <PostMaster>", SMTP_RCPT, OK },
	{ "RCPT TO:<j@a> NOTIFY=Success,DELAY ORCPT=rfc822;j+2Bx@a", SMTP_RCPT,
	    OK },
	{ "RCPT TO:<j@a> ORCPT=UTF-8;j\\x{F6}@a", SMTP_RCPT, OK },
	{ "RCPT TO:<j@a> ORCPT=utf-8;j\xc3\xb6@a", SMTP_RCPT, OK },
	{ "RCPT TO:<j@a> ORCPT=x-fax;123", SMTP_RCPT, OK },
	{ "RCPT FROM:<j@a>", SMTP_RCPT, SMTP_CMD_RCPT_SYNTAX },
	{ "RCPT TO:<>", SMTP_RCPT, SMTP_CMD_RECIPIENT_SYNTAX },
	{ "RCPT TO:<joe>", SMTP_RCPT, SMTP_CMD_RECIPIENT_SYNTAX },
	{ "RCPT TO:<j@[1.2.3]>", SMTP_RCPT, SMTP_CMD_RECIPIENT_DOMAIN },
	{ "RCPT TO:<j@" A100 A100 A100 ">", SMTP_RCPT,
	    SMTP_CMD_RECIPIENT_TOO_LONG },
	{ "RCPT TO:<j\xc3\xb6@a>", SMTP_RCPT, SMTP_CMD_RECIPIENT_NON_ASCII },
	{ "RCPT TO:<j@a> SIZE=1", SMTP_RCPT, SMTP_CMD_PARAM_UNKNOWN },
	{ "RCPT TO:<j@a> NOTIFY=NEVER NOTIFY=NEVER", SMTP_RCPT,
	    SMTP_CMD_PARAM_TWICE },
	{ "RCPT TO:<j@a> NOTIFY", SMTP_RCPT, SMTP_CMD_PARAM_NOTIFY },
	{ "RCPT TO:<j@a> NOTIFY=NEVER,DELAY", SMTP_RCPT,
	    SMTP_CMD_PARAM_NOTIFY },
	{ "RCPT TO:<j@a> NOTIFY=DELAY,", SMTP_RCPT, SMTP_CMD_PARAM_NOTIFY },
	{ "RCPT TO:<j@a> ORCPT=j@a", SMTP_RCPT, SMTP_CMD_PARAM_ORCPT },
	{ "RCPT TO:<j@a> ORCPT=;j@a", SMTP_RCPT, SMTP_CMD_PARAM_ORCPT },
	{ "RCPT TO:<j@a> ORCPT=rfc822;", SMTP_RCPT, SMTP_CMD_PARAM_ORCPT },
	{ "RCPT TO:<j@a> ORCPT=rfc822;j+0D+0A", SMTP_RCPT,
	    SMTP_CMD_PARAM_ORCPT },
	{ "RCPT TO:<j@a> ORCPT=rfc822;\xc3\xb6", SMTP_RCPT,
	    SMTP_CMD_PARAM_ORCPT },
	{ "RCPT TO:<j@a> ORCPT=utf-8;\\x{0A}", SMTP_RCPT,
	    SMTP_CMD_PARAM_ORCPT },
};

START_TEST(parse)
{
	struct slice in = guard_copy(slice_str(cases[_i].line));
	enum smtp_cmd_error error = SMTP_CMD_ERRORS;
	struct smtp_cmd cmd;
	int rc = smtp_cmd_parse(in, &rules, &cmd, &error);

	ck_assert_msg(cmd.verb == cases[_i].verb, "%s", cases[_i].line);
	ck_assert_msg((rc == 0) == (cases[_i].error == OK), "%s: %d",
	    cases[_i].line, (int)error);
	if (rc < 0)
		ck_assert_msg((int)error == cases[_i].error, "%s: %d",
		    cases[_i].line, (int)error);
}
END_TEST

static struct smtp_cmd
must_parse(const char *line, const struct smtp_cmd_rules *r)
{
	enum smtp_cmd_error error;
	struct smtp_cmd cmd;

	ck_assert_msg(smtp_cmd_parse(slice_str(line), r, &cmd, &error) == 0,
	    "%s", line);
	return cmd;
}

START_TEST(mail_fields)
{
	static const struct smtp_cmd_rules binary = { .params = ALL |
		    SMTP_PARAM_BINARYMIME };
	struct smtp_cmd c = must_parse("MAIL FROM:<j@A.test> SIZE=1000"
	    " BODY=BINARYMIME RET=hdrs ENVID=a+2Bb AUTH=joe+3D SMTPUTF8",
	    &binary);

	ck_slice_str(c.mail.from.local, "j");
	ck_slice_str(c.mail.from.domain, "A.test");
	ck_assert_uint_eq(c.mail.size, 1000);
	ck_assert_int_eq(c.mail.body, SMTP_BODY_BINARYMIME);
	ck_assert_int_eq(c.mail.ret, SMTP_RET_HDRS);
	ck_slice_str(c.mail.envid, "a+2Bb");
	ck_slice_str(c.mail.auth, "joe+3D");
	ck_assert_uint_eq(c.mail.given, SMTP_PARAM_SIZE | SMTP_PARAM_BODY |
	    SMTP_PARAM_RET | SMTP_PARAM_ENVID | SMTP_PARAM_AUTH |
	    SMTP_PARAM_SMTPUTF8);
	c = must_parse("MAIL FROM:<> SIZE=99999999999999999999", &rules);
	ck_assert(c.mail.size == UINT64_MAX);
	ck_assert(address_is_null(&c.mail.from));
}
END_TEST

START_TEST(rcpt_fields)
{
	static const struct smtp_cmd_rules utf8 = { .params = ALL,
		.is_utf8 = true };
	struct smtp_cmd c = must_parse("RCPT TO:<j@a> NOTIFY=SUCCESS,failure"
	    " ORCPT=RFC822;joe@b", &rules);

	ck_assert_uint_eq(c.rcpt.notify,
	    SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE);
	ck_slice_str(c.rcpt.orcpt_type, "RFC822");
	ck_slice_str(c.rcpt.orcpt, "joe@b");
	c = must_parse("RCPT TO:<postmaster>", &rules);
	ck_assert_uint_eq(c.rcpt.to.domain.n, 0);
	ck_assert_uint_eq(c.rcpt.given, 0);
	c = must_parse("RCPT TO:<j\xc3\xb6@b\xc3\xbc.test>", &utf8);
	ck_assert(c.rcpt.to.is_utf8);
}
END_TEST

START_TEST(other_fields)
{
	struct smtp_cmd c = must_parse("EHLO mx.a.test ", &rules);

	ck_slice_str(c.arg, "mx.a.test");
	ck_assert(c.is_domain);
	ck_assert(!must_parse("EHLO my_pc", &rules).is_domain);
	ck_assert(must_parse("EHLO [IPv6:::1]", &rules).is_domain);
	c = must_parse("AUTH EXTERNAL =", &rules);
	ck_slice_str(c.arg, "EXTERNAL");
	ck_assert(c.has_initial && c.initial.n == 0);
	c = must_parse("AUTH PLAIN AGo=", &rules);
	ck_slice_str(c.initial, "AGo=");
	ck_assert(!must_parse("AUTH PLAIN", &rules).has_initial);
	c = must_parse("BDAT 86 LAST", &rules);
	ck_assert(c.bdat_size == 86 && c.is_bdat_last);
	ck_assert(!must_parse("BDAT 86", &rules).is_bdat_last);
	c = must_parse("VRFY Joe User smtputf8", &rules);
	ck_slice_str(c.arg, "Joe User");
	ck_assert(c.is_utf8);
}
END_TEST

/* What is not offered is not known: RFC 5321 4.1.1.11. */
START_TEST(not_offered)
{
	static const struct smtp_cmd_rules none = { .params = 0 };
	static const char *const lines[] = { "MAIL FROM:<j@a> SIZE=1",
		"MAIL FROM:<j@a> SMTPUTF8", "MAIL FROM:<j@a> RET=FULL",
		"RCPT TO:<j@a> NOTIFY=NEVER" };
	enum smtp_cmd_error error;
	struct smtp_cmd cmd;
	size_t i;

	for (i = 0; i < sizeof lines / sizeof *lines; i++) {
		ck_assert_int_eq(smtp_cmd_parse(slice_str(lines[i]), &none,
		    &cmd, &error), -1);
		ck_assert_int_eq(error, SMTP_CMD_PARAM_UNKNOWN);
	}
	ck_assert_int_eq(smtp_cmd_parse(SLICE("VRFY \xc3\xb6 SMTPUTF8"), &none,
	    &cmd, &error), -1);
}
END_TEST

START_TEST(every_error_has_a_reply)
{
	const struct smtp_cmd_reply *r = smtp_cmd_error_reply(
	    (enum smtp_cmd_error)_i);
	int v;

	ck_assert_int_eq(r->code / 100, 5);
	ck_assert_int_eq(r->enhanced.class, 5);
	ck_assert_uint_gt(r->text.n, 5);
	ck_assert_uint_eq(r->text.n, slice_str(r->text.p).n);
	ck_assert_int_eq(r->is_fatal, _i == SMTP_CMD_BDAT_SYNTAX);
	for (v = 0; v < SMTP_VERBS; v++)
		ck_assert_uint_ge(smtp_verb_name((enum smtp_verb)v).n, 4);
}
END_TEST

UNIT_SUITE(smtp_cmd, {
	tcase_add_loop_test(tc, parse, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, mail_fields);
	tcase_add_test(tc, rcpt_fields);
	tcase_add_test(tc, other_fields);
	tcase_add_test(tc, not_offered);
	tcase_add_loop_test(tc, every_error_has_a_reply, 0, SMTP_CMD_ERRORS);
})
