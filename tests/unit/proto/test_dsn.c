/* SPDX-License-Identifier: ISC */
#include "proto/dsn.h"

#include "base/utf8.h"
#include "proto/header.h"
#include "tests/unit/unit.h"

#define LIT(lit) { "" lit, sizeof(lit) - 1 }
#define COMMON .to = LIT("ann@a.test"), FROM_US
#define FROM_US \
	.host = LIT("mx.a.test"), .id = LIT("4Dsn1"), \
	.date = { 1738829100, 60 }, .queue_id = LIT("4WxYz1"), .arrival = 1738825500

static const struct dsn_recipient failed[] = {
	{ .address = LIT("joe@b.test"), .orcpt_type = LIT("rfc822"),
	    .orcpt = LIT("Joe+2Bx@b.test"), .action = DSN_FAILED,
	    .status = { OUTCOME_FAILED, 550, { 5, 1, 1 },
		LIT("no\nsuch user") },
	    .remote_host = LIT("mx.b.test"), .remote_ip = LIT("192.0.2.1"),
	    .last_attempt = 1738829000 },
	{ .address = LIT("eve@c.test"), .action = DSN_FAILED,
	    .status = { OUTCOME_FAILED, 0, { 5, 4, 7 },
		LIT("given up after 5 days") },
	    .retry_until = 1738829000 },
};

static const struct dsn_recipient delayed[] = {
	{ .address = LIT("joe@b.test"), .action = DSN_DELAYED,
	    .status = { OUTCOME_LATER, 0, { 4, 4, 1 },
		LIT("connection refused") },
	    .retry_until = 1739261100 },
};

static const struct dsn_recipient relayed[] = {
	{ .address = LIT("joe@b.test"), .action = DSN_RELAYED,
	    .status = { OUTCOME_DONE, 250, { 2, 0, 0 }, LIT("ok") },
	    .remote_host = LIT("mx.b.test") },
};

static const struct dsn_recipient wide[] = {
	{ .address = LIT("j\xc3\xb6@b.test"), .orcpt_type = LIT("utf-8"),
	    .orcpt = LIT("j\\x{F6}@b.test"), .action = DSN_FAILED,
	    .status = { OUTCOME_FAILED, 550, { 5, 6, 7 },
		LIT("no \xc3\xb6 here") } },
};

static const struct dsn_recipient hostile[] = {
	{ .address = LIT("joe@b.test"), .orcpt_type = LIT("rfc822"),
	    .orcpt = LIT("x+0D+0AAction: delivered"), .action = DSN_FAILED,
	    .status = { OUTCOME_FAILED, 550, { 5, 0, 0 },
		LIT("a\r\n\r\n--=_veredus_4Dsn1\r\n\r\nAction: relayed\r\n") },
	    .remote_host = LIT("mx\r\nAction: relayed") },
};

#define HEAD_1 \
	"Date: Thu, 6 Feb 2025 09:05:00 +0100\r\n" \
	"From: Mail Delivery System <MAILER-DAEMON@mx.a.test>\r\n" \
	"To: <ann@a.test>\r\n"
#define HEAD_2 \
	"Message-ID: <4Dsn1@mx.a.test>\r\n" \
	"In-Reply-To: <1@a.test>\r\n" \
	"References: <1@a.test>\r\n" \
	"Auto-Submitted: auto-replied\r\n" \
	"MIME-Version: 1.0\r\n" \
	"Content-Type: multipart/report; report-type=delivery-status;\r\n" \
	"\tboundary=\"=_veredus_4Dsn1\"\r\n" \
	"\r\n" \
	"This is a MIME-encapsulated message.\r\n" \
	"\r\n" \
	"--=_veredus_4Dsn1\r\n"

