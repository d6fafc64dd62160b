/* SPDX-License-Identifier: ISC */
/* Letting strangers in: how many, from which sockets, counted by `state`. */
#include "session/front.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sys/daemon.h"
#include "tests/unit/session/asked.h"
#include "tests/unit/unit.h"

enum { CLIENTS = 64 };

static struct client {
	struct front_client front;
	int fd;
	bool is_open;
	int checked; /* -1 not yet, 0 refused, 1 allowed */
} clients[CLIENTS];
static size_t n_accepted;
static char services[CLIENTS][8];

static void
on_accept(const char *service, int fd)
{
	struct client *c = &clients[n_accepted];

	ck_assert_uint_lt(n_accepted, CLIENTS);
	(void)strcpy(services[n_accepted++], service);
	c->fd = fd;
	c->is_open = true;
	c->checked = -1;
	front_open(&c->front, service, fd);
}

static void
end(struct client *c)
{
	front_done(&c->front);
	(void)close(c->fd);
	c->is_open = false;
}

static void
setup(void)
{
	asked_begin();
	front_init(asked_loop(), ROLE_SMTPD, on_accept);
}

/* A listening socket on the loopback, handed to the front. */
static struct sockaddr_in
listen_as(const char *service, const char *name)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof a;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, n), 0);
	ck_assert_int_eq(listen(fd, 100), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	front_listen(slice_str(service), slice_str(name), fd);
	return a;
}

