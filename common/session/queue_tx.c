/* SPDX-License-Identifier: ISC */
/*
 * The octets wait here until it is known whether they fit into a message
 * (IPC_BODY_MAX) or go to a file of the queue's; so nothing is sent twice, and
 * a small letter costs the queue two messages. The file is closed before the
 * commit: the queue makes sure that nobody can still write to it.
 *
 * A queue that does not read for a while must not be sent more and more: what
 * its link has no room for waits here, in order, and its client with it.
 */
#include "session/queue_tx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/queue_id.h"
#include "base/region.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	OPEN_MS = 30000,
	COMMIT_MS = 300000, /* a slow disk; smaller than clients' patience */
	ROOM_MS = 60000,    /* for a link that is full */
	PIECE_MAX = 131072,
	WAITING_MAX = 4 << 20, /* octets of envelope */
	ID_MAX = 16,      /* 13 letters of 5 bits */
	TEXT_MAX = 512
};

enum tx_state {
	TX_OPENING,
	TX_OPEN,
	TX_ASKING_FILE, /* full until the descriptor is there */
	TX_COMMITTING,
	TX_OVER /* failed, or `done` was called */
};

struct waiting_rcpt {
	struct waiting_rcpt *next;
	struct slice address, orcpt;
	uint8_t notify;
};

/* What is to be sent as soon as the link has room, in this order. */
struct waiting {
	struct region mem;
	struct ipc_TX_OPEN *open;
	struct waiting_rcpt *rcpts, **rcpts_end;
	bool file, commit;
	struct ipc_waiter room;
	struct loop_timer patience;
};

struct queue_tx {
	enum tx_state state;
	uint64_t serial; /* of the link */
	uint64_t number; /* on the link */
	const struct queue_tx_events *events;
	void *arg;
	struct ipc_call *call, *file_call;
	struct loop_later later; /* failures that no answer will tell */
	struct waiting waiting;
	struct buf body; /* until it goes */
	int file;
	uint64_t size;
	bool needs_abort;   /* TX_OPEN went, nothing that ends it did */
	bool is_opened;     /* TX_OPENED came */
	bool wants_commit;  /* as soon as the file is there */
	bool has_failed;
	struct status failure; /* static texts or in `text` */
	struct buf text;
	char id[ID_MAX];
};

static uint64_t last_number;

static void push(struct queue_tx *t, struct ipc_link *l);
static void commit_now(struct queue_tx *t);
static void on_room(void *arg);
static void on_no_room(void *arg);

static struct ipc_link *
link_of(const struct queue_tx *t)
{
	return ipc_link_find(t->serial);
}

static void
close_file(struct queue_tx *t)
{
	if (t->file >= 0)
		(void)close(t->file);
	t->file = -1;
}

static bool
is_behind(const struct queue_tx *t)
{
	const struct waiting *w = &t->waiting;

	return w->open != NULL || w->rcpts != NULL || w->file || w->commit;
}

static void
wait_no_more(struct queue_tx *t)
{
	struct waiting *w = &t->waiting;

	w->open = NULL;
	w->rcpts = NULL;
	w->rcpts_end = &w->rcpts;
	w->file = w->commit = false;
	region_reset(&w->mem);
	ipc_waiter_cancel(&w->room);
	loop_timer_clear(&w->patience);
}

/* Remembers the first failure; tells it when somebody waits for an end. */
static void
fail(struct queue_tx *t, enum outcome outcome, int code,
    struct enhanced enhanced, struct slice text)
{
	if (!t->has_failed) {
		t->has_failed = true;
		buf_reset(&t->text);
		status_add_ascii(&t->text, text, TEXT_MAX);
		t->failure = (struct status){ outcome, code, enhanced,
			buf_slice(&t->text) };
	}
	wait_no_more(t);
	close_file(t);
	buf_release(&t->body);
}

static void
fail_link(struct queue_tx *t)
{
	fail(t, OUTCOME_LATER, 451, (struct enhanced){ 4, 3, 0 },
	    SLICE("The queue is not available, try again"));
}

static void
tell_done(struct queue_tx *t, const struct status *result)
{
	t->state = TX_OVER;
	t->events->done(t->arg, result);
}

static void
tell_opened(struct queue_tx *t)
{
	t->is_opened = true;
	if (t->state == TX_COMMITTING) {
		/* Its answer is the one that is waited for. */
		if (t->has_failed)
			loop_later_ask(&t->later);
		return;
	}
	t->state = TX_OPEN;
	if (t->events->opened != NULL)
		t->events->opened(t->arg, t->has_failed ? &t->failure : NULL);
}

