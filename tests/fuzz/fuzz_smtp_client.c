/* SPDX-License-Identifier: ISC */
/*
 * A whole session with a server that says anything. The first octet chooses
 * the kind of session; 0xff ends a packet, 0xfe lets time pass. The client
 * must say of each recipient at most once what became of it.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "session/smtp_client.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/fuzz/fuzz.h"

enum { RCPTS = 3, STEP_MS = 100000 };

static struct smtp_client *client;
static struct smtp_client_mail mail;
static struct smtp_client_rcpt rcpts[RCPTS];
static unsigned results[RCPTS], n_sent;

static void
begin(void)
{
	struct status why;
	int i;

	for (i = 0; i < RCPTS; i++)
		results[i] = 0;
	if (n_sent++ < 3 && smtp_client_send(client, &mail, &why) < 0)
		n_sent = 3;
}

static void
on_ready(void *arg)
{
	(void)arg;
	begin();
}

static void
on_result(void *arg, size_t i, const struct smtp_client_result *r)
{
	(void)arg;
	(void)r;
	FUZZ_ASSERT(i < mail.n_rcpts && results[i]++ == 0);
}

static void
on_over(void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < mail.n_rcpts; i++)
		FUZZ_ASSERT(results[i] == 1);
	begin();
}

static void
on_ended(void *arg, const struct smtp_client_end *end)
{
	(void)arg;
	FUZZ_ASSERT(end->status.outcome != OUTCOME_DONE);
	smtp_client_free(&client);
}

static const struct smtp_client_events events = {
	.ready = on_ready,
	.result = on_result,
	.over = on_over,
	.ended = on_ended,
};

static void
settle(struct loop *l, const int fds[2])
{
	char bytes[65536];

	do {
		fake_loop_settle(l);
	} while (recv(fds[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0 &&
	    fake_loop_ready(l, fds[1], LOOP_WRITE));
}

static void
converse(struct loop *l, const int fds[2], struct slice in)
{
	size_t n;

	for (; in.n > 0 && client != NULL; in = slice_from(in, n)) {
		for (n = 0; n < in.n && (unsigned char)in.p[n] < 0xfe; n++)
			;
		if (n > 0 && send(fds[0], in.p, n,
		    MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			(void)fake_loop_ready(l, fds[1], LOOP_READ);
		settle(l, fds);
		if (n < in.n && (unsigned char)in.p[n++] == 0xfe)
			fake_loop_advance(l, STEP_MS);
		settle(l, fds);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct smtp_client_login login = { { "joe", 3 },
		{ "secret", 6 } };
	struct smtp_client_conf conf = { .helo_name = "us.test",
		.connect_ms = 30000, .greeting_ms = 300000,
		.command_ms = 300000, .data_ms = 600000 };
	struct loop *l = loop_new();
	int fds[2];
	size_t i;

	FUZZ_ASSERT(l != NULL && socketpair(AF_UNIX, SOCK_STREAM |
	    SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
	fake_clock_set(1000000);
	log_set_level(LOG_LEVEL_ERROR);
	conf.is_lmtp = size > 0 && (data[0] & 1) != 0;
	conf.login = size > 0 && (data[0] & 2) != 0 ? &login : NULL;
	mail = (struct smtp_client_mail){ .sender = SLICE("a@us.test"),
		.rcpts = rcpts, .n_rcpts = size > 0 && (data[0] & 4) != 0
		    ? RCPTS : 1, .is_probe = size > 0 && (data[0] & 8) != 0 };
	for (i = 0; i < RCPTS; i++)
		rcpts[i].address = SLICE("b@x.test");
	smtp_content_from_memory(&mail.content, SLICE("A: b\r\n\r\n.\r\n"));
	n_sent = 0;
	client = smtp_client_new(l, fds[1], &conf, &events, NULL);
	FUZZ_ASSERT(client != NULL);
	if (size > 0)
		converse(l, fds, (struct slice){ (const char *)data + 1,
			size - 1 });
	smtp_client_free(&client);
	(void)close(fds[0]);
	fake_loop_advance(l, STEP_MS);
	loop_free(&l);
	return 0;
}
