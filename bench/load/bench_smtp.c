/* SPDX-License-Identifier: ISC */
/*
 * SMTP, submission and LMTP clients: many sessions in one loop.
 *
 *	bench_smtp -a HOST:PORT [-s sessions] [-m messages] [-l size]
 *	    [-k messages-per-connection] [-f from-pattern] -t to-pattern
 *	    [-n numbers] [-r recipients] [-LPTS] [-u user-pattern -p password]
 *	    [-x seconds] [-B source-addresses]
 *
 * -f has its %d from the session's number, as -u has; -t counts through.
 * -k 0 keeps each connection until the end. -L speaks LMTP (RFC 2033). -P
 * pipelines (RFC 2920) where the server offers it: MAIL, RCPT and DATA in one
 * write, and what follows a message (the next envelope, or QUIT) in the write
 * of the message's end. Without -P every command waits for its reply.
 *
 * A message is done when all its recipients were taken; refused when the
 * server said no to it or to any of them, failed when the connection broke
 * first. It takes from connect, or on a kept connection from MAIL, to the
 * reply to the final dot.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "bench/load/load.h"
#include "bench/load/message.h"

enum { LINE_MAX_BYTES = 8192, COMMANDS_MAX = 1 << 20, RECIPIENTS_MAX = 1000 };

/* Which reply is awaited. */
enum stage {
	GREETING,
	HELLO,
	STARTTLS,
	SECURING, /* none: the handshake is under way */
	AUTH,
	MAIL,
	RCPT,
	DATA,
	END, /* to the final dot; the message may still be on its way out */
	RSET,
	QUIT
};

/* What was sent behind the message's end already. */
enum ahead { AHEAD_NOTHING, AHEAD_MAIL, AHEAD_QUIT };

struct work {
	uint64_t number;
	int64_t began_us;
};

struct session {
	struct conn *c;
	uint64_t number;
	enum stage stage;
	enum ahead ahead;
	bool has_work; /* a message was given to it and is not settled */
	bool is_secure, is_sending, has_mail, is_refused;
	bool pipelines, takes_size; /* what HELLO offered */
	struct work now, next; /* next: with AHEAD_MAIL */
	uint64_t on_connection; /* messages given to it */
	uint64_t rcpts, taken; /* replies to RCPT; those that said yes */
	uint64_t ends; /* replies to the final dot */
	size_t left; /* of the body */
	char *auth; /* the whole command */
};

static struct {
	struct load load;
	struct message message;
	struct load_times times;
	struct buf out; /* commands are put together here */
	struct load_pattern from, to;
	uint64_t messages, per_connection, recipients;
	bool is_lmtp, pipelines;
	struct session *sessions;
	uint64_t given, active;
} self = { .messages = 1, .per_connection = 1, .recipients = 1 };

/* ---- messages ---- */

static bool
is_more(const struct session *s)
{
	return self.given < self.messages &&
	    (self.per_connection == 0 ||
		s->on_connection < self.per_connection);
}

static struct work
take_work(struct session *s)
{
	s->on_connection++;
	return (struct work){ self.given++, clock_boot_us() };
}

static void
settle_refused(struct session *s, struct slice why)
{
	if (s->has_work)
		load_refused(&self.load, why);
	s->has_work = false;
}

static void
settle_failed(struct session *s, const char *why)
{
	if (s->has_work)
		load_failed(&self.load, why);
	if (s->ahead == AHEAD_MAIL)
		load_failed(&self.load, why);
	s->has_work = false;
	s->ahead = AHEAD_NOTHING;
}

/* ---- commands ---- */

static void
say(struct session *s, const char *command, enum stage stage)
{
	conn_write_str(s->c, command);
	s->stage = stage;
}

static void
hello(struct session *s)
{
	s->pipelines = s->takes_size = false;
	say(s, self.is_lmtp ? "LHLO bench.invalid\r\n"
			    : "EHLO bench.invalid\r\n", HELLO);
}

/* The same number as its user's: a server may ask for it. */
static uint64_t
sender(const struct session *s)
{
	return s->number % self.load.users;
}

static void
add_mail(const struct session *s)
{
	buf_add_str(&self.out, "MAIL FROM:<");
	load_add_pattern(&self.out, &self.from, sender(s));
	if (s->takes_size) {
		buf_add_str(&self.out, "> SIZE=");
		load_add_number(&self.out, self.load.size);
		buf_add_str(&self.out, "\r\n");
	} else {
		buf_add_str(&self.out, ">\r\n");
	}
}

