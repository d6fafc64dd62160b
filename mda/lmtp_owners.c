/* SPDX-License-Identifier: ISC */
/*
 * Owners are reached through the broker while recipients are still coming. An
 * owner that takes no octets for a while, or gives no answer, has failed: its
 * recipients are told to try again, the others get their mail.
 */
#include "mda/lmtp_owners.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/region.h"
#include "proto/limits.h"
#include "session/smtp_server.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	OPEN_MS = 60000,
	ROOM_MS = 60000,    /* an owner that does not read */
	ANSWER_MS = 240000, /* clients wait ten minutes (RFC 5321 4.5.3.2.6) */
	PIECE_MAX = 32768,
	MEMORY_EACH = 2048, /* address, orcpt, answer */
	TEXT_MAX = 512
};

enum owner_state {
	OWNER_OPENING,
	OWNER_OPEN,
	OWNER_SENT, /* DLV_END went */
	OWNER_OVER  /* failed, or has answered */
};

struct target {
	struct list link;
	struct lmtp_owners *all;
	uint64_t account, dlv;
	enum owner_state state;
	struct ipc_link *owner;
	struct ipc_call *call;
};

struct rcpt {
	struct target *to;
	struct slice address, orcpt;
	uint8_t notify;
	bool is_answered;
	struct smtp_answer answer;
};

struct lmtp_owners {
	struct region mem;
	struct list targets;
	size_t opening, busy; /* targets */
	struct rcpt *rcpts;
	size_t n_rcpts, max;
	const struct lmtp_owners_events *events;
	void *arg;
	bool wants_open, is_ended;
	struct ipc_waiter waiter;
	struct target *full; /* whom `waiter` waits for */
	struct loop_timer timer;
};

static const struct ipc_handlers owner_handlers;
static uint64_t last_dlv;

/* ---- answers ---- */

static void
answer_rcpt(struct lmtp_owners *o, struct rcpt *r,
    const struct smtp_answer *a)
{
	if (r->is_answered)
		return;
	r->is_answered = true;
	r->answer = *a;
	r->answer.text = region_slice(&o->mem, slice_head(a->text, TEXT_MAX));
	if (r->answer.text.p == NULL)
		r->answer.text = SLICE("see the code");
}

/* All recipients of this owner that have no answer yet. */
static void
answer_target(struct target *t, const struct smtp_answer *a)
{
	size_t i;

	for (i = 0; i < t->all->n_rcpts; i++)
		if (t->all->rcpts[i].to == t)
			answer_rcpt(t->all, &t->all->rcpts[i], a);
}

static void
target_over(struct target *t, const struct smtp_answer *a)
{
	struct lmtp_owners *o = t->all;

	if (t->state == OWNER_OVER)
		return;
	t->state = OWNER_OVER;
	o->busy--;
	answer_target(t, a);
	ipc_call_cancel(&t->call);
	/* The link stays until the end: we may be inside one of its calls. */
}

static const struct smtp_answer *
failed(void)
{
	return SMTP_ANSWER(451, 4, 3, 0,
	    "The mailbox cannot be written just now, try again");
}

static void
check_done(struct lmtp_owners *o)
{
	if (!o->is_ended || o->busy > 0)
		return;
	loop_timer_clear(&o->timer);
	o->is_ended = false;
	o->events->done(o->arg);
}

/* ---- reaching owners ---- */

static void
check_opened(struct lmtp_owners *o)
{
	if (!o->wants_open || o->opening > 0)
		return;
	o->wants_open = false;
	o->events->opened(o->arg);
}

static void
refused(struct target *t, const union ipc_any *m)
{
	struct smtp_answer a = *failed();

	if (m != NULL && m->OWNER_REFUSED.outcome == OUTCOME_FAILED)
		a = *SMTP_ANSWER(550, 5, 2, 1, "");
	if (m != NULL && m->OWNER_REFUSED.text.n > 0)
		a.text = m->OWNER_REFUSED.text;
	target_over(t, &a);
}

static void
on_link(void *arg, int type, const union ipc_any *m, int fd)
{
	struct target *t = arg;
	struct lmtp_owners *o = t->all;

	t->call = NULL;
	o->opening--;
	if (type == IPC_OWNER_LINK) {
		t->owner = ipc_link_new(daemon_loop(), fd, ROLE_LMTP,
		    ROLE_OWNER, (uint32_t)t->account, &owner_handlers);
		if (t->owner == NULL)
			(void)close(fd);
	}
	if (t->owner != NULL) {
		t->state = OWNER_OPEN;
		ipc_link_set_data(t->owner, t);
	} else {
		refused(t, type == IPC_OWNER_REFUSED ? m : NULL);
	}
	check_opened(o);
}

