/* SPDX-License-Identifier: ISC */
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

static struct mailbox *
inbox(unsigned n)
{
	struct mailbox *m;
	unsigned i;

	for (i = 1; i <= n; i++)
		ck_assert_uint_eq(world_add(&w, "INBOX", i), i);
	m = world_mailbox(&w, "INBOX");
	ck_assert_ptr_nonnull(m);
	return m;
}

START_TEST(begins)
{
	static const struct {
		const char *name;
		uint32_t attrs;
	} want[] = {
		{ "Archive", MBOX_ARCHIVE | MBOX_SUBSCRIBED },
		{ "Drafts", MBOX_DRAFTS | MBOX_SUBSCRIBED },
		{ "INBOX", 0 },
		{ "Junk", MBOX_JUNK | MBOX_SUBSCRIBED },
		{ "Sent", MBOX_SENT | MBOX_SUBSCRIBED },
		{ "Trash", MBOX_TRASH | MBOX_SUBSCRIBED },
	};
	const struct mbox_info *i;
	size_t k, round;

	for (round = 0; round < 2; round++) {
		i = NULL;
		for (k = 0; k < sizeof want / sizeof *want; k++) {
			i = account_next(w.a, i);
			ck_assert_ptr_nonnull(i);
			ck_assert_str_eq(i->name, want[k].name);
			ck_assert_uint_eq(i->attrs, want[k].attrs);
			ck_assert_uint_eq(i->uidnext, 1);
			ck_assert_uint_ne(i->uidvalidity, 0);
		}
		ck_assert_ptr_null(account_next(w.a, i));
		ck_assert_int_eq(world_count(&w, ".Drafts/cur"), 0);
		world_reopen(&w);
	}
}
END_TEST

START_TEST(locks)
{
	struct world other = w;

	other.a = NULL;
	ck_assert_int_eq(world_open(&other), -1);
	ck_assert_ptr_nonnull(strstr(other.why, "in use"));
	world_close(&w);
	ck_assert_int_eq(world_open(&w), 0);
}
END_TEST

START_TEST(adds)
{
	struct append what = { .flags = FLAG_SEEN | FLAG_DRAFT,
		.internaldate = 1000000000, .sync = true };
	const char *text = "Subject: x\r\n\r\nHello\r\n";
	const struct message *msg;
	struct world_added got;
	struct mailbox *m;
	uint64_t bytes, messages;

	got = world_append(&w, "INBOX", &what, text);
	ck_assert_int_eq(got.r, MBOX_OK);
	ck_assert_uint_eq(got.uid, 1);
	ck_assert_int_eq(world_append(&w, "Nowhere", &what, text).r,
	    MBOX_NONEXISTENT);
	m = world_mailbox(&w, "INBOX");
	ck_assert_ptr_nonnull(m);
	msg = mailbox_message(m, 1);
	ck_assert_ptr_nonnull(msg);
	ck_assert_uint_eq(msg->flags, FLAG_SEEN | FLAG_DRAFT);
	ck_assert_int_eq(msg->internaldate, 1000000000);
	ck_assert_uint_eq(msg->size, strlen(text));
	ck_assert_str_eq(world_read(&w, m, 1, 0, 1000), text);
	ck_assert_str_eq(world_read(&w, m, 1, 9, 4), "x\r\n\r");
	ck_assert_str_eq(world_read(&w, m, 1, 1000, 4), "");
	ck_assert_ptr_null(world_read(&w, m, 2, 0, 1));
	ck_assert_ptr_null(mailbox_message(m, 2));
	account_usage(w.a, &bytes, &messages);
	ck_assert_uint_eq(bytes, strlen(text));
	ck_assert_uint_eq(messages, 1);
	ck_assert_uint_eq(mailbox_info(m)->unseen, 0);
	/* A draft stands in cur/ with its letters. */
	ck_assert_int_eq(world_count(&w, "cur"), 1);
	mailbox_close(&m);
}
END_TEST

START_TEST(large)
{
	struct append what = { .sync = true };
	size_t n = 3000000, i;
	struct append_writer *writer;
	struct world_added got;
	enum mbox_result r;
	struct mailbox *m;
	char *text = malloc(n + 1);

	for (i = 0; i < n; i++)
		text[i] = i % 80 == 78 ? '\r' : i % 80 == 79 ? '\n' : 'a';
	text[n] = 0;
	writer = append_begin(w.a, SLICE("INBOX"), &what, n, &r);
	ck_assert_ptr_nonnull(writer);
	append_abort(&writer);
	ck_assert_int_eq(world_count(&w, "tmp"), 0);
	got = world_append(&w, "INBOX", &what, text);
	ck_assert_uint_eq(got.uid, 1);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_message(m, 1)->size, n);
	ck_assert_mem_eq(world_read(&w, m, 1, 2999900, 100), text + 2999900,
	    100);
	mailbox_close(&m);
	free(text);
}
END_TEST

