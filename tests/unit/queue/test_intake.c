/* SPDX-License-Identifier: ISC */
/* Transactions of submitters: what is said yes to, and when. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "conf/conf_queue.h"
#include "proto/status.h"
#include "queue/fsio.h"
#include "queue/intake.h"
#include "queue/queue.h"
#include "tests/unit/queue/fake_jobs.h"
#include "tests/unit/queue/play.h"
#include "tests/unit/queue/play_peers.h"
#include "tests/unit/unit.h"

static const char town[] = "ann@a.example account 7\n"
    "postmaster@a.example account 1\n"
    "*@far.example remote far.example\n";

static const struct play_letter small = { .sender = "ann@a.example",
	.to = { { .address = "bob@far.example" } } };

/* The last answer: a code, -1 lost, 0 none; and its descriptor. */
static int code, file;

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)arg;
	file = fd;
	code = m == NULL ? -1
	    : type == IPC_TX_OPENED
	    ? (m->TX_OPENED.outcome == OUTCOME_DONE ? 250 : 450)
	    : type == IPC_TX_FILE_FD ? 251
	    : type == IPC_TX_FILE_NO ? 452 : m->TX_DONE.code;
}

static int
answer(void)
{
	int got;

	play_settle();
	got = code;
	code = 0;
	return got;
}

static void
start(void)
{
	play_town(town);
	play_start();
}

static int
open_above(uint64_t tx, uint64_t floor)
{
	(void)ipc_ask(peers_submitter(), TX_OPEN, -1, 0, on_answer, NULL,
	    .tx = tx, .floor = floor, .size = 4096,
	    .sender = SLICE("ann@a.example"));
	return answer();
}

static int
open_tx(uint64_t tx)
{
	return open_above(tx, 0);
}

static void
add_rcpt(uint64_t tx)
{
	ipc_send(peers_submitter(), TX_RCPT, -1, .tx = tx,
	    .address = SLICE("bob@far.example"));
}

static void
add_body(uint64_t tx, struct slice bytes)
{
	ipc_send(peers_submitter(), TX_BODY, -1, .tx = tx, .bytes = bytes);
}

static int
ask_file(uint64_t tx)
{
	(void)ipc_ask(peers_submitter(), TX_FILE, -1, 0, on_answer, NULL,
	    .tx = tx);
	return answer();
}

static int
commit(uint64_t tx, uint64_t size)
{
	(void)ipc_ask(peers_submitter(), TX_COMMIT, -1, 0, on_answer, NULL,
	    .tx = tx, .size = size);
	return answer();
}

START_TEST(yes_only_when_durable)
{
	start();
	fake_jobs_hold(true);
	play_expect(play_offer(&small), "");
	play_pass(MINUTE);
	play_expect(play_answer(), "");
	play_expect(play_tried(), "");
	fake_jobs_hold(false);
	play_settle();
	play_has(play_answer(), "250 2.0.0 ");
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n");
}
END_TEST

/* What the disk says while the letter is written, and what the client hears. */
static const struct {
	enum fsio_op op;
	int error;
	const char *want;
} failures[] = {
	{ FSIO_FDATASYNC, EIO, "451 4.3.0 " },
	{ FSIO_WRITE, EIO, "451 4.3.0 " },
	{ FSIO_WRITE, ENOSPC, "452 4.3.1 " },
	{ FSIO_WRITE, EDQUOT, "452 4.3.1 " },
};

START_TEST(no_when_the_disk_refuses)
{
	start();
	play_send(&small);
	play_pass(SECOND);
	(void)play_tried();
	fsio_fail_at(failures[_i].op, 1, 1000, failures[_i].error);
	ck_assert_int_eq(strncmp(play_offer(&small), failures[_i].want, 10),
	    0);
	ck_assert(play_logged("event=not_queued"));
	play_expect(play_tried(), "");
	ck_assert_uint_eq(intake_open_count(), 0);
	fsio_fail_at(FSIO_ANY, 0, 0, 0);
	play_send(&small);
}
END_TEST

