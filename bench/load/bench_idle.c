/* SPDX-License-Identifier: ISC */
/*
 * IMAP clients that log in, SELECT INBOX and IDLE (RFC 2177).
 *
 *	bench_idle -a HOST:PORT [-s clients] -u user-pattern [-n users]
 *	    -p password [-TS] [-z] [-b logins-at-a-time] [-x seconds]
 *	    [-B source-addresses]
 *
 * -z asks for COMPRESS=DEFLATE (RFC 4978). When no client is on its way any
 * more it prints "ready" and obeys lines of standard input, which cannot be a
 * plain file:
 *
 *	wake	waits, at most 120 s, until every client was told of a new
 *		EXISTS, and prints {"woken":N,"first_ms":...}
 *	drop	DONE and LOGOUT for all, and the end
 *
 * End of input ends it without LOGOUT. A client is done when it was idle to
 * the end and its LOGOUT was answered well, if there was one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/load/imap.h"
#include "bench/load/load.h"
#include "bench/load/squeeze.h"

enum { WAKE_MS = 120000, PLAIN_MAX = 65536, COMMAND_MAX = 4096 };

enum stage {
	GREETING,
	STARTTLS,
	SECURING, /* the handshake after STARTTLS */
	LOGIN,
	CAPABILITY,
	COMPRESS,
	SELECT,
	IDLING, /* IDLE was sent, "+" has not come */
	IDLE,
	LOGOUT,
	GONE
};

struct client {
	struct conn *c;
	uint64_t number;
	enum stage stage;
	bool is_waiting; /* for EXISTS */
	bool has_deflate;
	uint64_t tag;
	struct imap_reader reader;
	struct squeeze *squeeze;
	struct buf plain; /* with squeeze: read, not yet used */
};

static struct {
	struct load load;
	struct client *clients;
	uint64_t begun;  /* clients */
	uint64_t coming; /* begun, not yet idle or gone */
	uint64_t at_once; /* most of them */
	uint64_t idle, waiting, leaving;
	bool compresses, is_ready, is_waking, is_eof;
	struct buf out, wire;
	struct buf text; /* of standard input */
	struct loop_io input;
	struct loop_timer wake_limit;
	int64_t wake_us;
	struct load_times times;
} self = { .at_once = 20 };

static void obey(void);
static void begin_some(void);

/* ---- waking ---- */

static void
print_wake(void)
{
	load_times_sort(&self.times);
	(void)printf("{\"woken\":%zu,\"first_ms\":", self.times.n);
	load_times_print(&self.times, 0);
	(void)printf(",\"median_ms\":");
	load_times_print(&self.times, 500);
	(void)printf(",\"last_ms\":");
	load_times_print(&self.times, 1000);
	(void)printf("}\n");
	(void)fflush(stdout);
}

static void
end_wake(void)
{
	self.is_waking = false;
	loop_timer_clear(&self.wake_limit);
	print_wake();
	obey();
}

static void
on_wake_limit(void *arg)
{
	(void)arg;
	end_wake();
}

static void
wait_no_more(struct client *cl)
{
	if (!cl->is_waiting)
		return;
	cl->is_waiting = false;
	if (--self.waiting == 0 && self.is_waking)
		end_wake();
}

static void
begin_wake(void)
{
	uint64_t i;

	self.times.n = 0;
	self.is_waking = true;
	self.waiting = self.idle;
	for (i = 0; i < self.load.sessions; i++)
		self.clients[i].is_waiting = self.clients[i].stage == IDLE;
	self.wake_us = clock_boot_us();
	loop_timer_set(&self.wake_limit, clock_boot_ms() + WAKE_MS);
	if (self.waiting == 0)
		end_wake();
}

static void
on_exists(struct client *cl)
{
	if (!cl->is_waiting || !self.is_waking)
		return;
	load_times_add(&self.times, clock_boot_us() - self.wake_us);
	wait_no_more(cl);
}

/* ---- coming and going ---- */

static void
on_ready(void)
{
	if (self.idle == 0)
		load_die("nobody is idle");
	self.is_ready = true;
	(void)printf("ready\n");
	(void)fflush(stdout);
	loop_io_want(&self.input, LOOP_READ);
}

/* It is idle, or will not be. */
static void
arrived(void)
{
	self.coming--;
	begin_some();
}

static void
leave(struct client *cl)
{
	enum stage was = cl->stage;

	cl->stage = GONE;
	conn_free(&cl->c);
	squeeze_free(&cl->squeeze);
	buf_fini(&cl->plain);
	if (was == LOGOUT) {
		if (--self.leaving == 0)
			load_end(&self.load);
	} else if (was == IDLE) {
		self.idle--;
		wait_no_more(cl);
	} else {
		arrived();
	}
}

static void
broken(struct client *cl, const char *why)
{
	load_failed(&self.load, why);
	leave(cl);
}

