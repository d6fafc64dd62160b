/* SPDX-License-Identifier: ISC */
/*
 * IMAP and POP3 clients that each go through a script.
 *
 *	bench_mail -a HOST:PORT [-s sessions] [-c connections] -u user-pattern
 *	    [-n users] -p password [-3] [-TS] [-l size] [-r repeat]
 *	    [-x seconds] [-B source-addresses] command ...
 *
 *	bench_mail ... 'SELECT INBOX' 'FETCH 1:* (FLAGS)' 'APPEND INBOX'
 *	bench_mail -3 ... STAT 'RETR *' 'DELE *'
 *
 * The connection's number makes the user's. APPEND sends a message of -l bytes,
 * at once where the server offers LITERAL+; "*" in POP3 goes through the
 * messages that STAT or LIST announced. -r repeats the script on each
 * connection. The record also has GREETING (from connect on), STARTTLS with
 * its handshake, LOGIN, and LOGOUT or QUIT.
 *
 * A connection is done when everything on it was answered well. It is refused
 * at the first NO, BAD or -ERR, after which it only logs out, and failed when
 * it broke.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/load/mail.h"

enum { OUT_MAX = 1 << 20, AROUND = 4 };

struct mail mail;

static struct {
	struct step greeting, starttls, login, logout;
	struct step *script;
	uint64_t n_script, repeat, connections;
	struct mail_session *sessions;
	uint64_t given, active;
} self = {
	.greeting = { .text = "GREETING" },
	.starttls = { .text = "STARTTLS" },
	.login = { .text = "LOGIN" },
	.repeat = 1,
};

/* ---- connections ---- */

static const struct conn_events events;

static void
begin(struct mail_session *s)
{
	while (self.given < self.connections && !mail.load.is_late) {
		*s = (struct mail_session){ .number = self.given++,
			.sent_us = clock_boot_us() };
		s->c = load_connect(&mail.load, s->number, &events, s);
		if (s->c != NULL)
			return;
		load_failed(&mail.load, strerror(errno));
	}
	if (--self.active == 0)
		load_end(&mail.load);
}

static void
finish(struct mail_session *s)
{
	conn_free(&s->c);
	begin(s);
}

bool
mail_is_over(const struct mail_session *s, const struct conn *c)
{
	return s->c != c || s->stage == MAIL_SECURING;
}

void
mail_send(struct mail_session *s)
{
	conn_write(s->c, buf_slice(&mail.out));
	buf_reset(&mail.out);
	s->sent_us = clock_boot_us();
}

void
mail_user(const struct mail_session *s, struct buf *b)
{
	load_add_pattern(b, &mail.load.user, s->number % mail.load.users);
}

struct step *
mail_step(const struct mail_session *s)
{
	switch (s->stage) {
	case MAIL_GREETING:
		return &self.greeting;
	case MAIL_STARTTLS:
	case MAIL_SECURING:
		return &self.starttls;
	case MAIL_LOGIN:
		return &self.login;
	case MAIL_SCRIPT:
		return &self.script[s->at];
	case MAIL_LOGOUT:
		break;
	}
	return &self.logout;
}

/* ---- the way through ---- */

static void
log_out(struct mail_session *s)
{
	s->stage = MAIL_LOGOUT;
	mail.language->quit(s);
}

static void
log_in(struct mail_session *s)
{
	s->stage = MAIL_LOGIN;
	mail.language->login(s);
}

/* The command at s->at, or the first one after it that sends something. */
static void
go_on(struct mail_session *s)
{
	s->stage = MAIL_SCRIPT;
	while (s->round < self.repeat) {
		for (; s->at < self.n_script; s->at++)
			if (mail.language->command(s, &self.script[s->at]))
				return;
		s->at = 0;
		s->round++;
	}
	log_out(s);
}

void
mail_answered(struct mail_session *s)
{
	struct step *step = mail_step(s);

	if (s->stage != MAIL_STARTTLS)
		load_times_add(&step->times, clock_boot_us() - s->sent_us);
	switch (s->stage) {
	case MAIL_GREETING:
		mail.load.is_reached = true;
		if (mail.load.tls == LOAD_STARTTLS) {
			s->stage = MAIL_STARTTLS;
			mail.language->starttls(s);
		} else {
			log_in(s);
		}
		break;
	case MAIL_STARTTLS:
		s->stage = MAIL_SECURING;
		conn_start_tls_client(s->c, mail.load.tls_client, NULL);
		break;
	case MAIL_SECURING:
		log_in(s);
		break;
	case MAIL_LOGIN:
		go_on(s);
		break;
	case MAIL_SCRIPT:
		if (!step->is_each)
			s->at++;
		go_on(s);
		break;
	case MAIL_LOGOUT:
		if (!s->is_refused)
			mail.load.done++;
		finish(s);
		break;
	}
}

