/* SPDX-License-Identifier: ISC */
#include "mda/session.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mda/model.h"
#include "tests/unit/mda/dialogue.h"
#include "tests/unit/unit.h"

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

static const char *const scripts[] = {
	"any.imap",
	"select.imap",
	"fetch.imap",
	"store.imap",
	"expunge.imap",
	"search.imap",
	"list.imap",
	"admin.imap",
	"append.imap",
	"condstore.imap",
	"qresync.imap",
	"rev2.imap",
	"preview.imap",
	"misc.imap",
};

START_TEST(script)
{
	dialogue_run(&d, scripts[_i]);
}
END_TEST

/* What comes in pieces means the same. */
START_TEST(script_bytewise)
{
	d.bytewise = true;
	dialogue_run(&d, scripts[_i]);
}
END_TEST

/* ---- a client that does not read ---- */

enum { BIG = 4 << 20, BIG_FETCHES = 20 };

static void
add_big(void)
{
	struct append what = { .sync = true };
	char *text = malloc(BIG + 1);
	size_t i;

	ck_assert_ptr_nonnull(text);
	for (i = 0; i < BIG; i++)
		text[i] = i % 64 == 62 ? '\r' : i % 64 == 63 ? '\n' : 'x';
	memcpy(text, "S: x\r\n\r\n", 8);
	text[BIG] = 0;
	ck_assert_int_eq(world_append(&w, "INBOX", &what, text).r, MBOX_OK);
	free(text);
}

static void
send_str(struct client *c, const char *text)
{
	dialogue_send(&d, c, slice_str(text));
}

/* Reads up to the first line that begins so, and that line; much may come
 * before it. */
static void
read_to(struct client *c, const char *begin)
{
	int64_t until = clock_boot_ms() + 20000;
	ptrdiff_t at;

	while ((at = slice_find(buf_slice(&c->in), slice_str(begin))) < 0 ||
	    (at > 0 && c->in.p[at - 1] != '\n')) {
		ck_assert_msg(!c->is_eof && clock_boot_ms() < until,
		    "no %s", begin);
		buf_drop(&c->in, c->in.n > 100 ? c->in.n - 100 : 0);
		dialogue_turn(&d);
	}
	buf_drop(&c->in, (size_t)at);
	(void)dialogue_line(&d, c);
}

static void
start_big(struct client *c)
{
	int i;

	send_str(c, "a SELECT INBOX\r\n");
	read_to(c, "a OK");
	for (i = 0; i < BIG_FETCHES; i++)
		send_str(c, "b FETCH 1 BODY.PEEK[]\r\n");
	send_str(c, "z NOOP\r\n");
}

START_TEST(slow_reader)
{
	struct client *c;
	size_t before;
	int64_t until;
	int keep;

	add_big();
	c = dialogue_client(&d, 0, false, "t");
	read_to(c, "t OK");
	start_big(c);
	/* It does not read for a while. */
	keep = c->fd;
	c->fd = -1;
	before = mallinfo2().uordblks;
	for (until = clock_boot_ms() + 300; clock_boot_ms() < until;)
		loop_turn(w.loop, false);
	ck_assert_uint_lt(mallinfo2().uordblks, before + (2 << 20));
	c->fd = keep;
	read_to(c, "z OK");
	ck_assert_uint_ge(c->got, (uint64_t)BIG * BIG_FETCHES);
	ck_assert_uint_le(c->got, (uint64_t)BIG * BIG_FETCHES + 10000);
}
END_TEST

/* Others are served meanwhile. */
START_TEST(fair)
{
	struct client *c, *other;

	add_big();
	c = dialogue_client(&d, 0, false, "t");
	other = dialogue_client(&d, 1, false, "t");
	read_to(c, "t OK");
	read_to(other, "t OK");
	start_big(c);
	send_str(other, "n NOOP\r\n");
	read_to(other, "n OK");
	ck_assert_uint_lt(c->got, (uint64_t)BIG * BIG_FETCHES);
	read_to(c, "z OK");
}
END_TEST