/* Recipients take turns through all messages. */
static uint64_t
recipient(uint64_t message, uint64_t which)
{
	return (message * self.recipients + which) % self.load.users;
}

static void
add_rcpt(uint64_t message, uint64_t which)
{
	buf_add_str(&self.out, "RCPT TO:<");
	load_add_pattern(&self.out, &self.to, recipient(message, which));
	buf_add_str(&self.out, ">\r\n");
}

static void
write_out(struct session *s)
{
	conn_write(s->c, buf_slice(&self.out));
	buf_reset(&self.out);
}

static void
add_envelope(const struct session *s, uint64_t message)
{
	uint64_t i;

	add_mail(s);
	for (i = 0; i < self.recipients; i++)
		add_rcpt(message, i);
	buf_add_str(&self.out, "DATA\r\n");
}

/* The replies of a transaction begin. */
static void
expect_mail(struct session *s)
{
	s->stage = MAIL;
	s->rcpts = s->taken = s->ends = 0;
	s->has_mail = s->is_refused = false;
	s->has_work = true;
}

static void
begin_mail(struct session *s)
{
	if (s->pipelines)
		add_envelope(s, s->now.number);
	else
		add_mail(s);
	write_out(s);
	expect_mail(s);
}

/* Between transactions, nothing sent ahead. */
static void
go_on(struct session *s)
{
	if (!s->has_work && is_more(s)) {
		s->now = take_work(s);
		s->has_work = true;
	}
	if (s->has_work)
		begin_mail(s);
	else
		say(s, "QUIT\r\n", QUIT);
}

/* ---- the message ---- */

/* Behind the body: the dot, and what may go with it. */
static void
send_end(struct session *s)
{
	buf_add_str(&self.out, ".\r\n");
	s->is_sending = false;
	if (s->pipelines && is_more(s)) {
		s->next = take_work(s);
		s->ahead = AHEAD_MAIL;
		add_envelope(s, s->next.number);
	} else if (s->pipelines) {
		s->ahead = AHEAD_QUIT;
		buf_add_str(&self.out, "QUIT\r\n");
	}
	write_out(s);
}

static void
send_more(struct session *s)
{
	if (message_send(&self.message, s->c, &s->left))
		send_end(s);
}

static void
send_message(struct session *s)
{
	s->stage = END;
	/* LMTP: a reply for each recipient that was taken. */
	s->ends = self.is_lmtp ? s->taken : 1;
	if (s->taken == 0) { /* pipelined, and 354 all the same */
		send_end(s);
		return;
	}
	message_add_header(&self.message, s->now.number, sender(s),
	    recipient(s->now.number, 0), &self.out);
	write_out(s);
	s->is_sending = true;
	s->left = self.message.body.n;
	send_more(s);
}

/* ---- connections ---- */

static const struct conn_events events;

/* A connection for the next message, if there is one. */
static void
begin(struct session *s)
{
	s->ahead = AHEAD_NOTHING;
	s->has_work = s->is_secure = s->is_sending = false;
	s->on_connection = 0;
	while (self.given < self.messages && !self.load.is_late) {
		s->now = take_work(s);
		s->stage = GREETING;
		s->c = load_connect(&self.load, s->number, &events, s);
		if (s->c != NULL) {
			s->has_work = true;
			return;
		}
		load_failed(&self.load, strerror(errno));
	}
	if (--self.active == 0)
		load_end(&self.load);
}

static void
finish(struct session *s)
{
	conn_free(&s->c);
	begin(s);
}

static void
broken(struct session *s, const char *why)
{
	settle_failed(s, why);
	finish(s);
}

/* ---- replies ---- */

static void
settle(struct session *s, struct slice why)
{
	enum ahead ahead = s->ahead;

	if (s->is_refused) {
		settle_refused(s, why);
	} else {
		self.load.done++;
		s->has_work = false;
		load_times_add(&self.times,
		    clock_boot_us() - s->now.began_us);
	}
	s->ahead = AHEAD_NOTHING;
	if (ahead == AHEAD_MAIL) {
		s->now = s->next;
		expect_mail(s);
	} else if (ahead == AHEAD_QUIT) {
		s->stage = QUIT;
	} else {
		go_on(s);
	}
}

/* The transaction came to nothing before its message was sent. */
static void
give_up(struct session *s, struct slice why)
{
	settle_refused(s, why);
	if (s->has_mail && is_more(s))
		say(s, "RSET\r\n", RSET);
	else
		go_on(s);
}

