/* SPDX-License-Identifier: ISC */
#include "mda/mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mda/model.h"
#include "tests/unit/mda/world.h"
#include "tests/unit/unit.h"

static struct world w;

/* What a view told, as text. */
struct told {
	char text[4096];
	unsigned news;
};

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

static void
say(struct told *t, const char *fmt, unsigned a, unsigned b)
{
	size_t n = strlen(t->text);

	(void)snprintf(t->text + n, sizeof t->text - n, "%s%c%u:%u",
	    n == 0 ? "" : " ", fmt[0], a, b);
}

static void
on_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	say(arg, "x", seq, uid);
}

static void
on_exists(void *arg, uint32_t count, uint32_t recent)
{
	say(arg, "e", count, recent);
}

static void
on_flags(void *arg, uint32_t seq, const struct message *msg)
{
	say(arg, "f", seq, msg->flags);
}

static void
on_keywords(void *arg)
{
	say(arg, "k", 0, 0);
}

static void
on_changed(void *arg)
{
	struct told *t = arg;

	t->news++;
}

static const struct view_sink sink = { on_expunged, on_exists, on_flags,
	on_keywords };
static const struct view_events events = { on_changed };

static const char *
sync_view(struct view *v, struct told *t, bool expunges)
{
	t->text[0] = 0;
	t->news = 0;
	view_sync(v, expunges, &sink, t);
	ck_assert(!view_has_changes(v, expunges));
	return t->text;
}

START_TEST(two)
{
	struct slice word = SLICE("new");
	struct flag_change c = { .op = FLAGS_ADD, .keywords = &word,
		.n_keywords = 1 };
	struct told ta = { .news = 0 }, tb = { .news = 0 };
	struct mailbox *m, *m2;
	struct view *a, *b;
	uint32_t uid = 5;
	unsigned i;

	for (i = 1; i <= 5; i++)
		(void)world_add(&w, "INBOX", i);
	m = world_mailbox(&w, "INBOX");
	m2 = world_mailbox(&w, "INBOX");
	ck_assert_ptr_eq(m, m2);
	a = view_new(m, false, &events, &ta);
	b = view_new(m2, false, &events, &tb);
	ck_assert_uint_eq(view_count(a), 5);
	ck_assert_uint_eq(view_recent(a), 5);
	ck_assert_uint_eq(view_recent(b), 0);
	ck_assert(view_is_recent(a, 3));
	ck_assert(!view_is_recent(b, 3));
	ck_assert(!view_has_changes(a, true));
	/* Flags go to both. */
	ck_assert_int_eq(world_flag(&w, m, 2, FLAGS_ADD, FLAG_SEEN), MBOX_OK);
	ck_assert_uint_eq(ta.news, 1);
	ck_assert_uint_eq(tb.news, 1);
	ck_assert(view_has_changes(b, false));
	view_knows(a, 2, mailbox_message(m, 2)->modseq);
	ck_assert_str_eq(sync_view(a, &ta, true), "");
	ck_assert_str_eq(sync_view(b, &tb, true), "f2:1");
	/* Numbers stay until they may move. */
	ck_assert_int_eq(world_expunge(&w, m, (uint32_t[]){ 2, 4 }, 2, true),
	    MBOX_OK);
	ck_assert_uint_eq(world_add(&w, "INBOX", 6), 6);
	ck_assert_int_eq(world_store(&w, m, &uid, 1, &c, NULL), MBOX_OK);
	ck_assert_uint_eq(view_uid(b, 2), 2);
	ck_assert_ptr_null(view_message(b, 2));
	ck_assert_str_eq(sync_view(b, &tb, false), "e6:1 k0:0 f5:0");
	ck_assert_uint_eq(view_uid(b, 2), 2);
	ck_assert_uint_eq(view_seq(b, 6), 6);
	ck_assert(view_has_changes(b, true));
	ck_assert_str_eq(sync_view(b, &tb, true), "x4:4 x2:2");
	ck_assert_uint_eq(view_count(b), 4);
	ck_assert_uint_eq(view_uid(b, 2), 3);
	ck_assert_uint_eq(view_seq(b, 4), 0);
	ck_assert_uint_eq(view_seq_from(b, 4), 3);
	ck_assert_uint_eq(view_seq_from(b, 7), 0);
	ck_assert_str_eq(sync_view(a, &ta, true),
	    "x4:4 x2:2 e4:3 k0:0 f3:0");
	/* B was the first to see number 6. */
	ck_assert(!view_is_recent(a, 4));
	/* Came and went between: nothing to tell. */
	ck_assert_uint_eq(world_add(&w, "INBOX", 7), 7);
	ck_assert_int_eq(world_expunge(&w, m, (uint32_t[]){ 7 }, 1, true),
	    MBOX_OK);
	ck_assert_str_eq(sync_view(a, &ta, true), "");
	view_free(&a);
	mailbox_close(&m);
	ck_assert_str_eq(sync_view(b, &tb, true), "");
	ck_assert_uint_eq(world_add(&w, "INBOX", 8), 8);
	ck_assert_str_eq(sync_view(b, &tb, true), "e5:2");
	view_free(&b);
	mailbox_close(&m2);
}
END_TEST

