/* SPDX-License-Identifier: ISC */
/* Giving a message to the queue, up to its death at every point. */
#include "session/queue_tx.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/daemon.h"
#include "sys/loop.h"
#include "tests/unit/session/asked.h"
#include "tests/unit/unit.h"

/* What was called, "opened; room; done 250 2.0.0 text". */
static struct buf calls;
static struct queue_tx *tx;
static bool inside; /* a call of the module */

static void
note(const char *what, const struct status *s)
{
	ck_assert(!inside);
	buf_addf(&calls, "%s%s", calls.n > 0 ? "; " : "", what);
	if (s == NULL)
		return;
	buf_addf(&calls, " %s %d ", s->outcome == OUTCOME_DONE ? "done"
		: s->outcome == OUTCOME_LATER ? "later" : "failed", s->code);
	enhanced_add(&calls, s->enhanced);
	buf_addf(&calls, " %.*s", SLICE_FMT(s->text));
}

static void
opened(void *arg, const struct status *no)
{
	(void)arg;
	note("opened", no);
}

static void
room(void *arg)
{
	(void)arg;
	note("room", NULL);
}

static void
done(void *arg, const struct status *result)
{
	(void)arg;
	note("done", result);
}

static const struct queue_tx_events events = { opened, room, done };

static const char *
called(void)
{
	static char text[1000];

	asked_settle();
	(void)snprintf(text, sizeof text, "%s", calls.n == 0 ? "" : calls.p);
	buf_reset(&calls);
	return text;
}

static void
setup(void)
{
	asked_begin();
	asked_bring(ROLE_QUEUE);
	buf_init(&calls, 10000);
}

static void
begin(void)
{
	const struct queue_tx_envelope e = { .sender = SLICE("a@a.example"),
		.envid = SLICE("e1"), .session = SLICE("s1"),
		.client = SLICE("192.0.2.7"), .size = 77, .account = 9,
		.body = 1, .ret = 2, .is_utf8 = true };

	inside = true;
	tx = queue_tx_open(asked_loop(), daemon_peer(ROLE_QUEUE), &e, &events,
	    &calls);
	inside = false;
	ck_assert_ptr_nonnull(tx);
}

/* The queue's answers to the n-th question. */
static void
answer_open(unsigned n, enum outcome outcome, const char *text)
{
	ipc_send(asked_end(ROLE_QUEUE), TX_OPENED, -1, .req = asked_req(n),
	    .outcome = (uint8_t)outcome, .id = 33, .text = slice_str(text));
}

static void
answer_done(unsigned n, enum outcome outcome, uint16_t code,
    const char *enhanced, const char *text)
{
	ipc_send(asked_end(ROLE_QUEUE), TX_DONE, -1, .req = asked_req(n),
	    .outcome = (uint8_t)outcome, .code = code,
	    .enhanced = slice_str(enhanced), .text = slice_str(text));
}

static void
give(const char *bytes, size_t n)
{
	inside = true;
	queue_tx_write(tx, (struct slice){ bytes, n });
	inside = false;
}

static void
commit(void)
{
	inside = true;
	queue_tx_commit(tx);
	inside = false;
}

static void
begin_opened(void)
{
	begin();
	asked_settle();
	answer_open(0, OUTCOME_DONE, "");
	ck_assert_str_eq(called(), "opened");
	(void)asked_told();
}

START_TEST(taken)
{
	begin();
	ck_assert(!queue_tx_is_open(tx));
	ck_assert_str_eq(queue_tx_id(tx), "");
	ck_assert_str_eq(asked_told(), "open 1 <a@a.example> size=77 "
	    "account=9 1 1 2 e1 s1 192.0.2.7");
	answer_open(0, OUTCOME_DONE, "");
	ck_assert_str_eq(called(), "opened");
	ck_assert(queue_tx_is_open(tx));
	ck_assert_str_eq(queue_tx_id(tx), "11");
	queue_tx_rcpt(tx, SLICE("b@b.example"), 4, SLICE("rfc822;b"));
	give("hello ", 6);
	give("you\r\n", 5);
	ck_assert_str_eq(asked_told(), "rcpt 1 <b@b.example> 4 rfc822;b");
	commit();
	ck_assert_str_eq(asked_told(), "body 1 11; commit 1 11");
	ck_assert_str_eq(called(), "");
	answer_done(1, OUTCOME_DONE, 250, "2.0.0", "11");
	ck_assert_str_eq(called(), "done done 250 2.0.0 11");
	queue_tx_free(&tx);
	ck_assert_str_eq(asked_told(), "");
	ck_assert_ptr_null(tx);
}
END_TEST

