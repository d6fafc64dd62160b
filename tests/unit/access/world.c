/* SPDX-License-Identifier: ISC */
#include "tests/unit/access/world.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf_server.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/region.h"
#include "conf/conf_access.h"
#include "mda/access.h"
#include "mda/access_client.h"
#include "session/front.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/fake/fake_tls.h"
#include "tests/unit/access/peers.h"
#include "tests/unit/unit.h"

enum { FDS = 128, ROUNDS = 400, RECEIVED = 64 << 20 };

static struct {
	struct loop *loop;
	struct region region;
	struct conf_access conf;
	int client, log;
	struct buf got; /* what the client received and no line claimed */
	bool is_eof, is_told, is_stopped;
	const char *name, *service;
	unsigned at;
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

const struct conf_server *
daemon_server(void)
{
	static const struct conf_server server = { .channel_binding = true };

	return &server;
}

void
daemon_stopped(void)
{
	self.is_stopped = true;
}

/* ---- time and bytes ---- */

static bool
turn(void)
{
	struct pollfd p;
	bool did = false;
	unsigned what;

	fake_loop_settle(self.loop);
	for (p.fd = 3; p.fd < FDS; p.fd++) {
		p.events = POLLIN | POLLOUT;
		p.revents = 0;
		if (poll(&p, 1, 0) <= 0 || (p.revents & POLLNVAL) != 0)
			continue;
		what = (p.revents & (POLLIN | POLLHUP | POLLERR)) != 0
		    ? LOOP_READ : 0;
		if ((p.revents & (POLLOUT | POLLHUP | POLLERR)) != 0)
			what |= LOOP_WRITE;
		did = fake_loop_ready(self.loop, p.fd, what) || did;
		fake_loop_settle(self.loop);
	}
	return did;
}

static void
receive(void)
{
	ssize_t n = 1;
	char *room;

	while (n > 0 && self.client >= 0) {
		room = buf_room(&self.got, 65536);
		ck_assert_ptr_nonnull(room);
		n = recv(self.client, room, 65536, MSG_DONTWAIT);
		if (n > 0)
			buf_grew(&self.got, (size_t)n);
		if (n == 0)
			self.is_eof = true;
	}
}

void
world_settle(void)
{
	int i;

	for (i = 0; i < ROUNDS && turn(); i++)
		peers_read();
	ck_assert_msg(i < ROUNDS, "%s, line %u: no rest", self.name, self.at);
	peers_read();
}

int
world_client(void)
{
	return self.client;
}

/* ---- the story's words ---- */

static void
story_fails(const char *what, struct slice want, struct slice got)
{
	ck_abort_msg("%s, line %u: %s: want \"%.*s\", got \"%.*s\"", self.name,
	    self.at, what, SLICE_FMT(want), SLICE_FMT(got));
}

static void
expect(const char *what, struct slice got, struct slice want)
{
	bool open = want.n > 0 && want.p[want.n - 1] == '*';

	if (slice_eq_str(want, "-"))
		want = SLICE("");
	if (open ? !slice_has_prefix(got, slice_head(want, want.n - 1))
		 : !slice_eq(got, want))
		story_fails(what, want, got);
}

static void
decode(struct buf *out, struct slice text)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '|') {
			buf_add_str(out, "\r\n");
		} else if (text.p[i] == '%' && i + 2 < text.n) {
			v = strtoul((char[]){ text.p[i + 1], text.p[i + 2],
			    0 }, NULL, 16);
			buf_add_char(out, (char)v);
			i += 2;
		} else {
			buf_add_char(out, text.p[i]);
		}
	}
}

static void
client_sends(struct slice text, bool is_line)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	decode(&b, text);
	if (is_line)
		buf_add_str(&b, "\r\n");
	(void)send(self.client, b.p, b.n, MSG_NOSIGNAL);
	buf_fini(&b);
}