/* There is a file, or there will be none. */
static void
file_over(struct queue_tx *t)
{
	t->state = TX_OPEN;
	if (t->wants_commit)
		commit_now(t);
	else if (t->events->room != NULL)
		t->events->room(t->arg);
}

/* What has failed does not get an answer that would tell it. */
static void
on_later(void *arg)
{
	struct queue_tx *t = arg;

	switch (t->state) {
	case TX_OPENING:
		if (t->call == NULL)
			tell_opened(t);
		break;
	case TX_ASKING_FILE:
		if (t->file_call == NULL)
			file_over(t);
		break;
	case TX_COMMITTING:
		tell_done(t, &t->failure);
		break;
	case TX_OPEN: /* the next call finds out */
	case TX_OVER:
		break;
	}
}

/* Nobody needs it any more, if the queue has it at all. */
static void
abort_tx(struct queue_tx *t)
{
	struct ipc_link *l = link_of(t);

	if (t->needs_abort && l != NULL)
		ipc_send(l, TX_ABORT, -1, .tx = t->number);
	t->needs_abort = false;
}

/* ---- opening ---- */

static void
on_opened(void *arg, int type, const union ipc_any *m, int fd)
{
	struct queue_tx *t = arg;
	struct buf id;

	(void)type;
	(void)fd;
	t->call = NULL;
	if (m == NULL) {
		fail_link(t);
	} else if (m->TX_OPENED.outcome != OUTCOME_DONE) {
		if (m->TX_OPENED.outcome == OUTCOME_FAILED)
			fail(t, OUTCOME_FAILED, 554,
			    (struct enhanced){ 5, 3, 0 }, m->TX_OPENED.text);
		else
			fail(t, OUTCOME_LATER, 452,
			    (struct enhanced){ 4, 3, 1 }, m->TX_OPENED.text);
	} else {
		buf_init(&id, ID_MAX - 1);
		queue_id_add(&id, m->TX_OPENED.id);
		memcpy(t->id, id.p, id.n + 1);
		buf_fini(&id);
	}
	tell_opened(t);
}

static void
send_open(struct queue_tx *t, struct ipc_link *l, struct ipc_TX_OPEN *o)
{
	t->needs_abort = true;
	t->call = ipc_ask_raw(l, IPC_TX_OPEN, o, -1, OPEN_MS, on_opened, t);
}

static void
fail_memory(struct queue_tx *t)
{
	fail(t, OUTCOME_LATER, 451, (struct enhanced){ 4, 3, 0 },
	    SLICE("Out of memory, try again"));
}

static void
keep_open(struct queue_tx *t, const struct ipc_TX_OPEN *o)
{
	struct region *mem = &t->waiting.mem;
	struct ipc_TX_OPEN *kept = region_alloc(mem, sizeof *kept);

	if (kept != NULL) {
		*kept = *o;
		kept->sender = region_slice(mem, o->sender);
		kept->envid = region_slice(mem, o->envid);
		kept->session = region_slice(mem, o->session);
		kept->client = region_slice(mem, o->client);
	}
	if (!mem->failed) {
		t->waiting.open = kept;
		return;
	}
	fail_memory(t);
	loop_later_ask(&t->later);
}

static struct queue_tx *
make(struct loop *loop, const struct queue_tx_events *events, void *arg)
{
	struct queue_tx *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->events = events;
	t->arg = arg;
	t->file = -1;
	t->number = ++last_number;
	loop_later_init(&t->later, loop, on_later, t);
	buf_init(&t->body, IPC_BODY_MAX + PIECE_MAX);
	buf_init(&t->text, TEXT_MAX + 1);
	region_init(&t->waiting.mem, WAITING_MAX);
	t->waiting.rcpts_end = &t->waiting.rcpts;
	t->waiting.room = (struct ipc_waiter){ .wake = on_room, .arg = t };
	loop_timer_init(&t->waiting.patience, loop, on_no_room, t);
	return t;
}

struct queue_tx *
queue_tx_open(struct loop *loop, struct ipc_link *queue,
    const struct queue_tx_envelope *e, const struct queue_tx_events *events,
    void *arg)
{
	struct queue_tx *t = make(loop, events, arg);
	struct ipc_TX_OPEN o;

	if (t == NULL)
		return NULL;
	if (queue == NULL) {
		fail_link(t);
		loop_later_ask(&t->later);
		return t;
	}
	t->serial = ipc_link_serial(queue);
	o = (struct ipc_TX_OPEN){ .tx = t->number, .size = e->size,
		.floor = e->floor, .account = e->account, .body = e->body,
		.utf8 = e->is_utf8, .ret = e->ret, .sender = e->sender,
		.envid = e->envid, .session = e->session,
		.client = e->client };
	if (!ipc_is_full(queue)) {
		send_open(t, queue, &o);
		return t;
	}
	keep_open(t, &o);
	push(t, queue);
	return t;
}

