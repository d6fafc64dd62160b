/* SPDX-License-Identifier: ISC */
#include "proto/imap_mailbox.h"

#include "tests/unit/unit.h"

enum { U = IMAP_MAILBOX_IS_UTF8, N = IMAP_MAILBOX_IS_NEW };

static const struct {
	const char *in;
	unsigned how;
	const char *want; /* NULL: the error */
	enum imap_mailbox_error error;
} names[] = {
	{ "a", 0, "a" },
	{ "a/b c", 0, "a/b c" },
	{ "inbox", 0, "INBOX" },
	{ "InBoX/sub", 0, "INBOX/sub" },
	{ "inboxes", 0, "inboxes" },
	{ "a/inbox", 0, "a/inbox" },
	{ "&AOQ-&-", 0, "\xc3\xa4&" },
	{ "&AOQ-&-", U, "&AOQ-&-" },
	{ "\xc3\xa4&", U, "\xc3\xa4&" },
	{ "\xc3\xa4", 0, NULL, IMAP_MAILBOX_EIGHT_BIT },
	{ "\xe4", U, NULL, IMAP_MAILBOX_UTF8 },
	{ "&", 0, NULL, IMAP_MAILBOX_UTF7 },
	{ "a\tb", 0, NULL, IMAP_MAILBOX_UTF7 },
	{ "a\tb", U, NULL, IMAP_MAILBOX_CONTROL },
	{ "&AAk-", 0, NULL, IMAP_MAILBOX_CONTROL },
	{ "a\x7f", U, NULL, IMAP_MAILBOX_CONTROL },
	{ "\xc2\x80", U, NULL, IMAP_MAILBOX_CONTROL },
	{ "\xc2\xa0", U, "\xc2\xa0" },
	{ "\xe2\x80\xa8", U, NULL, IMAP_MAILBOX_CONTROL },
	{ "\xe2\x80\xa7", U, "\xe2\x80\xa7" },
	{ "", 0, NULL, IMAP_MAILBOX_EMPTY },
	{ "/", 0, NULL, IMAP_MAILBOX_LEVEL },
	{ "/", N, NULL, IMAP_MAILBOX_EMPTY },
	{ "/a", 0, NULL, IMAP_MAILBOX_LEVEL },
	{ "a/", 0, NULL, IMAP_MAILBOX_LEVEL },
	{ "a/", N, "a" },
	{ "a//", N, NULL, IMAP_MAILBOX_LEVEL },
	{ "a//b", 0, NULL, IMAP_MAILBOX_LEVEL },
	{ "a*b", 0, "a*b" },
	{ "a*b", N, NULL, IMAP_MAILBOX_WILDCARD },
	{ "100%", N, NULL, IMAP_MAILBOX_WILDCARD },
	{ "inbox/", N, "INBOX" },
};

static const struct {
	const char *name, *folder;
	enum imap_mailbox_error error; /* of to_folder; NONE: both ways */
} folders[] = {
	{ "INBOX", "", IMAP_MAILBOX_FOLDER },
	{ "a", ".a", 0 },
	{ "a/b c/d", ".a.b c.d", 0 },
	{ "INBOX/a", ".INBOX.a", 0 },
	{ "a/INBOX", ".a.INBOX", 0 },
	{ "Entw\xc3\xbcrfe/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
	    ".Entw&APw-rfe.&ZeVnLIqe-", 0 },
	{ "R&D", ".R&-D", 0 },
	{ "a.b", NULL, IMAP_MAILBOX_DOT },
	{ "..", NULL, IMAP_MAILBOX_DOT },
	{ "a/", NULL, IMAP_MAILBOX_LEVEL },
	{ "", NULL, IMAP_MAILBOX_EMPTY },
};

static const char *const no_folders[] = { "", ".", "..", "a", ".a.", "..a",
	".a..b", ".a/b", ".&", ".\xc3\xa4", ".INBOX", ".inbox", ".inbox.a",
	".Inbox.b", ".&AAk-", ".&AGE-" };

static const struct {
	const char *pattern, *name;
	bool want;
} matches[] = {
	{ "*", "a/b", true },
	{ "%", "a", true },
	{ "%", "a/b", false },
	{ "", "", true },
	{ "", "a", false },
	{ "*", "", true },
	{ "a", "a", true },
	{ "a", "A", false },
	{ "a", "ab", false },
	{ "ab", "a", false },
	{ "%/%", "a/b", true },
	{ "%/%", "a", false },
	{ "%/%", "a/b/c", false },
	{ "a/%", "a/b", true },
	{ "a/%", "a/b/c", false },
	{ "a/*", "a/b/c", true },
	{ "a/*", "a", false },
	{ "a*", "a", true },
	{ "*c", "a/b/c", true },
	{ "*b%", "a/b/c", false },
	{ "*b%", "a/b/bc", true },
	{ "%*", "a/b", true },
	{ "*%", "a/b", true },
	{ "*a%b*", "xxa/bxa/ayb", true },
	{ "%b", "aab", true },
	{ "%a%b", "a/ab", false },
	{ "%\xc3\xa4", "a\xc3\xa4", true },
	{ "inbox", "INBOX", true },
	{ "inb%", "INBOX", true },
	{ "%box/x", "INBOX/x", true },
	{ "%box/X", "INBOX/x", false },
	{ "inbox", "INBOXES", false },
};