/* It goes away in the middle: nothing is left (teardown looks). */
START_TEST(gone)
{
	struct client *c;
	int i;

	add_big();
	c = dialogue_client(&d, 0, false, "t");
	read_to(c, "t OK");
	start_big(c);
	for (i = 0; i < _i * 3; i++)
		loop_turn(w.loop, false);
	(void)close(c->fd);
	(void)close(c->control);
	c->fd = -1;
}
END_TEST

/* access says that the client is gone: what it had sent whole is done. */
START_TEST(input_end)
{
	static const char text[] = "a APPEND INBOX {4+}\r\nA:b\n\r\n"
	    "b STATUS INBOX (MESSAGES)\r\nc NO";
	struct client *c = dialogue_client(&d, 0, false, "");

	dialogue_input_end(c, sizeof text - 1);
	send_str(c, text);
	ck_assert_int_eq(strncmp(dialogue_line(&d, c), "a OK", 4), 0);
	ck_assert_str_eq(dialogue_line(&d, c),
	    "* STATUS INBOX (MESSAGES 1)");
	ck_assert_int_eq(strncmp(dialogue_line(&d, c), "b OK", 4), 0);
	ck_assert_ptr_null(dialogue_line(&d, c));
	ck_assert(c->is_ended);
	ck_assert_uint_eq(c->end_at, c->got);
}
END_TEST

/* ---- a refresh that takes longer than the time between two ---- */

static void
start_nothing(struct op *op)
{
	op->lazy = true;
}

static void
finish_nothing(struct op *op, enum mbox_result r)
{
	ck_assert_int_eq(r, MBOX_OK);
	op->lazy = false;
}

START_TEST(slow_refresh)
{
	struct op op = { .exclusive = true, .start = start_nothing,
		.finish = finish_nothing };
	struct client *c = dialogue_client(&d, 0, false, "t");
	int64_t until;

	send_str(c, "a SELECT INBOX\r\nb IDLE\r\n");
	read_to(c, "+ idling");
	op_add(w.a, &op);
	while (!op.lazy)
		dialogue_turn(&d);
	world_write(&w, "new/1.x", "A: b\r\n\r\n");
	/* Several times as long as owner_poll_ms(). */
	for (until = clock_boot_ms() + 300; clock_boot_ms() < until;) {
		dialogue_turn(&d);
		(void)usleep(1000);
	}
	op_end(&op, MBOX_OK);
	read_to(c, "* 1 EXISTS");
	world_write(&w, "new/2.x", "A: b\r\n\r\n");
	read_to(c, "* 2 EXISTS");
}
END_TEST

/* ---- a message that goes while it is told ---- */

/* All of an answer, as far as it comes. */
static void
read_all(struct client *c, const char *tag)
{
	int64_t until = clock_boot_ms() + 10000;

	while (!c->is_eof && slice_find(buf_slice(&c->in),
		slice_str(tag)) < 0 && clock_boot_ms() < until)
		dialogue_turn(&d);
}

/* One message of that size. Did it go between two of its items? */
static bool
expunge_in_fetch(size_t size)
{
	struct append what = { .sync = true };
	char *text = malloc(size + 1), want[128];
	struct client *c;
	struct mailbox *m;
	uint32_t uid;
	bool hit;
	int keep, i;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	memcpy(text, "S: x\r\n\r\n", 8);
	text[size] = 0;
	uid = world_append(&w, "INBOX", &what, text).uid;
	free(text);
	m = world_mailbox(&w, "INBOX");
	c = dialogue_client(&d, 0, false, "t");
	send_str(c, "a SELECT INBOX\r\n");
	read_to(c, "a OK");
	send_str(c, "b FETCH 1 (BODY.PEEK[] BODY.PEEK[1]<0.9> UID "
	    "RFC822.SIZE)\r\n");
	/* It does not read: what waits for it fills the connection. */
	keep = c->fd;
	c->fd = -1;
	for (i = 0; i < 100; i++)
		loop_turn(w.loop, false);
	ck_assert_int_eq(world_expunge(&w, m, &uid, 1, true), MBOX_OK);
	c->fd = keep;
	mailbox_close(&m);
	read_all(c, "b OK");
	ck_assert_int_lt(slice_find(buf_slice(&c->in), SLICE(" UID 0")), 0);
	(void)snprintf(want, sizeof want, " NIL UID %u RFC822.SIZE %zu)\r\n",
	    uid, size);
	hit = slice_find(buf_slice(&c->in), slice_str(want)) >= 0;
	(void)close(c->fd);
	if (c->control >= 0)
		(void)close(c->control);
	buf_fini(&c->in);
	c->fd = c->control = -1;
	return hit;
}