void
mail_refused(struct mail_session *s, struct slice why)
{
	if (!s->is_refused)
		load_refused(&mail.load, why);
	s->is_refused = true;
	/* In the middle of a message nothing else can be said. */
	if ((s->stage == MAIL_LOGIN || s->stage == MAIL_SCRIPT) &&
	    !s->is_sending)
		log_out(s);
	else
		finish(s);
}

void
mail_broken(struct mail_session *s, const char *why)
{
	if (!s->is_refused)
		load_failed(&mail.load, why);
	finish(s);
}

/* ---- events ---- */

static void
on_input(void *arg)
{
	mail.language->read(arg);
}

static void
on_drained(void *arg)
{
	struct mail_session *s = arg;

	if (s->is_sending)
		mail.language->drained(s);
}

static void
on_secured(void *arg)
{
	struct mail_session *s = arg;

	if (s->stage == MAIL_SECURING)
		mail_answered(s);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct mail_session *s = arg;

	mail_broken(s, load_why(s->c, why));
}

static const struct conn_events events = { on_input, on_drained, on_secured,
	on_ended };

/* ---- the run ---- */

static void
run(void)
{
	uint64_t i, n = mail.load.sessions;

	self.sessions = calloc(n, sizeof *self.sessions);
	if (self.sessions == NULL)
		load_die("no memory");
	load_start(&mail.load, true);
	self.active = n;
	for (i = 0; i < n; i++)
		begin(&self.sessions[i]);
	load_run(&mail.load);
	for (i = 0; mail.load.is_late && i < n; i++)
		if (self.sessions[i].c != NULL && !self.sessions[i].is_refused)
			load_failed(&mail.load, "not in time");
}

static void
print_command(struct step *step, bool is_first)
{
	const char *p;

	(void)printf("%s{\"command\":\"", is_first ? "" : ",");
	for (p = step->text; *p != 0; p++) {
		if (*p == '"' || *p == '\\')
			(void)putchar('\\');
		if ((unsigned char)*p >= ' ')
			(void)putchar(*p);
	}
	load_times_sort(&step->times);
	(void)printf("\",\"count\":%zu,\"median_ms\":", step->times.n);
	load_times_print(&step->times, 500);
	(void)printf(",\"min_ms\":");
	load_times_print(&step->times, 0);
	(void)printf(",\"max_ms\":");
	load_times_print(&step->times, 1000);
	(void)putchar('}');
}

static void
report(void)
{
	uint64_t i;

	load_print(&mail.load);
	(void)printf(",\"bytes\":%llu,\"commands\":[",
	    (unsigned long long)mail.bytes);
	print_command(&self.greeting, true);
	if (mail.load.tls == LOAD_STARTTLS)
		print_command(&self.starttls, false);
	print_command(&self.login, false);
	for (i = 0; i < self.n_script; i++)
		print_command(&self.script[i], false);
	print_command(&self.logout, false);
	(void)printf("]}\n");
}

static void
usage(void)
{
	load_die("-a HOST:PORT -u USER-PATTERN -p PASSWORD [-s SESSIONS] "
		 "[-c CONNECTIONS] [-n USERS] [-3] [-TS] [-l SIZE] "
		 "[-r REPEAT] [-x SECONDS] [-B SOURCES] COMMAND...");
}

static void
read_script(char **commands, uint64_t n)
{
	uint64_t i;
	bool appends = false;
	struct load_pattern to;

	self.script = calloc(n + 1, sizeof *self.script);
	if (self.script == NULL)
		load_die("no memory");
	self.n_script = n;
	for (i = 0; i < n; i++) {
		self.script[i].text = commands[i];
		mail.language->parse(&self.script[i]);
		appends = appends || self.script[i].is_append;
	}
	load_parse_pattern(&to, "reader@bench.invalid");
	if (appends)
		message_init(&mail.message, mail.load.size, &to, &to, 0);
}

static void
options(int argc, char **argv)
{
	int o;

	load_init(&mail.load);
	mail.language = &mail_imap;
	while ((o = getopt(argc, argv, "+" LOAD_OPTIONS "c:r:3")) != -1) {
		if (o == 'c')
			self.connections = load_number(optarg, 1, 1000000000);
		else if (o == 'r')
			self.repeat = load_number(optarg, 1, 1000000000);
		else if (o == '3')
			mail.language = &mail_pop3;
		else if (!load_option(&mail.load, o, optarg))
			usage();
	}
	if (mail.load.address == NULL || mail.load.password == NULL ||
	    mail.load.user.before.p == NULL)
		usage();
	if (self.connections == 0)
		self.connections = mail.load.sessions;
	if (mail.load.sessions > self.connections)
		mail.load.sessions = self.connections;
	self.logout.text = mail.language->logout;
	read_script(argv + optind, (uint64_t)(argc - optind));
}

int
main(int argc, char **argv)
{
	options(argc, argv);
	buf_init(&mail.out, OUT_MAX);
	run();
	report();
	return 0;
}
