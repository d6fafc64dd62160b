/* SPDX-License-Identifier: ISC */
/* Answers that are far longer than what may wait for a client. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mda/model.h"
#include "tests/unit/mda/dialogue.h"
#include "tests/unit/unit.h"

enum {
	MESSAGES = 400,       /* with all keywords: 6 MB of FLAGS */
	MANY = 450000,        /* UIDs of ten digits: 5 MB */
	GAPS = 100000,
	SMALL = 4 << 20       /* memory that an answer may take, UIDs found
	                       * among it; less than any of them is long */
};

static struct world w;
static struct dialogue d;

static void
setup(void)
{
	world_make(&w);
	ck_assert_int_eq(world_open(&w), 0);
	dialogue_begin(&d, &w);
}

static void
teardown(void)
{
	dialogue_fini(&d);
	world_drop(&w);
}

static void
send_str(struct client *c, const char *text)
{
	dialogue_send(&d, c, slice_str(text));
}

/* Lines up to the one with this tag, which must be `answer`; how many of them
 * have `what`. */
static unsigned
lines_to(struct client *c, const char *answer, const char *what)
{
	const char *line;
	unsigned n = 0;

	for (;;) {
		line = dialogue_line(&d, c);
		ck_assert_msg(line != NULL, "closed before %s", answer);
		if (line[0] == answer[0])
			break;
		n += strstr(line, what) != NULL;
	}
	ck_assert_msg(strncmp(line, answer, strlen(answer)) == 0, "%s", line);
	return n;
}

static struct client *
client(unsigned i, const char *first)
{
	struct client *c = dialogue_client(&d, i, false, "t");

	(void)lines_to(c, "t OK", "");
	send_str(c, first);
	return c;
}

/* The client does not read: what waits for it is bounded. */
static void
turn_unread(struct client *c)
{
	size_t before = mallinfo2().uordblks;
	int keep = c->fd, i;

	c->fd = -1;
	for (i = 0; i < 300; i++)
		loop_turn(w.loop, false);
	ck_assert_uint_lt(mallinfo2().uordblks, before + SMALL);
	c->fd = keep;
}

/* Messages that all have as many and long keywords as can be. */
static void
add_marked(void)
{
	static char names[MAILBOX_KEYWORDS_MAX][ROW_KEYWORD_MAX + 1];
	struct slice words[MAILBOX_KEYWORDS_MAX];
	struct flag_change c = { .op = FLAGS_ADD, .keywords = words,
		.n_keywords = MAILBOX_KEYWORDS_MAX };
	uint32_t uids[MESSAGES];
	struct mailbox *m;
	unsigned i;

	for (i = 0; i < MAILBOX_KEYWORDS_MAX; i++) {
		(void)snprintf(names[i], sizeof names[i], "%02u%0253d", i, 0);
		words[i] = slice_str(names[i]);
	}
	for (i = 0; i < MESSAGES; i++)
		uids[i] = i + 1;
	m = world_mailbox(&w, "INBOX");
	ck_assert_int_eq(world_store(&w, m, uids, MESSAGES, &c, NULL),
	    MBOX_OK);
	mailbox_close(&m);
}

static void
add_messages(void)
{
	unsigned i;

	for (i = 0; i < MESSAGES; i++)
		ck_assert_int_eq(world_deliver(&w, "INBOX", i + 1), MBOX_OK);
}

static const char *const commands[] = {
	"n NOOP\r\n", "n UID FETCH 1:0 FLAGS\r\n", "n BLAH\r\n",
	"n STORE 1 +FLAGS.SILENT (\\Seen)\r\n", "n LOGIN x y\r\n",
};
static const char *const answers[] = {
	"n OK", "n BAD", "n BAD", "n OK", "n BAD",
};

START_TEST(news)
{
	struct client *c;

	add_messages();
	c = client(0, "a SELECT INBOX\r\nb ENABLE CONDSTORE\r\n");
	(void)lines_to(c, "a OK", "");
	(void)lines_to(c, "b OK", "");
	add_marked();
	send_str(c, commands[_i]);
	send_str(c, "o NOOP\r\n");
	turn_unread(c);
	ck_assert_uint_ge(lines_to(c, answers[_i], " FETCH ("), MESSAGES);
	ck_assert_uint_eq(lines_to(c, "o OK", ""), 0);
}
END_TEST

START_TEST(news_in_idle)
{
	struct client *c;

	add_messages();
	c = client(0, "a SELECT INBOX\r\nb IDLE\r\n");
	(void)lines_to(c, "a OK", "");
	(void)lines_to(c, "+ idling", "");
	add_marked();
	send_str(c, "DONE\r\no NOOP\r\n");
	turn_unread(c);
	ck_assert_uint_eq(lines_to(c, "b OK", " FETCH ("), MESSAGES);
	ck_assert_uint_eq(lines_to(c, "o OK", ""), 0);
}
END_TEST