START_TEST(flags)
{
	struct slice words[] = { SLICE("$Work"), SLICE("later") };
	struct flag_change c = { .op = FLAGS_ADD, .flags = FLAG_SEEN,
		.keywords = words, .n_keywords = 2 };
	struct mailbox *m = inbox(3);
	uint32_t all[] = { 3, 1, 2, 9, 1 };
	uint64_t modseq, before;
	size_t modified;

	before = mailbox_info(m)->highest_modseq;
	ck_assert_int_eq(world_store(&w, m, all, 5, &c, NULL), MBOX_OK);
	ck_assert_uint_eq(mailbox_info(m)->unseen, 0);
	modseq = mailbox_message(m, 2)->modseq;
	ck_assert_uint_gt(modseq, before);
	ck_assert_uint_eq(mailbox_info(m)->highest_modseq, modseq);
	ck_assert_uint_eq(mailbox_message(m, 2)->keywords, 3);
	ck_assert_str_eq(mailbox_keyword(m, 1), "later");
	ck_assert_ptr_null(mailbox_keyword(m, 2));
	ck_assert_int_eq(mailbox_keyword_find(m, SLICE("LATER")), 1);
	/* Nothing new: nothing changes. */
	ck_assert_int_eq(world_store(&w, m, all, 5, &c, NULL), MBOX_OK);
	ck_assert_uint_eq(mailbox_message(m, 2)->modseq, modseq);
	/* A compare-and-set. */
	ck_assert_int_eq(world_flag(&w, m, 2, FLAGS_ADD, FLAG_FLAGGED),
	    MBOX_OK);
	ck_assert_uint_gt(mailbox_message(m, 2)->modseq, modseq);
	c = (struct flag_change){ .op = FLAGS_REPLACE, .flags = FLAG_DELETED,
		.conditional = true, .unchanged_since = modseq };
	ck_assert_int_eq(world_store(&w, m, all, 5, &c, &modified), MBOX_OK);
	ck_assert_uint_eq(modified, 1);
	ck_assert_uint_eq(mailbox_message(m, 1)->flags, FLAG_DELETED);
	ck_assert_uint_eq(mailbox_message(m, 1)->keywords, 0);
	ck_assert_uint_eq(mailbox_message(m, 2)->flags,
	    FLAG_SEEN | FLAG_FLAGGED);
	ck_assert_uint_eq(mailbox_info(m)->deleted, 2);
	ck_assert_uint_eq(mailbox_info(m)->unseen, 2);
	/* Names follow. */
	world_settle(&w);
	ck_assert_int_eq(world_count(&w, "new"), 0);
	ck_assert_int_eq(world_count(&w, "cur"), 3);
	mailbox_close(&m);
	world_reopen(&w);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_message(m, 1)->flags, FLAG_DELETED);
	ck_assert_uint_eq(mailbox_message(m, 2)->keywords, 3);
	ck_assert_str_eq(mailbox_keyword(m, 0), "$Work");
	ck_assert_uint_eq(mailbox_info(m)->deleted, 2);
	mailbox_close(&m);
}
END_TEST

START_TEST(too_many_keywords)
{
	struct flag_change c = { .op = FLAGS_ADD, .n_keywords = 1 };
	struct mailbox *m = inbox(1);
	uint32_t uid = 1;
	struct slice word;
	char name[16];
	int i;

	for (i = 0; i < MAILBOX_KEYWORDS_MAX; i++) {
		(void)snprintf(name, sizeof name, "k%d", i);
		word = slice_str(name);
		c.keywords = &word;
		ck_assert_int_eq(world_store(&w, m, &uid, 1, &c, NULL),
		    MBOX_OK);
	}
	word = SLICE("one-more");
	ck_assert_int_eq(world_store(&w, m, &uid, 1, &c, NULL),
	    MBOX_NOT_ALLOWED);
	ck_assert_uint_eq(mailbox_message(m, 1)->keywords, UINT64_MAX);
	/* Taking away what is not there makes no keyword. */
	c.op = FLAGS_REMOVE;
	ck_assert_int_eq(world_store(&w, m, &uid, 1, &c, NULL), MBOX_OK);
	mailbox_close(&m);
}
END_TEST