START_TEST(whole)
{
	static const struct dsn d = { COMMON, .envid = LIT("QQ+2B1"),
		.message_id = LIT("<1@a.test>"),
		.received_from = LIT("pc.a.test"),
		.returned = DSN_RETURN_MESSAGE, .recipients = failed, .n = 2 };
	struct buf out;

	buf_init(&out, 10000);
	dsn_add_head(&out, &d);
	ck_slice_str(buf_slice(&out),
	    HEAD_1
	    "Subject: Your mail could not be delivered\r\n"
	    HEAD_2
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "This is the mail server mx.a.test.\r\n"
	    "\r\n"
	    "Your message could not be delivered to one or more recipients. It"
	    " will not be\r\n"
	    "tried again.\r\n"
	    "\r\n"
	    "<joe@b.test>\r\n"
	    "    There is no mailbox with this address. Please check it for a"
	    " typing\r\n"
	    "    mistake.\r\n"
	    "    The server mx.b.test [192.0.2.1] said:\r\n"
	    "        550 5.1.1 no such user\r\n"
	    "\r\n"
	    "<eve@c.test>\r\n"
	    "    The recipient's server could not be reached, or did not accept"
	    " the\r\n"
	    "    message, for so long that we gave up.\r\n"
	    "        given up after 5 days\r\n"
	    "\r\n"
	    "If you need help, write to the postmaster of the server above and"
	    " include this\r\n"
	    "report.\r\n"
	    "\r\n"
	    "--=_veredus_4Dsn1\r\n"
	    "Content-Type: message/delivery-status\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n"
	    "Original-Envelope-Id: QQ+1\r\n"
	    "Reporting-MTA: dns; mx.a.test\r\n"
	    "Received-From-MTA: dns; pc.a.test\r\n"
	    "Arrival-Date: Thu, 6 Feb 2025 08:05:00 +0100\r\n"
	    "X-Veredus-Queue-Id: 4WxYz1\r\n"
	    "\r\n"
	    "Original-Recipient: rfc822;Joe+x@b.test\r\n"
	    "Final-Recipient: rfc822;joe@b.test\r\n"
	    "Action: failed\r\n"
	    "Status: 5.1.1\r\n"
	    "Remote-MTA: dns; mx.b.test\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
	    "Last-Attempt-Date: Thu, 6 Feb 2025 09:03:20 +0100\r\n"
	    "\r\n"
	    "Final-Recipient: rfc822;eve@c.test\r\n"
	    "Action: failed\r\n"
	    "Status: 5.4.7\r\n"
	    "Diagnostic-Code: x-veredus; given up after 5 days\r\n"
	    "\r\n"
	    "--=_veredus_4Dsn1\r\n"
	    "Content-Type: message/rfc822\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n"
	    "\r\n");
	ck_assert(!dsn_is_smtputf8(&d) && !dsn_is_8bit(&d));
	buf_reset(&out);
	dsn_add_tail(&out, &d);
	ck_slice_str(buf_slice(&out), "\r\n--=_veredus_4Dsn1--\r\n");
	buf_fini(&out);
}
END_TEST