static void
on_mail(struct session *s, int code, struct slice text)
{
	s->has_mail = code / 100 == 2;
	s->is_refused = !s->has_mail;
	if (s->is_refused)
		settle_refused(s, text);
	if (!s->has_mail && !s->pipelines) {
		go_on(s);
		return;
	}
	if (!s->pipelines) {
		add_rcpt(s->now.number, 0);
		write_out(s);
	}
	s->stage = RCPT;
}

static void
on_rcpt(struct session *s, int code, struct slice text)
{
	if (code / 100 == 2) {
		s->taken++;
	} else {
		s->is_refused = true;
		settle_refused(s, text);
	}
	if (++s->rcpts == self.recipients) {
		s->stage = DATA;
		if (s->pipelines)
			return;
		if (s->taken > 0)
			say(s, "DATA\r\n", DATA);
		else
			give_up(s, text);
	} else if (!s->pipelines) {
		add_rcpt(s->now.number, s->rcpts);
		write_out(s);
	}
}

static void
on_data(struct session *s, int code, struct slice text)
{
	if (code != 354) {
		give_up(s, text);
		return;
	}
	send_message(s);
	if (s->ends == 0)
		settle(s, text);
}

static void
on_end(struct session *s, int code, struct slice text)
{
	if (s->is_sending) {
		broken(s, "a reply before the message was sent");
		return;
	}
	if (code / 100 != 2) {
		s->is_refused = true;
		settle_refused(s, text);
	}
	if (--s->ends == 0)
		settle(s, text);
}

static void
on_hello(struct session *s)
{
	if (self.load.tls == LOAD_STARTTLS && !s->is_secure)
		say(s, "STARTTLS\r\n", STARTTLS);
	else if (s->auth != NULL)
		say(s, s->auth, AUTH);
	else
		go_on(s);
}

/* Replies without which nothing more can be done here. */
static bool
is_fatal(const struct session *s, int code)
{
	switch (s->stage) {
	case GREETING:
	case HELLO:
	case STARTTLS:
	case AUTH:
	case RSET:
		return code / 100 != 2;
	case MAIL:
	case RCPT:
	case DATA:
	case END:
		return code == 421;
	case SECURING:
	case QUIT:
		break;
	}
	return false;
}

static void
on_reply(struct session *s, int code, struct slice text)
{
	if (is_fatal(s, code)) {
		settle_refused(s, text);
		broken(s, "the server gave up the connection");
		return;
	}
	switch (s->stage) {
	case GREETING:
		self.load.is_reached = true;
		hello(s);
		break;
	case HELLO:
		on_hello(s);
		break;
	case STARTTLS:
		s->stage = SECURING;
		conn_start_tls_client(s->c, self.load.tls_client, NULL);
		break;
	case AUTH:
	case RSET:
		go_on(s);
		break;
	case MAIL:
		on_mail(s, code, text);
		break;
	case RCPT:
		on_rcpt(s, code, text);
		break;
	case DATA:
		on_data(s, code, text);
		break;
	case END:
		on_end(s, code, text);
		break;
	case QUIT:
		finish(s);
		break;
	case SECURING:
		break;
	}
}