START_TEST(expunges)
{
	struct mailbox *m = inbox(6);
	uint32_t some[] = { 2, 3 }, five = 5;
	struct uid_range *ranges;
	uint64_t bytes, messages, modseq;
	size_t n;

	modseq = mailbox_info(m)->highest_modseq;
	ck_assert_int_eq(world_flag(&w, m, 2, FLAGS_ADD, FLAG_DELETED),
	    MBOX_OK);
	ck_assert_int_eq(world_flag(&w, m, 6, FLAGS_ADD, FLAG_DELETED),
	    MBOX_OK);
	ck_assert_int_eq(world_expunge(&w, m, some, 2, false), MBOX_OK);
	ck_assert_ptr_null(mailbox_message(m, 2));
	ck_assert_ptr_nonnull(mailbox_message(m, 3));
	ck_assert_ptr_nonnull(mailbox_message(m, 6));
	ck_assert_int_eq(world_expunge(&w, m, some, 2, true), MBOX_OK);
	ck_assert_int_eq(world_expunge(&w, m, NULL, 0, false), MBOX_OK);
	ck_assert_ptr_null(mailbox_message(m, 3));
	ck_assert_ptr_null(mailbox_message(m, 6));
	ck_assert_uint_eq(mailbox_info(m)->messages, 3);
	ck_assert_uint_eq(mailbox_info(m)->deleted, 0);
	ck_assert_uint_eq(mailbox_info(m)->uidnext, 7);
	ck_assert(mailbox_expunged_since(m, modseq, &ranges, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(ranges[0].first, 2);
	ck_assert_uint_eq(ranges[0].last, 3);
	ck_assert_uint_eq(ranges[1].first, 6);
	free(ranges);
	modseq = mailbox_info(m)->highest_modseq;
	ck_assert(mailbox_expunged_since(m, modseq, &ranges, &n));
	ck_assert_uint_eq(n, 0);
	world_settle(&w);
	ck_assert_int_eq(world_count(&w, "new") + world_count(&w, "cur"), 3);
	ck_assert_int_eq(world_expunge(&w, m, &five, 1, true), MBOX_OK);
	mailbox_close(&m);
	/* What goes does not come back, and its UID neither. */
	world_reopen(&w);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->messages, 2);
	ck_assert(mailbox_expunged_since(m, modseq, &ranges, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(ranges[0].first, 5);
	free(ranges);
	ck_assert_uint_eq(world_add(&w, "INBOX", 7), 7);
	account_usage(w.a, &bytes, &messages);
	ck_assert_uint_eq(messages, 3);
	ck_assert_uint_eq(bytes, mailbox_info(m)->size);
	mailbox_close(&m);
}
END_TEST

START_TEST(copies)
{
	struct slice word = SLICE("Blue");
	struct flag_change c = { .op = FLAGS_ADD, .flags = FLAG_ANSWERED,
		.keywords = &word, .n_keywords = 1 };
	uint32_t uids[] = { 3, 1, 9 }, dst[3], two = 2;
	const struct message *a, *b;
	struct mailbox *m = inbox(3), *to;
	size_t n;

	ck_assert_int_eq(world_store(&w, m, uids, 1, &c, NULL), MBOX_OK);
	ck_assert_int_eq(world_copy(&w, m, uids, 3, "Sent", false, dst, &n),
	    MBOX_OK);
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(dst[0], 1);
	ck_assert_uint_eq(dst[1], 2);
	ck_assert_int_eq(world_copy(&w, m, uids, 3, "None", false, dst, &n),
	    MBOX_NONEXISTENT);
	ck_assert_int_eq(world_copy(&w, m, &two, 1, "Sent", true, dst, &n),
	    MBOX_OK);
	ck_assert_uint_eq(dst[0], 3);
	ck_assert_ptr_null(mailbox_message(m, 2));
	to = world_mailbox(&w, "Sent");
	a = mailbox_message(m, 3);
	b = mailbox_message(to, 1);
	ck_assert_uint_eq(b->flags, FLAG_ANSWERED);
	ck_assert_uint_eq(b->keywords, 1);
	ck_assert_str_eq(mailbox_keyword(to, 0), "Blue");
	ck_assert_int_eq(b->internaldate, a->internaldate);
	ck_assert_mem_eq(b->email_id, a->email_id, sizeof a->email_id);
	ck_assert_ptr_nonnull(strstr(world_read(&w, to, 1, 0, 1000),
		"Subject: 3"));
	world_settle(&w);
	ck_assert_int_eq(world_count(&w, ".Sent/tmp"), 0);
	ck_assert_int_eq(world_count(&w, ".Sent/cur"), 1);
	ck_assert_int_eq(world_count(&w, ".Sent/new"), 2);
	/* Into itself, too. */
	ck_assert_int_eq(world_copy(&w, m, uids, 1, "INBOX", true, dst, &n),
	    MBOX_OK);
	ck_assert_uint_eq(dst[0], 4);
	ck_assert_uint_eq(mailbox_info(m)->messages, 2);
	mailbox_close(&to);
	mailbox_close(&m);
}
END_TEST

START_TEST(folders)
{
	const struct mbox_info *i;
	uint32_t validity, number;
	struct mailbox *m;

	ck_assert_int_eq(world_create(&w, "a/b/c"), MBOX_OK);
	ck_assert_ptr_nonnull(account_find(w.a, SLICE("a")));
	ck_assert_ptr_nonnull(account_find(w.a, SLICE("a/b")));
	ck_assert_int_eq(world_count(&w, ".a.b.c/cur"), 0);
	ck_assert_int_eq(world_create(&w, "a/b/c"), MBOX_EXISTS);
	ck_assert_int_eq(world_create(&w, "inbox"), MBOX_EXISTS);
	ck_assert_int_eq(world_create(&w, "x//y"), MBOX_BAD_NAME);
	ck_assert_int_eq(world_create(&w, "x%"), MBOX_BAD_NAME);
	ck_assert_int_eq(world_create(&w, "\xff"), MBOX_BAD_NAME);
	ck_assert_int_eq(world_create(&w, "trailing/"), MBOX_OK);
	ck_assert_ptr_nonnull(account_find(w.a, SLICE("trailing")));
	ck_assert_uint_eq(world_add(&w, "a/b/c", 1), 1);
	i = account_find(w.a, SLICE("a/b/c"));
	validity = i->uidvalidity;
	number = i->number;
	/* A rename takes those below along and keeps UIDs. */
	ck_assert_int_eq(world_rename(&w, "a/b", "a/b/d"), MBOX_NOT_ALLOWED);
	ck_assert_int_eq(world_rename(&w, "a/b", "Sent"), MBOX_EXISTS);
	ck_assert_int_eq(world_rename(&w, "none", "b"), MBOX_NONEXISTENT);
	ck_assert_int_eq(world_rename(&w, "a/b", "new/place"), MBOX_OK);
	ck_assert_ptr_null(account_find(w.a, SLICE("a/b")));
	ck_assert_ptr_nonnull(account_find(w.a, SLICE("new")));
	i = account_find(w.a, SLICE("new/place/c"));
	ck_assert_ptr_nonnull(i);
	ck_assert_uint_eq(i->uidvalidity, validity);
	ck_assert_uint_eq(i->number, number);
	ck_assert_uint_eq(i->messages, 1);
	ck_assert_int_eq(world_count(&w, ".new.place.c/new"), 1);
	ck_assert_int_eq(world_count(&w, ".a.b.c"), -1);
	m = world_mailbox(&w, "new/place/c");
	ck_assert_ptr_nonnull(world_read(&w, m, 1, 0, 10));
	mailbox_close(&m);
	/* Deleting: those below stay. */
	ck_assert_int_eq(world_delete(&w, "INBOX"), MBOX_NOT_ALLOWED);
	ck_assert_int_eq(world_delete(&w, "none"), MBOX_NONEXISTENT);
	ck_assert_int_eq(world_delete(&w, "new"), MBOX_OK);
	ck_assert_int_eq(world_delete(&w, "new"), MBOX_HAS_CHILDREN);
	ck_assert_int_eq(world_delete(&w, "new/place/c"), MBOX_OK);
	ck_assert_int_eq(world_count(&w, ".new.place.c"), -1);
	ck_assert_int_eq(world_create(&w, "new/place/c"), MBOX_OK);
	i = account_find(w.a, SLICE("new/place/c"));
	ck_assert_uint_gt(i->uidvalidity, validity);
	ck_assert_uint_eq(i->messages, 0);
	world_reopen(&w);
	i = account_find(w.a, SLICE("new/place/c"));
	ck_assert_ptr_nonnull(i);
	ck_assert_uint_gt(i->uidvalidity, validity);
	ck_assert_ptr_null(account_find(w.a, SLICE("a/b/c")));
}
END_TEST

START_TEST(odd_names)
{
	static const char *const names[] = { "Entw\xc3\xbcrfe", "a.b", "R&D",
		"veredus", "\xf0\x9f\x93\xa7", "tab\xe3\x80\x80x/y.z" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++) {
		ck_assert_int_eq(world_create(&w, names[i]), MBOX_OK);
		ck_assert_uint_eq(world_add(&w, names[i], 1), 1);
	}
	ck_assert_int_eq(world_count(&w, ".Entw&APw-rfe/new"), 1);
	ck_assert_int_eq(world_refresh_account(&w, ""), MBOX_OK);
	world_reopen(&w);
	for (i = 0; i < sizeof names / sizeof *names; i++) {
		ck_assert_ptr_nonnull(account_find(w.a, slice_str(names[i])));
		ck_assert_int_eq(world_delete(&w, names[i]), MBOX_OK);
	}
}
END_TEST

START_TEST(renames_inbox)
{
	struct mailbox *m = inbox(3);

	mailbox_close(&m);
	ck_assert_int_eq(world_create(&w, "INBOX/child"), MBOX_OK);
	ck_assert_int_eq(world_rename(&w, "INBOX", "Sent"), MBOX_EXISTS);
	ck_assert_int_eq(world_rename(&w, "inbox", "old/mail"), MBOX_OK);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->messages, 0);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->uidnext, 4);
	ck_assert_uint_eq(account_find(w.a, SLICE("old/mail"))->messages, 3);
	ck_assert_ptr_nonnull(account_find(w.a, SLICE("INBOX/child")));
}
END_TEST

START_TEST(subscribes)
{
	const char *s;

	ck_assert_int_eq(world_subscribe(&w, "nothing/yet", true), MBOX_OK);
	ck_assert_int_eq(world_subscribe(&w, "another", true), MBOX_OK);
	ck_assert_int_eq(world_subscribe(&w, "inbox", true), MBOX_OK);
	world_reopen(&w);
	s = account_next_subscribed(w.a, NULL);
	ck_assert_str_eq(s, "another");
	s = account_next_subscribed(w.a, s);
	ck_assert_str_eq(s, "nothing/yet");
	ck_assert_ptr_null(account_next_subscribed(w.a, s));
	ck_assert_uint_ne(account_find(w.a, SLICE("INBOX"))->attrs &
		MBOX_SUBSCRIBED, 0);
	/* It becomes the mailbox's, and outlives it. */
	ck_assert_int_eq(world_create(&w, "another"), MBOX_OK);
	ck_assert_uint_ne(account_find(w.a, SLICE("another"))->attrs &
		MBOX_SUBSCRIBED, 0);
	ck_assert_str_eq(account_next_subscribed(w.a, NULL), "nothing/yet");
	ck_assert_int_eq(world_delete(&w, "another"), MBOX_OK);
	ck_assert_str_eq(account_next_subscribed(w.a, NULL), "another");
	ck_assert_int_eq(world_subscribe(&w, "another", false), MBOX_OK);
	ck_assert_int_eq(world_subscribe(&w, "INBOX", false), MBOX_OK);
	world_reopen(&w);
	ck_assert_str_eq(account_next_subscribed(w.a, NULL), "nothing/yet");
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->attrs, 0);
}
END_TEST

