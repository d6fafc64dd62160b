/* SPDX-License-Identifier: ISC */
/* Notices: to whom, about what, in which words; and that none is answered. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_queue.h"
#include "proto/smtp_cmd.h"
#include "queue/fsio.h"
#include "tests/unit/queue/play.h"
#include "tests/unit/unit.h"

#define ANN "owner:7 <> ann@a.example\n"
#define POST "owner:1 <> postmaster@a.example\n"
#define GONE "*@far.example 550 5.1.1 nobody\n"

static const char town[] = "ann@a.example account 7\n"
    "bea@a.example account 8\n"
    "postmaster@a.example account 1\n"
    "*@far.example remote far.example\n";

static void
start(void)
{
	play_town(town);
	play_start();
}

static struct play_letter
letter(const char *to, uint8_t notify)
{
	return (struct play_letter){ .sender = "ann@a.example",
		.to = { { .address = to, .notify = notify } } };
}

/* ---- what it says ---- */

START_TEST(fields_of_a_failure)
{
	struct play_letter l = letter("bob@far.example", 0);

	l.envid = "my+2Bid";
	l.to[0].orcpt = "rfc822;b+2Bob@far.example";
	play_fates(GONE);
	start();
	play_send(&l);
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n" ANN);
	play_has(play_notice(), "\r\nTo: <ann@a.example>\r\n");
	play_has(play_notice(), "\r\nAuto-Submitted: auto-replied\r\n");
	play_has(play_notice(), "\r\nIn-Reply-To: <m1@a.example>\r\n");
	play_has(play_notice(), "multipart/report; "
	    "report-type=delivery-status");
	play_has(play_notice(), "\r\nOriginal-Envelope-Id: my+id\r\n"
	    "Reporting-MTA: dns; mail.a.example\r\n"
	    "Arrival-Date: Wed, 1 Jan 2020 00:16:40 +0000\r\n");
	play_has(play_notice(), "\r\nOriginal-Recipient: "
	    "rfc822;b+ob@far.example\r\n"
	    "Final-Recipient: rfc822;bob@far.example\r\n"
	    "Action: failed\r\nStatus: 5.1.1\r\n"
	    "Remote-MTA: dns; far.example\r\n"
	    "Diagnostic-Code: smtp; 550 5.1.1 nobody\r\n"
	    "Last-Attempt-Date: Wed, 1 Jan 2020 00:16:40 +0000\r\n");
	play_has(play_notice(), "text/rfc822-headers\r\n");
	play_has(play_notice(), "Message-ID: <m1@a.example>\r\n"
	    "Subject: hello\r\n");
	play_lacks(play_notice(), "the text");
	/* It asks for no notice itself. */
	play_has(play_details(), "ann@a.example 1 \n");
}
END_TEST

/* RET, the size of the body, and whether the text comes back. */
static const struct {
	uint8_t ret;
	size_t size;
	const char *fates;
	bool comes_back;
} returns[] = {
	{ SMTP_RET_NONE, 100, GONE, false },
	{ SMTP_RET_HDRS, 100, GONE, false },
	{ SMTP_RET_FULL, 100, GONE, true },
	{ SMTP_RET_FULL, 40000, GONE, true },
	{ SMTP_RET_FULL, 60000, GONE, false }, /* bounce_size: 50K */
	{ SMTP_RET_FULL, 100, "", false },     /* of a success: never */
};

START_TEST(what_is_returned)
{
	static const char head[] = "Subject: hello\r\n\r\n";
	size_t size = returns[_i].size;
	struct play_letter l = letter("bob@far.example",
	    SMTP_NOTIFY_FAILURE | SMTP_NOTIFY_SUCCESS);
	char *body = malloc(size + 1);

	ck_assert_ptr_nonnull(body);
	memset(body, 't', size);
	memcpy(body, head, sizeof head - 1);
	memcpy(body + size - 2, "\r\n", 3);
	l.ret = returns[_i].ret;
	l.body = body;
	play_fates(returns[_i].fates);
	start();
	play_send(&l);
	play_has(play_notice(), "Subject: hello\r\n");
	if (returns[_i].comes_back)
		play_has(play_notice(), body);
	else
		play_lacks(play_notice(), "ttttt");
	free(body);
}
END_TEST

