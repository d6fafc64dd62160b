/* SPDX-License-Identifier: ISC */
/* Links: questions and answers, order, descriptors, and what a peer that
 * breaks the rules costs itself. */
#include "sys/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/loop.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static struct ipc_link *ours, *theirs; /* resolver and relay */
static int raw = -1;
static int asked, answered, failed, lost, got_fd;
static uint64_t late_req, cancelled_req;
static bool answer_now;

static void
on_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)fd;
	asked++;
	ck_assert(slice_eq_str(m->DNS_ASK.name, "example.test"));
	if (answer_now)
		ipc_send(l, DNS_ANSWER, -1, .req = m->req, .ttl = 7);
	else
		late_req = m->req;
}

static void
on_lost(struct ipc_link *l)
{
	(void)l;
	lost++;
}

static void
on_cancel(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	cancelled_req = m->DNS_CANCEL.question;
}

static const struct ipc_handlers resolver = {
	.by_type = { [IPC_DNS_ASK] = on_ask, [IPC_DNS_CANCEL] = on_cancel },
	.lost = on_lost };
static const struct ipc_handlers relay = { .lost = on_lost };

static void
on_done(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)arg;
	(void)fd;
	if (m == NULL) {
		failed++;
		return;
	}
	ck_assert_int_eq(type, IPC_DNS_ANSWER);
	ck_assert_uint_eq(m->DNS_ANSWER.ttl, 7);
	answered++;
}

static void
turns(int n)
{
	while (n-- > 0)
		loop_turn(loop, false);
}

static void
set_up(void)
{
	int fds[2];

	log_set_level(LOG_LEVEL_ERROR);
	asked = answered = failed = lost = 0;
	got_fd = -1;
	answer_now = true;
	loop = loop_new();
	ck_assert_int_eq(ipc_pair(fds), 0);
	ours = ipc_link_new(loop, fds[0], ROLE_RESOLVER, ROLE_RELAY, 0,
	    &resolver);
	theirs = ipc_link_new(loop, fds[1], ROLE_RELAY, ROLE_RESOLVER, 0,
	    &relay);
}

/* One end is a bare socket: a peer that says what it likes. */
static void
set_up_raw(void)
{
	int fds[2];

	log_set_level(LOG_LEVEL_ERROR);
	asked = failed = lost = 0;
	answer_now = true;
	loop = loop_new();
	ck_assert_int_eq(ipc_pair(fds), 0);
	ours = ipc_link_new(loop, fds[0], ROLE_RESOLVER, ROLE_RELAY, 0,
	    &resolver);
	raw = fds[1];
}

static struct ipc_call *
ask(void)
{
	return ipc_ask(theirs, DNS_ASK, -1, 0, on_done, NULL, .type = 1,
	    .name = SLICE("example.test"));
}

START_TEST(answers)
{
	int i;

	set_up();
	for (i = 0; i < 1000; i++)
		(void)ask();
	turns(200);
	ck_assert_int_eq(asked, 1000);
	ck_assert_int_eq(answered, 1000);
	ck_assert_int_eq(failed, 0);
}
END_TEST

START_TEST(loss_answers_what_is_open)
{
	set_up();
	answer_now = false;
	(void)ask();
	(void)ask();
	turns(5);
	ck_assert_int_eq(asked, 2);
	ipc_link_free(&ours);
	turns(5);
	ck_assert_int_eq(failed, 2);
	ck_assert_int_eq(lost, 1);
}
END_TEST

START_TEST(cancelled_is_not_called)
{
	struct ipc_call *c;

	set_up();
	answer_now = false;
	c = ask();
	turns(5);
	ipc_call_cancel(&c);
	ck_assert_ptr_null(c);
	turns(5);
	ck_assert_uint_eq(cancelled_req, late_req);
	ipc_send(ours, DNS_ANSWER, -1, .req = late_req, .ttl = 7);
	turns(5);
	ck_assert_int_eq(answered + failed, 0);
	ck_assert_int_eq(lost, 0);
	ipc_call_cancel(&c);
}
END_TEST

START_TEST(full_and_room)
{
	int i;

	set_up();
	answer_now = false;
	for (i = 0; i < 300; i++)
		(void)ask();
	ck_assert(ipc_is_full(theirs));
	turns(100);
	ck_assert(!ipc_is_full(theirs));
	ck_assert_int_eq(asked, 300);
}
END_TEST

START_TEST(serials)
{
	uint64_t serial;

	set_up();
	serial = ipc_link_serial(ours);
	ck_assert_ptr_eq(ipc_link_find(serial), ours);
	ipc_link_free(&ours);
	ck_assert_ptr_null(ipc_link_find(serial));
}
END_TEST

static void
send_raw(const void *p, size_t n, int fd, int n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 3)];
	} control;
	struct iovec iov = { (void *)(uintptr_t)p, n };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;
	int i;

	if (n_fds > 0) {
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)n_fds);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)n_fds);
		for (i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &fd,
			    sizeof(int));
	}
	ck_assert_int_eq(sendmsg(raw, &h, MSG_NOSIGNAL), (ssize_t)n);
}

static void
expect_thrown_out(void)
{
	char byte;

	turns(5);
	ck_assert_int_eq(lost, 1);
	ck_assert_int_eq(recv(raw, &byte, 1, MSG_DONTWAIT), 0);
}

