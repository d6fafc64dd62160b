/* SPDX-License-Identifier: ISC */
/* Changes that other programs make in the Maildir. */
#include "mda/mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/mda/world.h"
#include "tests/unit/unit.h"

static struct world w;

static void
setup(void)
{
	world_make(&w);
	ck_assert_int_eq(world_open(&w), 0);
}

static void
teardown(void)
{
	world_drop(&w);
}

/* Renames a file that begins so to DIR/BEGIN…SUFFIX. */
static void
move_file(const char *from, const char *begin, const char *to,
    const char *suffix)
{
	const char *path = world_find(&w, from, begin), *name;
	char old[1024], new[2048];
	size_t n;

	ck_assert_ptr_nonnull(path);
	(void)snprintf(old, sizeof old, "%s", path);
	name = strrchr(old, '/') + 1;
	n = strcspn(name, ":");
	(void)snprintf(new, sizeof new, "%s/%s/%.*s%s", w.dir, to, (int)n,
	    name, suffix);
	ck_assert_int_eq(rename(old, new), 0);
}

START_TEST(arrives)
{
	const struct message *msg;
	struct mailbox *m = world_mailbox(&w, "INBOX");

	/* Bare LF line ends: served with CRLF. */
	world_write(&w, "new/1.a.host", "Subject: one\n\nA\nB\r\n");
	world_write(&w, "cur/2.b.host:2,FS", "Subject: two\r\n\r\nC\r\n");
	ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
	ck_assert_uint_eq(mailbox_info(m)->messages, 2);
	ck_assert_uint_eq(mailbox_info(m)->unseen, 1);
	msg = mailbox_message(m, 1);
	if ((msg->flags & FLAG_SEEN) != 0)
		msg = mailbox_message(m, 2);
	ck_assert_uint_eq(msg->size, 22);
	ck_assert_str_eq(world_read(&w, m, msg->uid, 0, 100),
	    "Subject: one\r\n\r\nA\r\nB\r\n");
	ck_assert_str_eq(world_read(&w, m, msg->uid, 13, 100),
	    "\n\r\nA\r\nB\r\n");
	ck_assert_str_eq(world_read(&w, m, msg->uid, 13, 1), "\n");
	ck_assert_str_eq(world_read(&w, m, msg->uid, 14, 3), "\r\nA");
	ck_assert_str_eq(world_read(&w, m, msg->uid, 17, 100), "\r\nB\r\n");
	msg = mailbox_message(m, 3 - msg->uid);
	ck_assert_uint_eq(msg->flags, FLAG_SEEN | FLAG_FLAGGED);
	/* And once more while nothing else happens. */
	ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
	world_write(&w, "new/3.c.host", "\n");
	ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
	ck_assert_uint_eq(mailbox_info(m)->messages, 3);
	ck_assert_uint_eq(mailbox_message(m, 3)->size, 2);
	mailbox_close(&m);
}
END_TEST

/* Each at once after something of our own, within one tick of the clock. */
START_TEST(arrives_at_once)
{
	struct mailbox *m = world_mailbox(&w, "INBOX");
	char name[128];
	unsigned i;

	for (i = 0; i < 100; i++) {
		(void)world_add(&w, "INBOX", i);
		(void)snprintf(name, sizeof name, "new/%u.x.host", i);
		world_write(&w, name, "A: b\n\n");
		ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
		ck_assert_uint_eq(mailbox_info(m)->messages, 2 * i + 2);
		(void)snprintf(name, sizeof name, "new/%u.y.host", i);
		if (i % 10 != 0)
			continue;
		world_write(&w, name, "A: b\n\n");
		ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
		ck_assert_uint_eq(mailbox_info(m)->messages, 2 * i + 3);
		(void)snprintf(name, sizeof name, "%s/new/%u.y.host", w.dir,
		    i);
		ck_assert_int_eq(unlink(name), 0);
		ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
		ck_assert_uint_eq(mailbox_info(m)->messages, 2 * i + 2);
	}
	mailbox_close(&m);
}
END_TEST

