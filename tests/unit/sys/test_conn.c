/* SPDX-License-Identifier: ISC */
#include "sys/conn.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "sys/loop.h"
#include "tests/unit/unit.h"

/* An owner that notes what it is told, and what it shall do then. */
struct owner {
	struct conn *c;
	struct buf got;
	size_t take_max; /* per callback; 0: all */
	int inputs, drained, ended;
	enum conn_end why;
	size_t size_at_end; /* of `got` when `ended` came */
	bool pause_on_input, free_on_input, free_on_end, echo;
	bool finish_on_end;
};

static struct loop *loop;
static const struct conn_limits limits = { 65536, 65536, 16384 };

static void
on_input(void *arg)
{
	struct owner *o = arg;
	struct slice in = conn_input(o->c);

	ck_assert_int_eq(o->ended, 0);
	ck_assert(!conn_is_paused(o->c));
	o->inputs++;
	if (o->take_max > 0)
		in = slice_head(in, o->take_max);
	buf_add_slice(&o->got, in);
	if (o->echo)
		conn_write(o->c, in);
	if (o->free_on_input) {
		conn_free(&o->c);
		return;
	}
	conn_took(o->c, in.n);
	if (o->pause_on_input)
		conn_pause(o->c);
}

static void
on_drained(void *arg)
{
	((struct owner *)arg)->drained++;
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct owner *o = arg;

	o->ended++;
	o->why = why;
	o->size_at_end = o->got.n;
	if (o->free_on_end)
		conn_free(&o->c);
	else if (o->finish_on_end)
		conn_finish(&o->c, 1000);
}

static const struct conn_events events = {
	.input = on_input,
	.drained = on_drained,
	.ended = on_ended,
};

/* Turns until *value >= want, or two seconds have passed. */
static void
until(const int *value, int want)
{
	int64_t end = clock_boot_ms() + 2000;
	struct loop_timer tick;

	loop_timer_init(&tick, loop, on_drained, &(struct owner){ 0 });
	while (*value < want && clock_boot_ms() < end) {
		loop_timer_set(&tick, clock_boot_ms() + 20);
		loop_turn(loop, true);
	}
	loop_timer_clear(&tick);
	ck_assert_int_ge(*value, want);
}

static void
turns(int n)
{
	while (n-- > 0)
		loop_turn(loop, false);
}

static void
begin(struct owner *o, int type, int *peer)
{
	int sv[2];

	if (loop == NULL)
		loop = loop_new();
	buf_fini(&o->got); /* of an earlier use; all are static */
	*o = (struct owner){ 0 };
	buf_init(&o->got, 64 << 20);
	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, sv), 0);
	o->c = conn_new(loop, sv[0], &limits, &events, o);
	ck_assert_ptr_nonnull(o->c);
	*peer = sv[1];
}

static void
send_str(int fd, const char *s)
{
	ck_assert_int_eq(send(fd, s, strlen(s), 0), (ssize_t)strlen(s));
}

static bool
is_closed(int fd)
{
	char b;

	return recv(fd, &b, 1, MSG_DONTWAIT) == 0;
}

START_TEST(takes_and_writes)
{
	static struct owner o;
	char b[64];
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	ck_assert_str_eq(conn_peer(o.c), "unix");
	conn_write_str(o.c, "220 ");
	conn_writef(o.c, "%s %d\r\n", "hello", 7);
	ck_assert_int_eq(conn_unsent(o.c), 13);
	turns(1);
	/* One write for the turn. */
	ck_assert_int_eq(recv(peer, b, sizeof b, 0), 13);
	ck_assert(memcmp(b, "220 hello 7\r\n", 13) == 0);
	ck_assert_int_eq(conn_unsent(o.c), 0);
	send_str(peer, "NOOP\r\n");
	until(&o.inputs, 1);
	ck_slice_str(buf_slice(&o.got), "NOOP\r\n");
	conn_free(&o.c);
	ck_assert_ptr_null(o.c);
	ck_assert(is_closed(peer));
	turns(2);
	conn_free(&o.c); /* harmless */
}
END_TEST

START_TEST(offers_what_was_left)
{
	static struct owner o;
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	o.take_max = 2;
	send_str(peer, "abcde");
	until(&o.inputs, 1);
	ck_slice_str(buf_slice(&o.got), "ab");
	ck_slice_str(conn_input(o.c), "cde");
	turns(3);
	ck_assert_int_eq(o.inputs, 1); /* only with new bytes */
	send_str(peer, "f");
	until(&o.inputs, 2);
	ck_slice_str(conn_input(o.c), "ef");
	ck_assert_int_eq(conn_discard_input(o.c), 2);
	ck_assert_int_eq(conn_input(o.c).n, 0);
	conn_free(&o.c);
}
END_TEST

