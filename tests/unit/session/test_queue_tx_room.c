/* SPDX-License-Identifier: ISC */
/*
 * Messages on their way to a queue that reads, that does not, and that goes
 * away. However much comes, the link must not overflow: that would end it, and
 * all that is under way on it.
 */
#include "session/queue_tx.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sys/loop.h"
#include "tests/unit/session/links.h"
#include "tests/unit/unit.h"

enum { MANY = 20000, TXS = 4000, BODY = 20000 };

/* What the queue got. */
static struct {
	unsigned opens, rcpts, commits, aborts, files;
	uint64_t bytes;
	bool is_mute, is_unwilling;
	struct {
		unsigned rcpts;
		uint64_t bytes;
		bool is_open;
	} txs[TXS + 1];
} queue;

/* What a sender was told. */
struct sender {
	struct queue_tx *tx;
	unsigned opened, room, done;
	enum outcome outcome;
	int code;
	struct enhanced enhanced;
};

static void
on_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_OPEN *o = &m->TX_OPEN;

	(void)fd;
	ck_assert_uint_le(o->tx, TXS);
	ck_assert(slice_eq_str(o->sender, "a@us.test"));
	ck_assert(slice_eq_str(o->client, "192.0.2.1"));
	queue.opens++;
	queue.txs[o->tx].is_open = true;
	if (!queue.is_mute)
		ipc_send(l, TX_OPENED, -1, .req = o->req, .id = o->tx,
		    .outcome = queue.is_unwilling ? OUTCOME_LATER
						  : OUTCOME_DONE,
		    .text = SLICE("full"));
}

static void
on_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_RCPT *r = &m->TX_RCPT;
	struct buf want;

	(void)l;
	(void)fd;
	ck_assert(queue.txs[r->tx].is_open);
	buf_init(&want, 64);
	buf_addf(&want, "r%u@x.test", queue.txs[r->tx].rcpts++);
	ck_slice_eq(r->address, buf_slice(&want));
	buf_fini(&want);
	ck_assert(slice_eq_str(r->orcpt, "rfc822;r"));
	queue.rcpts++;
}

static void
on_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	ck_assert(queue.txs[m->TX_BODY.tx].is_open);
	queue.txs[m->TX_BODY.tx].bytes += m->TX_BODY.bytes.n;
}

static void
on_file(struct ipc_link *l, const union ipc_any *m, int fd)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)fd;
	queue.files++;
	ipc_send(l, TX_FILE_FD, null, .req = m->TX_FILE.req);
	(void)close(null);
}

static void
on_commit(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_COMMIT *c = &m->TX_COMMIT;

	(void)fd;
	ck_assert(queue.txs[c->tx].is_open);
	ck_assert(queue.files > 0 || queue.txs[c->tx].bytes == c->size);
	queue.txs[c->tx].is_open = false;
	queue.commits++;
	ipc_send(l, TX_DONE, -1, .req = c->req, .outcome = OUTCOME_DONE,
	    .code = 250, .enhanced = SLICE("2.0.0"));
}

static void
on_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	ck_assert(queue.txs[m->TX_ABORT.tx].is_open);
	queue.txs[m->TX_ABORT.tx].is_open = false;
	queue.aborts++;
}

static const struct ipc_handlers handlers = { .by_type = {
	[IPC_TX_OPEN] = on_open, [IPC_TX_RCPT] = on_rcpt,
	[IPC_TX_BODY] = on_body, [IPC_TX_FILE] = on_file,
	[IPC_TX_COMMIT] = on_commit, [IPC_TX_ABORT] = on_abort,
} };

static void
note(struct sender *s, const struct status *status)
{
	s->outcome = status->outcome;
	s->code = status->code;
	s->enhanced = status->enhanced;
}

static void
on_opened(void *arg, const struct status *no)
{
	struct sender *s = arg;

	s->opened++;
	if (no != NULL)
		note(s, no);
}

static void
on_room(void *arg)
{
	struct sender *s = arg;

	s->room++;
}

static void
on_done(void *arg, const struct status *result)
{
	struct sender *s = arg;

	s->done++;
	note(s, result);
}

static const struct queue_tx_events events = { on_opened, on_room, on_done };

static void
open_one(struct sender *s)
{
	struct queue_tx_envelope e = { .session = SLICE("s") };
	char sender[16] = "a@us.test", client[16] = "192.0.2.1";

	*s = (struct sender){ .code = 0 };
	e.sender = slice_str(sender);
	e.client = slice_str(client);
	s->tx = queue_tx_open(links.loop, links.to_peer, &e, &events, s);
	ck_assert_ptr_nonnull(s->tx);
	/* Views are used inside the call only. */
	memset(sender, '?', sizeof sender);
	memset(client, '?', sizeof client);
}