START_TEST(eight_bit_is_wrapped)
{
	struct play_letter l = letter("bob@far.example", 0);

	l.body = "Subject: gr\xc3\xbc\xc3\x9f\r\n\r\ntext\r\n";
	play_fates(GONE);
	start();
	play_send(&l);
	play_has(play_notice(), "Content-Transfer-Encoding: base64");
	play_has(play_notice(), "U3ViamVjdDogZ3LDvMOf");
	play_lacks(play_notice(), "\xc3");
}
END_TEST

/* ---- who wants to hear ---- */

enum { GOOD, LATE, BAD };
static const struct {
	uint8_t notify;
	int fate;
	const char *action; /* NULL: no notice */
} wishes[] = {
	{ 0, GOOD, NULL },
	{ 0, LATE, "delayed" },
	{ 0, BAD, "failed" },
	{ SMTP_NOTIFY_NEVER, GOOD, NULL },
	{ SMTP_NOTIFY_NEVER, LATE, NULL },
	{ SMTP_NOTIFY_NEVER, BAD, NULL },
	{ SMTP_NOTIFY_NEVER | SMTP_NOTIFY_FAILURE, BAD, NULL },
	{ SMTP_NOTIFY_SUCCESS, GOOD, "relayed" },
	{ SMTP_NOTIFY_SUCCESS, LATE, NULL },
	{ SMTP_NOTIFY_SUCCESS, BAD, NULL },
	{ SMTP_NOTIFY_FAILURE, GOOD, NULL },
	{ SMTP_NOTIFY_FAILURE, LATE, NULL },
	{ SMTP_NOTIFY_FAILURE, BAD, "failed" },
	{ SMTP_NOTIFY_DELAY, GOOD, NULL },
	{ SMTP_NOTIFY_DELAY, LATE, "delayed" },
	{ SMTP_NOTIFY_DELAY, BAD, NULL },
};

START_TEST(wishes_are_kept)
{
	static const char *const fates[] = { "",
		"*@far.example 451 4.2.0 busy\n", GONE };
	struct play_letter l = letter("bob@far.example", wishes[_i].notify);
	char action[40] = "Action: ";

	play_fates(fates[wishes[_i].fate]);
	play_conf()->delay_warning = HOUR;
	start();
	play_send(&l);
	play_pass(4 * HOUR);
	if (wishes[_i].action == NULL) {
		play_expect(play_notice(), "");
		ck_assert(!play_logged("event=notice"));
		return;
	}
	play_has(play_notice(), strcat(action, wishes[_i].action));
	ck_assert_uint_eq(play_count_logged("event=notice"), 1);
}
END_TEST

START_TEST(wishes_travel_on)
{
	struct play_letter l = letter("bob@far.example",
	    SMTP_NOTIFY_SUCCESS | SMTP_NOTIFY_FAILURE);

	l.envid = "e1";
	l.ret = SMTP_RET_HDRS;
	l.to[0].orcpt = "rfc822;x@y.example";
	play_fates("*@far.example dsn 250 2.0.0 taken\n");
	start();
	play_send(&l);
	play_has(play_details(), " 0 0 e1 2\n"
	    "bob@far.example 6 rfc822;x@y.example\n");
	/* He who took the wish over will answer it. */
	ck_assert(!play_logged("event=notice"));
}
END_TEST

START_TEST(success_in_a_mailbox)
{
	struct play_letter l = letter("bea@a.example", SMTP_NOTIFY_SUCCESS);

	start();
	play_send(&l);
	play_pass(SECOND);
	play_has(play_notice(), "bea@a.example\r\nAction: delivered\r\n");
}
END_TEST

