/* SPDX-License-Identifier: ISC */
/*
 * Stream connections: one socket, two byte queues, one deadline. Bytes are
 * read when the loop says so and written once, at the end of the turn; work
 * that a caller starts (a write, a resume, a failure) is left for then too, so
 * no call here ever runs the owner's callbacks. TLS is a layer behind a table
 * (conn_priv.h): this file and programs without TLS do not know OpenSSL.
 */
#include "sys/conn.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/conn_priv.h"

enum {
	READ_MAX = 65536,       /* one recv() */
	OUTPUT_SLACK = 4 << 20, /* over the high mark: then it is an error */
	LINGER_MS = 2000,       /* for the peer's FIN after ours */
	FINISH_MAX_MS = 300000, /* given away, however slowly it reads */
	DRAIN_ROUNDS = 16       /* recv() calls in one turn while lingering */
};

/* All connections of the process read through it, so that an idle one needs
 * no buffer of its own. */
static char scratch[READ_MAX];

/* ---- the owner's side ---- */

static size_t
room(const struct conn *c)
{
	size_t n = fifo_size(&c->in);

	return n < c->limits.input_max ? c->limits.input_max - n : 0;
}

void
conn_ask(struct conn *c)
{
	loop_later_ask(&c->later);
}

/* The socket was not watched while there was no room; what the layer holds
 * back shows on no socket at all. */
static void
made_room(struct conn *c, bool was_full)
{
	if ((was_full && c->entered == 0) ||
	    (c->layer != NULL && c->secure && c->layer->has_pending(c)))
		conn_ask(c);
}

struct slice
conn_input(const struct conn *c)
{
	return fifo_view(&c->in);
}

void
conn_took(struct conn *c, size_t n)
{
	bool was_full = room(c) == 0;

	fifo_drop(&c->in, n);
	made_room(c, was_full);
}

void
conn_pause(struct conn *c)
{
	c->paused = true;
}

void
conn_resume(struct conn *c)
{
	if (!c->paused)
		return;
	c->paused = false;
	c->fresh = fifo_size(&c->in) > 0;
	conn_ask(c);
}

bool
conn_is_paused(const struct conn *c)
{
	return c->paused;
}

size_t
conn_discard_input(struct conn *c)
{
	size_t n = fifo_size(&c->in);
	bool was_full = room(c) == 0;

	fifo_fini(&c->in);
	c->fresh = false;
	made_room(c, was_full);
	return n;
}

static void
wrote(struct conn *c, int result)
{
	if (result < 0) {
		conn_fail(c, CONN_ERROR, errno, NULL);
		return;
	}
	/* After this turn's write the rest waits for writability: a fast
	 * reader must not keep us from the other connections. */
	if (!c->flushed)
		conn_ask(c);
}

void
conn_write(struct conn *c, struct slice bytes)
{
	if (c->phase != CONN_DEAD && bytes.n > 0)
		wrote(c, fifo_add(&c->out, bytes));
}

void
conn_write_str(struct conn *c, const char *s)
{
	conn_write(c, slice_str(s));
}

void
conn_writef(struct conn *c, const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	buf_init(&text, c->limits.output_high + OUTPUT_SLACK);
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	if (buf_is_ok(&text))
		conn_write(c, buf_slice(&text));
	else
		conn_fail(c, CONN_ERROR, text.err, NULL);
	buf_fini(&text);
}

bool
conn_is_full(const struct conn *c)
{
	return conn_unsent(c) > c->limits.output_high;
}

size_t
conn_unsent(const struct conn *c)
{
	return fifo_size(&c->out) + fifo_size(&c->wire);
}

void
conn_set_deadline(struct conn *c, int64_t deadline_ms)
{
	if (deadline_ms == 0 || c->phase == CONN_DEAD)
		loop_timer_clear(&c->deadline);
	else
		loop_timer_set(&c->deadline, deadline_ms);
}

bool
conn_is_tls(const struct conn *c)
{
	return c->secure;
}

int
conn_error(const struct conn *c)
{
	return c->error;
}

const char *
conn_error_text(const struct conn *c)
{
	if (c->why != NULL)
		return c->why;
	return c->error != 0 ? strerror(c->error) : "";
}

/* ---- the socket's side ---- */