START_TEST(resync)
{
	char select[128];
	struct client *c;

	add_messages();
	add_marked();
	(void)snprintf(select, sizeof select,
	    "a ENABLE QRESYNC\r\nb SELECT INBOX (QRESYNC (%u 1))\r\n",
	    account_find(w.a, SLICE("INBOX"))->uidvalidity);
	c = client(0, select);
	send_str(c, "o NOOP\r\n");
	turn_unread(c);
	(void)lines_to(c, "a OK", "");
	ck_assert_uint_eq(lines_to(c, "b OK", " FETCH ("), MESSAGES);
	ck_assert_uint_eq(lines_to(c, "o OK", ""), 0);
}
END_TEST

/* ---- many messages, by their rows alone ---- */

struct put {
	struct op op;
	struct mailbox *m;
	uint32_t first, step, n;
	bool done;
};

static enum mbox_result
prepare(struct op *op, struct txn *t)
{
	struct put *p = LIST_OF(op, struct put, op);
	struct new_message msg = { .id = SLICE("x"), .size = 10 };
	uint32_t i;

	for (i = 0; i < p->n; i++)
		(void)txn_add(t, p->m, &msg, p->first + i * p->step);
	txn_box(t, p->m)->row.uidnext = p->first + p->n * p->step;
	return MBOX_OK;
}

static void
finish(struct op *op, enum mbox_result r)
{
	ck_assert_int_eq(r, MBOX_OK);
	LIST_OF(op, struct put, op)->done = true;
}

static void
put_rows(uint32_t first, uint32_t step, uint32_t n)
{
	struct put p = { .op = { .prepare = prepare, .finish = finish,
		.lazy = true }, .first = first, .step = step, .n = n };

	p.m = world_mailbox(&w, "INBOX");
	op_add(w.a, &p.op);
	world_wait(&w, &p.done);
	mailbox_close(&p.m);
}

START_TEST(search)
{
	const char *line, *at;
	struct client *c;
	unsigned n = 0;

	put_rows(4000000000, 1, MANY);
	c = client(0, "a SELECT INBOX\r\n");
	(void)lines_to(c, "a OK", "");
	send_str(c, "b UID SEARCH ALL\r\nc UID SEARCH RETURN (ALL COUNT) "
	    "ALL\r\nd UID SEARCH RETURN (PARTIAL 2:4) ALL\r\n");
	turn_unread(c);
	line = dialogue_line(&d, c);
	ck_assert_int_eq(strncmp(line, "* SEARCH 4000000000 ", 20), 0);
	for (at = line; (at = strchr(at, '4')) != NULL; at += 10)
		n++;
	ck_assert_uint_eq(n, MANY);
	(void)lines_to(c, "b OK", "");
	ck_assert_str_eq(dialogue_line(&d, c), "* ESEARCH (TAG \"c\") UID "
	    "COUNT 450000 ALL 4000000000:4000449999");
	(void)lines_to(c, "c OK", "");
	ck_assert_str_eq(dialogue_line(&d, c), "* ESEARCH (TAG \"d\") UID "
	    "PARTIAL (2:4 4000000001:4000000003)");
	(void)lines_to(c, "d OK", "");
}
END_TEST

/* Where the log does not reach back every gap is told, in lines of a bearable
 * length. */
START_TEST(gaps)
{
	uint32_t first, last, next = 4000000001;
	const char *line, *at;
	char text[128];
	struct client *c;

	put_rows(4000000000, 2, GAPS);
	c = client(0, "a SELECT INBOX\r\nb ENABLE QRESYNC\r\n");
	(void)lines_to(c, "a OK", "");
	(void)lines_to(c, "b OK", "");
	box_find(w.a, SLICE("INBOX"))->row.expunge_floor = UINT64_MAX;
	(void)snprintf(text, sizeof text, "c UID FETCH 4000000000:* (FLAGS) "
	    "(CHANGEDSINCE 1000000 VANISHED)\r\n");
	send_str(c, text);
	turn_unread(c);
	for (;;) {
		line = dialogue_line(&d, c);
		ck_assert_ptr_nonnull(line);
		if (line[0] == 'c')
			break;
		ck_assert_uint_lt(strlen(line), 20000);
		ck_assert_int_eq(strncmp(line, "* VANISHED (EARLIER) 4", 22),
		    0);
		for (at = line + 20; *at != 0; at += strcspn(at, ",")) {
			at++;
			first = last = (uint32_t)strtoul(at, NULL, 10);
			ck_assert_uint_eq(first, next);
			next = last + 2;
		}
	}
	ck_assert_uint_eq(next, 4000000001 + 2 * GAPS);
	ck_assert_int_eq(strncmp(line, "c OK", 4), 0);
}
END_TEST

UNIT_SUITE(imap_long, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, news, 0,
	    sizeof commands / sizeof *commands);
	tcase_add_test(tc, news_in_idle);
	tcase_add_test(tc, resync);
	tcase_add_test(tc, search);
	tcase_add_test(tc, gaps);
})