START_TEST(changes)
{
	struct mailbox *m;
	uint32_t uid;
	unsigned i;

	for (i = 1; i <= 3; i++)
		(void)world_add(&w, "INBOX", i);
	m = world_mailbox(&w, "INBOX");
	for (uid = 1; uid <= 3; uid++)
		ck_assert_int_eq(world_flag(&w, m, uid, FLAGS_ADD,
			FLAG_SEEN), MBOX_OK);
	world_settle(&w);
	ck_assert_int_eq(world_count(&w, "cur"), 3);
	/* Another program adds F, keeps S; and takes S from one. */
	move_file("cur", "", "cur", ":2,FS");
	ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
	for (i = 0, uid = 1; uid <= 3; uid++)
		i += mailbox_message(m, uid)->flags ==
		    (FLAG_SEEN | FLAG_FLAGGED);
	ck_assert_uint_eq(i, 1);
	/* Ours and theirs at once: what each changed counts. */
	for (uid = 1; uid <= 3; uid++)
		ck_assert_int_eq(world_flag(&w, m, uid, FLAGS_REPLACE,
			FLAG_SEEN), MBOX_OK);
	world_settle(&w);
	for (uid = 1; uid <= 3; uid++)
		move_file("cur", "", "new", "");
	ck_assert_int_eq(world_count(&w, "new"), 3);
	ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
	for (uid = 1; uid <= 3; uid++)
		ck_assert_uint_eq(mailbox_message(m, uid)->flags, 0);
	mailbox_close(&m);
}
END_TEST

START_TEST(vanishes)
{
	struct uid_range *ranges;
	struct mailbox *m;
	uint64_t modseq;
	unsigned i;
	size_t n;

	for (i = 1; i <= 3; i++)
		(void)world_add(&w, "INBOX", i);
	m = world_mailbox(&w, "INBOX");
	modseq = mailbox_info(m)->highest_modseq;
	ck_assert_int_eq(unlink(world_find(&w, "new", "")), 0);
	ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
	ck_assert_uint_eq(mailbox_info(m)->messages, 2);
	ck_assert(mailbox_expunged_since(m, modseq, &ranges, &n));
	ck_assert_uint_eq(n, 1);
	free(ranges);
	/* One that nobody noticed yet. */
	ck_assert_int_eq(unlink(world_find(&w, "new", "")), 0);
	ck_assert_int_eq(unlink(world_find(&w, "new", "")), 0);
	for (i = 1; i <= 3; i++)
		if (mailbox_message(m, i) != NULL)
			ck_assert_ptr_null(world_read(&w, m, i, 0, 10));
	mailbox_close(&m);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->messages, 0);
	mailbox_close(&m);
}
END_TEST

/* Between two lives of ours. */
START_TEST(meanwhile)
{
	struct mailbox *m;
	unsigned i;

	for (i = 1; i <= 3; i++)
		(void)world_add(&w, "INBOX", i);
	world_close(&w);
	move_file("new", "", "cur", ":2,S");
	ck_assert_int_eq(unlink(world_find(&w, "new", "")), 0);
	world_write(&w, "new/9.z.host", "A: b\n\n");
	ck_assert_int_eq(world_open(&w), 0);
	ck_assert_int_eq(world_refresh_account(&w, "INBOX"), MBOX_OK);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->messages, 3);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->unseen, 2);
	m = world_mailbox(&w, "INBOX");
	ck_assert_ptr_nonnull(mailbox_message(m, 4));
	mailbox_close(&m);
}
END_TEST