ssize_t
conn_recv(struct conn *c, char *p, size_t n)
{
	ssize_t got;

	if (c->dry) {
		errno = EAGAIN;
		return -1;
	}
	do {
		got = recv(c->io.fd, p, n, MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got > 0)
		c->dry = (size_t)got < n;
	else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		c->dry = true;
		errno = EAGAIN;
	} else if (got < 0)
		conn_fail(c, CONN_ERROR, errno, NULL);
	return got;
}

/* Takes in what there is, up to the limit. */
static void
read_in(struct conn *c)
{
	size_t want;
	ssize_t n;

	while (!c->eof && (want = room(c)) > 0) {
		if (want > sizeof scratch)
			want = sizeof scratch;
		n = c->layer != NULL ? c->layer->read(c, scratch, want)
				     : conn_recv(c, scratch, want);
		if (n == 0)
			c->eof = true;
		if (n <= 0)
			return;
		if (fifo_add(&c->in,
			(struct slice){ scratch, (size_t)n }) < 0) {
			conn_fail(c, CONN_ERROR, errno, NULL);
			return;
		}
		c->fresh = true;
	}
}

static bool
is_ours(const struct conn *c)
{
	return !c->gone && c->events != NULL;
}

static void
tell_end(struct conn *c, enum conn_end end, const char *why)
{
	c->input_off = true;
	c->ended_due = false;
	if (c->phase != CONN_DEAD)
		c->why = why;
	c->events->ended(c->arg, end);
}

/* Input first, then its end; a failure does not wait for a pause to end. */
static void
offer(struct conn *c)
{
	if (c->phase == CONN_CONNECTING || c->phase == CONN_SHAKING)
		return;
	if (c->fresh && !c->paused && !c->input_off) {
		c->fresh = false;
		c->events->input(c->arg);
		if (!is_ours(c))
			return;
	}
	if (c->ended_due)
		tell_end(c, c->end, NULL);
	else if (c->eof && !c->fresh && !c->paused && !c->input_off)
		tell_end(c, CONN_EOF, "closed by the peer");
}

static void
shake(struct conn *c)
{
	switch (c->layer->shake(c)) {
	case CONN_SHAKE_DONE:
		c->phase = CONN_OPEN;
		c->secure = true;
		if (c->events->secured != NULL)
			c->events->secured(c->arg);
		break;
	case CONN_SHAKE_HELD:
		c->held = true;
		break;
	case CONN_SHAKE_AGAIN:
	case CONN_SHAKE_FAILED:
		break;
	}
}

/* Handshake, input, the end of input: as far as it goes without waiting. */
static void
step_in(struct conn *c)
{
	bool more;

	if (c->phase == CONN_SHAKING && !c->held)
		shake(c);
	do {
		if (!is_ours(c))
			return;
		if (c->phase == CONN_OPEN && !c->input_off)
			read_in(c);
		offer(c);
		more = is_ours(c) && c->phase == CONN_OPEN && !c->input_off &&
		    !c->eof && c->layer != NULL && room(c) > 0 &&
		    c->layer->has_pending(c);
	} while (more);
}

