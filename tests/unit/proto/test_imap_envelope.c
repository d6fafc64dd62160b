/* SPDX-License-Identifier: ISC */
#include "proto/imap_envelope.h"

#include "tests/unit/unit.h"

#define AB "((NIL NIL \"a\" \"b\"))"

static const struct {
	const char *name, *in, *want;
} cases[] = {
	{ "nothing", "", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "RFC 3501 8",
	    "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
	    "From: Terry Gray <gray@cac.washington.edu>\r\n"
	    "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
	    "To: imap@cac.washington.edu\r\n"
	    "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
	    "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n",
	    "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
	    "\"IMAP4rev1 WG mtg summary and minutes\" "
	    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
	    "((NIL NIL \"imap\" \"cac.washington.edu\")) "
	    "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
	    "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
	    "\"<B27397-0100000@cac.washington.edu>\")" },
	{ "empty strings", "Date:\r\nSubject: \r\nIn-Reply-To:\r\n"
	    "Message-ID:\r\n",
	    "(\"\" \"\" NIL NIL NIL NIL NIL NIL \"\" \"\")" },
	{ "empty lists", "From:\r\nTo: \r\nCc: ,\r\nBcc: (x)\r\n",
	    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "sender and reply-to", "From: a@b\r\nSender: c@d\r\n"
	    "Reply-To: e@f\r\n",
	    "(NIL NIL " AB " ((NIL NIL \"c\" \"d\")) ((NIL NIL \"e\" \"f\")) "
	    "NIL NIL NIL NIL NIL)" },
	{ "empty sender and reply-to",
	    "Sender:\r\nReply-To: ,\r\nFrom: a@b\r\n",
	    "(NIL NIL " AB " " AB " " AB " NIL NIL NIL NIL NIL)" },
	{ "sender alone", "Sender: a@b\r\n",
	    "(NIL NIL NIL " AB " NIL NIL NIL NIL NIL NIL)" },
	{ "group and route", "To: G: a@b;, <@x,@y:a@b>\r\n",
	    "(NIL NIL NIL NIL NIL ((NIL NIL \"G\" NIL)(NIL NIL \"a\" \"b\")"
	    "(NIL NIL NIL NIL)(NIL \"@x,@y\" \"a\" \"b\")) NIL NIL NIL NIL)" },
	{ "missing parts", "To: root, J <>, @c\r\n",
	    "(NIL NIL NIL NIL NIL ((NIL NIL \"root\" \"MISSING_DOMAIN\")"
	    "(\"J\" NIL \"MISSING_MAILBOX\" \"MISSING_DOMAIN\")"
	    "(NIL NIL \"MISSING_MAILBOX\" \"c\")) NIL NIL NIL NIL)" },
	{ "repeated fields", "To: a@b\r\nSubject: 1\r\nTo: c@d\r\n"
	    "Subject: 2\r\n",
	    "(NIL \"1\" NIL NIL NIL ((NIL NIL \"a\" \"b\")"
	    "(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)" },
	{ "folded", "Subject: a\r\n b\r\n\tc\r\nIn-Reply-To: <a@b>\r\n <c@d>",
	    "(NIL \"a b\tc\" NIL NIL NIL NIL NIL NIL \"<a@b> <c@d>\" NIL)" },
	{ "8 bit", "Subject: \xc3\xa4\r\nFrom: \xc3\xb6 <a@b>\r\n",
	    "(NIL {2}\r\n\xc3\xa4 (({2}\r\n\xc3\xb6 NIL \"a\" \"b\")) "
	    "(({2}\r\n\xc3\xb6 NIL \"a\" \"b\")) "
	    "(({2}\r\n\xc3\xb6 NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)" },
	{ "quotes", "Subject: say \"hi\\\"\r\nFrom: \"a \\\"b\" <\"c d\"@e>\r\n"
	    "Sender: a@b\r\nReply-To: a@b\r\n",
	    "(NIL \"say \\\"hi\\\\\\\"\" "
	    "((\"a \\\"b\" NIL \"c d\" \"e\")) " AB " " AB
	    " NIL NIL NIL NIL NIL)" },
	{ "bare CR", "Subject: a\rb\r\n",
	    "(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)" },
	{ "LF and body", "Subject: a\n\nFrom: a@b\n",
	    "(NIL \"a\" NIL NIL NIL NIL NIL NIL NIL NIL)" },
};

START_TEST(write)
{
	struct slice in = guard_copy(slice_str(cases[_i].in));
	struct buf out, text;
	struct region r;

	region_init(&r, 10000);
	buf_init(&out, 10000);
	buf_init(&text, 10000);
	ck_assert_int_eq(imap_envelope_of_header(&out, in, &r, &text), 0);
	ck_slice_str(buf_slice(&out), cases[_i].want);
	buf_fini(&text);
	buf_fini(&out);
	region_fini(&r);
}
END_TEST

START_TEST(little_room)
{
	struct slice in = SLICE("Subject: a\r\nFrom: joe.doe@example.org\r\n");
	struct buf out, text;
	struct region r;

	region_init(&r, 10000);
	buf_init(&out, 20);
	buf_init(&text, 10000);
	ck_assert_int_eq(imap_envelope_of_header(&out, in, &r, &text), 0);
	ck_assert(!buf_is_ok(&out));
	buf_fini(&out);
	buf_fini(&text);
	buf_init(&out, 10000);
	buf_init(&text, 4);
	ck_assert_int_eq(imap_envelope_of_header(&out, in, &r, &text), 0);
	ck_assert(!buf_is_ok(&out));
	buf_reset(&out);
	imap_envelope_write(&out, NULL, &text);
	ck_slice_str(buf_slice(&out),
	    "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
	region_fini(&r);
	region_init(&r, 20);
	ck_assert_int_eq(imap_envelope_of_header(&out, in, &r, &text), -1);
	region_fini(&r);
	buf_fini(&text);
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(imap_envelope, {
	tcase_add_loop_test(tc, write, 0, (int)(sizeof cases / sizeof *cases));
	tcase_add_test(tc, little_room);
})
