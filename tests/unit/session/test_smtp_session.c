/* SPDX-License-Identifier: ISC */
/*
 * A small role made of front, smtp_session and smtp_intake, with a scripted
 * queue and a scripted `state`: what the client is told, and what the queue
 * hears. A recipient's local part is its kind in the directory.
 */
#include "session/smtp_session.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "proto/received.h"
#include "session/queue_tx.h"
#include "session/smtp_intake.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "tests/unit/unit.h"

enum {
	NO_QUEUE = 1,
	REFUSED = 2,   /* TX_OPENED says later */
	SLOW = 4,      /* TX_OPENED comes at `~` */
	UNSTORED = 8,  /* TX_DONE says no */
	CROWDED = 16,  /* state says no */
	KNOWN = 32     /* the directory has a postmaster */
};

static struct {
	struct loop *loop;
	unsigned how;
	struct ipc_link *queue, *state, *their_queue, *their_state;
	uint64_t open_req;
	int client;
	struct buf replies, notes, body;
	size_t accepted, stopped;
} self;

/* ---- instead of sys/daemon.c ---- */

struct loop *
daemon_loop(void)
{
	return self.loop;
}

uint32_t
daemon_instance(void)
{
	return 0;
}

void
daemon_stopped(void)
{
	self.stopped++;
}

struct ipc_link *
daemon_peer(enum role_id role)
{
	return role == ROLE_QUEUE ? self.queue
	    : role == ROLE_STATE ? self.state : NULL;
}

/* ---- the peers ---- */

static void
say_opened(void)
{
	bool no = (self.how & REFUSED) != 0;

	if (self.open_req == 0)
		return;
	ipc_send(self.their_queue, TX_OPENED, -1, .req = self.open_req,
	    .outcome = no ? OUTCOME_LATER : OUTCOME_DONE, .id = 1,
	    .text = no ? SLICE("The disk is full") : SLICE_NONE);
	self.open_req = 0;
}

static void
on_tx_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_OPEN *o = &m->TX_OPEN;

	(void)l;
	(void)fd;
	buf_addf(&self.notes, "O<%.*s>%s%.*s %llu/%llu of %llu ",
	    SLICE_FMT(o->sender), o->envid.n > 0 ? " " : "",
	    SLICE_FMT(o->envid), (unsigned long long)o->size,
	    (unsigned long long)o->floor,
	    (unsigned long long)o->account);
	self.open_req = o->req;
	if ((self.how & SLOW) == 0)
		say_opened();
}

static void
on_tx_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_RCPT *r = &m->TX_RCPT;

	(void)l;
	(void)fd;
	buf_addf(&self.notes, "R<%.*s>%s%.*s %u ", SLICE_FMT(r->address),
	    r->orcpt.n > 0 ? " " : "", SLICE_FMT(r->orcpt), r->notify);
}

static void
on_tx_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	buf_add_slice(&self.body, m->TX_BODY.bytes);
}

static void
on_tx_commit(struct ipc_link *l, const union ipc_any *m, int fd)
{
	bool no = (self.how & UNSTORED) != 0;

	(void)fd;
	buf_add_str(&self.notes, "C ");
	ipc_send(l, TX_DONE, -1, .req = m->req,
	    .outcome = no ? OUTCOME_LATER : OUTCOME_DONE,
	    .code = no ? 451 : 250,
	    .enhanced = no ? SLICE("4.3.0") : SLICE("2.0.0"),
	    .text = no ? SLICE("No") : SLICE("Yes"));
}

static void
on_tx_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
	buf_add_str(&self.notes, "A ");
}

static void
on_client_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)fd;
	ck_assert_uint_eq(m->CLIENT_OPEN.limit, 3);
	ipc_send(l, CLIENT_ANSWER, -1, .req = m->req,
	    .allowed = (self.how & CROWDED) == 0);
}

static void
on_client_close(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
}