void
queue_tx_free(struct queue_tx **tp)
{
	struct queue_tx *t = *tp;

	if (t == NULL)
		return;
	*tp = NULL;
	/* What is being committed cannot be taken back: the answer then finds
	 * nobody, and the client, who was told nothing, may send it again. */
	abort_tx(t);
	wait_no_more(t);
	region_fini(&t->waiting.mem);
	ipc_call_cancel(&t->call);
	ipc_call_cancel(&t->file_call);
	loop_later_remove(&t->later);
	close_file(t);
	buf_fini(&t->body);
	buf_fini(&t->text);
	free(t);
}

bool
queue_tx_is_open(const struct queue_tx *t)
{
	return t->is_opened;
}

bool
queue_tx_has_failed(const struct queue_tx *t)
{
	return t->has_failed;
}

const char *
queue_tx_id(const struct queue_tx *t)
{
	return t->id;
}

static int
keep_rcpt(struct queue_tx *t, struct slice address, uint8_t notify,
    struct slice orcpt)
{
	struct waiting *w = &t->waiting;
	struct waiting_rcpt *r = region_alloc(&w->mem, sizeof *r);

	if (r != NULL)
		*r = (struct waiting_rcpt){ .notify = notify,
			.address = region_slice(&w->mem, address),
			.orcpt = region_slice(&w->mem, orcpt) };
	if (w->mem.failed) {
		fail_memory(t);
		return -1;
	}
	if (w->rcpts == NULL)
		w->rcpts_end = &w->rcpts;
	*w->rcpts_end = r;
	w->rcpts_end = &r->next;
	return 0;
}

void
queue_tx_rcpt(struct queue_tx *t, struct slice address, uint8_t notify,
    struct slice orcpt)
{
	struct ipc_link *l = link_of(t);

	if (t->has_failed)
		return;
	if (l == NULL) {
		fail_link(t);
		return;
	}
	if (!is_behind(t) && !ipc_is_full(l))
		ipc_send(l, TX_RCPT, -1, .tx = t->number, .notify = notify,
		    .address = address, .orcpt = orcpt);
	else if (keep_rcpt(t, address, notify, orcpt) == 0)
		push(t, l);
	else
		loop_later_ask(&t->later);
}

/* ---- the message's octets ---- */

static void
write_file(struct queue_tx *t, struct slice bytes)
{
	ssize_t n;

	while (bytes.n > 0 && !t->has_failed) {
		n = write(t->file, bytes.p, bytes.n);
		if (n >= 0) {
			bytes = slice_from(bytes, (size_t)n);
		} else if (errno != EINTR) {
			log_error("event=body_unwritten id=%s why=%s", t->id,
			    LOG_S(strerror(errno)));
			if (errno == ENOSPC || errno == EDQUOT)
				fail(t, OUTCOME_LATER, 452,
				    (struct enhanced){ 4, 3, 1 },
				    SLICE("Insufficient system storage"));
			else
				fail(t, OUTCOME_LATER, 451,
				    (struct enhanced){ 4, 3, 0 },
				    SLICE("The message could not be stored, "
					  "try again"));
		}
	}
}

static void
on_file(void *arg, int type, const union ipc_any *m, int fd)
{
	struct queue_tx *t = arg;

	t->file_call = NULL;
	if (type == IPC_TX_FILE_FD) {
		t->file = fd;
		write_file(t, buf_slice(&t->body));
		buf_release(&t->body);
	} else if (m == NULL) {
		fail_link(t);
	} else {
		fail(t, OUTCOME_LATER, 452, (struct enhanced){ 4, 3, 1 },
		    m->TX_FILE_NO.text);
	}
	file_over(t);
}

static void
ask_file(struct queue_tx *t)
{
	struct ipc_link *l = link_of(t);

	if (l == NULL) {
		fail_link(t);
		return;
	}
	t->state = TX_ASKING_FILE;
	t->waiting.file = true;
	push(t, l);
}