static int
come(struct sockaddr_in a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static size_t
accepted(void)
{
	asked_settle();
	return n_accepted;
}

/* ---- letting in ---- */

START_TEST(names_and_services)
{
	struct sockaddr_in a, b;
	size_t i, k;

	front_set_limit(100);
	a = listen_as("smtp", "one");
	b = listen_as("smtps", "two");
	(void)come(a);
	ck_assert_uint_eq(accepted(), 1);
	asked_pass(5);
	(void)come(b);
	ck_assert_uint_eq(accepted(), 2);
	ck_assert_str_eq(services[0], "smtp");
	ck_assert_str_eq(clients[1].front.service, "smtps");
	ck_assert_str_eq(clients[0].front.key, "127.0.0.1");
	for (i = 0; i < 30; i++)
		(void)come(a);
	ck_assert_uint_eq(accepted(), 32);
	ck_assert_uint_eq(front_count(), 32);
	for (i = 0; i < 32; i++) {
		ck_assert_uint_eq(strlen(clients[i].front.id), 13);
		for (k = 0; k < i; k++)
			ck_assert_str_ne(clients[i].front.id,
			    clients[k].front.id);
	}
	/* In the order of their coming. */
	ck_assert_int_lt(strcmp(clients[0].front.id, clients[1].front.id), 0);
	/* They keep their service when its socket goes. */
	front_unlisten(SLICE("smtp"), SLICE("one"));
	ck_assert_str_eq(clients[0].front.service, "smtp");
}
END_TEST

START_TEST(only_so_many)
{
	struct sockaddr_in a;
	int i;

	a = listen_as("smtp", "one");
	(void)come(a);
	ck_assert_uint_eq(accepted(), 0); /* the limit is not set yet */
	front_set_limit(3);
	ck_assert_uint_eq(accepted(), 1);
	for (i = 0; i < 4; i++)
		(void)come(a);
	ck_assert_uint_eq(accepted(), 3);
	end(&clients[1]);
	ck_assert_uint_eq(front_count(), 2);
	ck_assert_uint_eq(accepted(), 4);
	front_set_limit(2);
	end(&clients[0]);
	ck_assert_uint_eq(accepted(), 4);
	front_set_limit(100);
	ck_assert_uint_eq(accepted(), 5);
	ck_assert_uint_eq(front_count(), 3);
}
END_TEST

START_TEST(sockets_come_and_go)
{
	struct sockaddr_in a, b;

	front_set_limit(10);
	a = listen_as("smtp", "one");
	b = listen_as("smtp", "two");
	front_unlisten(SLICE("smtps"), SLICE("one"));
	front_unlisten(SLICE("smtp"), SLICE("on"));
	(void)come(a);
	ck_assert_uint_eq(accepted(), 1);
	front_unlisten(SLICE("smtp"), SLICE("one"));
	ck_assert_int_lt(connect(socket(AF_INET, SOCK_STREAM, 0),
	    (struct sockaddr *)&a, sizeof a), 0);
	(void)come(b);
	ck_assert_uint_eq(accepted(), 2);
	front_close();
	ck_assert_int_lt(connect(socket(AF_INET, SOCK_STREAM, 0),
	    (struct sockaddr *)&b, sizeof b), 0);
	/* Also of what is handed over after that. */
	b = listen_as("smtp", "three");
	(void)come(b);
	front_set_limit(20);
	ck_assert_uint_eq(accepted(), 2);
	end(&clients[0]);
	ck_assert_uint_eq(accepted(), 2);
}
END_TEST

START_TEST(out_of_descriptors)
{
	struct rlimit old, r;
	struct sockaddr_in a;

	front_set_limit(10);
	a = listen_as("smtp", "one");
	asked_settle();
	(void)come(a);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	r = old;
	r.rlim_cur = 100;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	while (dup(0) >= 0)
		;
	ck_assert_uint_eq(accepted(), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	/* Not again at once, for it would mostly be as it was. */
	ck_assert_uint_eq(accepted(), 0);
	asked_pass(99);
	ck_assert_uint_eq(accepted(), 0);
	asked_pass(1);
	ck_assert_uint_eq(accepted(), 1);
}
END_TEST

START_TEST(all_can_be_walked)
{
	struct sockaddr_in a;
	struct front_client *c;
	int i;

	ck_assert_ptr_null(front_next(NULL));
	front_set_limit(10);
	a = listen_as("smtp", "one");
	for (i = 0; i < 3; i++) {
		(void)come(a);
		asked_settle();
	}
	end(&clients[1]);
	c = front_next(NULL);
	ck_assert_ptr_eq(c, &clients[0].front);
	c = front_next(c);
	ck_assert_ptr_eq(c, &clients[2].front);
	ck_assert_ptr_null(front_next(c));
}
END_TEST

/* ---- counting ---- */

static void
on_checked(struct front_client *c, bool is_allowed)
{
	struct client *client = LIST_OF(c, struct client, front);

	ck_assert(client->is_open);
	ck_assert_int_eq(client->checked, -1);
	client->checked = is_allowed;
}

/* One client that is being asked about. */
static struct client *
checked(void)
{
	front_set_limit(10);
	(void)come(listen_as("smtp", "one"));
	ck_assert_uint_eq(accepted(), 1);
	front_check(&clients[0].front, 7, on_checked);
	return &clients[0];
}

static void
answer(unsigned n, bool is_allowed)
{
	ipc_send(asked_end(ROLE_STATE), CLIENT_ANSWER, -1,
	    .req = asked_req(n), .allowed = is_allowed);
	asked_settle();
}

START_TEST(counted_and_let_go)
{
	struct client *c;

	asked_bring(ROLE_STATE);
	c = checked();
	ck_assert_str_eq(asked_told(), "client 127.0.0.1 7");
	ck_assert_int_eq(c->checked, -1);
	answer(0, true);
	ck_assert_int_eq(c->checked, 1);
	end(c);
	ck_assert_str_eq(asked_told(), "gone 127.0.0.1");
}
END_TEST

START_TEST(refused_is_not_counted)
{
	struct client *c;

	asked_bring(ROLE_STATE);
	c = checked();
	asked_settle();
	answer(0, false);
	ck_assert_int_eq(c->checked, 0);
	end(c);
	ck_assert_str_eq(asked_told(), "client 127.0.0.1 7");
}
END_TEST

START_TEST(state_away)
{
	struct client *c = checked();

	ck_assert_int_eq(c->checked, 1);
	asked_bring(ROLE_STATE);
	end(c);
	ck_assert_str_eq(asked_told(), "");
}
END_TEST

START_TEST(state_lost_while_asked)
{
	struct client *c;

	asked_bring(ROLE_STATE);
	c = checked();
	asked_settle();
	asked_lose(ROLE_STATE);
	ck_assert_int_eq(c->checked, 1);
	asked_bring(ROLE_STATE);
	(void)asked_told();
	end(c);
	/* The new one has not counted it. */
	ck_assert_str_eq(asked_told(), "");
}
END_TEST

/* Gone before the answer: what was counted for it is taken back. */
START_TEST(gone_while_asked)
{
	struct client *c;

	asked_bring(ROLE_STATE);
	c = checked();
	ck_assert_str_eq(asked_told(), "client 127.0.0.1 7");
	end(c);
	ck_assert_str_eq(asked_told(), "");
	answer(0, _i == 1);
	ck_assert_str_eq(asked_told(), _i == 1 ? "gone 127.0.0.1" : "");
	ck_assert_int_eq(c->checked, -1);
}
END_TEST

/*
 * A slow counter lets in; but it counts when it comes to it, and a count that
 * nobody takes back would lock the client out for good.
 */
START_TEST(slow_state)
{
	bool is_allowed = (_i & 1) != 0, is_gone = (_i & 2) != 0;
	struct client *c;

	asked_bring(ROLE_STATE);
	c = checked();
	ck_assert_str_eq(asked_told(), "client 127.0.0.1 7");
	asked_pass(1999);
	ck_assert_int_eq(c->checked, -1);
	asked_pass(1);
	ck_assert_int_eq(c->checked, 1);
	if (is_gone)
		end(c);
	ck_assert_str_eq(asked_told(), "");
	answer(0, is_allowed);
	if (!is_gone)
		end(c);
	ck_assert_str_eq(asked_told(), is_allowed ? "gone 127.0.0.1" : "");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, names_and_services);
	tcase_add_test(tc, only_so_many);
	tcase_add_test(tc, sockets_come_and_go);
	tcase_add_test(tc, out_of_descriptors);
	tcase_add_test(tc, all_can_be_walked);
	tcase_add_test(tc, counted_and_let_go);
	tcase_add_test(tc, refused_is_not_counted);
	tcase_add_test(tc, state_away);
	tcase_add_test(tc, state_lost_while_asked);
	tcase_add_loop_test(tc, gone_while_asked, 0, 2);
	tcase_add_loop_test(tc, slow_state, 0, 4);
}

UNIT_SUITE(front, tcase_add_checked_fixture(tc, setup, NULL); add_tests(tc);)