START_TEST(parse)
{
	struct slice in = slice_str(names[_i].in);
	enum imap_mailbox_error error = IMAP_MAILBOX_NONE;
	struct buf out;
	size_t k;
	int n = 0;

	buf_init(&out, 2000);
	for (k = 0; k <= in.n; k++)
		n = imap_mailbox_parse(&out, guard_copy(slice_head(in, k)),
		    names[_i].how, &error);
	if (names[_i].want == NULL) {
		ck_assert_msg(n < 0 && error == names[_i].error, "%s: %s",
		    names[_i].in, imap_mailbox_error_text(error));
	} else {
		ck_assert_msg(n == 0, "%s: %s", names[_i].in,
		    imap_mailbox_error_text(error));
		ck_slice_str(buf_slice(&out), names[_i].want);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(folder)
{
	struct slice name = guard_copy(slice_str(folders[_i].name));
	enum imap_mailbox_error error = IMAP_MAILBOX_NONE;
	struct buf out;
	int n;

	buf_init(&out, 2000);
	n = imap_mailbox_to_folder(&out, name, &error);
	if (folders[_i].folder == NULL) {
		ck_assert(n < 0 && error == folders[_i].error);
	} else {
		ck_assert(n == 0);
		ck_slice_str(buf_slice(&out), folders[_i].folder);
		n = imap_mailbox_from_folder(&out,
		    guard_copy(slice_str(folders[_i].folder)), &error);
		ck_assert(error == folders[_i].error);
		if (n == 0)
			ck_slice_eq(buf_slice(&out), name);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(no_folder)
{
	enum imap_mailbox_error error;
	struct buf out;

	buf_init(&out, 2000);
	ck_assert_msg(imap_mailbox_from_folder(&out,
	    guard_copy(slice_str(no_folders[_i])), &error) < 0, "%s",
	    no_folders[_i]);
	buf_fini(&out);
}
END_TEST

START_TEST(too_long)
{
	enum imap_mailbox_error error;
	struct buf in, out;
	int i;

	buf_init(&in, 2000);
	buf_init(&out, 2000);
	for (i = 0; i < 254; i++)
		buf_add_char(&in, 'a');
	ck_assert(imap_mailbox_to_folder(&out, buf_slice(&in), &error) == 0);
	buf_add_char(&in, 'a');
	ck_assert(imap_mailbox_to_folder(&out, buf_slice(&in), &error) < 0);
	ck_assert(error == IMAP_MAILBOX_LONG);
	for (i = 255; i < 1024; i++)
		buf_add_char(&in, 'a');
	ck_assert(imap_mailbox_parse(&out, buf_slice(&in), 0, &error) == 0);
	buf_add_char(&in, 'a');
	ck_assert(imap_mailbox_parse(&out, buf_slice(&in), 0, &error) < 0);
	ck_assert(error == IMAP_MAILBOX_LONG);
	buf_fini(&in);
	buf_fini(&out);
}
END_TEST

START_TEST(match)
{
	ck_assert_msg(imap_mailbox_matches(
	    guard_copy(slice_str(matches[_i].pattern)),
	    guard_copy(slice_str(matches[_i].name))) == matches[_i].want,
	    "%s %s", matches[_i].pattern, matches[_i].name);
}
END_TEST

/* What would take a backtracking matcher for ever. */
START_TEST(nasty_patterns)
{
	struct buf name, pattern;
	int i;

	buf_init(&name, 2000);
	buf_init(&pattern, 2000);
	for (i = 0; i < 1000; i++)
		buf_add_char(&name, 'a');
	for (i = 0; i < 500; i++)
		buf_add_str(&pattern, i % 2 == 0 ? "*a" : "%a");
	ck_assert(imap_mailbox_matches(buf_slice(&pattern), buf_slice(&name)));
	buf_add_char(&pattern, 'b');
	ck_assert(!imap_mailbox_matches(buf_slice(&pattern),
	    buf_slice(&name)));
	for (i = 0; i < 30; i++)
		buf_add_char(&pattern, '*');
	ck_assert(!imap_mailbox_matches(buf_slice(&pattern),
	    buf_slice(&name)));
	buf_fini(&name);
	buf_fini(&pattern);
}
END_TEST

START_TEST(pattern)
{
	enum imap_mailbox_error error;
	struct buf out;

	buf_init(&out, 2000);
	ck_assert(imap_mailbox_pattern(&out, SLICE("a/"), SLICE("&AOQ-*"), 0,
	    &error) == 0);
	ck_slice_str(buf_slice(&out), "a/\xc3\xa4*");
	ck_assert(imap_mailbox_pattern(&out, SLICE(""), SLICE("&AOQ-"), U,
	    &error) == 0);
	ck_slice_str(buf_slice(&out), "&AOQ-");
	ck_assert(imap_mailbox_pattern(&out, SLICE(""), SLICE("&A%"), 0,
	    &error) < 0);
	buf_fini(&out);
}
END_TEST

START_TEST(every_error_has_a_sentence)
{
	int i;

	for (i = 0; i < IMAP_MAILBOX_ERROR_COUNT; i++)
		ck_assert(slice_has_suffix(slice_str(imap_mailbox_error_text(
		    (enum imap_mailbox_error)i)), SLICE(".")));
	ck_assert_ptr_nonnull(imap_mailbox_error_text(
	    IMAP_MAILBOX_ERROR_COUNT));
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof *(a))

UNIT_SUITE(imap_mailbox, {
	tcase_add_loop_test(tc, parse, 0, COUNT(names));
	tcase_add_loop_test(tc, folder, 0, COUNT(folders));
	tcase_add_loop_test(tc, no_folder, 0, COUNT(no_folders));
	tcase_add_test(tc, too_long);
	tcase_add_loop_test(tc, match, 0, COUNT(matches));
	tcase_add_test(tc, nasty_patterns);
	tcase_add_test(tc, pattern);
	tcase_add_test(tc, every_error_has_a_sentence);
})
