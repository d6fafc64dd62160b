/* SPDX-License-Identifier: ISC */
/* Sessions that wait for the next message, over socket pairs. */
#include "mta/connections.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/unit.h"

static struct loop *loop;
static unsigned n_ready, n_ended;

static void
on_ready(void *arg)
{
	(void)arg;
	n_ready++;
}

static void
on_ended(void *arg, const struct smtp_client_end *end)
{
	(void)arg;
	(void)end;
	n_ended++;
}

static const struct smtp_client_events events = { .ready = on_ready,
	.ended = on_ended };

/* A session that stands; the server's end in *fd_r, ours in *own_r. */
static struct connection *
make(const char *nexthop, const char *host, const char *caps, int *fd_r,
    int *own_r)
{
	const struct smtp_client_conf conf = { .helo_name = "us.test",
		.connect_ms = 1000, .greeting_ms = 1000, .command_ms = 1000,
		.data_ms = 1000 };
	struct host_address a = { .host = host, .port = 25 };
	struct connection *c;
	int fds[2];

	ck_assert_int_eq(ip_parse(SLICE("192.0.2.1"), &a.ip), 0);
	ck_assert_int_eq(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			     fds),
	    0);
	c = connection_new(slice_str(nexthop), &a, NEXTHOP_MX);
	ck_assert_ptr_nonnull(c);
	c->client = smtp_client_new(loop, fds[1], &conf, &events, NULL);
	ck_assert_ptr_nonnull(c->client);
	fake_loop_settle(loop);
	ck_assert_int_gt(write(fds[0], caps, strlen(caps)), 0);
	(void)fake_loop_ready(loop, fds[1], LOOP_READ);
	fake_loop_settle(loop);
	ck_assert(smtp_client_is_ready(c->client));
	*fd_r = fds[0];
	*own_r = fds[1];
	return c;
}

static bool
has_said(int fd, const char *what)
{
	static char bytes[4096];
	ssize_t n;

	fake_loop_settle(loop);
	n = recv(fd, bytes, sizeof bytes - 1, MSG_DONTWAIT);
	bytes[n > 0 ? n : 0] = 0;
	return strstr(bytes, what) != NULL;
}

static const struct connection_limits limits = { 2000, 100 };
#define HELLO "220 hi\r\n250 srv\r\n"

static void
setup(void)
{
	fake_clock_set(1000000);
	loop = loop_new();
	ck_assert_ptr_nonnull(loop);
	connections_init(loop);
}

START_TEST(kept_and_taken)
{
	struct host_address a = { .host = "M.test", .port = 25 };
	struct connection *c;
	int fd, own;

	setup();
	ck_assert_int_eq(ip_parse(SLICE("192.0.2.1"), &a.ip), 0);
	c = make("mx:a.test", "m.test", HELLO, &fd, &own);
	connections_keep(&c, &limits);
	ck_assert_ptr_null(c);
	ck_assert_uint_eq(connections_count(), 1);
	ck_assert_ptr_null(connections_take(SLICE("mx:b.test")));
	c = connections_take(SLICE("mx:A.test"));
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(connections_count(), 0);
	connections_keep(&c, &limits);
	a.port = 26;
	ck_assert_ptr_null(connections_take_host(&a, NEXTHOP_MX));
	a.port = 25;
	ck_assert_ptr_null(connections_take_host(&a, NEXTHOP_LMTP));
	/* A login is for hosts that the administrator named, and the rules
	 * of TLS differ. */
	ck_assert_ptr_null(connections_take_host(&a, NEXTHOP_SMTP));
	c = connections_take_host(&a, NEXTHOP_MX);
	ck_assert_ptr_nonnull(c);
	connection_quit(&c);
	ck_assert(has_said(fd, "QUIT\r\n"));
	(void)close(fd);
}
END_TEST

START_TEST(time_runs_out)
{
	struct connection *c;
	int fd, own;

	setup();
	c = make("mx:a.test", "m.test", HELLO, &fd, &own);
	connections_keep(&c, &limits);
	fake_loop_advance(loop, 1999);
	ck_assert_uint_eq(connections_count(), 1);
	fake_loop_advance(loop, 1);
	ck_assert_uint_eq(connections_count(), 0);
	ck_assert(has_said(fd, "QUIT\r\n"));
	(void)close(fd);
}
END_TEST

START_TEST(server_goes)
{
	struct connection *c;
	int fd, own;

	setup();
	c = make("mx:a.test", "m.test", HELLO, &fd, &own);
	connections_keep(&c, &limits);
	(void)close(fd);
	(void)fake_loop_ready(loop, own, LOOP_READ);
	fake_loop_settle(loop);
	ck_assert_uint_eq(connections_count(), 0);
	ck_assert_uint_eq(n_ended, 0);
	ck_assert_ptr_null(connections_take(SLICE("mx:a.test")));
}
END_TEST

START_TEST(not_worth_it)
{
	const struct connection_limits never = { 0, 100 };
	struct connection *c;
	int fd, own;

	setup();
	c = make("mx:a.test", "m.test", HELLO, &fd, &own);
	connections_keep(&c, &never);
	ck_assert_ptr_null(c);
	ck_assert_uint_eq(connections_count(), 0);
	ck_assert(has_said(fd, "QUIT\r\n"));
	(void)close(fd);
}
END_TEST

START_TEST(all_end)
{
	struct connection *c;
	int fd[3], own, i;

	setup();
	for (i = 0; i < 3; i++) {
		c = make("mx:a.test", "m.test", HELLO, &fd[i], &own);
		connections_keep(&c, &limits);
	}
	ck_assert_uint_eq(connections_count(), 3);
	connections_end();
	ck_assert_uint_eq(connections_count(), 0);
	for (i = 0; i < 3; i++)
		ck_assert(has_said(fd[i], "QUIT\r\n"));
}
END_TEST

/* One that was in work while the settings changed. */
START_TEST(settings_change)
{
	struct connection *c;
	int fd, own;

	setup();
	c = make("mx:a.test", "m.test", HELLO, &fd, &own);
	ck_assert(!connection_is_spent(c, &limits));
	connections_end();
	ck_assert(connection_is_spent(c, &limits));
	connections_keep(&c, &limits);
	ck_assert_uint_eq(connections_count(), 0);
	ck_assert(has_said(fd, "QUIT\r\n"));
	(void)close(fd);
	c = make("mx:a.test", "m.test", HELLO, &fd, &own);
	connections_keep(&c, &limits);
	ck_assert_uint_eq(connections_count(), 1);
	connections_end();
	(void)close(fd);
}
END_TEST

UNIT_SUITE(connections, {
	tcase_add_test(tc, settings_change);
	tcase_add_test(tc, kept_and_taken);
	tcase_add_test(tc, time_runs_out);
	tcase_add_test(tc, server_goes);
	tcase_add_test(tc, not_worth_it);
	tcase_add_test(tc, all_end);
})