/* What was begun of it is told as it was. */
START_TEST(expunged_in_fetch)
{
	unsigned hits = 0;
	size_t kb;

	for (kb = 200; kb < 900; kb += 20)
		hits += expunge_in_fetch(kb << 10);
	ck_assert_uint_gt(hits, 0);
}
END_TEST

/* ---- noise ---- */

static const char *const pieces[] = {
	"a ", "b ", "UID ", "FETCH ", "STORE ", "SEARCH ", "COPY ", "MOVE ",
	"1", "2", "*", ":", ",", "$", "1:* ", " ", "(", ")", "FLAGS ", "UID",
	"BODY[]", "BODY.PEEK[1.2]", "BODY[HEADER.FIELDS (A B)]<0.10>",
	"ENVELOPE ", "BODYSTRUCTURE ", "BINARY[1]", "+FLAGS ", "-FLAGS.SILENT ",
	"\\Seen ", "\\Deleted ", "$k ", "EXPUNGE", "CLOSE", "SELECT ",
	"INBOX", "INBOX ", "EXAMINE ", "(CONDSTORE)", "(QRESYNC (1 1))",
	"ENABLE QRESYNC", "APPEND ", "{3+}\r\nabc", "{3}\r\nabc", "{0+}\r\n",
	"\r\n", "\r\n", "\r\n", "\n", "\"", "LIST ", "\"\" ", "STATUS ",
	"(MESSAGES UIDNEXT)", "CREATE ", "DELETE ", "RENAME ", "x/y ", "x ",
	"IDLE\r\n", "DONE\r\n", "NOOP", "RETURN (SAVE) ", "RETURN (ALL) ",
	"TEXT ", "SUBJECT ", "OR ", "NOT ", "ALL", "DELETED ", "MODSEQ 1 ",
	"(CHANGEDSINCE 1 VANISHED)", "(UNCHANGEDSINCE 3) ", "UNSELECT",
	"LSUB \"\" *", "PREVIEW", "\xff", "\xc3\xa4",
};

static unsigned
draw(uint32_t *seed, unsigned n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % n;
}

START_TEST(noise)
{
	uint32_t seed = (uint32_t)_i + 1;
	struct client *c;
	unsigned round, k;
	struct buf b;

	for (k = 0; k < 3; k++)
		(void)world_add(&w, "INBOX", k);
	buf_init(&b, 1 << 20);
	for (round = 0; round < 30; round++) {
		c = dialogue_client(&d, round % 3, false, "t");
		buf_reset(&b);
		if (round % 2 == 0)
			buf_add_str(&b, "s SELECT INBOX\r\n");
		for (k = 0; k < 200; k++)
			buf_add_str(&b, pieces[draw(&seed,
			    sizeof pieces / sizeof *pieces)]);
		dialogue_send(&d, c, buf_slice(&b));
		for (k = 0; k < draw(&seed, 60); k++)
			dialogue_turn(&d);
		(void)close(c->fd);
		if (c->control >= 0)
			(void)close(c->control);
		buf_fini(&c->in);
		c->fd = c->control = -1;
	}
	buf_fini(&b);
}
END_TEST

UNIT_SUITE(imap_session, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, script, 0, sizeof scripts / sizeof *scripts);
	tcase_add_loop_test(tc, script_bytewise, 0,
	    sizeof scripts / sizeof *scripts);
	tcase_add_test(tc, slow_reader);
	tcase_add_test(tc, fair);
	tcase_add_loop_test(tc, gone, 0, 5);
	tcase_add_test(tc, input_end);
	tcase_add_test(tc, slow_refresh);
	tcase_add_test(tc, expunged_in_fetch);
	tcase_add_loop_test(tc, noise, 0, 6);
})