START_TEST(opened_or_not)
{
	static const struct {
		enum outcome outcome;
		const char *want;
	} cases[] = {
		{ OUTCOME_LATER, "opened later 452 4.3.1 why" },
		{ OUTCOME_FAILED, "opened failed 554 5.3.0 why" },
		{ (enum outcome)9, "opened later 452 4.3.1 why" },
	};

	begin();
	asked_settle();
	answer_open(0, cases[_i].outcome, "why");
	ck_assert_str_eq(called(), cases[_i].want);
	ck_assert(queue_tx_is_open(tx));
	ck_assert(queue_tx_has_failed(tx));
	(void)asked_told();
	/* Nothing more goes out, but the end is told. */
	queue_tx_rcpt(tx, SLICE("b@b.example"), 0, SLICE_NONE);
	give("x\r\n", 3);
	commit();
	ck_assert_str_eq(asked_told(), "abort 1");
	ck_assert_str_eq(called() + 4, cases[_i].want + 6);
	queue_tx_free(&tx);
}
END_TEST

START_TEST(no_queue_at_all)
{
	asked_lose(ROLE_QUEUE);
	begin();
	ck_assert_str_eq(called(), "opened later 451 4.3.0 The queue is not "
	    "available, try again");
	queue_tx_rcpt(tx, SLICE("b@b.example"), 0, SLICE_NONE);
	give("x\r\n", 3);
	commit();
	ck_assert_str_eq(called(), "done later 451 4.3.0 The queue is not "
	    "available, try again");
	queue_tx_free(&tx);
}
END_TEST

#define LOST " later 451 4.3.0 The queue is not available, try again"

START_TEST(dies_before_it_answers)
{
	begin();
	asked_settle();
	asked_lose(ROLE_QUEUE);
	ck_assert_str_eq(called(), "opened" LOST);
	queue_tx_free(&tx);
}
END_TEST

START_TEST(dies_before_the_commit)
{
	begin_opened();
	give("x\r\n", 3);
	asked_lose(ROLE_QUEUE);
	/* A new one knows nothing of it. */
	asked_bring(ROLE_QUEUE);
	ck_assert_str_eq(called(), "");
	commit();
	ck_assert_str_eq(called(), "done" LOST);
	ck_assert_str_eq(asked_told(), "");
	queue_tx_free(&tx);
	ck_assert_str_eq(asked_told(), "");
}
END_TEST

START_TEST(dies_after_the_commit)
{
	begin_opened();
	give("x\r\n", 3);
	commit();
	asked_settle();
	ck_assert_str_eq(called(), "");
	asked_lose(ROLE_QUEUE);
	ck_assert_str_eq(called(), "done" LOST);
	queue_tx_free(&tx);
}
END_TEST

START_TEST(silent_queue)
{
	begin();
	asked_pass(29000);
	ck_assert_str_eq(called(), "");
	asked_pass(1000);
	ck_assert_str_eq(called(), "opened" LOST);
	/* Too late. */
	answer_open(0, OUTCOME_DONE, "");
	ck_assert_str_eq(called(), "");
	ck_assert(queue_tx_has_failed(tx));
	queue_tx_free(&tx);
	begin();
	asked_settle();
	answer_open(1, OUTCOME_DONE, "");
	ck_assert_str_eq(called(), "opened");
	commit();
	asked_pass(299000);
	ck_assert_str_eq(called(), "");
	asked_pass(1000);
	ck_assert_str_eq(called(), "done" LOST);
	answer_done(2, OUTCOME_DONE, 250, "2.0.0", "11");
	ck_assert_str_eq(called(), "");
	queue_tx_free(&tx);
}
END_TEST