START_TEST(deleted_while_open)
{
	uint32_t uids[] = { 1 }, n_dst;
	struct mailbox *m;
	size_t n;

	(void)n_dst;
	ck_assert_int_eq(world_create(&w, "box"), MBOX_OK);
	ck_assert_uint_eq(world_add(&w, "box", 1), 1);
	m = world_mailbox(&w, "box");
	ck_assert_int_eq(world_delete(&w, "box"), MBOX_OK);
	ck_assert_int_eq(world_flag(&w, m, 1, FLAGS_ADD, FLAG_SEEN),
	    MBOX_NONEXISTENT);
	ck_assert_int_eq(world_expunge(&w, m, NULL, 0, false),
	    MBOX_NONEXISTENT);
	ck_assert_int_eq(world_refresh(&w, m), MBOX_NONEXISTENT);
	ck_assert_int_eq(world_copy(&w, m, uids, 1, "INBOX", false, NULL, &n),
	    MBOX_NONEXISTENT);
	ck_assert_ptr_null(world_read(&w, m, 1, 0, 10));
	mailbox_close(&m);
}
END_TEST

/* ---- deliveries ---- */

START_TEST(delivers)
{
	const struct mbox_info *i;
	struct mailbox *m;
	unsigned k;

	for (k = 1; k <= 20; k++)
		ck_assert_int_eq(world_deliver(&w, "INBOX", k), MBOX_OK);
	/* Each a second time: it is known while it waits… */
	for (k = 1; k <= 20; k++)
		ck_assert_int_eq(world_deliver(&w, "INBOX", k), MBOX_OK);
	ck_assert_int_eq(world_count(&w, "new"), 20);
	i = account_find(w.a, SLICE("INBOX"));
	ck_assert_uint_eq(i->messages, 20);
	ck_assert_uint_eq(i->unseen, 20);
	ck_assert_uint_eq(i->recent, 20);
	ck_assert_uint_eq(i->uidnext, 21);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->messages, 20);
	/* … when it has its row… */
	ck_assert_int_eq(world_deliver(&w, "INBOX", 3), MBOX_OK);
	ck_assert_uint_eq(mailbox_info(m)->messages, 20);
	/* … when it was moved or expunged… */
	ck_assert_int_eq(world_expunge(&w, m, (uint32_t[]){ 1 }, 1, true),
	    MBOX_OK);
	ck_assert_int_eq(world_copy(&w, m, (uint32_t[]){ 2 }, 1, "Trash", true,
		NULL, NULL), MBOX_OK);
	ck_assert_int_eq(world_deliver(&w, "INBOX", 1), MBOX_OK);
	ck_assert_int_eq(world_deliver(&w, "INBOX", 2), MBOX_OK);
	ck_assert_uint_eq(mailbox_info(m)->messages, 18);
	ck_assert_uint_eq(account_find(w.a, SLICE("Trash"))->messages, 1);
	mailbox_close(&m);
	/* … and in another life. */
	world_reopen(&w);
	for (k = 1; k <= 20; k++)
		ck_assert_int_eq(world_deliver(&w, "INBOX", k), MBOX_OK);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->messages, 18);
	ck_assert_uint_eq(account_find(w.a, SLICE("Trash"))->messages, 1);
	world_settle(&w);
	ck_assert_int_eq(world_count(&w, "tmp"), 0);
	/* Released, it may come anew. */
	account_released(w.a, SLICE("\0\0\0\0\0\0\0\1\0\0\0\1"));
	ck_assert_int_eq(world_deliver(&w, "INBOX", 1), MBOX_OK);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->messages, 19);
}
END_TEST

