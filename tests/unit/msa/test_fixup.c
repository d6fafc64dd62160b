/* SPDX-License-Identifier: ISC */
/* Headers as users' programs send them, and what they become. */
#include "msa/fixup.h"

#include <string.h>

#include "proto/limits.h"
#include "tests/unit/unit.h"

#define DATE "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"
#define ID "Message-ID: <q1@mx.test>\r\n"
#define FROM "From: <joe@example.test>\r\n"
#define ALL DATE ID

/* owned: addresses to be asked for, a blank between. */
static const struct {
	const char *name, *in, *want, *owned;
	enum fixup_error why;
} rows[] = {
	{ "complete", "Date: x\r\nMessage-ID: <a>\r\nFrom: a@b.test\r\n\r\n",
	    "Date: x\r\nMessage-ID: <a>\r\nFrom: a@b.test\r\n\r\n",
	    "a@b.test", FIXUP_FINE },
	{ "nothing", "\r\n", ALL FROM "\r\n", "", FIXUP_FINE },
	{ "no blank line", "Subject: x\r\n", "Subject: x\r\n" ALL FROM, "",
	    FIXUP_FINE },
	{ "names in any case", "DATE: x\r\nmessage-id: <a>\r\nfRoM: a@b.test"
	    "\r\n\r\n", "DATE: x\r\nmessage-id: <a>\r\nfRoM: a@b.test\r\n\r\n",
	    "a@b.test", FIXUP_FINE },
	{ "blanks before the colon", "Date : x\r\nBcc\t: a@b.test\r\n\r\n",
	    "Date : x\r\n" ID FROM "\r\n", "", FIXUP_FINE },
	{ "Bcc goes, folded too", "Bcc: a@b.test,\r\n c@d.test\r\n"
	    "Subject: x\r\nbcc:\r\nResent-Bcc: x\r\n\r\n",
	    "Subject: x\r\n" ALL FROM "\r\n", "", FIXUP_FINE },
	{ "Return-Path goes", "Return-Path: <a@b.test>\r\n\r\n",
	    ALL FROM "\r\n", "", FIXUP_FINE },
	{ "first line of a mail folder", "From joe Thu Jan  1\r\n"
	    "Subject: x\r\n\r\n", "Subject: x\r\n" ALL FROM "\r\n", "",
	    FIXUP_FINE },
	{ "no header at all", "hello world\r\n", ALL FROM "#hello world\r\n",
	    "", FIXUP_FINE },
	{ "a line that is no field", "Subject: x\r\nhello world\r\n",
	    "Subject: x\r\n" ALL FROM "#hello world\r\n", "", FIXUP_FINE },
	{ "names and comments", "From: \"Joe, the\" <Joe@B.test> (me)\r\n"
	    "\r\n", "From: \"Joe, the\" <Joe@B.test> (me)\r\n" ALL "\r\n",
	    "Joe@b.test", FIXUP_FINE },
	{ "comments that look like addresses", "From: a@b.test (c@d.test)\r\n"
	    "\r\n", "From: a@b.test (c@d.test)\r\n" ALL "\r\n", "a@b.test",
	    FIXUP_FINE },
	{ "names that look like addresses",
	    "From: \"c@d.test\" <a@b.test>\r\n\r\n",
	    "From: \"c@d.test\" <a@b.test>\r\n" ALL "\r\n", "a@b.test",
	    FIXUP_FINE },
	{ "quoted", "From: \"a b\"@c.test\r\n\r\n",
	    "From: \"a b\"@c.test\r\n" ALL "\r\n", "\"a b\"@c.test",
	    FIXUP_FINE },
	{ "quoted needlessly", "From: \"ab\"@c.test\r\n\r\n",
	    "From: \"ab\"@c.test\r\n" ALL "\r\n", "ab@c.test", FIXUP_FINE },
	{ "folded", "From: Joe\r\n <a@b.test>\r\n\r\n",
	    "From: Joe\r\n <a@b.test>\r\n" ALL "\r\n", "a@b.test",
	    FIXUP_FINE },
	{ "several authors get a Sender", "From: a@b.test, c@d.test\r\n\r\n",
	    "From: a@b.test, c@d.test\r\n" ALL
	    "Sender: <joe@example.test>\r\n\r\n", "a@b.test c@d.test",
	    FIXUP_FINE },
	{ "several authors and a Sender",
	    "Sender: e@f.test\r\nFrom: a@b.test, c@d.test\r\n\r\n",
	    "Sender: e@f.test\r\nFrom: a@b.test, c@d.test\r\n" ALL "\r\n",
	    "e@f.test a@b.test c@d.test", FIXUP_FINE },
	{ "an author and a Sender",
	    "From: a@b.test\r\nSender: e@f.test\r\n\r\n",
	    "From: a@b.test\r\nSender: e@f.test\r\n" ALL "\r\n",
	    "a@b.test e@f.test", FIXUP_FINE },
	{ "a group", "From: us: a@b.test, c@d.test;\r\n\r\n",
	    "From: us: a@b.test, c@d.test;\r\n" ALL
	    "Sender: <joe@example.test>\r\n\r\n", "a@b.test c@d.test",
	    FIXUP_FINE },
	{ "From twice", "From: a@b.test\r\nfrom: c@d.test\r\n\r\n", "", "",
	    FIXUP_TWICE },
	{ "Sender twice", "Sender: a@b.test\r\nSender: a@b.test\r\n", "", "",
	    FIXUP_TWICE },
	{ "Date twice", "Date: a\r\nDate: a\r\n\r\n", "", "", FIXUP_TWICE },
	{ "From empty", "From:\r\n\r\n", "", "", FIXUP_NO_ADDRESS },
	{ "From without address", "From: Joe\r\n\r\n", "", "",
	    FIXUP_NO_ADDRESS },
	{ "From with an empty group", "From: us:;\r\n\r\n", "", "",
	    FIXUP_NO_ADDRESS },
	{ "From with a bad domain", "From: a@b_c..d\r\n\r\n", "", "",
	    FIXUP_NO_ADDRESS },
	{ "too many authors", "From: a@a.b,a@a.b,a@a.b,a@a.b,a@a.b,a@a.b,"
	    "a@a.b,a@a.b,a@a.b,a@a.b,a@a.b\r\n\r\n", "", "",
	    FIXUP_TOO_MANY },
};