static void
client_got(struct slice want)
{
	struct slice line;
	ptrdiff_t end;

	receive();
	end = slice_find(buf_slice(&self.got), SLICE("\r\n"));
	if (slice_eq_str(want, "-") || end < 0) {
		expect("received", buf_slice(&self.got), want);
		return;
	}
	line = slice_head(buf_slice(&self.got), (size_t)end);
	expect("received", line, want);
	buf_drop(&self.got, (size_t)end + 2);
}

static void
peer_told(struct slice peer, struct slice want)
{
	struct slice got = slice_str(peers_told(peer)), line;
	struct buf all;

	/* One line at a time is expected in all stories. */
	buf_init(&all, 65536);
	while (slice_split(&got, '\n', &line) && line.n > 0)
		buf_addf(&all, "%s%.*s", all.n > 0 ? "; " : "",
		    SLICE_FMT(line));
	expect("told", buf_slice(&all), want);
	buf_fini(&all);
}

static void
stream_read(struct slice want)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	peers_read();
	decode(&b, want);
	expect("stream", buf_slice(peers_stream()),
	    slice_eq_str(want, "-") ? SLICE("") : buf_slice(&b));
	buf_reset(peers_stream());
	buf_fini(&b);
}

static void
stream_write(struct slice text)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	decode(&b, text);
	peers_write(buf_slice(&b));
	buf_fini(&b);
}

static void
read_log(struct buf *out)
{
	char *room = buf_room(out, 1 << 20);
	ssize_t n;

	ck_assert_ptr_nonnull(room);
	n = pread(self.log, room, 1 << 20, 0);
	ck_assert_int_ge(n, 0);
	buf_grew(out, (size_t)n);
}

static void
logged(struct slice want)
{
	struct slice all, line;
	struct buf log;
	ptrdiff_t at;

	buf_init(&log, 2 << 20);
	read_log(&log);
	all = buf_slice(&log);
	while (slice_split(&all, '\n', &line)) {
		at = slice_find(line, want);
		if (at >= 0)
			break;
	}
	if (line.n == 0 || slice_find(line, want) < 0)
		story_fails("log", want, buf_slice(&log));
	buf_fini(&log);
}

static void
pass_time(struct slice words)
{
	uint64_t ms;

	ck_assert_int_eq(num_parse(words, 0, UINT32_MAX, &ms), 0);
	fake_loop_advance(self.loop, (int64_t)ms);
}

static void
reload(struct slice words)
{
	struct slice name;
	struct buf why;

	buf_init(&why, 1024);
	ck_assert(slice_split(&words, ' ', &name));
	ck_assert_msg(conf_set(&conf_access_section, &self.conf, &self.region,
	    name, words, &why) == 0, "%s", why.p);
	ck_assert_int_eq(access_role.configure(&self.conf, &why), 0);
	buf_fini(&why);
}

static void
peer_line(struct slice word, struct slice rest)
{
	struct slice peer = slice_head(word, word.n - 1);

	if (word.p[word.n - 1] == '<' && slice_eq_str(peer, "stream"))
		stream_write(rest);
	else if (word.p[word.n - 1] == '<')
		peers_say(peer, rest);
	else if (slice_eq_str(peer, "stream"))
		stream_read(rest);
	else if (slice_eq_str(peer, "log"))
		logged(rest);
	else
		peer_told(peer, rest);
}

static void
client_ends(struct slice word)
{
	receive();
	if (slice_eq_str(word, "shut")) {
		(void)shutdown(self.client, SHUT_WR);
		return;
	}
	if (slice_eq_str(word, "closed")) {
		expect("received", buf_slice(&self.got), SLICE("-"));
		ck_assert_msg(self.is_eof, "%s, line %u: still open",
		    self.name, self.at);
	}
	(void)close(self.client);
	self.client = -1;
}