START_TEST(delivers_to_open)
{
	struct mailbox *m = world_mailbox(&w, "INBOX");
	struct append what = { .delivery_id = 77 };
	struct world_added got;

	got = world_append(&w, "INBOX", &what, "A: b\r\n\r\n");
	ck_assert_int_eq(got.r, MBOX_OK);
	ck_assert_uint_eq(got.uid, 1);
	ck_assert_ptr_nonnull(mailbox_message(m, 1));
	mailbox_close(&m);
}
END_TEST

/* A repeat of one that is not decided yet has to wait: it may still fail. */
START_TEST(repeated_too_soon)
{
	struct append what = { .delivery_id = 9, .delivery_group = 1 };
	struct append_writer *first;
	enum mbox_result r;

	first = append_begin(w.a, SLICE("INBOX"), &what, 10, &r);
	ck_assert_ptr_nonnull(first);
	append_write(first, SLICE("A: b\r\n"));
	ck_assert_ptr_null(append_begin(w.a, SLICE("INBOX"), &what, 10, &r));
	ck_assert_int_eq(r, MBOX_LATER);
	ck_assert_int_eq(world_deliver(&w, "INBOX", 9), MBOX_LATER);
	append_abort(&first);
	ck_assert_int_eq(world_deliver(&w, "INBOX", 9), MBOX_OK);
	ck_assert_int_eq(world_deliver(&w, "INBOX", 9), MBOX_OK);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->messages, 1);
}
END_TEST