static void
add_rcpts(struct sender *s, unsigned n)
{
	struct buf text;
	unsigned i;

	buf_init(&text, 64);
	for (i = 0; i < n; i++) {
		buf_reset(&text);
		buf_addf(&text, "r%u@x.test", i);
		queue_tx_rcpt(s->tx, buf_slice(&text), 0, SLICE("rfc822;r"));
	}
	buf_fini(&text);
}

static void
write_body(struct sender *s, size_t n)
{
	static char bytes[BODY];

	for (; n > 0; n -= n < BODY ? n : BODY)
		queue_tx_write(s->tx, (struct slice){ bytes,
		    n < BODY ? n : BODY });
}

static void
set_up(void)
{
	links_up(ROLE_SMTPD, ROLE_QUEUE, &handlers);
}

/* The queue stops reading, and the link has no room left. The senders are
 * in `fill`. */
static struct sender fill[TXS];
static size_t n_fill;

static void
fill_up(void)
{
	if (links.to_peer == NULL)
		set_up();
	for (n_fill = 0; n_fill < TXS && !ipc_is_full(links.to_peer);
	    n_fill++) {
		open_one(&fill[n_fill]);
		links_run_deaf();
	}
	ck_assert(ipc_is_full(links.to_peer));
}

static void
empty(void)
{
	while (n_fill > 0)
		queue_tx_free(&fill[--n_fill].tx);
}

START_TEST(one)
{
	struct sender s;

	set_up();
	open_one(&s);
	add_rcpts(&s, 3);
	links_run();
	ck_assert_uint_eq(s.opened, 1);
	ck_assert_int_eq(s.code, 0);
	write_body(&s, 1000);
	queue_tx_commit(s.tx);
	links_run();
	ck_assert_uint_eq(s.done, 1);
	ck_assert_int_eq(s.code, 250);
	ck_assert_uint_eq(queue.rcpts, 3);
	queue_tx_free(&s.tx);
	links_run();
	ck_assert_uint_eq(queue.aborts, 0);
}
END_TEST

START_TEST(given_up)
{
	struct sender s;

	set_up();
	open_one(&s);
	links_run();
	queue_tx_free(&s.tx);
	links_run();
	ck_assert_uint_eq(queue.aborts, 1);
}
END_TEST

START_TEST(no_link)
{
	struct sender s;

	set_up();
	links_down();
	open_one(&s);
	add_rcpts(&s, 1);
	ck_assert_uint_eq(s.opened, 0);
	links_run();
	ck_assert_uint_eq(s.opened, 1);
	ck_assert_int_eq(s.code, 451);
	ck_assert(queue_tx_is_open(s.tx) && queue_tx_has_failed(s.tx));
	queue_tx_commit(s.tx);
	ck_assert_uint_eq(s.done, 0);
	links_run();
	ck_assert_uint_eq(s.done, 1);
	queue_tx_free(&s.tx);
}
END_TEST

START_TEST(large)
{
	struct sender s;

	set_up();
	open_one(&s);
	links_run();
	write_body(&s, 20000);
	ck_assert(!queue_tx_is_full(s.tx));
	write_body(&s, 20000);
	ck_assert(queue_tx_is_full(s.tx));
	queue_tx_commit(s.tx);
	ck_assert_uint_eq(queue.commits, 0);
	links_run();
	ck_assert_uint_eq(queue.files, 1);
	ck_assert_uint_eq(s.done, 1);
	ck_assert_int_eq(s.outcome, OUTCOME_DONE);
	queue_tx_free(&s.tx);
}
END_TEST

/* Far more than a link takes: it waits, and comes in order. */
START_TEST(deaf_for_a_while)
{
	struct sender s;

	fill_up();
	open_one(&s);
	add_rcpts(&s, MANY);
	write_body(&s, 1000);
	links_run_deaf();
	ck_assert_uint_eq(s.opened, 0);
	links_wait(20000);
	ck_assert_uint_eq(s.opened, 0);
	links_run();
	links_run();
	ck_assert_ptr_nonnull(links.to_peer);
	ck_assert_uint_eq(s.opened, 1);
	ck_assert(!queue_tx_has_failed(s.tx));
	ck_assert_uint_eq(queue.rcpts, MANY);
	queue_tx_commit(s.tx);
	links_run();
	ck_assert_uint_eq(s.done, 1);
	ck_assert_int_eq(s.outcome, OUTCOME_DONE);
	/* No patience runs out behind it. */
	links_wait(100000);
	ck_assert_uint_eq(s.done, 1);
	queue_tx_free(&s.tx);
	empty();
}
END_TEST