START_TEST(pauses)
{
	static struct owner o;
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	o.pause_on_input = true;
	o.take_max = 1;
	send_str(peer, "ab");
	until(&o.inputs, 1);
	send_str(peer, "c");
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	turns(5);
	/* Neither input nor its end while paused. */
	ck_assert_int_eq(o.inputs, 1);
	ck_assert_int_eq(o.ended, 0);
	conn_resume(o.c);
	ck_assert_int_eq(o.inputs, 1); /* never from inside a call */
	turns(1);
	ck_assert_int_eq(o.inputs, 2);
	ck_slice_str(buf_slice(&o.got), "ab");
	conn_resume(o.c);
	turns(1);
	ck_assert_int_eq(o.inputs, 3);
	ck_assert_int_eq(o.ended, 0);
	conn_resume(o.c);
	turns(1);
	ck_assert_int_eq(o.inputs, 3);
	ck_assert_int_eq(o.ended, 1);
	ck_assert_int_eq(o.why, CONN_EOF);
	conn_free(&o.c);
}
END_TEST

/* Nothing beyond input_max is read; the rest comes when there is room. */
START_TEST(limits_input)
{
	static char block[300000];
	static struct owner o;
	ssize_t n;
	int peer, size = 1 << 20;
	bool outside = _i == 1;

	begin(&o, SOCK_STREAM, &peer);
	(void)setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	conn_pause(o.c);
	for (n = 0; n < (ssize_t)sizeof block; n++)
		block[n] = (char)(n * 7);
	n = send(peer, block, sizeof block, MSG_DONTWAIT);
	ck_assert_int_gt(n, 100000);
	turns(20);
	ck_assert_int_eq(conn_input(o.c).n, limits.input_max);
	if (outside) { /* taken by somebody who needs no callback */
		buf_add_slice(&o.got, conn_input(o.c));
		conn_took(o.c, conn_input(o.c).n);
		turns(3);
		ck_assert_int_eq(conn_input(o.c).n, limits.input_max);
	}
	conn_resume(o.c);
	turns(20);
	ck_assert_int_eq(o.got.n, n);
	ck_assert_int_eq(memcmp(o.got.p, block, (size_t)n), 0);
	conn_free(&o.c);
}
END_TEST

START_TEST(half_close)
{
	static struct owner o;
	char b[16];
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	send_str(peer, "QUIT");
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	until(&o.ended, 1);
	ck_assert_int_eq(o.why, CONN_EOF);
	ck_assert_int_eq(o.size_at_end, 4);
	conn_write_str(o.c, "221 bye");
	turns(2);
	ck_assert_int_eq(recv(peer, b, sizeof b, 0), 7);
	conn_finish(&o.c, 1000);
	turns(2);
	ck_assert(is_closed(peer));
	ck_assert_int_eq(o.ended, 1);
}
END_TEST

/* More than the socket takes: partial writes, full, drained, in order. */
START_TEST(fills_and_drains)
{
	static char chunk[4096], b[65536];
	static struct owner o;
	size_t sent = 0, got = 0, wrong = 0, i;
	ssize_t n;
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	while (!conn_is_full(o.c) || sent < 1000000) {
		for (i = 0; i < sizeof chunk; i++)
			chunk[i] = (char)((sent + i) % 251);
		conn_write(o.c, (struct slice){ chunk, sizeof chunk });
		sent += sizeof chunk;
	}
	turns(3);
	ck_assert(conn_is_full(o.c));
	ck_assert_int_eq(o.drained, 0);
	while (got < sent) {
		n = recv(peer, b, sizeof b, MSG_DONTWAIT);
		if (n < 0) {
			ck_assert_int_eq(errno, EAGAIN);
			turns(1);
			continue;
		}
		for (i = 0; i < (size_t)n; i++)
			wrong += (unsigned char)b[i] != (got + i) % 251;
		got += (size_t)n;
		if (conn_unsent(o.c) > limits.output_low)
			ck_assert_int_eq(o.drained, 0);
	}
	turns(2);
	ck_assert_int_eq(wrong, 0);
	ck_assert_int_eq(o.drained, 1);
	ck_assert(!conn_is_full(o.c));
	ck_assert_int_eq(o.ended, 0);
	conn_free(&o.c);
}
END_TEST