/* As letter.c does it; `#` where a blank line is to be added. */
static enum fixup_error
run(struct slice in, struct buf *out, struct buf *owned)
{
	const struct fixup_facts facts = { .address =
		SLICE("joe@example.test"), .id = SLICE("q1"),
		.host = SLICE("mx.test"), .now = { 0, 0 } };
	enum fixup_verdict verdict = FIXUP_KEEP;
	struct header_field h;
	struct fixup f;
	size_t i;
	ssize_t n;

	fixup_init(&f);
	while (verdict != FIXUP_REFUSE && verdict != FIXUP_BODY &&
	    (n = header_scan(in, true, &h)) > 0 && h.kind != HEADER_END) {
		in = slice_from(in, (size_t)n);
		verdict = fixup_field(&f, &h);
		if (verdict == FIXUP_KEEP)
			buf_add_slice(out, h.raw);
	}
	if (verdict != FIXUP_REFUSE)
		fixup_end(&f, &facts, out);
	if (verdict == FIXUP_BODY) {
		buf_add_char(out, '#');
		buf_add_slice(out, h.raw);
	}
	buf_add_slice(out, in);
	buf_add_slice(owned, buf_slice(&f.owned));
	for (i = 0; i < owned->n; i++)
		if (owned->p[i] == '\n')
			owned->p[i] = ' ';
	if (owned->n > 0)
		buf_cut(owned, owned->n - 1);
	verdict = (enum fixup_verdict)f.why;
	fixup_fini(&f);
	return (enum fixup_error)verdict;
}

START_TEST(headers)
{
	struct buf out, owned;
	enum fixup_error why;

	buf_init(&out, 1 << 16);
	buf_init(&owned, 1 << 16);
	why = run(guard_copy(slice_str(rows[_i].in)), &out, &owned);
	ck_assert_msg(why == rows[_i].why, "%s: error %d", rows[_i].name,
	    why);
	if (why == FIXUP_FINE) {
		ck_assert_msg(slice_eq_str(buf_slice(&out), rows[_i].want),
		    "%s: got\n%s", rows[_i].name, out.p);
		ck_assert_msg(slice_eq_str(buf_slice(&owned), rows[_i].owned),
		    "%s: owned %s", rows[_i].name, owned.p);
	}
	buf_fini(&out);
	buf_fini(&owned);
}
END_TEST

UNIT_SUITE(fixup, {
	tcase_add_loop_test(tc, headers, 0,
	    (int)(sizeof rows / sizeof *rows));
})