START_TEST(garbage_costs_the_link)
{
	set_up_raw();
	send_raw("garbage", 7, -1, 0);
	expect_thrown_out();
}
END_TEST

START_TEST(wrong_sender_costs_the_link)
{
	struct ipc_TX_ABORT m = { .tx = 1 };
	struct buf b;

	set_up_raw();
	buf_init(&b, 1000);
	ipc_encode(&b, IPC_TX_ABORT, &m);
	send_raw(b.p, b.n, -1, 0);
	expect_thrown_out();
	buf_fini(&b);
}
END_TEST

START_TEST(unasked_answer_costs_the_link)
{
	struct ipc_ADMIN_DONE m = { .req = 1234567 };
	struct buf b;

	set_up_raw();
	buf_init(&b, 1000);
	ipc_encode(&b, IPC_ADMIN_DONE, &m);
	send_raw(b.p, b.n, -1, 0);
	expect_thrown_out();
	buf_fini(&b);
}
END_TEST

START_TEST(undeclared_descriptor_costs_the_link)
{
	struct ipc_DNS_ASK m = { .name = SLICE("example.test") };
	struct buf b;

	set_up_raw();
	buf_init(&b, 1000);
	ipc_encode(&b, IPC_DNS_ASK, &m);
	send_raw(b.p, b.n, raw, _i);
	expect_thrown_out();
	ck_assert_int_eq(asked, 0);
	buf_fini(&b);
}
END_TEST

static int got_type;

static void
on_any(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)arg;
	(void)m;
	if (fd >= 0)
		(void)close(fd);
	got_type = type;
	answered++;
}

/* Asks, and answers in the part of the peer by `type`. */
static void
ask_and_answer(enum ipc_type question, enum role_id from, enum role_id to,
    enum ipc_type type)
{
	static const struct ipc_handlers none = { .lost = on_lost };
	static union ipc_any m;
	static char in[IPC_MESSAGE_MAX];
	struct ipc_link *l;
	struct buf b;
	int fds[2], null = open("/dev/null", O_RDONLY);

	log_set_level(LOG_LEVEL_ERROR);
	answered = lost = 0;
	got_type = IPC_TYPE_COUNT;
	loop = loop_new();
	ck_assert_int_eq(ipc_pair(fds), 0);
	l = ipc_link_new(loop, fds[0], from, to, 0, &none);
	raw = fds[1];
	memset(&m, 0, sizeof m);
	(void)ipc_ask_raw(l, question, &m,
	    ipc_info[question].fd ? null : -1, 0, on_any, NULL);
	turns(3);
	/* Type and req are the first fields. */
	ck_assert_int_ge(recv(raw, in, sizeof in, 0), 10);
	memset(&m, 0, sizeof m);
	memcpy(&m.req, in + 2, sizeof m.req);
	buf_init(&b, IPC_MESSAGE_MAX);
	ipc_encode(&b, type, &m);
	send_raw(b.p, b.n, null, ipc_info[type].fd);
	turns(3);
	ck_assert_msg(answered == 1, "%s to %s: answered %d times",
	    ipc_info[type].name, ipc_info[question].name, answered);
	ck_assert_msg((got_type == (int)type) ==
	    ipc_is_answer(type, question) &&
	    lost == !ipc_is_answer(type, question), "%s is taken for %s",
	    ipc_info[type].name, ipc_info[question].name);
	if (lost == 0)
		ipc_link_free(&l);
	buf_fini(&b);
	(void)close(null);
	(void)close(raw);
	loop_free(&loop);
}

/* Whatever this pair of roles may say to each other: a question is answered
 * only by what the table gives for it. */
START_TEST(answer_to_another_question_costs_the_link)
{
	const struct ipc_info *ask = &ipc_info[_i], *answer;
	unsigned from, to;
	int t;

	if (ask->kind != IPC_ASK)
		return;
	for (t = 0; t < IPC_TYPE_COUNT; t++) {
		answer = &ipc_info[t];
		if (answer->kind != IPC_ANSWER && answer->kind != IPC_PART)
			continue;
		for (from = 0; from < ROLE_COUNT; from++)
			for (to = 0; to < ROLE_COUNT; to++)
				if ((ask->from & answer->to & 1U << from) != 0 &&
				    (ask->to & answer->from & 1U << to) != 0)
					ask_and_answer((enum ipc_type)_i,
					    (enum role_id)from,
					    (enum role_id)to,
					    (enum ipc_type)t);
	}
}
END_TEST

START_TEST(must_not_send_is_our_bug)
{
	set_up();
	ipc_send(theirs, TX_ABORT, -1, .tx = 1);
}
END_TEST

UNIT_SUITE(ipc, {
	tcase_add_test(tc, answers);
	tcase_add_test(tc, loss_answers_what_is_open);
	tcase_add_test(tc, cancelled_is_not_called);
	tcase_add_test(tc, full_and_room);
	tcase_add_test(tc, serials);
	tcase_add_test(tc, garbage_costs_the_link);
	tcase_add_test(tc, wrong_sender_costs_the_link);
	tcase_add_test(tc, unasked_answer_costs_the_link);
	tcase_add_loop_test(tc, undeclared_descriptor_costs_the_link, 1, 4);
	tcase_add_loop_test(tc, answer_to_another_question_costs_the_link, 0,
	    IPC_TYPE_COUNT);
	tcase_add_test_raise_signal(tc, must_not_send_is_our_bug, SIGABRT);
})