static const struct ipc_handlers their_handlers = {
	.by_type = {
	    [IPC_TX_OPEN] = on_tx_open, [IPC_TX_RCPT] = on_tx_rcpt,
	    [IPC_TX_BODY] = on_tx_body, [IPC_TX_COMMIT] = on_tx_commit,
	    [IPC_TX_ABORT] = on_tx_abort,
	    [IPC_CLIENT_OPEN] = on_client_open,
	    [IPC_CLIENT_CLOSE] = on_client_close,
	},
};
static const struct ipc_handlers our_handlers = { 0 };

static void
bring(enum role_id role, struct ipc_link **ours, struct ipc_link **theirs)
{
	int fds[2];

	ck_assert_int_eq(ipc_pair(fds), 0);
	*ours = ipc_link_new(self.loop, fds[0], ROLE_SMTPD, role, 0,
	    &our_handlers);
	*theirs = ipc_link_new(self.loop, fds[1], role, ROLE_SMTPD, 0,
	    &their_handlers);
	ck_assert(*ours != NULL && *theirs != NULL);
}

/* ---- the role ---- */

static void
begin(struct smtp_session *s)
{
	struct received r = { .helo = smtp_server_helo(s->smtp),
		.client_ip = SLICE("192.0.2.1") };

	smtp_intake_write_trace(s, &r);
}

static void
accepted(struct smtp_session *s)
{
	(void)s;
	self.accepted++;
}

static const struct smtp_intake_events intake_events = {
	.begin = begin, .accepted = accepted,
};

static void
connected(struct smtp_server *smtp)
{
	smtp_session_check(smtp_server_data(smtp), 3);
}

static void
mail(struct smtp_server *smtp, const struct smtp_mail *m)
{
	struct smtp_session *s = smtp_server_data(smtp);

	smtp_session_set_sender(s, m);
	smtp_intake_open(s, 7, 1000, &intake_events);
}

static void
rcpt(struct smtp_server *smtp, const struct smtp_rcpt *r)
{
	static const char *const kinds[ADDR_KIND_COUNT] = {
		[ADDR_UNKNOWN] = "unknown", [ADDR_ACCOUNT] = "account",
		[ADDR_ALIAS] = "alias", [ADDR_RELAY] = "relay",
		[ADDR_REMOTE] = "remote", [ADDR_INVALID] = "invalid",
		[ADDR_LATER] = "later", [ADDR_DISABLED] = "disabled",
		[ADDR_LOOP] = "loop",
	};
	struct smtp_session *s = smtp_server_data(smtp);
	const struct smtp_answer *no = smtp_intake_refusal(s);
	bool is_full = slice_eq_str(r->to.local, "full");
	int kind;

	for (kind = 0; no == NULL && kind < ADDR_KIND_COUNT; kind++)
		if (slice_eq_str(r->to.local, kinds[kind]))
			no = smtp_session_refusal((enum addr_kind)kind, false);
	if (no == NULL && is_full)
		no = smtp_session_refusal(ADDR_ACCOUNT, true);
	if (no == NULL) {
		smtp_session_set_rcpt(s, r);
		smtp_intake_add_rcpt(s, (self.how & KNOWN) != 0
			? SLICE("chief@known.test") : SLICE_NONE);
	}
	smtp_server_answer(smtp, no);
}

static void
reset(struct smtp_server *smtp)
{
	smtp_intake_reset(smtp_server_data(smtp));
}

static void
closed(struct smtp_server *smtp)
{
	struct smtp_session *s = smtp_server_data(smtp);

	reset(smtp);
	smtp_session_close(s);
	free(s);
}

static const struct smtp_policy policy = {
	.connected = connected, .mail = mail, .rcpt = rcpt,
	.data = smtp_intake_data, .end = smtp_intake_end,
	.body = smtp_intake_body, .is_full = smtp_intake_is_full,
	.reset = reset, .closed = closed,
};

static const struct smtp_server_options options = {
	.hostname = "mx.test", .greeting = "", .message_size = 1000000,
	.recipients = 100, .transactions = 100, .errors = 100, .hops = 50,
	.command_ms = 60000, .data_ms = 60000,
};

static void
on_accept(const char *service, int fd)
{
	struct smtp_session *s = calloc(1, sizeof *s);

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(smtp_session_open(s, service, fd, &options, &policy,
	    0), 0);
}