START_TEST(refused_at_the_end)
{
	static const struct {
		enum outcome outcome;
		uint16_t code;
		const char *enhanced, *want;
	} cases[] = {
		{ OUTCOME_LATER, 452, "4.3.1", "done later 452 4.3.1 why" },
		{ OUTCOME_FAILED, 554, "5.6.0", "done failed 554 5.6.0 why" },
		{ (enum outcome)9, 451, "4.3.0", "done later 451 4.3.0 why" },
	};

	begin_opened();
	give("x\r\n", 3);
	commit();
	asked_settle();
	answer_done(1, cases[_i].outcome, cases[_i].code, cases[_i].enhanced,
	    "why");
	ck_assert_str_eq(called(), cases[_i].want);
	queue_tx_free(&tx);
}
END_TEST

/* The commit may be asked for before the queue has said anything. */
START_TEST(all_in_one_go)
{
	begin();
	queue_tx_rcpt(tx, SLICE("b@b.example"), 0, SLICE_NONE);
	give("x\r\n", 3);
	commit();
	asked_settle();
	answer_open(0, OUTCOME_DONE, "");
	answer_done(1, OUTCOME_DONE, 250, "2.0.0", "11");
	ck_assert_str_eq(called(), "done done 250 2.0.0 11");
	queue_tx_free(&tx);
}
END_TEST

/* ---- large ones ---- */

static const char piece[40000] = "0123456789";

static void
until_file(void)
{
	begin_opened();
	give(piece, 30000);
	ck_assert(!queue_tx_is_full(tx));
	ck_assert_str_eq(asked_told(), "");
	give(piece, sizeof piece);
	ck_assert(queue_tx_is_full(tx));
	ck_assert_str_eq(asked_told(), "file 1");
}

static void
give_file(int fd)
{
	ipc_send(asked_end(ROLE_QUEUE), TX_FILE_FD, fd, .req = asked_req(1));
	(void)close(fd);
}

static size_t
size_of(int fd)
{
	return (size_t)lseek(fd, 0, SEEK_END);
}

START_TEST(large_goes_to_a_file)
{
	int fd = memfd_create("body", MFD_CLOEXEC);
	unsigned before = asked_fds();
	char head[12] = "";

	until_file();
	give_file(dup(fd));
	ck_assert_str_eq(called(), "room");
	ck_assert(!queue_tx_is_full(tx));
	give("end\r\n", 5);
	ck_assert_uint_eq(size_of(fd), 70005);
	ck_assert_int_eq(pread(fd, head, 11, 30000), 11);
	ck_assert_str_eq(head, "0123456789");
	ck_assert_int_eq(pread(fd, head, 5, 70000), 5);
	ck_assert_int_eq(memcmp(head, "end\r\n", 5), 0);
	ck_assert_uint_eq(asked_fds(), before + 1);
	commit();
	/* Closed before it is asked for: the queue looks. */
	ck_assert_uint_eq(asked_fds(), before);
	ck_assert_str_eq(asked_told(), "commit 1 70005");
	answer_done(2, OUTCOME_DONE, 250, "2.0.0", "11");
	ck_assert_str_eq(called(), "done done 250 2.0.0 11");
	queue_tx_free(&tx);
}
END_TEST

START_TEST(committed_while_the_file_is_asked_for)
{
	int fd = memfd_create("body", MFD_CLOEXEC);

	until_file();
	commit();
	ck_assert_str_eq(asked_told(), "");
	give_file(dup(fd));
	ck_assert_str_eq(asked_told(), "commit 1 70000");
	ck_assert_uint_eq(size_of(fd), 70000);
	answer_done(2, OUTCOME_DONE, 250, "2.0.0", "11");
	ck_assert_str_eq(called(), "done done 250 2.0.0 11");
	queue_tx_free(&tx);
}
END_TEST

enum { NO_ROOM, READ_ONLY, DISK_FULL, DEATH, SILENCE };
static const struct {
	int how;
	const char *want;
} no_files[] = {
	{ NO_ROOM, "later 452 4.3.1 no room" },
	{ READ_ONLY, "later 451 4.3.0 The message could not be stored, "
	    "try again" },
	{ DISK_FULL, "later 452 4.3.1 Insufficient system storage" },
	{ DEATH, "later 451 4.3.0 The queue is not available, try again" },
	{ SILENCE, "later 451 4.3.0 The queue is not available, try again" },
};

