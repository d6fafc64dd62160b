/* SPDX-License-Identifier: ISC */
/*
 * The life of a session's connection. At its end SES_END tells `access` how
 * many bytes there were; the stream stays open until `access` has passed them
 * on and closes the control link.
 */
#include "mda/channel.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mda/owner.h"
#include "mda/session.h"
#include "sys/log.h"

enum {
	OUTPUT_HIGH = 256 << 10,
	OUTPUT_LOW = 64 << 10,
	/* Written in pieces of about this. */
	OUTPUT_CHUNK = 32 << 10,
	/* One answer at most; all that can be long is cut before. */
	OUTPUT_MAX = 64 << 20,
	/* How long one session may keep others waiting. */
	SLICE_MS = 5,
	/* For `access` to pass on some of the last bytes, and to close. */
	END_MS = 60 * 1000,
	FINISH_MS = 1000
};

/* ---- output ---- */

static size_t
left(const struct channel *c)
{
	return c->out.n - c->out_at;
}

/* In pieces: one answer may be far more than the connection can hold. */
static void
send_out(struct channel *c)
{
	struct slice rest;

	if (!buf_is_ok(&c->out)) {
		log_warn("event=session_output_failed session=%s",
		    LOG_S(c->id));
		c->is_over = true;
		return;
	}
	while (left(c) > 0 && !conn_is_full(c->conn)) {
		rest = slice_head(slice_from(buf_slice(&c->out), c->out_at),
		    OUTPUT_HIGH);
		conn_write(c->conn, rest);
		c->out_at += rest.n;
	}
	if (left(c) > 0 || c->out.n == 0)
		return;
	c->sent += c->out.n;
	c->out_at = 0;
	if (c->out.cap > 4 * OUTPUT_CHUNK)
		buf_release(&c->out);
	else
		buf_reset(&c->out);
}

void
channel_flush(struct channel *c)
{
	if (left(c) >= OUTPUT_CHUNK)
		send_out(c);
}

static bool
is_slice_over(const struct channel *c)
{
	return clock_boot_ms() - c->slice_from >= SLICE_MS;
}

bool
channel_must_pause(const struct channel *c)
{
	/* What did not find room has filled the connection, too. */
	return conn_is_full(c->conn) || is_slice_over(c);
}

/* ---- input ---- */

struct slice
channel_input(const struct channel *c)
{
	return conn_input(c->conn);
}

void
channel_took(struct channel *c, size_t n)
{
	conn_took(c->conn, n);
	c->received += n;
}

bool
channel_is_last(const struct channel *c)
{
	return c->is_eof || (c->input_end != UINT64_MAX &&
	    c->received + conn_input(c->conn).n >= c->input_end);
}

/* ---- the end ---- */

void
channel_drop(struct channel *c)
{
	c->is_over = true;
	if (!c->is_waiting && !c->is_pumping)
		c->ops->free(c->arg);
}

/* It goes on as long as the client takes something in that time. */
static void
set_end(struct channel *c)
{
	c->unsent = conn_unsent(c->conn) + left(c);
	loop_timer_set(&c->timer, clock_boot_ms() + END_MS);
}

void
channel_end(struct channel *c, const char *why)
{
	if (c->is_ended)
		return;
	send_out(c);
	c->is_ended = true;
	if (c->control == NULL) {
		c->is_over = true;
		return;
	}
	ipc_send(c->control, SES_END, -1, .after_output = c->sent + c->out.n,
	    .text = slice_str(why));
	set_end(c);
}

void
channel_fini(struct channel *c)
{
	if (c->conn != NULL)
		conn_finish(&c->conn, FINISH_MS);
	if (c->control != NULL)
		ipc_link_free(&c->control);
	loop_timer_clear(&c->timer);
	buf_fini(&c->out);
	free(c->id);
}

/* ---- work ---- */

static void
pump(struct channel *c)
{
	if (c->is_pumping || c->is_waiting)
		return;
	c->is_pumping = true;
	send_out(c);
	while (!c->is_waiting && !c->is_over && !c->is_ended &&
	    !conn_is_full(c->conn)) {
		if (is_slice_over(c)) {
			loop_timer_set(&c->timer, clock_boot_ms());
			break;
		}
		if (!c->ops->advance(c->arg))
			break;
		channel_flush(c);
	}
	if (!c->is_over)
		send_out(c);
	if (c->is_ended)
		channel_took(c, conn_input(c->conn).n);
	c->is_pumping = false;
	if (c->is_over && !c->is_waiting)
		c->ops->free(c->arg);
}

void
channel_go(struct channel *c)
{
	c->slice_from = clock_boot_ms();
	pump(c);
}

void
channel_wait(struct channel *c)
{
	if (c->is_waiting)
		BUG("one thing at a time");
	c->is_waiting = true;
}

void
channel_resume(struct channel *c)
{
	if (!c->is_waiting)
		BUG("nothing was waited for");
	c->is_waiting = false;
	if (!c->is_over)
		pump(c);
	else if (!c->is_pumping)
		c->ops->free(c->arg);
}

/* ---- events ---- */

static void
on_input(void *arg)
{
	channel_go(arg);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct channel *c = arg;

	c->is_eof = true;
	if (why == CONN_EOF && !c->is_ended)
		channel_go(c);
	else
		channel_drop(c);
}

static const struct conn_events conn_events = {
	.input = on_input, .drained = on_input, .ended = on_ended,
};

static void
on_timer(void *arg)
{
	struct channel *c = arg;

	if (!c->is_ended)
		channel_go(c);
	else if (conn_unsent(c->conn) + left(c) < c->unsent)
		set_end(c);
	else
		channel_drop(c);
}

static void
on_input_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct channel *c = ipc_link_data(l);

	(void)fd;
	c->input_end = m->SES_INPUT_END.after_input;
	channel_go(c);
}

static void
on_lost(struct ipc_link *l)
{
	struct channel *c = ipc_link_data(l);

	c->control = NULL;
	channel_drop(c);
}

static const struct ipc_handlers handlers = {
	.by_type = { [IPC_SES_INPUT_END] = on_input_end },
	.lost = on_lost,
};

int
channel_init(struct channel *c, const struct session_start *start,
    size_t input_max, const struct channel_ops *ops, void *arg)
{
	const struct conn_limits limits = { .input_max = input_max,
		.output_high = OUTPUT_HIGH, .output_low = OUTPUT_LOW };

	*c = (struct channel){ .input_end = UINT64_MAX, .ops = ops,
		.arg = arg };
	buf_init(&c->out, OUTPUT_MAX);
	loop_timer_init(&c->timer, owner_loop(), on_timer, c);
	c->id = strndup(start->id.n > 0 ? start->id.p : "", start->id.n);
	c->conn = conn_new(owner_loop(), start->stream, &limits, &conn_events,
	    c);
	if (c->conn == NULL)
		(void)close(start->stream);
	c->control = ipc_link_new(owner_loop(), start->control, ROLE_OWNER,
	    ROLE_ACCESS, 0, &handlers);
	if (c->control == NULL)
		(void)close(start->control);
	else
		ipc_link_set_data(c->control, c);
	return c->id == NULL || c->conn == NULL || c->control == NULL ? -1 :
	    0;
}