static void
write_out(struct client *cl)
{
	if (cl->squeeze == NULL) {
		conn_write(cl->c, buf_slice(&self.out));
	} else {
		squeeze_out(cl->squeeze, buf_slice(&self.out), &self.wire);
		conn_write(cl->c, buf_slice(&self.wire));
		buf_reset(&self.wire);
	}
	buf_reset(&self.out);
}

static void
ask(struct client *cl, const char *text, enum stage stage)
{
	imap_add_tag(&self.out, ++cl->tag);
	buf_add_str(&self.out, text);
	buf_add_str(&self.out, "\r\n");
	write_out(cl);
	cl->stage = stage;
}

static void
log_in(struct client *cl)
{
	struct buf user;

	buf_init(&user, 1024);
	load_add_pattern(&user, &self.load.user,
	    cl->number % self.load.users);
	imap_add_tag(&self.out, ++cl->tag);
	imap_add_login(&self.out, buf_slice(&user),
	    slice_str(self.load.password));
	buf_fini(&user);
	write_out(cl);
	cl->stage = LOGIN;
}

static void
drop_all(void)
{
	uint64_t i;
	struct client *cl;

	self.leaving = self.idle;
	for (i = 0; i < self.load.sessions; i++) {
		cl = &self.clients[i];
		if (cl->stage != IDLE)
			continue;
		buf_add_str(&self.out, "DONE\r\n");
		ask(cl, "LOGOUT", LOGOUT);
	}
	self.idle = 0;
	if (self.leaving == 0)
		load_end(&self.load);
}

/* ---- answers ---- */

static void
on_ok(struct client *cl)
{
	switch (cl->stage) {
	case STARTTLS:
		cl->stage = SECURING;
		conn_start_tls_client(cl->c, self.load.tls_client, NULL);
		break;
	case LOGIN:
		/* What was offered before login need not hold now. */
		if (self.compresses)
			ask(cl, "CAPABILITY", CAPABILITY);
		else
			ask(cl, "SELECT INBOX", SELECT);
		break;
	case CAPABILITY:
		if (!cl->has_deflate)
			load_die("the server does not offer COMPRESS=DEFLATE");
		ask(cl, "COMPRESS DEFLATE", COMPRESS);
		break;
	case COMPRESS:
		cl->squeeze = squeeze_new();
		ask(cl, "SELECT INBOX", SELECT);
		break;
	case SELECT:
		ask(cl, "IDLE", IDLING);
		break;
	case LOGOUT:
		self.load.done++;
		leave(cl);
		break;
	case IDLING:
	case IDLE:
		broken(cl, "IDLE ended by itself");
		break;
	case GREETING:
	case SECURING:
	case GONE:
		break;
	}
}

static void
on_greeting(struct client *cl, struct slice head)
{
	if (!slice_has_iprefix(head, SLICE("* OK"))) {
		load_refused(&self.load, head);
		leave(cl);
		return;
	}
	self.load.is_reached = true;
	if (self.load.tls == LOAD_STARTTLS)
		ask(cl, "STARTTLS", STARTTLS);
	else
		log_in(cl);
}

static void
on_untagged(struct client *cl, struct slice head)
{
	if (slice_has_suffix(head, SLICE(" EXISTS")))
		on_exists(cl);
	else if (cl->stage == CAPABILITY &&
	    imap_has_word(head, "COMPRESS=DEFLATE"))
		cl->has_deflate = true;
}

static void
on_response(struct client *cl, struct slice head)
{
	struct slice rest;

	if (cl->stage == GREETING) {
		on_greeting(cl, head);
	} else if (head.p[0] == '*') {
		on_untagged(cl, head);
	} else if (head.p[0] == '+' && cl->stage == IDLING) {
		cl->stage = IDLE;
		self.idle++;
		arrived();
	} else if (!imap_is_tagged(head, cl->tag, &rest)) {
		/* The end of IDLE comes before that of LOGOUT. */
		if (cl->stage != LOGOUT)
			broken(cl, "no IMAP answer");
	} else if (imap_is_ok(rest)) {
		on_ok(cl);
	} else {
		load_refused(&self.load, rest);
		leave(cl);
	}
}

/* Responses of `in`; how much of it was used. Stops where the client is gone
 * or what follows is to be read otherwise. */
static size_t
feed(struct client *cl, struct slice in)
{
	const struct squeeze *squeeze = cl->squeeze;
	struct slice head;
	size_t used = 0;
	ssize_t n;

	while (cl->stage != GONE && cl->stage != SECURING &&
	    cl->squeeze == squeeze) {
		n = imap_next(&cl->reader, slice_from(in, used), &head);
		if (n == 0)
			break;
		used += (size_t)n;
		if (head.n > 0)
			on_response(cl, head);
	}
	return used;
}