static void
do_line(struct slice word, struct slice rest)
{
	if (slice_eq_str(word, ">") || slice_eq_str(word, ">>")) {
		client_sends(rest, word.n == 1);
	} else if (slice_eq_str(word, "<")) {
		client_got(rest);
	} else if (slice_eq_str(word, "close") || slice_eq_str(word, "shut") ||
	    slice_eq_str(word, "closed")) {
		client_ends(word);
	} else if (slice_eq_str(word, "tls")) {
		client_sends(SLICE(FAKE_TLS_HELLO), false);
	} else if (slice_eq_str(word, "+")) {
		pass_time(rest);
	} else if (slice_eq_str(word, "reload")) {
		reload(rest);
	} else if (slice_eq_str(word, "nocert")) {
		fake_tls_set(false, false);
	} else if (slice_eq_str(word, "nobind")) {
		fake_tls_set(true, false);
	} else if (slice_eq_str(word, "stop")) {
		if (!self.is_told) /* once, as daemon.c does */
			access_role.stop(30000);
		self.is_told = true;
	} else if (slice_eq_str(word, "stopped")) {
		ck_assert_msg(self.is_stopped, "%s: not stopped", self.name);
	} else if (slice_eq_str(rest, "lost")) {
		peers_lose(word);
	} else if (slice_eq_str(rest, "up")) {
		peers_bring(word);
	} else {
		peer_line(word, rest);
	}
}

void
world_line(struct slice line)
{
	struct slice word;

	ck_assert(slice_split(&line, ' ', &word));
	do_line(word, line);
	world_settle();
}

/* ---- a world ---- */

void
world_begin(const char *service)
{
	bool plain = service[strlen(service) - 1] == '+';
	struct buf why;

	self.service = service;
	self.is_stopped = self.is_told = self.is_eof = false;
	self.client = -1;
	fake_clock_set(1000000);
	fake_tls_set(true, true);
	self.loop = loop_new();
	self.log = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(self.log, 0);
	log_init("access[0]");
	log_set_fd(dup(self.log), LOG_FORMAT_TEXT);
	buf_init(&self.got, RECEIVED);
	region_init(&self.region, 1 << 20);
	conf_defaults(&conf_access_section, &self.conf, &self.region);
	self.conf.plaintext_auth = plain;
	buf_init(&why, 100);
	ck_assert_int_eq(access_role.configure(&self.conf, &why), 0);
	access_role.after_jail();
	buf_fini(&why);
	peers_start(self.loop);
}

void
world_come(void)
{
	static const char *const services[] = { "imap", "imaps", "pop3",
		"pop3s" };
	struct slice name = slice_str(self.service);
	int fds[2];
	size_t i;

	ck_assert_int_eq(socketpair(AF_UNIX,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	self.client = fds[0];
	if (name.p[name.n - 1] == '+')
		name.n--;
	for (i = 0; i < 4; i++)
		if (slice_eq_str(name, services[i]))
			access_accept(services[i], fds[1]);
	world_settle();
}

void
world_end(void)
{
	struct buf log;

	if (self.client >= 0)
		(void)close(self.client);
	self.client = -1;
	world_settle();
	fake_loop_advance(self.loop, 200000);
	world_settle();
	ck_assert_msg(front_count() == 0, "%s: a client is left", self.name);
	peers_stop();
	buf_init(&log, 2 << 20);
	read_log(&log);
	ck_assert_msg(slice_find(buf_slice(&log), SLICE("sesame")) < 0,
	    "%s: a password was logged: %s", self.name, log.p);
	buf_fini(&log);
	(void)close(self.log);
	buf_fini(&self.got);
	region_fini(&self.region);
	loop_free(&self.loop);
}

/* What is so before the client comes. */
static bool
is_before(struct slice line)
{
	return slice_has_suffix(line, SLICE(" lost")) ||
	    slice_has_suffix(line, SLICE(" up")) ||
	    slice_has_prefix(line, SLICE("no")) ||
	    slice_has_prefix(line, SLICE("reload"));
}

void
world_run(const char *service, const struct access_case *story)
{
	struct slice rest = slice_str(story->story), line;
	bool has_come = false;

	self.name = story->name;
	self.at = 0;
	world_begin(service);
	while (slice_split(&rest, '\n', &line) && line.n > 0) {
		self.at++;
		if (!has_come && !is_before(line)) {
			has_come = true;
			world_come();
		}
		world_line(line);
	}
	world_end();
}