static void
refuse_file(int how)
{
	switch (how) {
	case NO_ROOM:
		ipc_send(asked_end(ROLE_QUEUE), TX_FILE_NO, -1,
		    .req = asked_req(1), .text = SLICE("no room"));
		break;
	case READ_ONLY:
		give_file(open("/dev/null", O_RDONLY | O_CLOEXEC));
		break;
	case DISK_FULL:
		give_file(open("/dev/full", O_WRONLY | O_CLOEXEC));
		break;
	case DEATH:
		asked_lose(ROLE_QUEUE);
		break;
	case SILENCE:
		asked_pass(30000);
		break;
	}
	asked_settle();
}

/* Told at the end, whether that was asked for before or after. */
START_TEST(no_file)
{
	const char *want = no_files[_i / 2].want, *got;
	bool early = _i % 2 == 0;
	unsigned before = asked_fds();

	until_file();
	if (early)
		commit();
	refuse_file(no_files[_i / 2].how);
	if (!early) {
		ck_assert_str_eq(called(), "room");
		ck_assert(!queue_tx_is_full(tx));
		give(piece, sizeof piece);
		commit();
	}
	got = called();
	ck_assert_int_eq(strncmp(got, "done ", 5), 0);
	ck_assert_str_eq(got + 5, want);
	queue_tx_free(&tx);
	if (no_files[_i / 2].how != DEATH)
		ck_assert_uint_eq(asked_fds(), before);
}
END_TEST

/* ---- given up ---- */

START_TEST(aborted)
{
	begin_opened();
	give("x\r\n", 3);
	queue_tx_free(&tx);
	ck_assert_str_eq(asked_told(), "abort 1");
	begin();
	queue_tx_free(&tx);
	ck_assert_str_eq(asked_told(), "open 2 <a@a.example> size=77 "
	    "account=9 1 1 2 e1 s1 192.0.2.7; abort 2");
	answer_open(1, OUTCOME_DONE, "");
	ck_assert_str_eq(called(), "");
	queue_tx_free(&tx);
}
END_TEST

START_TEST(aborted_while_a_file_comes)
{
	unsigned before = asked_fds();

	until_file();
	queue_tx_free(&tx);
	ck_assert_str_eq(asked_told(), "abort 1");
	give_file(memfd_create("body", MFD_CLOEXEC));
	ck_assert_str_eq(called(), "");
	ck_assert_uint_eq(asked_fds(), before);
}
END_TEST

START_TEST(given_up_after_the_commit)
{
	begin_opened();
	give("x\r\n", 3);
	commit();
	ck_assert_str_eq(asked_told(), "body 1 3; commit 1 3");
	queue_tx_free(&tx);
	/* It cannot be taken back any more. */
	ck_assert_str_eq(asked_told(), "");
	answer_done(1, OUTCOME_DONE, 250, "2.0.0", "11");
	ck_assert_str_eq(called(), "");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, taken);
	tcase_add_loop_test(tc, opened_or_not, 0, 3);
	tcase_add_test(tc, no_queue_at_all);
	tcase_add_test(tc, dies_before_it_answers);
	tcase_add_test(tc, dies_before_the_commit);
	tcase_add_test(tc, dies_after_the_commit);
	tcase_add_test(tc, silent_queue);
	tcase_add_loop_test(tc, refused_at_the_end, 0, 3);
	tcase_add_test(tc, all_in_one_go);
	tcase_add_test(tc, large_goes_to_a_file);
	tcase_add_test(tc, committed_while_the_file_is_asked_for);
	tcase_add_loop_test(tc, no_file, 0, 10);
	tcase_add_test(tc, aborted);
	tcase_add_test(tc, aborted_while_a_file_comes);
	tcase_add_test(tc, given_up_after_the_commit);
}

UNIT_SUITE(queue_tx, tcase_add_checked_fixture(tc, setup, NULL);
	add_tests(tc);)
