/* SPDX-License-Identifier: ISC */
/* The small pure parts: names, letters, recovery lists, foreign files. */
#include "mda/folder.h"

#include <string.h>

#include "mda/foreign.h"
#include "mda/letters.h"
#include "mda/mailbox.h"
#include "mda/uidlist.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name, *folder;
} both[] = {
	{ "INBOX", "" },
	{ "a", ".a" },
	{ "a/b c/d", ".a.b c.d" },
	{ "R&D", ".R&-D" },
	{ "Entw\xc3\xbcrfe", ".Entw&APw-rfe" },
	{ "\xe5\x8f\xb0\xe5\x8c\x97", ".&U,BTFw-" },
	{ "\xf0\x9f\x93\xa7", ".&2D3c5w-" },
	{ "a.b", ".a&AC4-b" },
	{ "veredus", ".&AHY-eredus" },
	{ "x/veredus", ".x.veredus" },
	{ "INBOX/x", ".INBOX.x" },
};

START_TEST(names)
{
	struct buf b;

	buf_init(&b, 1000);
	ck_assert_int_eq(folder_from_name(&b, guard_copy(
		slice_str(both[_i].name))), 0);
	ck_slice_str(buf_slice(&b), both[_i].folder);
	buf_reset(&b);
	ck_assert_int_eq(folder_to_name(&b, guard_copy(
		slice_str(both[_i].folder))), 0);
	ck_slice_str(buf_slice(&b), both[_i].name);
	buf_fini(&b);
}
END_TEST

START_TEST(other_folders)
{
	static const struct {
		const char *folder, *name;
	} cases[] = {
		{ ".a..b", NULL },
		{ ".", NULL },
		{ ".a.", NULL },
		{ "a", NULL },
		{ ".\x01", NULL },
		{ ".\xff", NULL },
		{ ".&bad", "&bad" },          /* as it stands */
		{ ".a&AC8-b", "a&AC8-b" },    /* an encoded separator */
		{ ".\xc3\xbc", "\xc3\xbc" },  /* a server set to UTF-8 */
		{ ".&2D3c-", "&2D3c-" },
	};
	struct buf b;
	size_t i;
	int rc;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		buf_init(&b, 1000);
		rc = folder_to_name(&b, slice_str(cases[i].folder));
		ck_assert_msg(rc == (cases[i].name == NULL ? -1 : 0),
		    "%zu", i);
		if (cases[i].name != NULL)
			ck_slice_str(buf_slice(&b), cases[i].name);
		buf_fini(&b);
	}
}
END_TEST

