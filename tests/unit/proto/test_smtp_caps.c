/* SPDX-License-Identifier: ISC */
#include "proto/smtp_caps.h"

#include "tests/unit/unit.h"

static const struct {
	const char *in;
	struct smtp_caps want;
} cases[] = {
	{ "", { .bits = 0 } },
	{ "mx.a.test", { .name = { "mx.a.test", 9 } } },
	/* The first line is never a keyword. */
	{ "STARTTLS", { .name = { "STARTTLS", 8 } } },
	{ "mx.a.test at your service\nPIPELINING\n8bitmime\nX-OTHER 1\n"
	  "CHUNKING\nBINARYMIME\nSMTPUTF8\nDSN\nSTARTTLS\nENHANCEDSTATUSCODES",
	    { .name = { "mx.a.test", 9 },
		.bits = SMTP_CAP_PIPELINING | SMTP_CAP_8BITMIME |
		    SMTP_CAP_CHUNKING | SMTP_CAP_BINARYMIME |
		    SMTP_CAP_SMTPUTF8 | SMTP_CAP_DSN | SMTP_CAP_STARTTLS |
		    SMTP_CAP_ENHANCEDSTATUSCODES } },
	{ "\nSIZE 35882577", { .bits = SMTP_CAP_SIZE, .size = 35882577 } },
	{ "\nSIZE", { .bits = SMTP_CAP_SIZE } },
	{ "\nSIZE x", { .bits = SMTP_CAP_SIZE } },
	{ "\nSIZE 99999999999999999999", { .bits = SMTP_CAP_SIZE } },
	{ "\nSIZES 1", { .bits = 0 } },
	{ "\nAUTH GSSAPI PLAIN scram-sha-256",
	    { .bits = SMTP_CAP_AUTH,
		.auth = SMTP_AUTH_PLAIN | SMTP_AUTH_SCRAM_SHA_256 } },
	{ "\nAUTH SCRAM-SHA-256-PLUS\nAUTH=LOGIN PLAIN",
	    { .bits = SMTP_CAP_AUTH,
		.auth = SMTP_AUTH_PLAIN | SMTP_AUTH_LOGIN |
		    SMTP_AUTH_SCRAM_SHA_256_PLUS } },
	{ "\nLIMITS RCPTMAX=20 mailmax=5 X=y Z",
	    { .bits = SMTP_CAP_LIMITS, .rcpt_max = 20, .mail_max = 5 } },
	{ "\nLIMITS RCPTDOMAINMAX=1",
	    { .bits = SMTP_CAP_LIMITS, .rcpt_domain_max = 1 } },
	{ "\nLIMITS RCPTMAX=0 MAILMAX=1000000", { .bits = SMTP_CAP_LIMITS } },
	{ "\nLIMITS RCPTMAX=020 MAILMAX=5",
	    { .bits = SMTP_CAP_LIMITS, .mail_max = 5 } },
	{ "\nLIMITS RCPTMAX=20 =5", { .bits = 0 } },
	{ "\nLIMITS RCPTMAX=20;MAILMAX=5", { .bits = 0 } },
	{ "\nLIMITS", { .bits = SMTP_CAP_LIMITS } },
};

START_TEST(parse)
{
	const struct smtp_caps *want = &cases[_i].want;
	struct smtp_caps got;

	smtp_caps_parse(guard_copy(slice_str(cases[_i].in)), &got);
	ck_assert_msg(got.bits == want->bits, "%d: %x", _i, got.bits);
	ck_slice_eq(got.name, want->name);
	ck_assert_uint_eq(got.auth, want->auth);
	ck_assert_uint_eq(got.size, want->size);
	ck_assert_uint_eq(got.mail_max, want->mail_max);
	ck_assert_uint_eq(got.rcpt_max, want->rcpt_max);
	ck_assert_uint_eq(got.rcpt_domain_max, want->rcpt_domain_max);
}
END_TEST

UNIT_SUITE(smtp_caps, {
	tcase_add_loop_test(tc, parse, 0, (int)(sizeof cases / sizeof *cases));
})