START_TEST(torn_delivery)
{
	const char *path;
	struct mailbox *m;

	ck_assert_int_eq(world_deliver(&w, "INBOX", 5), MBOX_OK);
	world_close(&w);
	/* As after a power cut: the name is there, the bytes are not. */
	path = world_find(&w, "new", "q");
	ck_assert_ptr_nonnull(path);
	ck_assert_int_eq(truncate(path, 10), 0);
	ck_assert_int_eq(world_open(&w), 0);
	ck_assert_int_eq(world_deliver(&w, "INBOX", 5), MBOX_OK);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->messages, 1);
	ck_assert_ptr_nonnull(strstr(world_read(&w, m, 1, 0, 1000),
		"Subject: 5"));
	mailbox_close(&m);
}
END_TEST

/* A power cut took the body, the queue still has it. */
START_TEST(lost_delivery)
{
	struct mailbox *m;

	ck_assert_int_eq(world_deliver(&w, "INBOX", 5), MBOX_OK);
	m = world_mailbox(&w, "INBOX");
	mailbox_close(&m);
	world_close(&w);
	ck_assert_int_eq(unlink(world_find(&w, "new", "q")), 0);
	ck_assert_int_eq(world_open(&w), 0);
	if (_i == 1) {
		m = world_mailbox(&w, "INBOX");
		ck_assert_uint_eq(mailbox_info(m)->messages, 0);
		mailbox_close(&m);
	}
	ck_assert_int_eq(world_deliver(&w, "INBOX", 5), MBOX_OK);
	m = world_mailbox(&w, "INBOX");
	ck_assert_uint_eq(mailbox_info(m)->messages, 1);
	ck_assert_ptr_nonnull(world_read(&w, m, 1 + (uint32_t)_i, 0, 10));
	mailbox_close(&m);
}
END_TEST