void
queue_tx_write(struct queue_tx *t, struct slice bytes)
{
	if (t->has_failed || bytes.n == 0)
		return;
	t->size += bytes.n;
	if (t->file >= 0) {
		write_file(t, bytes);
		return;
	}
	buf_add_slice(&t->body, bytes);
	if (!buf_is_ok(&t->body)) {
		fail_memory(t);
		return;
	}
	if (t->body.n > IPC_BODY_MAX && t->state != TX_ASKING_FILE)
		ask_file(t);
}

bool
queue_tx_is_full(const struct queue_tx *t)
{
	return !t->has_failed && t->state == TX_ASKING_FILE;
}

/* ---- the end ---- */

static void
on_done(void *arg, int type, const union ipc_any *m, int fd)
{
	struct queue_tx *t = arg;
	const struct ipc_TX_DONE *d;
	struct enhanced enhanced = { 0 };
	struct slice text;
	struct status result;

	(void)type;
	(void)fd;
	t->call = NULL;
	if (m == NULL) {
		fail_link(t);
		tell_done(t, &t->failure);
		return;
	}
	d = &m->TX_DONE;
	text = d->enhanced;
	if (enhanced_take(&text, &enhanced) < 0)
		enhanced = (struct enhanced){ 0 };
	if (d->outcome == OUTCOME_DONE) {
		result = (struct status){ OUTCOME_DONE, 250, enhanced,
			d->text };
		tell_done(t, &result);
		return;
	}
	fail(t, d->outcome == OUTCOME_FAILED ? OUTCOME_FAILED : OUTCOME_LATER,
	    d->code, enhanced, d->text);
	tell_done(t, &t->failure);
}

static void
send_commit(struct queue_tx *t, struct ipc_link *l)
{
	if (t->body.n > 0)
		ipc_send(l, TX_BODY, -1, .tx = t->number,
		    .bytes = buf_slice(&t->body));
	buf_release(&t->body);
	ipc_call_cancel(&t->call);
	t->call = ipc_ask(l, TX_COMMIT, -1, COMMIT_MS, on_done, t,
	    .tx = t->number, .size = t->size);
	t->needs_abort = false;
}

static void
commit_now(struct queue_tx *t)
{
	struct ipc_link *l = link_of(t);

	close_file(t);
	t->state = TX_COMMITTING;
	if (l == NULL)
		fail_link(t);
	if (t->has_failed) {
		abort_tx(t);
		loop_later_ask(&t->later);
		return;
	}
	t->waiting.commit = true;
	push(t, l);
}

void
queue_tx_commit(struct queue_tx *t)
{
	if (t->state == TX_ASKING_FILE)
		t->wants_commit = true;
	else
		commit_now(t);
}

/* ---- what waits for room on the link ---- */

/* The first thing that waits. */
static void
send_next(struct queue_tx *t, struct ipc_link *l)
{
	struct waiting *w = &t->waiting;
	const struct waiting_rcpt *r = w->rcpts;

	if (w->open != NULL) {
		send_open(t, l, w->open);
		w->open = NULL;
	} else if (r != NULL) {
		ipc_send(l, TX_RCPT, -1, .tx = t->number, .notify = r->notify,
		    .address = r->address, .orcpt = r->orcpt);
		w->rcpts = r->next;
	} else if (w->file) {
		w->file = false;
		t->file_call = ipc_ask(l, TX_FILE, -1, OPEN_MS, on_file, t,
		    .tx = t->number);
	} else {
		w->commit = false;
		send_commit(t, l);
	}
}

static void
wait_for_room(struct queue_tx *t, struct ipc_link *l)
{
	struct waiting *w = &t->waiting;

	ipc_wait_room(l, &w->room);
	if (!loop_timer_is_set(&w->patience))
		loop_timer_set(&w->patience, clock_boot_ms() + ROOM_MS);
}

static void
push(struct queue_tx *t, struct ipc_link *l)
{
	while (is_behind(t) && !ipc_is_full(l))
		send_next(t, l);
	if (is_behind(t))
		wait_for_room(t, l);
	else
		wait_no_more(t);
}

static void
on_room(void *arg)
{
	struct queue_tx *t = arg;
	struct ipc_link *l = link_of(t);

	if (l != NULL) {
		push(t, l);
		return;
	}
	fail_link(t);
	loop_later_ask(&t->later);
}

static void
on_no_room(void *arg)
{
	struct queue_tx *t = arg;

	fail(t, OUTCOME_LATER, 451, (struct enhanced){ 4, 3, 2 },
	    SLICE("The queue is busy, try again"));
	loop_later_ask(&t->later);
}