static int
reply_code(struct slice line)
{
	const char *p = line.p;

	if (line.n < 3 || !ascii_is_digit(p[0]) || !ascii_is_digit(p[1]) ||
	    !ascii_is_digit(p[2]))
		return -1;
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

static void
on_offer(struct session *s, struct slice word)
{
	if (slice_ieq_str(word, "PIPELINING"))
		s->pipelines = self.pipelines;
	else if (slice_has_iprefix(word, SLICE("SIZE")))
		s->takes_size = true;
}

static void
on_line(struct session *s, struct slice line)
{
	int code = reply_code(line);

	if (code < 0) {
		broken(s, "no SMTP reply");
		return;
	}
	if (s->stage == HELLO)
		on_offer(s, slice_from(line, 4));
	if (line.n == 3 || line.p[3] != '-')
		on_reply(s, code, line);
}

static void
on_input(void *arg)
{
	struct session *s = arg;
	struct conn *c = s->c;
	struct slice in, line;
	const char *end;
	size_t n;

	for (;;) {
		in = conn_input(c);
		end = in.n == 0 ? NULL : memchr(in.p, '\n', in.n);
		if (end == NULL)
			break;
		n = (size_t)(end - in.p) + 1;
		line = slice_head(in, n - 1);
		if (line.n > 0 && line.p[line.n - 1] == '\r')
			line.n--;
		on_line(s, line);
		/* TLS that begins drops the input itself. */
		if (s->c != c || s->stage == SECURING)
			return;
		conn_took(c, n);
	}
	if (in.n > LINE_MAX_BYTES)
		broken(s, "a reply without an end");
}

static void
on_drained(void *arg)
{
	struct session *s = arg;

	if (s->is_sending)
		send_more(s);
}

static void
on_secured(void *arg)
{
	struct session *s = arg;

	s->is_secure = true;
	if (s->stage == SECURING)
		hello(s);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct session *s = arg;

	/* Everything was settled: QUIT needs no reply. */
	broken(s, load_why(s->c, why));
}

static const struct conn_events events = { on_input, on_drained, on_secured,
	on_ended };

/* ---- the run ---- */

/* AUTH PLAIN with its initial response (RFC 4954 4, RFC 4616 2). */
static char *
auth_command(uint64_t number)
{
	struct buf plain, line;

	buf_init(&plain, 4096);
	buf_init(&line, 8192);
	buf_add_char(&plain, 0);
	load_add_pattern(&plain, &self.load.user, number % self.load.users);
	buf_add_char(&plain, 0);
	buf_add_str(&plain, self.load.password);
	buf_add_str(&line, "AUTH PLAIN ");
	base64_encode(&line, buf_slice(&plain));
	buf_add_str(&line, "\r\n");
	buf_fini(&plain);
	return line.p;
}

static void
run(void)
{
	uint64_t i, n = self.load.sessions;
	bool has_user = self.load.user.before.p != NULL;

	self.sessions = calloc(n, sizeof *self.sessions);
	if (self.sessions == NULL)
		load_die("no memory");
	for (i = 0; i < n; i++) {
		self.sessions[i].number = i;
		if (has_user)
			self.sessions[i].auth = auth_command(i);
	}
	load_start(&self.load, true);
	self.active = n;
	for (i = 0; i < n; i++)
		begin(&self.sessions[i]);
	load_run(&self.load);
	for (i = 0; self.load.is_late && i < n; i++)
		settle_failed(&self.sessions[i], "not in time");
}

static void
report(void)
{
	load_print(&self.load);
	load_times_sort(&self.times);
	(void)printf(",\"latency_ms\":{\"median\":");
	load_times_print(&self.times, 500);
	(void)printf(",\"p99\":");
	load_times_print(&self.times, 990);
	(void)printf(",\"max\":");
	load_times_print(&self.times, 1000);
	(void)printf("}}\n");
}

static void
usage(void)
{
	load_die("-a HOST:PORT -t TO-PATTERN [-s SESSIONS] [-m MESSAGES] "
		 "[-l SIZE] [-k PER-CONNECTION] [-f FROM-PATTERN] [-n NUMBERS] "
		 "[-r RECIPIENTS] [-LPTS] [-u USER-PATTERN -p PASSWORD] "
		 "[-x SECONDS] [-B SOURCES]");
}

static void
options(int argc, char **argv)
{
	int o;

	load_init(&self.load);
	while ((o = getopt(argc, argv, LOAD_OPTIONS "m:k:f:t:r:LP")) != -1) {
		if (o == 'm')
			self.messages = load_number(optarg, 1, 1000000000);
		else if (o == 'k')
			self.per_connection =
			    load_number(optarg, 0, 1000000000);
		else if (o == 'f')
			load_parse_pattern(&self.from, optarg);
		else if (o == 't')
			load_parse_pattern(&self.to, optarg);
		else if (o == 'r')
			self.recipients =
			    load_number(optarg, 1, RECIPIENTS_MAX);
		else if (o == 'L')
			self.is_lmtp = true;
		else if (o == 'P')
			self.pipelines = true;
		else if (!load_option(&self.load, o, optarg))
			usage();
	}
	if (self.load.address == NULL || self.to.before.p == NULL ||
	    optind < argc ||
	    (self.load.user.before.p != NULL) !=
		(self.load.password != NULL))
		usage();
	if (self.load.sessions > self.messages)
		self.load.sessions = self.messages;
}

int
main(int argc, char **argv)
{
	options(argc, argv);
	buf_init(&self.out, COMMANDS_MAX);
	message_init(&self.message, self.load.size, &self.from, &self.to,
	    self.load.users - 1);
	run();
	report();
	return 0;
}
