/* SPDX-License-Identifier: ISC */
/*
 * The octets wait here until it is known whether they fit into a message
 * (IPC_BODY_MAX) or go to a file of the queue's; so nothing is sent twice, and
 * a small letter costs the queue two messages. The file is closed before the
 * commit: the queue makes sure that nobody can still write to it.
 */
#include "session/queue_tx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/queue_id.h"
#include "sys/ipc.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	OPEN_MS = 30000,
	COMMIT_MS = 300000, /* a slow disk; smaller than clients' patience */
	PIECE_MAX = 131072,
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

struct queue_tx {
	enum tx_state state;
	uint64_t serial; /* of the link */
	uint64_t number; /* on the link */
	const struct queue_tx_events *events;
	void *arg;
	struct ipc_call *call, *file_call;
	struct loop_later later; /* failures that are known at once */
	struct buf body; /* until it goes */
	int file;
	uint64_t size;
	bool is_opened;     /* TX_OPENED came */
	bool wants_commit;  /* as soon as the file is there */
	bool has_failed;
	struct status failure; /* static texts or in `text` */
	struct buf text;
	char id[ID_MAX];
};

static uint64_t last_number;

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
tell_room(struct queue_tx *t)
{
	if (t->events->room != NULL)
		t->events->room(t->arg);
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
	t->is_opened = true;
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
	if (t->state == TX_OPENING)
		t->state = TX_OPEN;
	if (t->events->opened != NULL)
		t->events->opened(t->arg, t->has_failed ? &t->failure : NULL);
}

static void
on_later(void *arg)
{
	struct queue_tx *t = arg;

	if (t->state == TX_COMMITTING) {
		tell_done(t, &t->failure);
		return;
	}
	t->is_opened = true;
	if (t->events->opened != NULL)
		t->events->opened(t->arg, &t->failure);
}

struct queue_tx *
queue_tx_open(struct loop *loop, struct ipc_link *queue, const struct queue_tx_envelope *e,
    const struct queue_tx_events *events, void *arg)
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
	if (queue == NULL) {
		t->state = TX_OPEN;
		fail_link(t);
		loop_later_ask(&t->later);
		return t;
	}
	t->serial = ipc_link_serial(queue);
	t->call = ipc_ask(queue, TX_OPEN, -1, OPEN_MS, on_opened, t,
	    .tx = t->number, .size = e->size, .account = e->account,
	    .body = e->body, .utf8 = e->is_utf8, .ret = e->ret,
	    .sender = e->sender, .envid = e->envid, .session = e->session,
	    .client = e->client);
	return t;
}

void
queue_tx_free(struct queue_tx **tp)
{
	struct queue_tx *t = *tp;
	struct ipc_link *l;

	if (t == NULL)
		return;
	*tp = NULL;
	l = link_of(t);
	/* What is being committed cannot be taken back: the answer then finds
	 * nobody, and the client, who was told nothing, may send it again. */
	if (l != NULL && t->state < TX_COMMITTING)
		ipc_send(l, TX_ABORT, -1, .tx = t->number);
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
	ipc_send(l, TX_RCPT, -1, .tx = t->number, .notify = notify,
	    .address = address, .orcpt = orcpt);
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

static void commit_now(struct queue_tx *t);

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
	t->state = TX_OPEN;
	if (t->wants_commit)
		commit_now(t);
	else
		tell_room(t);
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
	t->file_call = ipc_ask(l, TX_FILE, -1, OPEN_MS, on_file, t,
	    .tx = t->number);
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
		fail(t, OUTCOME_LATER, 451, (struct enhanced){ 4, 3, 0 },
		    SLICE("Out of memory, try again"));
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
commit_now(struct queue_tx *t)
{
	struct ipc_link *l = link_of(t);

	close_file(t);
	t->state = TX_COMMITTING;
	if (l == NULL)
		fail_link(t);
	if (t->has_failed) {
		if (l != NULL)
			ipc_send(l, TX_ABORT, -1, .tx = t->number);
		loop_later_ask(&t->later);
		return;
	}
	if (t->body.n > 0)
		ipc_send(l, TX_BODY, -1, .tx = t->number,
		    .bytes = buf_slice(&t->body));
	buf_release(&t->body);
	ipc_call_cancel(&t->call);
	t->call = ipc_ask(l, TX_COMMIT, -1, COMMIT_MS, on_done, t,
	    .tx = t->number, .size = t->size);
}

void
queue_tx_commit(struct queue_tx *t)
{
	if (t->state == TX_ASKING_FILE)
		t->wants_commit = true;
	else
		commit_now(t);
}