/* What must and must not stand in it. */
static const struct {
	const char *name;
	struct dsn d;
	enum dsn_return returned;
	bool is_8bit, is_smtputf8;
	const char *with[8], *without[5];
} cases[] = {
	{ "delayed", { COMMON, .recipients = delayed, .n = 1,
			 .returned = DSN_RETURN_MESSAGE },
	    DSN_RETURN_HEADER, false, false,
	    { "Subject: Your mail is delayed", "Action: delayed\r\n",
		"Will-Retry-Until: Tue, 11 Feb 2025 09:05:00 +0100\r\n",
		"tried until Tue, 11 Feb", "Content-Type: text/rfc822-headers",
		"could not be reached" },
	    { "Remote-MTA", "In-Reply-To", "Envelope-Id", "Last-Attempt" } },
	{ "relayed", { COMMON, .recipients = relayed, .n = 1 },
	    DSN_RETURN_NOTHING, false, false,
	    { "Subject: Your mail was passed on", "Action: relayed\r\n",
		"Status: 2.0.0\r\n" },
	    { "rfc822-headers", "message/rfc822" } },
	{ "UTF-8 recipient", { COMMON, .recipients = wide, .n = 1,
				 .returned = DSN_RETURN_MESSAGE,
				 .is_utf8 = true, .encoding = DSN_8BIT },
	    DSN_RETURN_MESSAGE, true, false,
	    { "charset=utf-8", "message/global-delivery-status",
		"Original-Recipient: utf-8;j\xc3\xb6@b.test\r\n",
		"Final-Recipient: utf-8;j\xc3\xb6@b.test\r\n",
		"Diagnostic-Code: smtp; 550 5.6.7 no ? here\r\n",
		"550 5.6.7 no \xc3\xb6 here", "Content-Type: message/global\r\n"
		"Content-Transfer-Encoding: 8bit\r\n" },
	    { "message/rfc822" } },
	{ "UTF-8 sender", { FROM_US, .recipients = relayed, .n = 1,
			      .to = LIT("\xc3\xb6@a.test"), .is_utf8 = true,
			      .returned = DSN_RETURN_HEADER,
			      .encoding = DSN_BASE64 },
	    DSN_RETURN_HEADER, true, true,
	    { "To: <\xc3\xb6@a.test>\r\n", "message/global-headers\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		"message/delivery-status" },
	    { "text/rfc822-headers" } },
	{ "hostile", { COMMON, .recipients = hostile, .n = 1,
			 .message_id = LIT("<a>\r\nBcc: <b>"),
			 .envid = LIT("+0D+0AX:y") },
	    DSN_RETURN_NOTHING, false, false, { "Action: failed\r\n" },
	    { "\r\nAction: relayed", "\r\nAction: delivered", "\r\nBcc",
		"\r\nX:y", "a\r\n" } },
};

START_TEST(parts)
{
	const struct dsn *d = &cases[_i].d;
	struct slice got;
	struct buf out;
	size_t k;

	buf_init(&out, 10000);
	dsn_add_head(&out, d);
	got = buf_slice(&out);
	ck_assert(buf_is_ok(&out));
	ck_assert_int_eq(dsn_returned(d), cases[_i].returned);
	ck_assert_int_eq(dsn_is_8bit(d), cases[_i].is_8bit);
	ck_assert_int_eq(dsn_is_smtputf8(d), cases[_i].is_smtputf8);
	for (k = 0; k < 8 && cases[_i].with[k] != NULL; k++)
		ck_assert_msg(slice_find(got, slice_str(cases[_i].with[k])) >=
		    0, "%s: %s not in:\n%s", cases[_i].name, cases[_i].with[k],
		    out.p);
	for (k = 0; k < 5 && cases[_i].without[k] != NULL; k++)
		ck_assert_msg(slice_find(got,
		    slice_str(cases[_i].without[k])) < 0, "%s: %s in:\n%s",
		    cases[_i].name, cases[_i].without[k], out.p);
	ck_assert(utf8_is_valid(got));
	ck_assert(cases[_i].is_8bit || !utf8_has_8bit(got));
	buf_fini(&out);
}
END_TEST

/* Whatever room there is, it ends in an error of the buf and nothing else. */
START_TEST(no_room)
{
	static const struct dsn d = { COMMON, .envid = LIT("QQ+2B1"),
		.returned = DSN_RETURN_MESSAGE, .recipients = failed, .n = 2 };
	struct buf out;
	size_t max, n;

	buf_init(&out, 10000);
	dsn_add_head(&out, &d);
	n = out.n;
	buf_fini(&out);
	for (max = 0; max < n; max += 7) {
		buf_init(&out, max);
		dsn_add_head(&out, &d);
		ck_assert(!buf_is_ok(&out) && out.n <= max);
		buf_fini(&out);
	}
}
END_TEST

UNIT_SUITE(dsn, {
	tcase_add_test(tc, whole);
	tcase_add_loop_test(tc, parts, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, no_room);
})