START_TEST(overruns)
{
	static char block[1 << 20];
	struct slice mega = { block, sizeof block };
	static struct owner o;
	int peer, i;

	begin(&o, SOCK_STREAM, &peer);
	for (i = 0; i < 8; i++)
		conn_write(o.c, mega);
	ck_assert_int_eq(o.ended, 0);
	until(&o.ended, 1);
	ck_assert_int_eq(o.why, CONN_ERROR);
	ck_assert_int_eq(conn_error(o.c), ENOBUFS);
	conn_write_str(o.c, "more"); /* ignored */
	ck_assert_int_eq(conn_unsent(o.c), 0);
	turns(2);
	ck_assert_int_eq(o.ended, 1);
	conn_finish(&o.c, 1000);
	ck_assert(is_closed(peer));
}
END_TEST

START_TEST(peer_is_gone)
{
	static struct owner o;
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	(void)close(peer);
	until(&o.ended, 1);
	ck_assert_int_eq(o.why, CONN_EOF);
	conn_write_str(o.c, "hello");
	until(&o.ended, 2);
	ck_assert_int_eq(o.why, CONN_ERROR);
	ck_assert_int_eq(conn_error(o.c), EPIPE);
	ck_assert_str_eq(conn_error_text(o.c), strerror(EPIPE));
	conn_free(&o.c);
}
END_TEST

START_TEST(times_out)
{
	static struct owner o;
	char b[8];
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	conn_set_deadline(o.c, clock_boot_ms() + 30);
	conn_set_deadline(o.c, 0);
	turns(2);
	usleep(40000);
	turns(2);
	ck_assert_int_eq(o.ended, 0);
	conn_set_deadline(o.c, clock_boot_ms() + 30);
	until(&o.ended, 1);
	ck_assert_int_eq(o.why, CONN_TIMEOUT);
	/* The last word can still be said, but nothing is heard. */
	send_str(peer, "late");
	conn_write_str(o.c, "421");
	turns(3);
	ck_assert_int_eq(o.inputs, 0);
	ck_assert_int_eq(recv(peer, b, sizeof b, 0), 3);
	conn_free(&o.c);
}
END_TEST

START_TEST(freed_inside_callbacks)
{
	static struct owner o;
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	o.free_on_input = true;
	send_str(peer, "x");
	until(&o.inputs, 1);
	turns(2);
	begin(&o, SOCK_STREAM, &peer);
	o.free_on_end = true;
	(void)close(peer);
	until(&o.ended, 1);
	turns(2);
	begin(&o, SOCK_STREAM, &peer);
	o.free_on_end = true;
	conn_set_deadline(o.c, clock_boot_ms());
	until(&o.ended, 1);
	turns(2);
	begin(&o, SOCK_STREAM, &peer);
	o.finish_on_end = true;
	o.echo = true;
	send_str(peer, "x");
	ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
	until(&o.ended, 1);
	turns(2);
	ck_assert_ptr_null(o.c);
}
END_TEST

/* ---- TCP ---- */

static int
listen_tcp(struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET };
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

START_TEST(connects)
{
	struct sockaddr_in at, from = { .sin_family = AF_INET };
	struct sockaddr_storage ss;
	static struct owner o = { 0 };
	int server, fd, on = 0;
	socklen_t len = sizeof on;
	char b[8];

	loop = loop_new();
	buf_init(&o.got, 1 << 20);
	server = listen_tcp(&at);
	from.sin_addr.s_addr = htonl(0x7f000002);
	o.c = conn_connect(loop, (struct sockaddr *)&at, sizeof at,
	    (struct sockaddr *)&from, sizeof from, &limits, &events, &o);
	ck_assert_ptr_nonnull(o.c);
	conn_write_str(o.c, "early");
	until(&o.drained, 1);
	fd = accept(server, (struct sockaddr *)&ss, &(socklen_t){ sizeof ss });
	ck_assert_int_eq(((struct sockaddr_in *)&ss)->sin_addr.s_addr,
	    from.sin_addr.s_addr);
	ck_assert_int_eq(recv(fd, b, sizeof b, 0), 5);
	ck_assert_str_eq(conn_peer(o.c), "127.0.0.1");
	ck_assert_int_eq(conn_peer_port(o.c), ntohs(at.sin_port));
	ck_assert_int_eq(conn_peer_addr(o.c, &ss), sizeof at);
	ck_assert(!conn_is_tls(o.c));
	send_str(fd, "hi");
	until(&o.inputs, 1);
	conn_free(&o.c);
	/* An accepted socket gets TCP_NODELAY, too. */
	o.c = conn_new(loop, dup(fd), &limits, &events, &o);
	ck_assert_int_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len),
	    0);
	ck_assert_int_ne(on, 0);
	conn_free(&o.c);
}
END_TEST