static const struct front_role role = {
	.id = ROLE_SMTPD, .accept = on_accept, .stop = smtp_session_stop,
	.abort = smtp_session_abort,
};

/* ---- the client ---- */

static void
settle(void)
{
	char piece[4096];
	ssize_t n;
	int i;

	for (i = 0; i < 20; i++) {
		loop_turn(self.loop, false);
		n = recv(self.client, piece, sizeof piece, MSG_DONTWAIT);
		if (n > 0) {
			buf_add(&self.replies, piece, (size_t)n);
			i = 0;
		}
	}
}

static void
start(unsigned how)
{
	int fds[2];

	log_set_level(LOG_LEVEL_ERROR);
	memset(&self, 0, sizeof self);
	self.how = how;
	buf_init(&self.replies, 1 << 20);
	buf_init(&self.notes, 1 << 20);
	buf_init(&self.body, 1 << 20);
	self.loop = loop_new();
	ck_assert_ptr_nonnull(self.loop);
	if ((how & NO_QUEUE) == 0)
		bring(ROLE_QUEUE, &self.queue, &self.their_queue);
	bring(ROLE_STATE, &self.state, &self.their_state);
	front_init(self.loop, &role);
	front_set_limit(10);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, fds), 0);
	self.client = fds[0];
	role.accept("smtp", fds[1]);
	settle();
}

/* `|` is CR LF, `~` lets a slow queue answer. */
static void
say(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '~') {
			settle();
			say_opened();
			settle();
		} else {
			ck_assert(send(self.client, *text == '|' ? "\r\n"
			    : text, *text == '|' ? 2 : 1, MSG_NOSIGNAL) > 0);
		}
	}
	settle();
}

/* The client goes: everything is given back, at the latest when the queue
 * answered. */
static void
finish(void)
{
	(void)close(self.client);
	self.client = -1;
	say_opened();
	settle();
	ck_assert_uint_eq(front_count(), 0);
	ipc_link_free(&self.queue);
	ipc_link_free(&self.state);
	ipc_link_free(&self.their_queue);
	ipc_link_free(&self.their_state);
	loop_free(&self.loop);
	buf_fini(&self.replies);
	buf_fini(&self.notes);
	buf_fini(&self.body);
}

/* The codes of all replies' last lines, with a blank behind each. */
static const char *
codes(void)
{
	static struct buf out;
	struct slice left = buf_slice(&self.replies), line;

	buf_fini(&out);
	buf_init(&out, 1000);
	while (slice_split(&left, '\n', &line))
		if (line.n > 3 && line.p[3] == ' ')
			buf_addf(&out, "%.4s", line.p);
	return out.p == NULL ? "" : out.p;
}

/* ---- tests ---- */

#define MAIL "EHLO a|MAIL FROM:<a@b.c>|"
#define ONE MAIL "RCPT TO:<d@e.f>|"