START_TEST(recent)
{
	struct told t = { .news = 0 };
	struct mailbox *m;
	struct view *v;

	(void)world_add(&w, "INBOX", 1);
	m = world_mailbox(&w, "INBOX");
	v = view_new(m, true, &events, &t);
	ck_assert_uint_eq(view_recent(v), 1);
	view_free(&v);
	ck_assert_uint_eq(mailbox_info(m)->recent, 1);
	v = view_new(m, false, &events, &t);
	ck_assert_uint_eq(view_recent(v), 1);
	ck_assert_uint_eq(mailbox_info(m)->recent, 0);
	view_free(&v);
	mailbox_close(&m);
	world_reopen(&w);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->recent, 0);
	(void)world_add(&w, "INBOX", 2);
	ck_assert_uint_eq(account_find(w.a, SLICE("INBOX"))->recent, 1);
	m = world_mailbox(&w, "INBOX");
	v = view_new(m, false, &events, &t);
	ck_assert_uint_eq(view_recent(v), 1);
	ck_assert(view_is_recent(v, 2));
	view_free(&v);
	mailbox_close(&m);
}
END_TEST

/* Random changes, two views that look at different times: what they were told
 * must lead to what is there. */
START_TEST(interleaved)
{
	struct told t[2] = { { .news = 0 }, { .news = 0 } };
	struct view *v[2];
	struct mailbox *m;
	unsigned round, i, seed = 12345;
	uint32_t uid, k;

	m = world_mailbox(&w, "INBOX");
	for (i = 0; i < 2; i++)
		v[i] = view_new(m, i == 1, &events, &t[i]);
	for (round = 0; round < 400; round++) {
		seed = seed * 1103515245 + 12345;
		k = view_count(v[0]);
		uid = k == 0 ? 0 : view_uid(v[0], seed / 65536 % k + 1);
		switch (seed / 16 % 5) {
		case 0:
		case 1:
			(void)world_add(&w, "INBOX", round);
			break;
		case 2:
			ck_assert_int_eq(world_expunge(&w, m, &uid, 1, true),
			    MBOX_OK);
			break;
		case 3:
			ck_assert_int_eq(world_flag(&w, m, uid, FLAGS_ADD,
				1U << (seed / 1024 % 5)), MBOX_OK);
			break;
		case 4:
			(void)sync_view(v[seed / 2048 % 2], &t[0],
			    seed / 4096 % 2 == 0);
			break;
		}
	}
	for (i = 0; i < 2; i++) {
		(void)sync_view(v[i], &t[i], true);
		ck_assert_uint_eq(view_count(v[i]),
		    mailbox_info(m)->messages);
		for (k = 1; k <= view_count(v[i]); k++)
			ck_assert_ptr_nonnull(view_message(v[i], k));
		view_free(&v[i]);
	}
	mailbox_close(&m);
}
END_TEST

/* A view that is never asked costs no more than its messages. */
START_TEST(silent)
{
	enum { MESSAGES = 300, ROUNDS = 200 };
	struct flag_change c = { .op = FLAGS_REPLACE };
	struct told t = { .news = 0 }, other = { .news = 0 };
	uint32_t uids[MESSAGES];
	struct view *v, *busy;
	struct mailbox *m;
	unsigned i, n = 0;
	const char *p;

	for (i = 0; i < MESSAGES; i++) {
		uids[i] = i + 1;
		ck_assert_int_eq(world_deliver(&w, "INBOX", i + 1), MBOX_OK);
	}
	m = world_mailbox(&w, "INBOX");
	v = view_new(m, false, &events, &t);
	busy = view_new(m, false, &events, &other);
	for (i = 1; i <= ROUNDS; i++) {
		c.flags = i % 2 == 0 ? FLAG_FLAGGED : FLAG_SEEN;
		ck_assert_int_eq(world_store(&w, m, uids, MESSAGES, &c, NULL),
		    MBOX_OK);
		if (i == ROUNDS - 1)
			ck_assert_int_eq(world_expunge(&w, m, uids, 2, true),
			    MBOX_OK);
		ck_assert_uint_lt(m->n_journal, 20000);
		(void)sync_view(busy, &other, true);
	}
	ck_assert_uint_lt(m->cap_journal, 40000);
	ck_assert_uint_eq(t.news, ROUNDS + 1);
	ck_assert(view_has_changes(v, true));
	p = sync_view(v, &t, true);
	ck_assert_int_eq(strncmp(p, "x2:2 x1:1 f1:4 f2:4 ", 20), 0);
	for (; (p = strchr(p, 'f')) != NULL; p++)
		n++;
	ck_assert_uint_eq(n, MESSAGES - 2);
	view_free(&v);
	view_free(&busy);
	mailbox_close(&m);
}
END_TEST

UNIT_SUITE(view, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, two);
	tcase_add_test(tc, recent);
	tcase_add_test(tc, interleaved);
	tcase_add_test(tc, silent);
})