START_TEST(connect_refused)
{
	static struct owner o = { 0 };
	struct sockaddr_in at;

	loop = loop_new();
	(void)close(listen_tcp(&at));
	o.c = conn_connect(loop, (struct sockaddr *)&at, sizeof at, NULL, 0,
	    &limits, &events, &o);
	if (o.c == NULL) {
		ck_assert_int_eq(errno, ECONNREFUSED);
		return;
	}
	until(&o.ended, 1);
	ck_assert_int_eq(o.why, CONN_ERROR);
	ck_assert_int_eq(conn_error(o.c), ECONNREFUSED);
	ck_assert_int_eq(o.drained, 0);
	conn_free(&o.c);
}
END_TEST

/* The reply arrives although the peer sent more than was read: no reset. */
START_TEST(finishes_gently)
{
	static char junk[200000];
	struct sockaddr_in at;
	static struct owner o = { 0 };
	int server, fd;
	ssize_t n, got = 0;
	char b[4096];

	loop = loop_new();
	buf_init(&o.got, 1 << 20);
	server = listen_tcp(&at);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	o.c = conn_new(loop, accept4(server, NULL, NULL, SOCK_NONBLOCK),
	    &limits, &events, &o);
	conn_pause(o.c);
	ck_assert_int_gt(send(fd, junk, sizeof junk, MSG_DONTWAIT), 0);
	turns(2);
	conn_write_str(o.c, "554 go away\r\n");
	conn_finish(&o.c, 5000);
	ck_assert_ptr_null(o.c);
	turns(5);
	ck_assert_int_gt(send(fd, junk, 1000, MSG_DONTWAIT), 0);
	turns(5);
	while ((n = recv(fd, b, sizeof b, 0)) > 0)
		got += n;
	ck_assert_int_eq(n, 0); /* not ECONNRESET */
	ck_assert_int_eq(got, 13);
	(void)close(fd);
	turns(5);
}
END_TEST

/* A peer that reads nothing does not keep the connection for ever. */
START_TEST(finish_gives_up)
{
	static char junk[1 << 20];
	static struct owner o;
	int64_t t0;
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	conn_write(o.c, (struct slice){ junk, sizeof junk });
	conn_finish(&o.c, 60);
	t0 = clock_boot_ms();
	while (send(peer, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1) {
		ck_assert_int_lt(clock_boot_ms() - t0, 1000);
		loop_turn(loop, false);
		usleep(1000);
	}
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_ge(clock_boot_ms() - t0, 55);
}
END_TEST

/* One that reads slowly gets all of it. */
START_TEST(finish_waits)
{
	static char junk[1 << 20], b[16384];
	static struct owner o;
	size_t got = 0;
	ssize_t n = 1;
	int64_t t0;
	int peer;

	begin(&o, SOCK_STREAM, &peer);
	conn_write(o.c, (struct slice){ junk, sizeof junk });
	conn_finish(&o.c, 60);
	t0 = clock_boot_ms();
	while (n != 0) {
		n = recv(peer, b, sizeof b, MSG_DONTWAIT);
		got += n > 0 ? (size_t)n : 0;
		loop_turn(loop, false);
		usleep(5000);
	}
	ck_assert_uint_eq(got, sizeof junk);
	ck_assert_int_ge(clock_boot_ms() - t0, 300);
}
END_TEST

UNIT_SUITE(conn, {
	tcase_add_test(tc, takes_and_writes);
	tcase_add_test(tc, offers_what_was_left);
	tcase_add_test(tc, pauses);
	tcase_add_loop_test(tc, limits_input, 0, 2);
	tcase_add_test(tc, half_close);
	tcase_add_test(tc, fills_and_drains);
	tcase_add_test(tc, overruns);
	tcase_add_test(tc, peer_is_gone);
	tcase_add_test(tc, times_out);
	tcase_add_test(tc, freed_inside_callbacks);
	tcase_add_test(tc, connects);
	tcase_add_test(tc, connect_refused);
	tcase_add_test(tc, finishes_gently);
	tcase_add_test(tc, finish_gives_up);
	tcase_add_test(tc, finish_waits);
})