static struct target *
target_of(struct lmtp_owners *o, uint64_t account)
{
	struct ipc_link *broker = daemon_peer(ROLE_BROKER);
	struct list *it, *tmp;
	struct target *t;

	LIST_EACH(it, tmp, &o->targets) {
		t = LIST_OF(it, struct target, link);
		if (t->account == account)
			return t;
	}
	t = calloc(1, sizeof *t);
	if (t == NULL)
		return NULL;
	t->all = o;
	t->account = account;
	list_add(&o->targets, &t->link);
	o->busy++;
	if (broker == NULL) {
		target_over(t, failed());
		return t;
	}
	o->opening++;
	t->call = ipc_ask(broker, OWNER_OPEN, -1, OPEN_MS, on_link, t,
	    .account = account);
	return t;
}

int
lmtp_owners_add(struct lmtp_owners *o, uint64_t account,
    struct slice address, uint8_t notify, struct slice orcpt)
{
	struct rcpt *r;

	if (o->n_rcpts == o->max)
		return -1;
	r = &o->rcpts[o->n_rcpts];
	r->address = region_slice(&o->mem, address);
	r->orcpt = region_slice(&o->mem, orcpt);
	r->notify = notify;
	r->to = o->mem.failed ? NULL : target_of(o, account);
	if (r->to == NULL)
		return -1;
	o->n_rcpts++;
	if (r->to->state == OWNER_OVER)
		answer_target(r->to, failed());
	return 0;
}

void
lmtp_owners_open(struct lmtp_owners *o)
{
	o->wants_open = true;
	check_opened(o);
}

bool
lmtp_owners_has_any(const struct lmtp_owners *o)
{
	return o->busy > 0;
}

/* ---- the message ---- */

static void
on_result(struct target *t, const struct ipc_DLV_RESULT *r)
{
	struct lmtp_owners *o = t->all;
	struct slice enhanced = r->enhanced;
	struct smtp_answer a = { .code = r->code, .text = r->text };
	bool is_fitting;

	if (r->index >= o->n_rcpts || o->rcpts[r->index].to != t)
		return;
	/* The owner may say nothing but what its outcome allows. */
	is_fitting = r->outcome == OUTCOME_DONE ? r->code / 100 == 2
	    : r->outcome == OUTCOME_FAILED ? r->code / 100 == 5
					   : r->code / 100 == 4;
	if (!is_fitting)
		a.code = r->outcome == OUTCOME_DONE ? 250
		    : r->outcome == OUTCOME_FAILED ? 550 : 451;
	if (enhanced_take(&enhanced, &a.enhanced) < 0 ||
	    a.enhanced.class != a.code / 100)
		a.enhanced = (struct enhanced){ (uint16_t)(a.code / 100), 0,
			0 };
	answer_rcpt(o, &o->rcpts[r->index], &a);
}

static void
on_delivery(void *arg, int type, const union ipc_any *m, int fd)
{
	struct target *t = arg;
	struct lmtp_owners *o = t->all;

	(void)fd;
	if (type == IPC_DLV_RESULT) {
		on_result(t, &m->DLV_RESULT);
		return;
	}
	t->call = NULL;
	target_over(t, failed()); /* for whom there was no result */
	check_done(o);
}

void
lmtp_owners_begin(struct lmtp_owners *o, const struct lmtp_envelope *e)
{
	struct list *it, *tmp;
	struct target *t;
	size_t i;

	LIST_EACH(it, tmp, &o->targets) {
		t = LIST_OF(it, struct target, link);
		if (t->state != OWNER_OPEN)
			continue;
		last_dlv++;
		t->call = ipc_ask(t->owner, DLV_OPEN, -1, 0, on_delivery, t,
		    .dlv = last_dlv, .arrival = clock_wall_us(),
		    .body = e->body, .utf8 = e->is_utf8, .ret = e->ret,
		    .streamed = 1, .sync = 1, .sender = e->sender,
		    .envid = e->envid);
		for (i = 0; i < o->n_rcpts; i++)
			if (o->rcpts[i].to == t)
				ipc_send(t->owner, DLV_RCPT, -1,
				    .dlv = last_dlv, .index = (uint32_t)i,
				    .notify = o->rcpts[i].notify,
				    .address = o->rcpts[i].address,
				    .orcpt = o->rcpts[i].orcpt);
		t->dlv = last_dlv;
	}
}