/* Recipients of one whose TX_OPEN went before. */
START_TEST(deaf_for_recipients)
{
	struct sender s;

	set_up();
	open_one(&s);
	links_run();
	add_rcpts(&s, MANY);
	links_run_deaf();
	ck_assert_ptr_nonnull(links.to_peer);
	links_run();
	links_run();
	ck_assert_uint_eq(queue.rcpts, MANY);
	queue_tx_free(&s.tx);
}
END_TEST

/* All at once; each keeps its message until there is room. */
START_TEST(deaf_for_commits)
{
	static struct sender all[TXS];
	size_t i;

	set_up();
	for (i = 0; i < TXS; i++)
		open_one(&all[i]);
	links_run();
	for (i = 0; i < TXS; i++) {
		ck_assert_uint_eq(all[i].opened, 1);
		write_body(&all[i], BODY);
		queue_tx_commit(all[i].tx);
	}
	links_run_deaf();
	ck_assert_ptr_nonnull(links.to_peer);
	for (i = 0; i < 20; i++)
		links_run();
	ck_assert_uint_eq(queue.commits, TXS);
	for (i = 0; i < TXS; i++) {
		ck_assert_uint_eq(all[i].done, 1);
		ck_assert_int_eq(all[i].outcome, OUTCOME_DONE);
		queue_tx_free(&all[i].tx);
	}
	links_run();
	ck_assert_uint_eq(queue.aborts, 0);
}
END_TEST

/* In each state: told "later", once, and the link lives. */
START_TEST(deaf_for_good)
{
	struct sender open, commit, file, rcpts;

	set_up();
	open_one(&commit);
	open_one(&file);
	open_one(&rcpts);
	links_run();
	fill_up();
	open_one(&open);
	write_body(&commit, 100);
	queue_tx_commit(commit.tx);
	write_body(&file, 40000);
	add_rcpts(&rcpts, 1);
	links_run_deaf();
	links_wait(59999);
	ck_assert_uint_eq(open.opened + commit.done + file.room, 0);
	ck_assert(queue_tx_is_full(file.tx));
	ck_assert(!queue_tx_has_failed(rcpts.tx));
	links_wait(1);
	ck_assert_uint_eq(open.opened, 1);
	ck_assert_int_eq(open.code, 451);
	ck_assert_uint_eq(open.enhanced.detail, 2);
	ck_assert_uint_eq(commit.done, 1);
	ck_assert_int_eq(commit.outcome, OUTCOME_LATER);
	ck_assert_uint_eq(file.room, 1);
	ck_assert(!queue_tx_is_full(file.tx));
	queue_tx_commit(file.tx);
	links_run_deaf();
	ck_assert_uint_eq(file.done, 1);
	ck_assert_int_eq(file.code, 451);
	ck_assert(queue_tx_has_failed(rcpts.tx));
	ck_assert_ptr_nonnull(links.to_peer);
	queue_tx_free(&open.tx);
	queue_tx_free(&commit.tx);
	queue_tx_free(&file.tx);
	queue_tx_free(&rcpts.tx);
	links_run();
	ck_assert_uint_eq(queue.commits + queue.rcpts + queue.files, 0);
	ck_assert_uint_eq(queue.aborts, 3);
	empty();
}
END_TEST

/* Nothing that did not go needs to be taken back, and nobody is told. */
START_TEST(freed_while_waiting)
{
	struct sender s;

	fill_up();
	open_one(&s);
	add_rcpts(&s, 10);
	queue_tx_free(&s.tx);
	links_wait(100000);
	ck_assert_uint_eq(s.opened, 0);
	empty();
	links_run();
	ck_assert_uint_eq(queue.rcpts, 0);
	ck_assert_uint_eq(queue.aborts, queue.opens);
}
END_TEST

START_TEST(lost_while_waiting)
{
	struct sender s;

	fill_up();
	open_one(&s);
	add_rcpts(&s, 10);
	links_down();
	ck_assert_uint_eq(s.opened, 1);
	ck_assert_int_eq(s.code, 451);
	ck_assert(queue_tx_has_failed(s.tx));
	queue_tx_free(&s.tx);
	empty();
}
END_TEST

UNIT_SUITE(queue_tx_room, {
	tcase_add_test(tc, one);
	tcase_add_test(tc, given_up);
	tcase_add_test(tc, no_link);
	tcase_add_test(tc, large);
	tcase_add_test(tc, deaf_for_a_while);
	tcase_add_test(tc, deaf_for_recipients);
	tcase_add_test(tc, deaf_for_commits);
	tcase_add_test(tc, deaf_for_good);
	tcase_add_test(tc, freed_while_waiting);
	tcase_add_test(tc, lost_while_waiting);
})
