/* SPDX-License-Identifier: ISC */
#include "proto/imap_write.h"

#include <string.h>

#include "proto/imap_mailbox.h"
#include "tests/unit/unit.h"

static const struct {
	void (*write)(struct buf *, struct slice, bool);
	struct slice in;
	bool utf8;
	const char *want;
} cases[] = {
	{ imap_write_string, { "", 0 }, false, "\"\"" },
	{ imap_write_string, { "a b", 3 }, false, "\"a b\"" },
	{ imap_write_string, { "a\"\\\t", 4 }, false, "\"a\\\"\\\\\t\"" },
	{ imap_write_string, { "a\r\nb", 4 }, false, "{4}\r\na\r\nb" },
	{ imap_write_string, { "\xc3\xa4", 2 }, false, "{2}\r\n\xc3\xa4" },
	{ imap_write_string, { "\xc3\xa4", 2 }, true, "\"\xc3\xa4\"" },
	{ imap_write_string, { "\xe4", 1 }, true, "{1}\r\n\xe4" },
	{ imap_write_string, { "a\0b", 3 }, true, "{3}\r\na?b" },
	{ imap_write_nstring, { NULL, 0 }, false, "NIL" },
	{ imap_write_nstring, { "", 0 }, false, "\"\"" },
	{ imap_write_nstring, { "NIL", 3 }, false, "\"NIL\"" },
	{ imap_write_astring, { "a]b", 3 }, false, "a]b" },
	{ imap_write_astring, { "", 0 }, false, "\"\"" },
	{ imap_write_astring, { "nil", 3 }, false, "\"nil\"" },
	{ imap_write_astring, { "a*", 2 }, false, "\"a*\"" },
	{ imap_write_astring, { "\xc3\xa4", 2 }, true, "\"\xc3\xa4\"" },
	{ imap_write_mailbox, { "INBOX", 5 }, false, "INBOX" },
	{ imap_write_mailbox, { "a/b", 3 }, false, "a/b" },
	{ imap_write_mailbox, { "a b", 3 }, false, "\"a b\"" },
	{ imap_write_mailbox, { "R&D", 3 }, false, "R&-D" },
	{ imap_write_mailbox, { "R&D", 3 }, true, "R&D" },
	{ imap_write_mailbox, { "\xc3\xa4", 2 }, false, "&AOQ-" },
	{ imap_write_mailbox, { "\xc3\xa4", 2 }, true, "\"\xc3\xa4\"" },
	{ imap_write_mailbox, { "\xc3\xa4 \"\xc3\xa4\\", 7 }, false,
	    "\"&AOQ- \\\"&AOQ-\\\\\"" },
	{ imap_write_mailbox, { "a%", 2 }, false, "\"a%\"" },
	{ imap_write_mailbox, { "\xe4", 1 }, false, "{1}\r\n\xe4" },
	{ imap_write_text, { "", 0 }, false, "." },
	{ imap_write_text, { "No\r\n* BYE", 9 }, false, "No  * BYE" },
	{ imap_write_text, { "\xc3\xa4", 2 }, false, "??" },
	{ imap_write_text, { "\xc3\xa4", 2 }, true, "\xc3\xa4" },
	{ imap_write_text, { "\xe4", 1 }, true, "?" },
};

START_TEST(write_one)
{
	struct slice in = cases[_i].in;
	struct buf out;

	buf_init(&out, 1000);
	if (in.p != NULL)
		in = guard_copy(in);
	cases[_i].write(&out, in, cases[_i].utf8);
	ck_slice_str(buf_slice(&out), cases[_i].want);
	buf_fini(&out);
}
END_TEST

/* What a client would read is what was written. */
START_TEST(reads_back)
{
	enum imap_mailbox_error error;
	struct region region;
	struct buf out, name;
	struct imap_cur c;
	struct slice s;

	if (cases[_i].write != imap_write_mailbox || cases[_i].in.n == 1)
		return;
	region_init(&region, 10000);
	buf_init(&out, 1000);
	buf_init(&name, 1000);
	imap_write_mailbox(&out, cases[_i].in, cases[_i].utf8);
	imap_cur_init(&c, buf_slice(&out), &region);
	ck_assert(imap_take_mailbox(&c, &s) == 0 && imap_is_end(&c));
	ck_assert(imap_mailbox_parse(&name, s,
	    cases[_i].utf8 ? IMAP_MAILBOX_IS_UTF8 : 0, &error) == 0);
	ck_slice_eq(buf_slice(&name), cases[_i].in);
	buf_fini(&out);
	buf_fini(&name);
	region_fini(&region);
}
END_TEST

START_TEST(flags)
{
	struct slice keywords[] = { SLICE("$Junk"), SLICE("a") };
	struct imap_flags f = { 0, keywords, 0 };
	struct buf out;

	buf_init(&out, 1000);
	imap_write_flags(&out, &f);
	f.n = 2;
	imap_write_flags(&out, &f);
	f.system = 63;
	imap_write_flags(&out, &f);
	ck_slice_str(buf_slice(&out), "()($Junk a)(\\Answered \\Flagged "
	    "\\Deleted \\Seen \\Draft \\Recent $Junk a)");
	buf_fini(&out);
}
END_TEST

START_TEST(long_and_no_room)
{
	static char text[1001];
	struct slice s = { text, sizeof text };
	struct buf out;

	memset(text, 'a', sizeof text);
	buf_init(&out, 1100);
	imap_write_string(&out, slice_head(s, 1000), false);
	ck_assert(out.n == 1002 && out.p[0] == '"');
	buf_reset(&out);
	imap_write_string(&out, s, false);
	ck_assert(slice_has_prefix(buf_slice(&out), SLICE("{1001}\r\naaa")));
	imap_write_string(&out, SLICE("a\0b"), false);
	imap_write_string(&out, s, false);
	ck_assert(!buf_is_ok(&out));
	text[3] = 0;
	imap_write_string(&out, s, false);
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(imap_write, {
	int n = (int)(sizeof cases / sizeof *cases);

	tcase_add_loop_test(tc, write_one, 0, n);
	tcase_add_loop_test(tc, reads_back, 0, n);
	tcase_add_test(tc, flags);
	tcase_add_test(tc, long_and_no_room);
})