/* Sends once. True when all that was ready went and the layer has more. */
static bool
send_some(struct conn *c)
{
	struct fifo *f = c->layer != NULL ? &c->wire : &c->out;
	struct slice v = fifo_view(f);
	ssize_t n;

	if (v.n == 0)
		return false;
	do {
		n = send(c->io.fd, v.p, v.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		if (errno != EAGAIN && errno != EWOULDBLOCK)
			conn_fail(c, CONN_ERROR, errno, NULL);
		return false;
	}
	fifo_drop(f, (size_t)n);
	c->moved += (size_t)n;
	return (size_t)n == v.n && f == &c->wire && fifo_size(&c->out) > 0;
}

/* Whoever found it full is told when there is room. Fullness is noted here,
 * not where bytes are written: sealing makes them more. */
static void
flush(struct conn *c)
{
	do {
		if (c->layer != NULL &&
		    (c->phase == CONN_OPEN || c->phase == CONN_FINISHING))
			c->layer->seal(c);
		c->was_full = c->was_full || conn_is_full(c);
	} while (c->phase != CONN_DEAD && c->phase != CONN_CONNECTING &&
	    send_some(c));
}

static void
tell_room(struct conn *c)
{
	bool now = c->established;

	c->established = false;
	if (c->was_full && conn_unsent(c) <= c->limits.output_low) {
		c->was_full = false;
		now = true;
	}
	if (now && c->phase != CONN_DEAD && c->events->drained != NULL)
		c->events->drained(c->arg);
}

static void
destroy(struct conn *c)
{
	if (c->layer != NULL)
		c->layer->free(c);
	c->layer = NULL;
	c->events = NULL;
	c->phase = CONN_DEAD;
	loop_later_remove(&c->later);
	loop_timer_clear(&c->deadline);
	loop_io_remove(&c->io);
	(void)close(c->io.fd);
	fifo_fini(&c->in);
	fifo_fini(&c->out);
	fifo_fini(&c->wire);
	c->gone = true;
	if (c->entered == 0)
		free(c);
}

/* Lingering: what comes is dropped until the peer closes, too. */
static void
drain(struct conn *c)
{
	ssize_t n = 1;
	int i;

	for (i = 0; i < DRAIN_ROUNDS && n > 0; i++)
		n = recv(c->io.fd, scratch, sizeof scratch, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		destroy(c);
}

/* A connection that was given away: send, say goodbye, linger. */
static void
step_finish(struct conn *c)
{
	flush(c);
	if (c->phase == CONN_FINISHING && conn_unsent(c) == 0 && !c->closed) {
		c->closed = true;
		if (c->layer != NULL)
			c->layer->close(c);
		flush(c);
	}
	if (c->phase == CONN_DEAD) {
		destroy(c);
		return;
	}
	if (conn_unsent(c) > 0)
		return;
	if (c->eof || shutdown(c->io.fd, SHUT_WR) < 0) {
		destroy(c);
		return;
	}
	c->phase = CONN_LINGERING;
	if (c->deadline.node.key > clock_boot_ms() + LINGER_MS)
		loop_timer_set(&c->deadline, clock_boot_ms() + LINGER_MS);
	drain(c);
}

/* ---- events ---- */

static bool
wants_read(const struct conn *c)
{
	switch (c->phase) {
	case CONN_SHAKING:
		return !c->held;
	case CONN_OPEN:
		return !c->eof && !c->input_off && room(c) > 0;
	case CONN_LINGERING:
		return true;
	case CONN_CONNECTING:
	case CONN_FINISHING:
	case CONN_DEAD:
		break;
	}
	return false;
}

/* Either the end of this turn writes, or the loop waits for writability. */
static bool
wants_write(const struct conn *c)
{
	if (c->phase == CONN_CONNECTING)
		return true;
	if (c->phase == CONN_DEAD ||
	    (fifo_size(&c->wire) == 0 &&
		(c->phase == CONN_SHAKING || fifo_size(&c->out) == 0)))
		return false;
	return !list_is_in(&c->later.link) || (c->io.want & LOOP_WRITE) != 0;
}

static void
enter(struct conn *c)
{
	c->entered++;
}

static void
leave(struct conn *c)
{
	if (--c->entered > 0)
		return;
	if (c->gone) {
		free(c);
		return;
	}
	fifo_shrink(&c->in);
	loop_io_want(&c->io,
	    (wants_read(c) ? LOOP_READ : 0U) |
		(wants_write(c) ? LOOP_WRITE : 0U));
}

/* The end of a loop turn in which something was asked. */
static void
on_later(void *arg)
{
	struct conn *c = arg;

	enter(c);
	if (c->phase != CONN_CONNECTING && c->events != NULL)
		step_in(c);
	if (is_ours(c)) {
		flush(c);
		c->flushed = true;
		tell_room(c);
		c->flushed = false;
	} else if (!c->gone && c->phase != CONN_LINGERING)
		step_finish(c);
	leave(c);
}

static void
on_connected(struct conn *c)
{
	socklen_t len = sizeof c->error;
	int err = 0;

	if (getsockopt(c->io.fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err != 0) {
		conn_fail(c, CONN_ERROR, err, NULL);
		return;
	}
	c->phase = c->layer != NULL ? CONN_SHAKING : CONN_OPEN;
	c->established = true;
	conn_ask(c);
}

static void
on_ready(void *arg, unsigned what)
{
	struct conn *c = arg;

	enter(c);
	c->dry = c->dry && (what & LOOP_READ) == 0;
	if (c->phase == CONN_CONNECTING)
		on_connected(c);
	else if (c->phase == CONN_LINGERING)
		drain(c);
	else {
		if ((what & LOOP_READ) != 0 && c->events != NULL)
			step_in(c);
		if (!c->gone &&
		    ((what & LOOP_WRITE) != 0 || fifo_size(&c->wire) > 0))
			conn_ask(c);
	}
	leave(c);
}

/* How many bytes the peer has: by its word where there is one, since the kernel
 * may hold far more than we do. */
static uint64_t
arrived(const struct conn *c)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	if (getsockopt(c->io.fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return c->moved;
	return c->moved + info.tcpi_bytes_acked;
}

/* Given away, and the time is up: unless it only reads slowly. */
static void
finish_late(struct conn *c)
{
	int64_t now = clock_boot_ms();
	int64_t more = c->phase == CONN_LINGERING ? LINGER_MS : c->grace_ms;
	uint64_t have = arrived(c);

	if (have == c->moved_before || now >= c->finish_by) {
		destroy(c);
		return;
	}
	c->moved_before = have;
	loop_timer_set(&c->deadline,
	    now + more < c->finish_by ? now + more : c->finish_by);
}

static void
on_deadline(void *arg)
{
	struct conn *c = arg;

	enter(c);
	if (c->events == NULL)
		finish_late(c);
	else if (c->phase == CONN_OPEN)
		tell_end(c, CONN_TIMEOUT, "timed out");
	else
		conn_fail(c, CONN_TIMEOUT, ETIMEDOUT, "timed out");
	leave(c);
}

void
conn_fail(struct conn *c, enum conn_end end, int error, const char *why)
{
	if (c->phase == CONN_DEAD)
		return;
	if (end == CONN_TLS)
		(void)send_some(c); /* the alert, if it can go now */
	if (c->phase == CONN_DEAD)
		return;
	c->phase = CONN_DEAD;
	c->end = end;
	c->error = error;
	c->why = why;
	c->ended_due = true;
	c->held = false;
	loop_timer_clear(&c->deadline);
	fifo_fini(&c->out);
	fifo_fini(&c->wire);
	conn_ask(c);
}

void
conn_unhold(struct conn *c)
{
	c->held = false;
	conn_ask(c);
}

void
conn_set_layer(struct conn *c, const struct conn_layer *layer,
    struct conn_tls *tls)
{
	c->layer = layer;
	c->tls = tls;
	c->wire = c->out;
	fifo_init(&c->out, c->limits.output_high + OUTPUT_SLACK);
	(void)conn_discard_input(c);
	if (c->phase == CONN_OPEN)
		c->phase = CONN_SHAKING;
	conn_ask(c);
}

/* ---- beginning and end ---- */

struct conn *
conn_make(struct loop *l, int fd, const struct conn_limits *limits,
    const struct conn_events *events, void *arg)
{
	struct conn *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->events = events;
	c->arg = arg;
	c->limits = *limits;
	c->phase = CONN_OPEN;
	c->dry = true;
	fifo_init(&c->in, limits->input_max);
	fifo_init(&c->out, limits->output_high + OUTPUT_SLACK);
	fifo_init(&c->wire, limits->output_high + OUTPUT_SLACK);
	loop_io_init(&c->io, l, fd, on_ready, c);
	loop_timer_init(&c->deadline, l, on_deadline, c);
	loop_later_init(&c->later, l, on_later, c);
	conn_ask(c); /* watches, whatever the caller does first */
	return c;
}

void
conn_free(struct conn **cp)
{
	struct conn *c = *cp;

	*cp = NULL;
	if (c != NULL)
		destroy(c);
}

void
conn_finish(struct conn **cp, uint32_t grace_ms)
{
	struct conn *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	if (c->phase != CONN_OPEN) {
		destroy(c);
		return;
	}
	c->events = NULL;
	c->phase = CONN_FINISHING;
	fifo_fini(&c->in);
	c->grace_ms = grace_ms;
	c->finish_by = clock_boot_ms() + FINISH_MAX_MS;
	c->moved_before = arrived(c);
	loop_timer_set(&c->deadline, clock_boot_ms() + grace_ms);
	conn_ask(c);
}