START_TEST(folders)
{
	char path[128];

	world_write(&w, ".Lists.c/cur/1.a:2,", "A: b\n\n");
	world_write(&w, ".Lists.c/new/2.a", "A: b\n\n");
	world_write(&w, ".nothing/x", "");
	ck_assert_int_eq(world_refresh_account(&w, ""), MBOX_OK);
	ck_assert_ptr_nonnull(account_find(w.a, SLICE("Lists/c")));
	ck_assert_ptr_null(account_find(w.a, SLICE("nothing")));
	ck_assert_int_eq(world_refresh_account(&w, "Lists/c"), MBOX_OK);
	ck_assert_uint_eq(account_find(w.a, SLICE("Lists/c"))->messages, 2);
	ck_assert_int_eq(world_create(&w, "Lists/c"), MBOX_EXISTS);
	world_write(&w, ".Lists.d/cur/1.a:2,", "A: b\n\n");
	ck_assert_int_eq(world_create(&w, "Lists/d"), MBOX_EXISTS);
	(void)snprintf(path, sizeof path, "rm -r %s/.Lists.c", w.dir);
	ck_assert_int_eq(system(path), 0);
	ck_assert_int_eq(world_refresh_account(&w, ""), MBOX_OK);
	ck_assert_ptr_null(account_find(w.a, SLICE("Lists/c")));
}
END_TEST

/* A program that renames all the time while we look. */
START_TEST(busy)
{
	struct mailbox *m;
	unsigned i;

	for (i = 1; i <= 20; i++)
		(void)world_add(&w, "INBOX", i);
	m = world_mailbox(&w, "INBOX");
	for (i = 0; i < 60; i++) {
		move_file(i % 40 < 20 ? "new" : "cur", "",
		    i % 40 < 20 ? "cur" : "new", i % 40 < 20 ? ":2,S" : "");
		ck_assert_int_eq(world_refresh(&w, m), MBOX_OK);
		ck_assert_uint_eq(mailbox_info(m)->messages, 20);
		ck_assert_uint_eq(mailbox_info(m)->uidnext, 21);
	}
	mailbox_close(&m);
}
END_TEST

/* Letters in an order that is not ours. */
START_TEST(odd_letters)
{
	struct mailbox *m;

	world_write(&w, "cur/1.a:2,SF", "A: b\r\n\r\n");
	world_write(&w, "cur/2.a", "A: b\r\n\r\n");
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->messages, 2);
	ck_assert_ptr_nonnull(world_read(&w, m, 1, 0, 3));
	ck_assert_ptr_nonnull(world_read(&w, m, 2, 0, 3));
	ck_assert_ptr_nonnull(world_find(&w, "cur", "1.a:2,FS"));
	ck_assert_ptr_nonnull(world_find(&w, "cur", "2.a:2,"));
	ck_assert_int_eq(world_flag(&w, m, 1, FLAGS_ADD, FLAG_ANSWERED),
	    MBOX_OK);
	world_settle(&w);
	ck_assert_ptr_nonnull(world_find(&w, "cur", "1.a:2,FRS"));
	mailbox_close(&m);
}
END_TEST

/* A copy whose last name was lost with the power: it is in tmp/ again. */
START_TEST(back_in_tmp)
{
	struct mailbox *m;

	(void)world_add(&w, "INBOX", 1);
	m = world_mailbox(&w, "INBOX");
	ck_assert_int_eq(world_copy(&w, m, (uint32_t[]){ 1 }, 1, "Sent", true,
		NULL, NULL), MBOX_OK);
	world_settle(&w);
	mailbox_close(&m);
	world_close(&w);
	move_file(".Sent/new", "", ".Sent/tmp", "");
	ck_assert_int_eq(world_open(&w), 0);
	m = world_mailbox(&w, "Sent");
	ck_assert_uint_eq(mailbox_info(m)->messages, 1);
	ck_assert_ptr_nonnull(world_read(&w, m, 1, 0, 10));
	world_settle(&w);
	ck_assert_int_eq(world_count(&w, ".Sent/new"), 1);
	mailbox_close(&m);
}
END_TEST

UNIT_SUITE(outside, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, arrives);
	tcase_add_test(tc, arrives_at_once);
	tcase_add_test(tc, changes);
	tcase_add_test(tc, vanishes);
	tcase_add_test(tc, meanwhile);
	tcase_add_test(tc, folders);
	tcase_add_test(tc, busy);
	tcase_add_test(tc, odd_letters);
	tcase_add_test(tc, back_in_tmp);
})