/* ---- what IMAP asks ---- */

START_TEST(fields)
{
	static const char text[] = "From: A <a@x.test>\r\nTo: b@y.test\r\n"
	    "Subject: s\r\nDate: d\r\nMessage-ID: <m@x>\r\n\r\n1\r\n2\r\n";
	static const char lf[] = "From: A <a@x.test>\nTo: b@y.test\n"
	    "Subject: s\nDate: d\nMessage-ID: <m@x>\n\n1\n2\n";
	static const struct {
		enum message_field field;
		const char *want;
	} cases[] = {
		{ FIELD_ENVELOPE, "(\"d\" \"s\" ((\"A\" NIL \"a\" \"x.test\")) "
		    "((\"A\" NIL \"a\" \"x.test\")) "
		    "((\"A\" NIL \"a\" \"x.test\")) "
		    "((NIL NIL \"b\" \"y.test\")) NIL NIL NIL \"<m@x>\")" },
		{ FIELD_BODY, "(\"text\" \"plain\" (\"CHARSET\" \"US-ASCII\") "
		    "NIL NIL \"7BIT\" 6 2)" },
		{ FIELD_BODYSTRUCTURE, "(\"text\" \"plain\" (\"CHARSET\" "
		    "\"US-ASCII\") NIL NIL \"7BIT\" 6 2 NIL NIL NIL NIL)" },
		{ FIELD_HEADER, NULL },
	};
	struct append what = { .sync = true };
	struct mailbox *m;
	uint32_t uid, round;
	const char *got;
	size_t i;

	ck_assert_int_eq(world_append(&w, "INBOX", &what, text).r, MBOX_OK);
	world_write(&w, "new/1.x", lf);
	m = world_mailbox(&w, "INBOX");
	ck_assert_int_eq(world_copy(&w, m, (uint32_t[]){ 1, 2 }, 2, "INBOX",
		false, NULL, NULL), MBOX_OK);
	for (round = 0; round < 2; round++) {
		for (uid = 4; uid >= 1; uid--)
			for (i = 0; i < 4; i++) {
				got = world_field(&w, m, uid, cases[i].field);
				ck_assert_ptr_nonnull(got);
				if (cases[i].want != NULL)
					ck_assert_str_eq(got, cases[i].want);
				else
					ck_assert_mem_eq(got, text,
					    strlen(got));
			}
		ck_assert_uint_eq(strlen(got), sizeof text - 7);
		mailbox_close(&m);
		world_reopen(&w);
		m = world_mailbox(&w, "INBOX");
	}
	ck_assert_ptr_null(world_field(&w, m, 9, FIELD_BODY));
	/* The thread is the root's; a copy is the same message. */
	ck_assert_mem_eq(mailbox_message(m, 1)->thread_id,
	    mailbox_message(m, 2)->thread_id, 16);
	ck_assert_mem_eq(mailbox_message(m, 1)->email_id,
	    mailbox_message(m, 3)->email_id, 16);
	mailbox_close(&m);
}
END_TEST

START_TEST(threads)
{
	static const char *const texts[] = {
		"Message-ID: <1@x>\r\n\r\n",
		"Message-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\n",
		"Message-ID: <3@x>\r\nReferences:\r\n <1@x> <2@x>\r\n\r\n",
		"Message-ID: <4@x>\r\n\r\nReferences: <1@x>\r\n",
		"Subject: no id\r\n\r\n",
	};
	static const uint8_t none[16];
	struct append what = { .sync = true };
	struct mailbox *m;
	size_t i;

	for (i = 0; i < 5; i++)
		ck_assert_int_eq(world_append(&w, "INBOX", &what,
			texts[i]).r, MBOX_OK);
	m = world_mailbox(&w, "INBOX");
	ck_assert_mem_eq(mailbox_message(m, 1)->thread_id,
	    mailbox_message(m, 2)->thread_id, 16);
	ck_assert_mem_eq(mailbox_message(m, 1)->thread_id,
	    mailbox_message(m, 3)->thread_id, 16);
	ck_assert_mem_ne(mailbox_message(m, 1)->thread_id,
	    mailbox_message(m, 4)->thread_id, 16);
	ck_assert_mem_eq(mailbox_message(m, 5)->thread_id, none, 16);
	mailbox_close(&m);
}
END_TEST

/* ---- quota ---- */