START_TEST(large_ones_by_file)
{
	char bytes[1000] = "A: b\r\n\r\n";

	start();
	ck_assert_int_eq(open_tx(1), 250);
	add_rcpt(1);
	ck_assert_int_eq(ask_file(1), 251);
	ck_assert_int_eq(write(file, bytes, sizeof bytes), sizeof bytes);
	/* While somebody can still write to it, nothing is promised. */
	ck_assert_int_eq(commit(1, sizeof bytes), 451);
	(void)close(file);
	ck_assert_int_eq(open_tx(2), 250);
	add_rcpt(2);
	ck_assert_int_eq(ask_file(2), 251);
	ck_assert_int_eq(write(file, bytes, sizeof bytes), sizeof bytes);
	(void)close(file);
	/* Of another length than was said. */
	ck_assert_int_eq(commit(2, sizeof bytes + 1), 451);
	ck_assert_int_eq(open_tx(3), 250);
	add_rcpt(3);
	ck_assert_int_eq(ask_file(3), 251);
	ck_assert_int_eq(write(file, bytes, sizeof bytes), sizeof bytes);
	(void)close(file);
	ck_assert_int_eq(commit(3, sizeof bytes), 250);
	ck_assert_uint_eq(play_count_logged("event=queued"), 1);
	ck_assert_uint_eq(intake_open_count(), 0);
}
END_TEST

START_TEST(what_makes_no_message)
{
	char huge[IPC_BODY_MAX / 2 + 1];

	memset(huge, 'x', sizeof huge);
	start();
	/* Of no transaction. */
	ck_assert_int_eq(commit(9, 0), 451);
	ck_assert_int_eq(ask_file(9), 452);
	add_rcpt(9);
	add_body(9, SLICE("x"));
	/* Without recipients. */
	ck_assert_int_eq(open_tx(1), 250);
	add_body(1, SLICE("x\r\n"));
	ck_assert_int_eq(commit(1, 3), 451);
	/* Shorter than was said. */
	ck_assert_int_eq(open_tx(2), 250);
	add_rcpt(2);
	add_body(2, SLICE("x\r\n"));
	ck_assert_int_eq(commit(2, 4), 451);
	/* More than may travel in messages. */
	ck_assert_int_eq(open_tx(3), 250);
	add_rcpt(3);
	add_body(3, (struct slice){ huge, sizeof huge });
	add_body(3, (struct slice){ huge, sizeof huge });
	ck_assert_int_eq(commit(3, 2 * sizeof huge), 451);
	/* Opened twice: the first one goes on. */
	ck_assert_int_eq(open_tx(4), 250);
	ck_assert_int_eq(open_tx(4), 450);
	add_rcpt(4);
	add_body(4, SLICE("x\r\n"));
	ck_assert_int_eq(commit(4, 3), 250);
	/* It is over with the commit. */
	ck_assert_int_eq(commit(4, 3), 451);
	ck_assert_uint_eq(play_count_logged("event=queued"), 1);
	ck_assert_uint_eq(intake_open_count(), 0);
}
END_TEST

START_TEST(aborted_is_forgotten)
{
	start();
	ck_assert_int_eq(open_tx(1), 250);
	add_rcpt(1);
	ck_assert_int_eq(ask_file(1), 251);
	(void)close(file);
	ck_assert_uint_eq(intake_open_count(), 1);
	ipc_send(peers_submitter(), TX_ABORT, -1, .tx = 1);
	ipc_send(peers_submitter(), TX_ABORT, -1, .tx = 1);
	play_settle();
	ck_assert_uint_eq(intake_open_count(), 0);
	ck_assert_int_eq(commit(1, 0), 451);
}
END_TEST

START_TEST(lost_submitter_is_forgotten)
{
	start();
	ck_assert_int_eq(open_tx(1), 250);
	add_rcpt(1);
	ck_assert_int_eq(open_tx(2), 250);
	play_lose(ROLE_SMTPD);
	ck_assert_uint_eq(intake_open_count(), 0);
	play_bring(ROLE_SMTPD);
	/* The numbers of the new one are its own. */
	ck_assert_int_eq(open_tx(1), 250);
	add_rcpt(1);
	add_body(1, SLICE("x\r\n"));
	ck_assert_int_eq(commit(1, 3), 250);
}
END_TEST

