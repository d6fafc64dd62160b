/* SPDX-License-Identifier: ISC */
/*
 * Bytes between a client and its owner process. The end of a session is told
 * on the control link with the number of bytes that belong before it, because
 * stream and link arrive in no order between them. Either may break first when
 * the owner dies; only both together, without SES_END, say that it is lost.
 */
#include "mda/access_carrier.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "sys/conn.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	BROKEN_MS = 5000,  /* one of stream and link is gone: for the other */
	GONE_MS = 10000,   /* the client is gone: for the owner to notice */
	CLOSED_MS = 60000, /* the client sends no more: for each answer */
	TEXT_MAX = 256
};

static const struct conn_limits stream_limits = {
	.input_max = 65536, .output_high = 65536, .output_low = 16384,
};

struct carrier {
	struct conn *client; /* borrowed; NULL once it is gone */
	struct conn *stream;
	struct ipc_link *control;
	struct loop_timer timer;
	void (*over)(void *arg, enum carrier_end why, struct slice text);
	void *arg;
	uint64_t in, out;
	uint64_t end_at;
	char *text;
	char last;       /* byte passed to the client */
	bool has_end;    /* SES_END came */
	bool input_over; /* SES_INPUT_END went */
	bool stream_over;
};

/* The last thing that a callback does: it may free the carrier. */
static void
tell_over(struct carrier *k, enum carrier_end why)
{
	loop_timer_clear(&k->timer);
	k->over(k->arg, why, slice_str(k->text == NULL ? "" : k->text));
}

static void
check(struct carrier *k)
{
	if (k->has_end &&
	    (k->client == NULL || k->stream_over || k->out >= k->end_at))
		tell_over(k, CARRIER_ENDED);
	else if (k->stream_over && k->control == NULL)
		tell_over(k, CARRIER_LOST);
	else if ((k->stream_over || k->control == NULL) && !k->has_end)
		loop_timer_set(&k->timer, clock_boot_ms() + BROKEN_MS);
}

static void
on_timer(void *arg)
{
	struct carrier *k = arg;

	if (k->has_end)
		tell_over(k, CARRIER_ENDED);
	else
		tell_over(k, k->input_over ? CARRIER_LATE : CARRIER_LOST);
}

/* ---- bytes: a filter (RFC 4978) would sit in these two ---- */

static void
pass_up(struct carrier *k, struct slice bytes)
{
	k->in += bytes.n;
	conn_write(k->stream, bytes);
}

static void
pass_down(struct carrier *k, struct slice bytes)
{
	if (k->has_end)
		bytes = slice_head(bytes,
		    k->end_at > k->out ? k->end_at - k->out : 0);
	if (bytes.n == 0)
		return;
	k->out += bytes.n;
	k->last = bytes.p[bytes.n - 1];
	conn_write(k->client, bytes);
	if (k->input_over)
		loop_timer_set(&k->timer, clock_boot_ms() + CLOSED_MS);
}

/* ---- the client ---- */

void
carrier_input(struct carrier *k)
{
	struct slice in = conn_input(k->client);

	if (conn_is_full(k->stream)) {
		conn_pause(k->client);
		return;
	}
	if (!k->input_over && !k->has_end)
		pass_up(k, in);
	conn_took(k->client, in.n);
}

void
carrier_room(struct carrier *k)
{
	conn_resume(k->stream);
}

void
carrier_input_end(struct carrier *k, const char *why)
{
	if (k->input_over)
		return;
	k->input_over = true;
	if (k->control != NULL)
		ipc_send(k->control, SES_INPUT_END, -1, .after_input = k->in,
		    .text = slice_str(why));
	loop_timer_set(&k->timer, clock_boot_ms() + CLOSED_MS);
}

void
carrier_client_gone(struct carrier *k, const char *why)
{
	carrier_input_end(k, why);
	k->client = NULL;
	conn_resume(k->stream);
	/* Not at once: the caller is in the middle of something. */
	loop_timer_set(&k->timer,
	    clock_boot_ms() + (k->has_end ? 0 : GONE_MS));
}

/* ---- the owner ---- */

static void
on_stream_input(void *arg)
{
	struct carrier *k = arg;
	struct slice in = conn_input(k->stream);

	if (k->client != NULL && conn_is_full(k->client)) {
		conn_pause(k->stream);
		return;
	}
	if (k->client != NULL)
		pass_down(k, in);
	conn_took(k->stream, in.n);
	check(k);
}

static void
on_stream_room(void *arg)
{
	struct carrier *k = arg;

	if (k->client != NULL)
		conn_resume(k->client);
}

static void
on_stream_ended(void *arg, enum conn_end why)
{
	struct carrier *k = arg;

	(void)why;
	k->stream_over = true;
	/* A full one drains no more: what the client sends is dropped. */
	if (k->client != NULL)
		conn_resume(k->client);
	check(k);
}

static const struct conn_events stream_events = {
	.input = on_stream_input,
	.drained = on_stream_room,
	.ended = on_stream_ended,
};

static void
on_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct carrier *k = ipc_link_data(l);
	struct slice text = slice_head(m->SES_END.text, TEXT_MAX);

	(void)fd;
	if (k->has_end)
		return;
	k->has_end = true;
	k->end_at = m->SES_END.after_output;
	k->text = strndup(text.n > 0 ? text.p : "", text.n);
	if (!k->input_over)
		loop_timer_clear(&k->timer);
	check(k);
}

/* No session may ask for it: we have not offered it. */
static void
on_compress(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)m;
	(void)fd;
	log_error("event=bad_owner link=%s why=\"compression was not offered\"",
	    ipc_link_name(l));
	tell_over(ipc_link_data(l), CARRIER_LOST);
}

static void
on_lost(struct ipc_link *l)
{
	struct carrier *k = ipc_link_data(l);

	k->control = NULL;
	check(k);
}

static const struct ipc_handlers control_handlers = {
	.by_type = {
	    [IPC_SES_END] = on_end, [IPC_SES_COMPRESS] = on_compress,
	},
	.lost = on_lost,
};

/* ---- life ---- */

struct carrier *
carrier_new(struct loop *l, struct conn *client, int stream, int control,
    void (*over)(void *arg, enum carrier_end why, struct slice text),
    void *arg)
{
	struct carrier *k = calloc(1, sizeof *k);

	if (k != NULL) {
		loop_timer_init(&k->timer, l, on_timer, k);
		k->stream = conn_new(l, stream, &stream_limits,
		    &stream_events, k);
	}
	if (k == NULL || k->stream == NULL) {
		(void)close(stream);
		(void)close(control);
		free(k);
		return NULL;
	}
	k->control = ipc_link_new(l, control, ROLE_ACCESS, ROLE_OWNER, 0,
	    &control_handlers);
	if (k->control == NULL) {
		(void)close(control);
		conn_free(&k->stream);
		free(k);
		return NULL;
	}
	ipc_link_set_data(k->control, k);
	k->client = client;
	k->over = over;
	k->arg = arg;
	return k;
}

void
carrier_free(struct carrier **kp)
{
	struct carrier *k = *kp;

	*kp = NULL;
	if (k == NULL)
		return;
	loop_timer_clear(&k->timer);
	ipc_link_free(&k->control);
	conn_free(&k->stream);
	free(k->text);
	free(k);
}

uint64_t
carrier_bytes_in(const struct carrier *k)
{
	return k->in;
}

uint64_t
carrier_bytes_out(const struct carrier *k)
{
	return k->out;
}

bool
carrier_is_at_line(const struct carrier *k)
{
	return k->out == 0 || k->last == '\n';
}