START_TEST(one_notice_for_all_of_an_attempt)
{
	struct play_letter l = letter("bob@far.example", 0);

	l.to[1].address = "bill@far.example";
	l.to[2].address = "bart@far.example";
	l.to[2].notify = SMTP_NOTIFY_NEVER;
	l.to[3].address = "good@far.example";
	play_fates("good@far.example 250 2.0.0 taken\n" GONE);
	start();
	play_send(&l);
	ck_assert_uint_eq(play_count_logged("event=notice"), 1);
	play_has(play_notice(), "rfc822;bob@far.example\r\nAction: failed");
	play_has(play_notice(), "rfc822;bill@far.example\r\nAction: failed");
	play_lacks(play_notice(), "bart@far.example");
	play_lacks(play_notice(), "good@far.example");
}
END_TEST

/* ---- no loops ---- */

START_TEST(bounce_of_a_bounce_is_the_postmasters)
{
	play_fates(GONE "ann@a.example 550 5.2.2 full\n");
	start();
	play_send(&(struct play_letter){ .sender = "ann@a.example",
	    .to = { { .address = "bob@far.example" } } });
	play_pass(24 * HOUR);
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n" ANN POST);
	play_has(play_notice(), "rfc822;ann@a.example\r\nAction: failed\r\n"
	    "Status: 5.2.2\r\n");
	ck_assert_uint_eq(play_count_logged("event=notice"), 2);
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

START_TEST(it_ends_with_the_postmaster)
{
	play_fates(GONE "ann@a.example 550 5.2.2 full\n"
	    "postmaster@a.example 550 5.2.2 full too\n");
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_pass(24 * HOUR);
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n" ANN POST);
	ck_assert_uint_eq(play_count_logged("event=notice"), 2);
	ck_assert_uint_eq(play_count_logged("event=bounce_dropped"), 1);
	play_expect(play_admin("queue list", NULL, NULL), "= 0 ");
}
END_TEST

START_TEST(late_bounces_are_not_told)
{
	play_fates(GONE "ann@a.example 451 4.2.2 full\n");
	start();
	play_send_one("ann@a.example", "bob@far.example");
	play_pass(24 * HOUR);
	ck_assert_uint_eq(play_count_logged("event=notice"), 1);
}
END_TEST

/* ---- a notice that cannot be stored ---- */

START_TEST(failure_is_told_before_it_is_marked)
{
	play_fates(GONE);
	play_town(town);
	play_start();
	play_send_one("ann@a.example", "bea@a.example");
	play_pass(SECOND);
	(void)play_tried();
	/* The letter itself is stored, its bounce is not. */
	fsio_fail_at(FSIO_FDATASYNC, 2, 1000, EIO);
	play_send_one("ann@a.example", "bob@far.example");
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n");
	ck_assert(play_logged("event=not_queued"));
	ck_assert_uint_eq(play_count_logged("event=done"), 1);
	fsio_fail_at(FSIO_ANY, 0, 0, 0);
	play_pass(31 * SECOND);
	play_expect(play_tried(),
	    "far.example <ann@a.example> bob@far.example\n" ANN);
	ck_assert_uint_eq(play_count_logged("event=done"), 3);
	play_pass(DAY);
	play_expect(play_tried(), "");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, fields_of_a_failure);
	tcase_add_loop_test(tc, what_is_returned, 0,
	    sizeof returns / sizeof *returns);
	tcase_add_test(tc, eight_bit_is_wrapped);
	tcase_add_loop_test(tc, wishes_are_kept, 0,
	    sizeof wishes / sizeof *wishes);
	tcase_add_test(tc, wishes_travel_on);
	tcase_add_test(tc, success_in_a_mailbox);
	tcase_add_test(tc, one_notice_for_all_of_an_attempt);
	tcase_add_test(tc, bounce_of_a_bounce_is_the_postmasters);
	tcase_add_test(tc, it_ends_with_the_postmaster);
	tcase_add_test(tc, late_bounces_are_not_told);
	tcase_add_test(tc, failure_is_told_before_it_is_marked);
}

PLAY_SUITE(bounce, add_tests)