/* What was asked to be made durable is, though nobody hears of it. */
START_TEST(lost_while_it_commits)
{
	start();
	ck_assert_int_eq(open_tx(1), 250);
	add_rcpt(1);
	add_body(1, SLICE("x\r\n"));
	fake_jobs_hold(true);
	ck_assert_int_eq(commit(1, 3), 0);
	play_lose(ROLE_SMTPD);
	ck_assert_uint_eq(intake_open_count(), 1);
	fake_jobs_hold(false);
	play_settle();
	ck_assert(play_logged("event=queued"));
	ck_assert_uint_eq(intake_open_count(), 0);
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n");
}
END_TEST

/* Half as much again as is free must stay free, for bounces three quarters. */
static void
fill_disk(void)
{
	struct statvfs v;

	ck_assert_int_eq(fstatvfs(daemon_jail_fd(), &v), 0);
	play_conf()->min_free = (int64_t)(v.f_bavail * v.f_frsize / 2 * 3);
}

START_TEST(full_disk_refuses_mail)
{
	fill_disk();
	start();
	play_expect(play_offer(&small), "no: insufficient system storage");
	ck_assert_uint_eq(intake_open_count(), 0);
	play_pass(MINUTE);
	play_expect(play_offer(&small), "no: insufficient system storage");
}
END_TEST

/* A submitter's own floor is looked at, not booked: no number of transactions
 * uses up what it wants to be left. */
START_TEST(floor_of_the_submitter)
{
	struct statvfs v;
	uint64_t room, tx;

	ck_assert_int_eq(fstatvfs(daemon_jail_fd(), &v), 0);
	room = v.f_bavail * v.f_frsize;
	start();
	ck_assert_int_eq(open_above(1, room * 2), 450);
	for (tx = 2; tx < 50; tx++)
		ck_assert_int_eq(open_above(tx, room / 8), 250);
	ck_assert_int_eq(open_above(tx, room * 2), 450);
}
END_TEST

static void
one_that_waits(void)
{
	play_fates("*@far.example 451 4.2.0 busy\n");
	play_send(&small);
	play_pass(SECOND);
}

static void
its_bounce(void)
{
	play_fates("*@far.example 550 5.1.1 nobody\n");
	play_expect(play_offer(&small), "no: insufficient system storage");
	play_pass(10 * MINUTE);
	play_has(play_tried(), "owner:7 <> ann@a.example\n");
}

START_TEST(full_disk_takes_bounces)
{
	play_town(town);
	play_life(one_that_waits);
	fill_disk();
	play_life(its_bounce);
}
END_TEST

START_TEST(stop_waits_for_the_commit)
{
	start();
	ck_assert_int_eq(open_tx(1), 250);
	add_rcpt(1);
	add_body(1, SLICE("x\r\n"));
	fake_jobs_hold(true);
	ck_assert_int_eq(commit(1, 3), 0);
	ck_assert(!play_stop(10000));
	fake_jobs_hold(false);
	ck_assert_int_eq(answer(), 250);
	/* Nothing keeps it any more. */
	ck_assert(play_has_stopped());
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, yes_only_when_durable);
	tcase_add_loop_test(tc, no_when_the_disk_refuses, 0,
	    sizeof failures / sizeof *failures);
	tcase_add_test(tc, large_ones_by_file);
	tcase_add_test(tc, what_makes_no_message);
	tcase_add_test(tc, aborted_is_forgotten);
	tcase_add_test(tc, lost_submitter_is_forgotten);
	tcase_add_test(tc, lost_while_it_commits);
	tcase_add_test(tc, full_disk_refuses_mail);
	tcase_add_test(tc, floor_of_the_submitter);
	tcase_add_test(tc, full_disk_takes_bounces);
	tcase_add_test(tc, stop_waits_for_the_commit);
}

PLAY_SUITE(intake, add_tests)
