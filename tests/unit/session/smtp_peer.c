/* SPDX-License-Identifier: ISC */
#include "tests/unit/session/smtp_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/loop.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/unit.h"

/* ---- events ---- */

static void
add_status(struct smtp_peer *p, const struct status *s)
{
	static const char *const outcomes[] = { "done", "later", "failed" };

	buf_addf(&p->events, "%s %d ", outcomes[s->outcome], s->code);
	enhanced_add(&p->events, s->enhanced);
	buf_add_char(&p->events, ' ');
	status_add_text(&p->events, s->text, 200);
}

static void
on_ready(void *arg)
{
	struct smtp_peer *p = arg;

	p->n_ready++;
	buf_add_str(&p->events, "ready\n");
}

static void
on_result(void *arg, size_t i, const struct smtp_client_result *r)
{
	struct smtp_peer *p = arg;

	ck_assert_uint_lt(i, p->mail.n_rcpts);
	p->n_results[i]++;
	p->n_done += r->status.outcome == OUTCOME_DONE;
	buf_addf(&p->events, "result %zu ", i);
	add_status(p, &r->status);
	buf_add_str(&p->events, r->is_dsn_passed ? " +dsn" : "");
	buf_add_str(&p->events, r->is_surplus ? " +surplus" : "");
	buf_add_char(&p->events, '\n');
}

static void
on_over(void *arg)
{
	struct smtp_peer *p = arg;

	p->n_over++;
	buf_add_str(&p->events, "over\n");
	if (p->frees_in_events)
		smtp_client_quit(&p->client);
}

static void
on_ended(void *arg, const struct smtp_client_end *end)
{
	struct smtp_peer *p = arg;

	p->n_ended++;
	p->end = *end;
	buf_add_str(&p->events, "ended ");
	add_status(p, &end->status);
	buf_add_str(&p->events, end->is_stale ? " +stale" : "");
	buf_add_str(&p->events, end->is_tls ? " +tls" : "");
	buf_add_str(&p->events, end->is_unknown ? " +unknown" : "");
	buf_add_char(&p->events, '\n');
	if (p->frees_in_events)
		smtp_client_free(&p->client);
}

static const struct smtp_client_events events = {
	.ready = on_ready,
	.result = on_result,
	.over = on_over,
	.ended = on_ended,
};

/* ---- the server's end ---- */

/* True when there was something. */
static bool
hear(struct smtp_peer *p)
{
	char bytes[65536];
	ssize_t n;

	if (p->fd < 0 || p->is_deaf)
		return false;
	n = recv(p->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n <= 0)
		return false;
	buf_add(&p->heard, bytes, (size_t)n);
	return true;
}

void
peer_run(struct smtp_peer *p)
{
	bool moved;

	do {
		fake_loop_settle(p->loop);
		moved = hear(p);
		/* Writable again once we have read; readable if we wrote. */
		if (moved)
			(void)fake_loop_ready(p->loop, p->client_fd,
			    LOOP_WRITE);
	} while (moved);
}

void
peer_hear_some(struct smtp_peer *p)
{
	int i;

	for (i = 0; i < 16 && hear(p); i++)
		(void)fake_loop_ready(p->loop, p->client_fd, LOOP_WRITE);
	fake_loop_settle(p->loop);
}

void
peer_say(struct smtp_peer *p, struct slice bytes)
{
	ssize_t n;

	if (p->fd < 0)
		return;
	n = send(p->fd, bytes.p, bytes.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		(void)fake_loop_ready(p->loop, p->client_fd, LOOP_READ);
	peer_run(p);
}

void
peer_eof(struct smtp_peer *p)
{
	hear(p);
	(void)close(p->fd);
	p->fd = -1;
	(void)fake_loop_ready(p->loop, p->client_fd, LOOP_READ);
	peer_run(p);
}

void
peer_wait(struct smtp_peer *p, int64_t ms)
{
	fake_loop_advance(p->loop, ms);
	peer_run(p);
}

static bool
take_line(struct buf *from, struct slice *line_r)
{
	static struct buf copy;
	ptrdiff_t end = slice_chr(buf_slice(from), '\n');

	if (end < 0)
		return false;
	if (copy.max == 0)
		buf_init(&copy, 1 << 20);
	buf_reset(&copy);
	buf_add(&copy, from->p, (size_t)end);
	buf_drop(from, (size_t)end + 1);
	*line_r = buf_slice(&copy);
	if (line_r->n > 0 && line_r->p[line_r->n - 1] == '\r')
		line_r->n--;
	return true;
}

bool
peer_line(struct smtp_peer *p, struct slice *line_r)
{
	return take_line(&p->heard, line_r);
}

bool
peer_event(struct smtp_peer *p, struct slice *event_r)
{
	return take_line(&p->events, event_r);
}

/* ---- life ---- */

void
peer_init(struct smtp_peer *p)
{
	size_t i;

	*p = (struct smtp_peer){ .fd = -1, .client_fd = -1 };
	fake_clock_set(1000000);
	log_set_level(LOG_LEVEL_ERROR);
	p->loop = loop_new();
	ck_assert_ptr_nonnull(p->loop);
	buf_init(&p->heard, 1 << 26);
	buf_init(&p->events, 1 << 20);
	p->conf = (struct smtp_client_conf){ .helo_name = "us.test",
		.connect_ms = 30000, .greeting_ms = 300000,
		.command_ms = 300000, .data_ms = 600000 };
	for (i = 0; i < PEER_RCPTS_MAX; i++)
		p->rcpts[i].address = SLICE("r@x.test");
	p->mail = (struct smtp_client_mail){ .sender = SLICE("a@us.test"),
		.rcpts = p->rcpts, .n_rcpts = 1 };
	smtp_content_from_memory(&p->mail.content,
	    SLICE("Subject: x\r\n\r\n.hi\r\n"));
}

void
peer_start(struct smtp_peer *p)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			     fds),
	    0);
	p->fd = fds[0];
	p->client_fd = fds[1];
	p->client = smtp_client_new(p->loop, fds[1], &p->conf, &events, p);
	ck_assert_ptr_nonnull(p->client);
	peer_run(p);
}

void
peer_send(struct smtp_peer *p)
{
	struct status why;

	memset(p->n_results, 0, sizeof p->n_results);
	if (smtp_client_send(p->client, &p->mail, &why) < 0) {
		buf_add_str(&p->events, "refused ");
		add_status(p, &why);
		buf_add_char(&p->events, '\n');
	}
	peer_run(p);
}

void
peer_fini(struct smtp_peer *p)
{
	smtp_client_free(&p->client);
	if (p->fd >= 0)
		(void)close(p->fd);
	/* What was given away with QUIT lingers on. */
	fake_loop_advance(p->loop, 60000);
	buf_fini(&p->heard);
	buf_fini(&p->events);
	loop_free(&p->loop);
}