static void
on_input(void *arg)
{
	struct client *cl = arg;
	struct slice in = conn_input(cl->c);
	size_t used;

	if (cl->squeeze == NULL) {
		used = feed(cl, in);
		/* TLS that begins drops the input itself. */
		if (cl->stage != GONE && cl->stage != SECURING)
			conn_took(cl->c, used);
		return;
	}
	if (squeeze_in(cl->squeeze, in, &cl->plain) < 0) {
		broken(cl, "malformed DEFLATE");
		return;
	}
	conn_took(cl->c, in.n);
	used = feed(cl, buf_slice(&cl->plain));
	if (cl->stage == GONE)
		return;
	buf_drop(&cl->plain, used);
	if (cl->plain.n == 0)
		buf_release(&cl->plain);
}

static void
on_secured(void *arg)
{
	struct client *cl = arg;

	if (cl->stage == SECURING)
		log_in(cl);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct client *cl = arg;

	broken(cl, load_why(cl->c, why));
}

static const struct conn_events events = { on_input, NULL, on_secured,
	on_ended };

/* Keeps -b of them on their way. */
static void
begin_some(void)
{
	struct client *cl;

	while (self.begun < self.load.sessions && self.coming < self.at_once) {
		cl = &self.clients[self.begun];
		cl->number = self.begun++;
		buf_init(&cl->plain, PLAIN_MAX);
		cl->c = load_connect(&self.load, cl->number, &events, cl);
		if (cl->c == NULL) {
			cl->stage = GONE;
			load_failed(&self.load, strerror(errno));
			continue;
		}
		self.coming++;
	}
	if (self.coming == 0 && !self.is_ready)
		on_ready();
}

/* ---- standard input ---- */

static void
end_all(void)
{
	self.load.done += self.idle;
	load_end(&self.load);
}

/* Lines one after the other, none while waking. */
static void
obey(void)
{
	ptrdiff_t end;
	struct slice line;

	while (!self.is_waking) {
		end = slice_chr(buf_slice(&self.text), '\n');
		if (end < 0)
			break;
		line = slice_head(buf_slice(&self.text), (size_t)end);
		if (slice_eq_str(line, "drop")) {
			loop_io_remove(&self.input);
			drop_all();
			return;
		}
		if (!slice_eq_str(line, "wake"))
			load_die("there is wake and drop");
		buf_drop(&self.text, (size_t)end + 1);
		begin_wake();
		return; /* which calls us at its end */
	}
	if (self.is_eof && !self.is_waking)
		end_all();
}

static void
on_stdin(void *arg, unsigned what)
{
	char piece[256];
	ssize_t n = read(STDIN_FILENO, piece, sizeof piece);

	(void)arg;
	(void)what;
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		self.is_eof = true;
		loop_io_want(&self.input, 0);
	} else {
		buf_add(&self.text, piece, (size_t)n);
		if (!buf_is_ok(&self.text))
			load_die("too much on standard input");
	}
	obey();
}

/* ---- the run ---- */

/* A plain file cannot be waited for. */
static void
check_stdin(void)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) < 0 ||
	    (!S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode) &&
		!isatty(STDIN_FILENO)))
		load_die("standard input must be a pipe or a terminal");
}

static void
usage(void)
{
	load_die("-a HOST:PORT -u USER-PATTERN -p PASSWORD [-s CLIENTS] "
		 "[-n USERS] [-TS] [-z] [-b AT-ONCE] [-x SECONDS] "
		 "[-B SOURCES]");
}

static void
options(int argc, char **argv)
{
	int o;

	load_init(&self.load);
	while ((o = getopt(argc, argv, LOAD_OPTIONS "b:z")) != -1) {
		if (o == 'b')
			self.at_once = load_number(optarg, 1, 1000000);
		else if (o == 'z')
			self.compresses = true;
		else if (!load_option(&self.load, o, optarg))
			usage();
	}
	if (self.load.address == NULL || self.load.password == NULL ||
	    self.load.user.before.p == NULL || optind < argc)
		usage();
}

int
main(int argc, char **argv)
{
	options(argc, argv);
	check_stdin();
	buf_init(&self.out, COMMAND_MAX);
	buf_init(&self.wire, COMMAND_MAX);
	buf_init(&self.text, COMMAND_MAX);
	self.clients = calloc(self.load.sessions, sizeof *self.clients);
	if (self.clients == NULL)
		load_die("no memory");
	load_start(&self.load, true);
	loop_io_init(&self.input, self.load.loop, STDIN_FILENO, on_stdin,
	    NULL);
	loop_timer_init(&self.wake_limit, self.load.loop, on_wake_limit, NULL);
	begin_some();
	load_run(&self.load);
	if (self.is_waking) /* late: those who were told in time */
		print_wake();
	load_print(&self.load);
	(void)printf("}\n");
	return 0;
}