static const struct {
	const char *name;
	unsigned how;
	const char *in, *codes, *notes;
	size_t accepted;
} rows[] = {
	{ "one message", 0, ONE "DATA|~x|.|", "220 250 250 250 354 250 ",
	    "O<a@b.c> 0/1000 of 7 R<d@e.f> 0 C ", 1 },
	{ "what MAIL and RCPT give", 0,
	    "EHLO a|MAIL FROM:<> SIZE=5 ENVID=q|RCPT TO:<d@e.f> "
	    "NOTIFY=NEVER ORCPT=rfc822;x@y.z|RSET|", "220 250 250 250 250 ",
	    "O<> q 5/1000 of 7 R<d@e.f> rfc822;x@y.z 1 A ", 0 },
	{ "nothing of one recipient in the next", 0,
	    MAIL "RCPT TO:<d@e.f> NOTIFY=NEVER ORCPT=rfc822;x@y.z|"
	    "RCPT TO:<g@e.f>|RSET|", "220 250 250 250 250 250 ",
	    "O<a@b.c> 0/1000 of 7 R<d@e.f> rfc822;x@y.z 1 R<g@e.f> 0 A ", 0 },
	{ "two messages", 0, ONE "DATA|~x|.|~MAIL FROM:<g@b.c>|"
	    "RCPT TO:<h@e.f>|DATA|~y|.|",
	    "220 250 250 250 354 250 250 250 354 250 ",
	    "O<a@b.c> 0/1000 of 7 R<d@e.f> 0 C "
	    "O<g@b.c> 0/1000 of 7 R<h@e.f> 0 C ", 2 },
	{ "the client goes", 0, ONE, "220 250 250 250 ",
	    "O<a@b.c> 0/1000 of 7 R<d@e.f> 0 ", 0 },
	{ "postmaster is ours", 0, MAIL "RCPT TO:<PostMaster>|RSET|",
	    "220 250 250 250 250 ",
	    "O<a@b.c> 0/1000 of 7 R<PostMaster@mx.test> 0 A ", 0 },
	{ "postmaster is known", KNOWN, MAIL "RCPT TO:<postmaster>|RSET|",
	    "220 250 250 250 250 ",
	    "O<a@b.c> 0/1000 of 7 R<chief@known.test> 0 A ", 0 },
	{ "other addresses stay as they are", KNOWN,
	    MAIL "RCPT TO:<postmaster@e.f>|RSET|", "220 250 250 250 250 ",
	    "O<a@b.c> 0/1000 of 7 R<postmaster@e.f> 0 A ", 0 },
	{ "no such recipients", 0, MAIL "RCPT TO:<unknown@e.f>|"
	    "RCPT TO:<invalid@e.f>|RCPT TO:<later@e.f>|"
	    "RCPT TO:<disabled@e.f>|RCPT TO:<loop@e.f>|RCPT TO:<full@e.f>|"
	    "RSET|", "220 250 250 550 553 451 550 550 452 250 ",
	    "O<a@b.c> 0/1000 of 7 A ", 0 },
	{ "such recipients", 0, MAIL "RCPT TO:<account@e.f>|"
	    "RCPT TO:<alias@e.f>|RCPT TO:<relay@e.f>|RCPT TO:<remote@e.f>|"
	    "RSET|", "220 250 250 250 250 250 250 250 ",
	    "O<a@b.c> 0/1000 of 7 R<account@e.f> 0 R<alias@e.f> 0 "
	    "R<relay@e.f> 0 R<remote@e.f> 0 A ", 0 },
	{ "DATA waits for the queue", SLOW, ONE "DATA|~x|.|",
	    "220 250 250 250 354 250 ",
	    "O<a@b.c> 0/1000 of 7 R<d@e.f> 0 C ", 1 },
	{ "no answer to DATA before the queue's", SLOW, ONE "DATA|",
	    "220 250 250 250 ", "O<a@b.c> 0/1000 of 7 R<d@e.f> 0 ", 0 },
	{ "the queue refuses while DATA waits", SLOW | REFUSED,
	    ONE "DATA|~NOOP|", "220 250 250 250 452 250 ",
	    "O<a@b.c> 0/1000 of 7 R<d@e.f> 0 A ", 0 },
	{ "the queue refuses before RCPT", REFUSED,
	    MAIL "~RCPT TO:<d@e.f>|DATA|", "220 250 250 452 503 ",
	    "O<a@b.c> 0/1000 of 7 ", 0 },
	{ "the queue refuses between RCPT and DATA", REFUSED | SLOW,
	    ONE "~DATA|RSET|", "220 250 250 250 452 250 ",
	    "O<a@b.c> 0/1000 of 7 R<d@e.f> 0 A ", 0 },
	{ "no queue", NO_QUEUE, MAIL "RCPT TO:<d@e.f>|", "220 250 250 452 ",
	    "", 0 },
	{ "not stored", UNSTORED, ONE "DATA|~x|.|NOOP|",
	    "220 250 250 250 354 451 250 ",
	    "O<a@b.c> 0/1000 of 7 R<d@e.f> 0 C ", 0 },
	{ "too many connections", CROWDED, "", "421 ", "", 0 },
};