START_TEST(quota)
{
	struct append what = { .sync = true };
	const char *text = "A: b\r\n\r\n1234567890\r\n";
	size_t n = strlen(text);
	uint64_t bytes, messages;
	struct mailbox *m;

	world_close(&w);
	w.options.quota_bytes = 3 * n;
	ck_assert_int_eq(world_open(&w), 0);
	ck_assert_int_eq(world_append(&w, "INBOX", &what, text).r, MBOX_OK);
	what.delivery_id = 1;
	ck_assert_int_eq(world_append(&w, "INBOX", &what, text).r, MBOX_OK);
	account_usage(w.a, &bytes, &messages);
	ck_assert_uint_eq(bytes, 2 * n);
	ck_assert_uint_eq(messages, 2);
	m = world_mailbox(&w, "INBOX");
	ck_assert_int_eq(world_copy(&w, m, (uint32_t[]){ 1, 2 }, 2, "Sent",
		false, NULL, NULL), MBOX_OVER_QUOTA);
	ck_assert_int_eq(world_copy(&w, m, (uint32_t[]){ 1 }, 1, "Sent",
		false, NULL, NULL), MBOX_OK);
	what.delivery_id = 2;
	ck_assert_int_eq(world_append(&w, "INBOX", &what, text).r,
	    MBOX_OVER_QUOTA);
	/* A move needs no room. */
	ck_assert_int_eq(world_copy(&w, m, (uint32_t[]){ 1 }, 1, "Sent",
		true, NULL, NULL), MBOX_OK);
	ck_assert_int_eq(world_expunge(&w, m, (uint32_t[]){ 2 }, 1, true),
	    MBOX_OK);
	ck_assert_int_eq(world_append(&w, "INBOX", &what, text).r, MBOX_OK);
	account_usage(w.a, &bytes, &messages);
	ck_assert_uint_eq(bytes, 3 * n);
	ck_assert_int_eq(world_delete(&w, "Sent"), MBOX_OK);
	account_usage(w.a, &bytes, &messages);
	ck_assert_uint_eq(bytes, n);
	ck_assert_uint_eq(messages, 1);
	mailbox_close(&m);
	world_close(&w);
	w.options = (struct account_options){ .quota_messages = 1 };
	ck_assert_int_eq(world_open(&w), 0);
	account_usage(w.a, &bytes, &messages);
	ck_assert_uint_eq(bytes, n);
	what.delivery_id = 3;
	ck_assert_int_eq(world_append(&w, "INBOX", &what, text).r,
	    MBOX_OVER_QUOTA);
}
END_TEST

/* Two at once may not both have the last room. */
START_TEST(quota_race)
{
	struct append what = { .sync = true };
	struct append_writer *a, *b;
	enum mbox_result r;

	world_close(&w);
	w.options.quota_bytes = 15;
	ck_assert_int_eq(world_open(&w), 0);
	a = append_begin(w.a, SLICE("INBOX"), &what, 10, &r);
	b = append_begin(w.a, SLICE("INBOX"), &what, 10, &r);
	ck_assert(a != NULL && b != NULL);
	append_write(a, SLICE("A: b\r\n\r\n\r\n"));
	append_write(b, SLICE("A: b\r\n\r\n\r\n"));
	append_abort(&b);
	append_abort(&a);
	ck_assert_int_eq(world_append(&w, "INBOX", &what,
		"A: b\r\n\r\n\r\n").r, MBOX_OK);
	ck_assert_int_eq(world_append(&w, "INBOX", &what, "").r, MBOX_OK);
	ck_assert_int_eq(world_append(&w, "INBOX", &what,
		"A: b\r\n").r, MBOX_OVER_QUOTA);
}
END_TEST

UNIT_SUITE(mailbox, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, begins);
	tcase_add_test(tc, locks);
	tcase_add_test(tc, adds);
	tcase_add_test(tc, large);
	tcase_add_test(tc, flags);
	tcase_add_test(tc, too_many_keywords);
	tcase_add_test(tc, expunges);
	tcase_add_test(tc, copies);
	tcase_add_test(tc, folders);
	tcase_add_test(tc, odd_names);
	tcase_add_test(tc, renames_inbox);
	tcase_add_test(tc, subscribes);
	tcase_add_test(tc, deleted_while_open);
	tcase_add_test(tc, delivers);
	tcase_add_test(tc, delivers_to_open);
	tcase_add_test(tc, repeated_too_soon);
	tcase_add_test(tc, torn_delivery);
	tcase_add_loop_test(tc, lost_delivery, 0, 2);
	tcase_add_test(tc, fields);
	tcase_add_test(tc, threads);
	tcase_add_test(tc, quota);
	tcase_add_test(tc, quota_race);
})