START_TEST(faults)
{
	static const struct {
		const char *name;
		bool ok;
	} cases[] = {
		{ "a", true }, { "", false }, { "/a", false },
		{ "a/", false }, { "a//b", false }, { "a*", false },
		{ "\x7f", false }, { "\xc2\x80", false },
		{ "\xe2\x80\xa8", false }, { "\xc3\xbc", true },
		{ "\xc3", false },
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_msg((folder_name_fault(slice_str(cases[i].name)) ==
			NULL) == cases[i].ok, "%zu", i);
}
END_TEST

START_TEST(letters)
{
	struct buf b;
	uint32_t l;

	buf_init(&b, 100);
	l = letters_parse(SLICE("SFaz?"));
	letters_put(&b, l);
	ck_slice_str(buf_slice(&b), "FSaz");
	ck_assert_uint_eq(letters_flags(l), FLAG_SEEN | FLAG_FLAGGED);
	ck_assert_uint_eq(letters_keywords(l), 1 | 1 << 25);
	ck_assert_uint_eq(letters_from_flags(FLAG_SEEN | FLAG_FLAGGED,
		1 | 1 << 25 | 1ULL << 40), l);
	buf_reset(&b);
	letters_put(&b, letters_from_flags(31, 0));
	ck_slice_str(buf_slice(&b), "DFRST");
	buf_fini(&b);
}
END_TEST

START_TEST(uidlist)
{
	struct uidlist_head h;
	struct uidlist_line l;
	struct slice text;
	struct buf b;

	buf_init(&b, 1000);
	uidlist_head(&b, 5, 1000);
	uidlist_keyword(&b, 0, SLICE("Work"));
	uidlist_message(&b, 7, 0x11, SLICE("1.a b,S=2"));
	buf_add_str(&b, "U 8 0 torn 1234");
	buf_add_char(&b, '\n');
	uidlist_keywords(&b, 7, 1);
	uidlist_reserved(&b, 2000);
	uidlist_number(&b, 12);
	uidlist_mailbox(&b, 3, SLICE("a/b"));
	buf_add_str(&b, "U 9 0 cut");
	text = guard_copy(buf_slice(&b));
	ck_assert_int_eq(uidlist_read_head(&text, &h), 0);
	ck_assert_uint_eq(h.uidvalidity, 5);
	ck_assert_uint_eq(h.reserved, 1000);
	ck_assert(uidlist_read_line(&text, &l));
	ck_assert_int_eq(l.kind, 'W');
	ck_slice_str(l.text, "Work");
	ck_assert(uidlist_read_line(&text, &l));
	ck_assert_int_eq(l.kind, 'U');
	ck_assert_uint_eq(l.number, 7);
	ck_assert_uint_eq(l.keywords, 0x11);
	ck_slice_str(l.text, "1.a b,S=2");
	ck_assert(uidlist_read_line(&text, &l));
	ck_assert_int_eq(l.kind, 'K');
	ck_assert_uint_eq(l.keywords, 1);
	ck_assert(uidlist_read_line(&text, &l));
	ck_assert_int_eq(l.kind, 'N');
	ck_assert_uint_eq(l.number, 2000);
	ck_assert(uidlist_read_line(&text, &l));
	ck_assert_int_eq(l.kind, 'I');
	ck_assert_uint_eq(l.number, 12);
	ck_assert(uidlist_read_line(&text, &l));
	ck_assert_int_eq(l.kind, 'A');
	ck_assert(!uidlist_read_line(&text, &l));
	text = SLICE("veredus-list 1 5 1000 00000000\n");
	ck_assert_int_eq(uidlist_read_head(&text, &h), -1);
	buf_fini(&b);
}
END_TEST

START_TEST(foreign)
{
	static const struct {
		const char *text;
		uint32_t validity, next, uid;
		const char *id;
	} cases[] = {
		{ "3 V10 N20 Gff\n5 W3 :a.b,S=2\n", 10, 20, 5, "a.b,S=2" },
		{ "3 N20 V10\n\n\n6 :a.b:2,S\n", 10, 20, 6, "a.b" },
		{ "1 10 20\n5 a.b\n", 10, 20, 5, "a.b" },
		{ "3 V10\n0 :x\n9 :y\n", 10, 0, 9, "y" },
		{ "2 10 20\n", 0, 0, 0, NULL },
		{ "", 0, 0, 0, NULL },
		{ "3 N3\n", 0, 0, 0, NULL },
	};
	struct foreign_head h;
	struct slice text, id;
	uint32_t uid;

	text = guard_copy(slice_str(cases[_i].text));
	ck_assert_int_eq(foreign_uidlist_head(&text, &h),
	    cases[_i].validity == 0 ? -1 : 0);
	if (cases[_i].validity == 0)
		return;
	ck_assert_uint_eq(h.uidvalidity, cases[_i].validity);
	ck_assert_uint_eq(h.uidnext, cases[_i].next);
	ck_assert(foreign_uidlist_line(&text, &uid, &id));
	ck_assert_uint_eq(uid, cases[_i].uid);
	ck_slice_str(id, cases[_i].id);
	ck_assert(!foreign_uidlist_line(&text, &uid, &id));
}
END_TEST

START_TEST(subscriptions)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "V\t2\n\na\tb\nEntw\xc3\xbcrfe\n", "a/b|Entw\xc3\xbcrfe|" },
		{ "INBOX.a.b\nINBOX\n", "a/b|INBOX|" },
		{ "Entw&APw-rfe/x\nR&-D\n", "Entw\xc3\xbcrfe/x|R&D|" },
		{ "\n\n*\n", "" },
	};
	struct foreign_subscriptions s;
	struct buf name, all;

	buf_init(&name, 1000);
	buf_init(&all, 1000);
	foreign_subscriptions_begin(&s,
	    guard_copy(slice_str(cases[_i].text)));
	while (foreign_subscriptions_next(&s, &name)) {
		buf_add_slice(&all, buf_slice(&name));
		buf_add_char(&all, '|');
	}
	ck_slice_str(buf_slice(&all), cases[_i].want);
	buf_fini(&all);
	buf_fini(&name);
}
END_TEST

UNIT_SUITE(folder, {
	tcase_add_loop_test(tc, names, 0, sizeof both / sizeof *both);
	tcase_add_test(tc, other_folders);
	tcase_add_test(tc, faults);
	tcase_add_test(tc, letters);
	tcase_add_test(tc, uidlist);
	tcase_add_loop_test(tc, foreign, 0, 7);
	tcase_add_loop_test(tc, subscriptions, 0, 4);
})