START_TEST(dialogues)
{
	start(rows[_i].how);
	say(rows[_i].in);
	ck_assert_msg(strcmp(codes(), rows[_i].codes) == 0,
	    "%s:\ngot  %s\nwant %s", rows[_i].name, codes(), rows[_i].codes);
	ck_assert_msg(slice_eq_str(buf_slice(&self.notes), rows[_i].notes),
	    "%s:\ngot  %.*s\nwant %s", rows[_i].name,
	    SLICE_FMT(buf_slice(&self.notes)), rows[_i].notes);
	ck_assert_uint_eq(self.accepted, rows[_i].accepted);
	finish();
}
END_TEST

/* The only recipient is shown, one of several is not. RFC 5321 7.2. */
START_TEST(trace)
{
	struct slice body;
	bool shows;
	int n;

	for (n = 1; n <= 2; n++) {
		if (n == 1)
			start(0);
		buf_reset(&self.body);
		say(ONE);
		if (n == 2)
			say("RCPT TO:<g@e.f>|");
		say("DATA|~S: x||hi|.|");
		body = buf_slice(&self.body);
		ck_assert_msg(slice_has_prefix(body, SLICE("Received: from a "
		    "([192.0.2.1])\r\n\tby mx.test (Veredus) with ESMTP\r\n"
		    "\tid 1")),
		    "%.*s", SLICE_FMT(body));
		shows = slice_find(body, SLICE("for <d@e.f>")) > 0;
		ck_assert_int_eq(shows, n == 1);
		ck_assert(slice_has_suffix(body, SLICE("\r\nS: x\r\n\r\nhi\r\n")));
	}
	finish();
}
END_TEST

static void
log_read(int fd, struct buf *out)
{
	ssize_t n = pread(fd, buf_room(out, 4096), 4096, 0);

	ck_assert_int_ge(n, 0);
	buf_grew(out, (size_t)n);
}

static void
wait_ms(int ms)
{
	int64_t until = clock_boot_ms() + ms;

	while (clock_boot_ms() < until)
		settle();
}

START_TEST(stop_of_none)
{
	start(0);
	(void)close(self.client);
	settle();
	ck_assert_uint_eq(self.stopped, 0);
	front_stop(60000);
	ck_assert(front_is_stopping());
	ck_assert_uint_eq(self.stopped, 1);
	finish();
}
END_TEST

START_TEST(stop_of_idle)
{
	start(0);
	front_stop(60000);
	settle();
	ck_assert_str_eq(codes(), "220 421 ");
	ck_assert_uint_eq(self.stopped, 1);
	finish();
}
END_TEST

START_TEST(stop_waits_for_a_message)
{
	start(0);
	say(ONE "DATA|~");
	front_stop(60000);
	settle();
	ck_assert_uint_eq(self.stopped, 0);
	say("x|.|");
	ck_assert_str_eq(codes(), "220 250 250 250 354 250 421 ");
	ck_assert_uint_eq(self.accepted, 1);
	ck_assert_uint_eq(self.stopped, 1);
	finish();
}
END_TEST

START_TEST(stop_cuts)
{
	int log = memfd_create("log", MFD_CLOEXEC);
	struct buf text;

	ck_assert_int_ge(log, 0);
	buf_init(&text, 8192);
	start(0);
	log_set_level(LOG_LEVEL_INFO);
	log_set_fd(dup(log), LOG_FORMAT_TEXT);
	say(ONE "DATA|~");
	front_stop(50);
	wait_ms(100);
	ck_assert_uint_eq(self.stopped, 1);
	ck_assert_str_eq(codes(), "220 250 250 250 354 ");
	log_read(log, &text);
	ck_assert_msg(strstr(text.p, "event=sessions_cut connections=1") !=
	    NULL, "%s", text.p);
	finish();
	buf_fini(&text);
	(void)close(log);
}
END_TEST

UNIT_SUITE(smtp_session, {
	tcase_add_loop_test(tc, dialogues, 0,
	    (int)(sizeof rows / sizeof *rows));
	tcase_add_test(tc, trace);
	tcase_add_test(tc, stop_of_none);
	tcase_add_test(tc, stop_of_idle);
	tcase_add_test(tc, stop_waits_for_a_message);
	tcase_add_test(tc, stop_cuts);
})