void
lmtp_owners_write(struct lmtp_owners *o, struct slice bytes)
{
	struct slice piece;
	struct list *it, *tmp;
	struct target *t;

	while (bytes.n > 0) {
		piece = slice_head(bytes, PIECE_MAX);
		bytes = slice_from(bytes, piece.n);
		LIST_EACH(it, tmp, &o->targets) {
			t = LIST_OF(it, struct target, link);
			if (t->state == OWNER_OPEN && t->owner != NULL)
				ipc_send(t->owner, DLV_BODY, -1,
				    .dlv = t->dlv, .bytes = piece);
		}
	}
}

static void
on_room(void *arg)
{
	struct lmtp_owners *o = arg;

	loop_timer_clear(&o->timer);
	o->full = NULL;
	o->events->room(o->arg);
}

bool
lmtp_owners_is_full(struct lmtp_owners *o)
{
	struct list *it, *tmp;
	struct target *t;

	LIST_EACH(it, tmp, &o->targets) {
		t = LIST_OF(it, struct target, link);
		if (t->state != OWNER_OPEN || t->owner == NULL ||
		    !ipc_is_full(t->owner))
			continue;
		o->full = t;
		ipc_wait_room(t->owner, &o->waiter);
		loop_timer_set(&o->timer, clock_boot_ms() + ROOM_MS);
		return true;
	}
	return false;
}

void
lmtp_owners_end(struct lmtp_owners *o)
{
	struct list *it, *tmp;
	struct target *t;

	o->is_ended = true;
	LIST_EACH(it, tmp, &o->targets) {
		t = LIST_OF(it, struct target, link);
		if (t->state != OWNER_OPEN)
			continue;
		t->state = OWNER_SENT;
		ipc_send(t->owner, DLV_END, -1, .dlv = t->dlv);
	}
	loop_timer_set(&o->timer, clock_boot_ms() + ANSWER_MS);
	check_done(o);
}

static void
on_timer(void *arg)
{
	struct lmtp_owners *o = arg;
	struct list *it, *tmp;
	struct target *t;

	LIST_EACH(it, tmp, &o->targets) {
		t = LIST_OF(it, struct target, link);
		if (t->state == OWNER_OVER ||
		    (!o->is_ended && t != o->full))
			continue;
		log_warn("event=owner_silent account=%llu",
		    (unsigned long long)t->account);
		target_over(t, failed());
		ipc_link_free(&t->owner); /* wakes who waits for its room */
	}
	check_done(o);
}

/* The owner process is gone; its questions were answered before this. */
static void
on_owner_lost(struct ipc_link *l)
{
	struct target *t = ipc_link_data(l);
	struct lmtp_owners *o;

	if (t == NULL)
		return;
	o = t->all;
	t->owner = NULL;
	target_over(t, failed());
	check_done(o);
}

static const struct ipc_handlers owner_handlers = { .lost = on_owner_lost };

/* ---- life ---- */

struct lmtp_owners *
lmtp_owners_new(size_t recipients_max,
    const struct lmtp_owners_events *events, void *arg)
{
	struct lmtp_owners *o = calloc(1, sizeof *o);

	if (o == NULL)
		return NULL;
	region_init(&o->mem, recipients_max * MEMORY_EACH +
		recipients_max * sizeof *o->rcpts + 4096);
	o->rcpts = region_alloc(&o->mem, recipients_max * sizeof *o->rcpts);
	if (o->rcpts == NULL) {
		free(o);
		return NULL;
	}
	o->max = recipients_max;
	o->events = events;
	o->arg = arg;
	o->waiter.wake = on_room;
	o->waiter.arg = o;
	list_init(&o->targets);
	loop_timer_init(&o->timer, daemon_loop(), on_timer, o);
	return o;
}

void
lmtp_owners_free(struct lmtp_owners **op)
{
	struct lmtp_owners *o = *op;
	struct list *it, *tmp;
	struct target *t;

	*op = NULL;
	if (o == NULL)
		return;
	ipc_waiter_cancel(&o->waiter);
	loop_timer_clear(&o->timer);
	LIST_EACH(it, tmp, &o->targets) {
		t = LIST_OF(it, struct target, link);
		ipc_call_cancel(&t->call);
		if (t->owner != NULL)
			ipc_link_set_data(t->owner, NULL);
		ipc_link_free(&t->owner);
		free(t);
	}
	region_fini(&o->mem);
	free(o);
}

const struct smtp_answer *
lmtp_owners_answer(const struct lmtp_owners *o, size_t recipient)
{
	return &o->rcpts[recipient].answer;
}
