/* SPDX-License-Identifier: ISC */
/*
 * An attempt counts its open answers in live->pending; when none is left it is
 * over. Local deliveries are "placed" by their owners without a flush; one
 * flush of the mail file systems covers many of them, and only then are they
 * marked done.
 */
#include "queue/deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/queue_id.h"
#include "conf/conf_queue.h"
#include "conf/conf_server.h"
#include "queue/destination.h"
#include "queue/owners.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "sys/addr_kind.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	ROUTE_MS = 10000,
	SYNC_AFTER_MS = 5,     /* a flush is asked for after so long … */
	SYNC_AFTER_COUNT = 64, /* … or so many deliveries */
	BATCH_MAX = 1000,      /* recipients in one delivery */
	SUSPECTS = 1024, SUSPECT_MS = 10000
};

/* One DLV that is out. */
struct delivery {
	struct list link;
	struct message *m;
	struct destination *to;
	struct destination *relay; /* the process, or NULL for a local one */
	uint32_t *rcpts; /* indexes into the envelope */
	uint32_t n;
	uint64_t number;
	bool local;
	uint32_t instance;      /* of the relay */
	uint64_t link_serial;   /* of the link it goes over, or 0 */
	struct ipc_waiter room; /* while that is full */
	bool is_sent;
	bool is_accused;        /* its process crashed, and that was counted */
};

/* A delivery whose process went away. */
struct suspect {
	uint64_t id;
	bool local;
	bool alone; /* so it was this message, if it was a crash */
	uint64_t who; /* account, or instance of the relay */
	int64_t when;
};

/* A question about one recipient. */
struct question {
	struct list link; /* in live->recording, while it goes to the disk */
	struct message *m;
	uint32_t rcpt;
	struct spool_rcpt *targets;
	uint32_t n, cap;
	uint32_t loops; /* targets that were left out: they lead here … */
	uint32_t *duplicates; /* … or were recipients already: their indexes */
	uint32_t n_duplicates, cap_duplicates;
};

static struct {
	struct list active;  /* deliveries that are out */
	struct list placed;  /* waiting for the flush */
	struct list syncing; /* covered by the flush that runs */
	size_t n_active, n_placed;
	bool sync_runs;
	struct loop_timer sync;
	uint64_t numbers;
	struct suspect suspects[SUSPECTS]; /* a ring */
	unsigned next_suspect;
} self;

static void check_over(struct message *m);
static void dispatch(struct message *m);
static void ask_routes(struct message *m);
static void on_sync_due(void *arg);

void
deliver_init(struct loop *l)
{
	list_init(&self.active);
	list_init(&self.placed);
	list_init(&self.syncing);
	loop_timer_init(&self.sync, l, on_sync_due, NULL);
}

size_t
deliver_active(void)
{
	return self.n_active;
}

/* A link that is lost takes everything, and says so. */
static bool
is_full(const struct ipc_link *l)
{
	return ipc_is_full(l) && ipc_link_find(ipc_link_serial(l)) == l;
}

/* ---- routing ---- */

static void
fail(struct message *m, uint32_t rcpt, enum outcome outcome, int code,
    struct enhanced e, const char *text)
{
	live_result(m->live, rcpt, outcome, code, e, slice_str(text),
	    SLICE_NONE);
}

static void
route_to(struct message *m, uint32_t rcpt, const struct ipc_ADDR_ANSWER *a)
{
	struct rcpt_work *w = &m->live->work[rcpt];
	char name[40];

	w->account = a->account;
	if (a->kind == ADDR_ACCOUNT) {
		(void)snprintf(name, sizeof name, "owner:%llu",
		    (unsigned long long)a->account);
		w->to = destination_take(slice_str(name), true, a->account);
	} else {
		w->to = destination_take(a->nexthop, false, 0);
	}
	w->step = STEP_ROUTED;
}

/* What the directory's answer means for mail that is already accepted. */
static void
take_answer(struct message *m, uint32_t rcpt, const struct ipc_ADDR_ANSWER *a)
{
	switch ((enum addr_kind)a->kind) {
	case ADDR_ACCOUNT:
	case ADDR_RELAY:
	case ADDR_REMOTE:
		route_to(m, rcpt, a);
		return;
	case ADDR_UNKNOWN:
		fail(m, rcpt, OUTCOME_FAILED, 550,
		    (struct enhanced){ 5, 1, 1 }, "no such user here");
		return;
	case ADDR_DISABLED:
		fail(m, rcpt, OUTCOME_FAILED, 550,
		    (struct enhanced){ 5, 2, 1 },
		    "the mailbox is switched off");
		return;
	case ADDR_INVALID:
		fail(m, rcpt, OUTCOME_FAILED, 553,
		    (struct enhanced){ 5, 1, 3 }, "not a valid address");
		return;
	case ADDR_LOOP:
		fail(m, rcpt, OUTCOME_FAILED, 554,
		    (struct enhanced){ 5, 4, 6 },
		    "the alias comes back to itself");
		return;
	case ADDR_ALIAS:
	case ADDR_LATER:
	case ADDR_KIND_COUNT:
		break;
	}
	fail(m, rcpt, OUTCOME_LATER, 451, (struct enhanced){ 4, 3, 0 },
	    "the address cannot be looked up just now");
}

/* ---- expansion ---- */

static bool
is_ancestor(const struct live *l, uint32_t rcpt, struct slice address)
{
	uint32_t depth;

	for (depth = 0; rcpt != UINT32_MAX && depth < 100; depth++) {
		if (slice_ieq(l->env.rcpts[rcpt].address, address))
			return true;
		rcpt = l->work[rcpt].parent;
	}
	return depth == 100;
}

/* An array that grows in the region by doubling. 0, or -1: no memory, which
 * mem.failed says too. */
static int
grow(struct region *mem, void *items, uint32_t n, uint32_t *cap, size_t size)
{
	uint32_t more = *cap == 0 ? 8 : *cap * 2;
	void *bigger, *old;

	if (n < *cap)
		return 0;
	bigger = region_alloc(mem, more * size);
	if (bigger == NULL)
		return -1;
	memcpy(&old, items, sizeof old);
	if (n > 0)
		memcpy(bigger, old, n * size);
	memcpy(items, &bigger, sizeof bigger);
	*cap = more;
	return 0;
}

static void
note_duplicate(struct question *q, uint32_t rcpt)
{
	if (grow(&q->m->live->mem, &q->duplicates, q->n_duplicates,
	    &q->cap_duplicates, sizeof *q->duplicates) == 0)
		q->duplicates[q->n_duplicates++] = rcpt;
}

static bool
is_target(const struct question *q, uint32_t n, struct slice address)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (slice_ieq(q->targets[i].address, address))
			return true;
	return false;
}

/* Is it a recipient, or will be one (*rcpt_r UINT32_MAX)? */
static bool
is_recipient(struct live *l, struct slice address, uint32_t *rcpt_r)
{
	struct list *it, *tmp;
	struct question *q;

	for (*rcpt_r = 0; *rcpt_r < l->env.n_rcpts; ++*rcpt_r)
		if (slice_ieq(l->env.rcpts[*rcpt_r].address, address))
			return true;
	*rcpt_r = UINT32_MAX;
	LIST_EACH(it, tmp, &l->recording) {
		q = LIST_OF(it, struct question, link);
		if (is_target(q, q->n, address))
			return true;
	}
	return false;
}

/* The same address by another alias, or named by the sender, counts once. */
static void
drop_duplicates(struct question *q)
{
	uint32_t i, n = 0, rcpt;

	for (i = 0; i < q->n; i++) {
		if (is_target(q, n, q->targets[i].address))
			continue;
		if (is_recipient(q->m->live, q->targets[i].address, &rcpt))
			note_duplicate(q, rcpt);
		else
			q->targets[n++] = q->targets[i];
	}
	q->n = n;
}

/* Is this an alias that leads to nobody by itself, as far as we know? */
static bool
is_expanded(const struct live *l, uint32_t rcpt)
{
	return l->env.rcpts[rcpt].mark == SPOOL_EXPANDED ||
	    l->work[rcpt].folded;
}

/*
 * Does one of the duplicates lead to somebody: is it no alias, or has it a
 * target that is none? Targets come after their alias, so one pass from the end
 * tells it of all.
 */
static bool
reaches_somebody(struct live *l, const struct question *q)
{
	uint32_t i, parent, n = l->env.n_rcpts;
	bool *reaches = region_alloc(&l->mem, n * sizeof *reaches);

	if (reaches == NULL)
		return false; /* mem.failed makes it wait */
	for (i = 0; i < n; i++)
		reaches[i] = !is_expanded(l, i);
	for (i = n; i-- > 0;) {
		parent = l->work[i].parent;
		if (reaches[i] && parent < i)
			reaches[parent] = true;
	}
	for (i = 0; i < q->n_duplicates; i++)
		if (q->duplicates[i] >= n || reaches[q->duplicates[i]])
			return true;
	return false;
}

/* The expansion is on disk: its targets are recipients now. */
static void
on_expanded(void *arg, int error)
{
	struct question *q = arg;
	struct message *m = q->m;
	struct live *l = m->live;
	uint32_t i, first = l->env.n_rcpts;

	l->pending--;
	list_remove(&q->link);
	if (error != 0 || live_grow(l, q->n) < 0) {
		l->work[q->rcpt].folded = false;
		fail(m, q->rcpt, OUTCOME_LATER, 451,
		    (struct enhanced){ 4, 3, 0 },
		    "the expansion of the alias could not be recorded");
		free(q);
		check_over(m);
		return;
	}
	for (i = 0; i < q->n; i++) {
		l->env.rcpts[first + i] = q->targets[i];
		l->work[first + i].parent = q->rcpt;
	}
	l->env.n_rcpts += q->n;
	l->env.rcpts[q->rcpt].mark = SPOOL_EXPANDED;
	l->work[q->rcpt].step = STEP_NONE;
	free(q);
	ask_routes(m);
	check_over(m);
}

static void
add_target(struct question *q, struct slice target)
{
	struct live *l = q->m->live;
	const struct spool_rcpt *alias = &l->env.rcpts[q->rcpt];

	if (grow(&l->mem, &q->targets, q->n, &q->cap, sizeof *q->targets) < 0)
		return;
	/* RFC 3461 5.2.7.1: the notification wish goes along with an alias. */
	q->targets[q->n++] = (struct spool_rcpt){
		.address = region_slice(&l->mem, target),
		.orcpt = alias->orcpt, .notify = alias->notify,
		.group = alias->group };
}

/*
 * All its targets are recipients already, but aliases themselves, which may
 * lead to nobody but each other (a to b, b to a, and both named by the sender).
 * They are followed once more from here: then a loop shows.
 */
static void
follow_duplicates(struct question *q)
{
	struct live *l = q->m->live;
	uint32_t i;

	if (q->n > 0 || q->n_duplicates == 0 || reaches_somebody(l, q))
		return;
	for (i = 0; i < q->n_duplicates; i++)
		add_target(q, l->env.rcpts[q->duplicates[i]].address);
}

static void
expansion_over(struct question *q, const union ipc_any *m)
{
	struct live *l = q->m->live;
	struct message *msg = q->m;
	uint32_t rcpt = q->rcpt;

	drop_duplicates(q);
	follow_duplicates(q);
	if (m == NULL || m->EXPAND_DONE.kind == ADDR_LATER ||
	    l->mem.failed) {
		fail(msg, rcpt, OUTCOME_LATER, 451,
		    (struct enhanced){ 4, 3, 0 },
		    "the alias cannot be looked up just now");
	} else if (m->EXPAND_DONE.kind == ADDR_LOOP ||
	    (q->n + q->n_duplicates == 0 && q->loops > 0)) {
		/* Nobody would get it, and nobody would hear of it. */
		fail(msg, rcpt, OUTCOME_FAILED, 554,
		    (struct enhanced){ 5, 4, 6 },
		    "the alias comes back to itself");
	} else if (q->n + q->n_duplicates == 0) {
		fail(msg, rcpt, OUTCOME_FAILED, 550,
		    (struct enhanced){ 5, 1, 1 }, "the alias leads nowhere");
	} else if (l->env.n_rcpts + q->n > queue_conf()->expansion) {
		fail(msg, rcpt, OUTCOME_FAILED, 554,
		    (struct enhanced){ 5, 4, 0 },
		    "the aliases reach too many recipients");
	} else {
		l->work[rcpt].step = STEP_EXPANDING;
		l->work[rcpt].folded = q->n == 0;
		list_add(&l->recording, &q->link);
		l->pending++;
		spool_expand(queue_spool(), msg->ref, rcpt, q->targets, q->n,
		    on_expanded, q);
		return;
	}
	free(q);
}

/*
 * Holds a peer to the answer that its question has: a part of something else is
 * passed over (NULL, *type stays: the call goes on), another answer is as good
 * as none (NULL, *type -1: the call is over).
 */
static const union ipc_any *
answer_to(int *type, const union ipc_any *m, enum ipc_type answer, int fd)
{
	enum ipc_type part = answer == IPC_EXPAND_DONE ? IPC_EXPAND_ITEM
	    : answer == IPC_DLV_DONE ? IPC_DLV_RESULT : answer;

	if (m == NULL || *type == (int)answer || *type == (int)part)
		return m;
	if (fd >= 0)
		(void)close(fd);
	if (ipc_info[*type].kind != IPC_PART)
		*type = -1;
	return NULL;
}

static void
on_expand(void *arg, int type, const union ipc_any *m, int fd)
{
	struct question *q = arg;
	struct message *msg = q->m;

	m = answer_to(&type, m, IPC_EXPAND_DONE, fd);
	if (m == NULL && type >= 0)
		return;
	if (type == IPC_EXPAND_ITEM) {
		if (!is_ancestor(msg->live, q->rcpt, m->EXPAND_ITEM.target)) {
			add_target(q, m->EXPAND_ITEM.target);
			return;
		}
		q->loops++;
		log_warn("event=alias_loop id=%s address=%s",
		    queue_id_text(msg->id), LOG_V(m->EXPAND_ITEM.target));
		return;
	}
	msg->live->pending--;
	expansion_over(q, m);
	check_over(msg);
}

static void
ask_expansion(struct message *m, uint32_t rcpt)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);
	struct question *q = calloc(1, sizeof *q);

	if (q == NULL)
		fatal("event=no_memory for=question");
	q->m = m;
	q->rcpt = rcpt;
	if (directory == NULL) {
		expansion_over(q, NULL);
		return;
	}
	m->live->pending++;
	m->live->work[rcpt].step = STEP_EXPANDING;
	(void)ipc_ask(directory, EXPAND_ASK, -1, ROUTE_MS, on_expand, q,
	    .address = m->live->env.rcpts[rcpt].address);
}

static void
on_route(void *arg, int type, const union ipc_any *answer, int fd)
{
	struct question *q = arg;
	struct message *m = q->m;
	uint32_t rcpt = q->rcpt;

	answer = answer_to(&type, answer, IPC_ADDR_ANSWER, fd);
	if (answer == NULL && type >= 0)
		return;
	free(q);
	m->live->pending--;
	if (answer == NULL)
		fail(m, rcpt, OUTCOME_LATER, 451,
		    (struct enhanced){ 4, 3, 0 },
		    "the address cannot be looked up just now");
	else if (answer->ADDR_ANSWER.kind == ADDR_ALIAS)
		ask_expansion(m, rcpt);
	else
		take_answer(m, rcpt, &answer->ADDR_ANSWER);
	check_over(m);
}

static void
ask_route(struct message *m, uint32_t rcpt)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);
	struct question *q;

	if (directory == NULL) {
		fail(m, rcpt, OUTCOME_LATER, 451,
		    (struct enhanced){ 4, 3, 0 },
		    "the address cannot be looked up just now");
		return;
	}
	q = calloc(1, sizeof *q);
	if (q == NULL)
		fatal("event=no_memory for=question");
	q->m = m;
	q->rcpt = rcpt;
	m->live->pending++;
	m->live->work[rcpt].step = STEP_ROUTING;
	(void)ipc_ask(directory, ADDR_ASK, -1, ROUTE_MS, on_route, q,
	    .address = m->live->env.rcpts[rcpt].address);
}

static void
on_directory_room(void *arg)
{
	struct message *m = arg;

	m->live->pending--;
	ask_routes(m);
	check_over(m);
}

/* Asks for those not asked for yet, as many as the link takes. */
static void
ask_routes(struct message *m)
{
	struct live *l = m->live;
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);
	uint32_t i;

	if (list_is_in(&l->room.link))
		return;
	l->pending++; /* while we ask, so that nothing is over too early */
	for (; l->asked < l->env.n_rcpts; l->asked++) {
		i = l->asked;
		if (l->env.rcpts[i].mark != SPOOL_WAITING || l->work[i].rests)
			continue;
		if (directory != NULL && is_full(directory)) {
			l->room.wake = on_directory_room;
			l->room.arg = m;
			ipc_wait_room(directory, &l->room);
			return; /* pending until then */
		}
		ask_route(m, i);
	}
	l->pending--;
}

/* ---- results ---- */

static void
delivery_free(struct delivery *d)
{
	struct destination *to = d->to, *relay = d->relay;

	list_remove(&d->link);
	ipc_waiter_cancel(&d->room);
	destination_leave(to, d->m);
	if (relay != NULL)
		destination_leave(relay, d->m);
	destination_drop(&to);
	destination_drop(&relay);
	free(d->rcpts);
	free(d);
}

static void
delivery_over(struct delivery *d)
{
	struct message *m = d->m;

	delivery_free(d);
	m->live->pending--;
	check_over(m);
}

static void
set_result(struct delivery *d, const struct ipc_DLV_RESULT *r)
{
	struct live *l = d->m->live;
	struct slice e = r->enhanced;
	struct enhanced enhanced = { 0 };
	uint32_t i;

	for (i = 0; i < d->n; i++)
		if (d->rcpts[i] == r->index)
			break;
	if (i == d->n || r->outcome > OUTCOME_FAILED)
		return; /* not a recipient of this delivery */
	if (enhanced_take(&e, &enhanced) < 0)
		enhanced = (struct enhanced){ 0 };
	live_result(l, r->index, (enum outcome)r->outcome, r->code, enhanced,
	    r->text, r->remote);
	l->work[r->index].dsn_passed = r->dsn != 0;
}

/* Recipients without a result of their own: the process went away. */
static void
fill_missing(struct delivery *d, bool lost)
{
	const char *text = lost ? "the delivering process went away"
				: "no answer for this recipient";
	uint32_t i;

	for (i = 0; i < d->n; i++)
		if (d->m->live->work[d->rcpts[i]].step == STEP_SENT) {
			fail(d->m, d->rcpts[i], OUTCOME_LATER, 451,
			    (struct enhanced){ 4, 3, 0 }, text);
			d->m->live->work[d->rcpts[i]].lost = lost;
		}
}

static void
sync_now(void)
{
	loop_timer_clear(&self.sync);
	on_sync_due(NULL);
}

static uint64_t
process_of(const struct delivery *d)
{
	return d->local ? d->to->account : d->instance;
}

/* Is its message alone in that process, as a suspect should be? */
static bool
is_alone(const struct delivery *d)
{
	return (d->local ? d->to : d->relay)->alone == d->m;
}

/* Its process is gone: whether it crashed on this one is mostly heard later,
 * from master or the broker. */
static void
remember_suspect(struct delivery *d)
{
	d->m->process_lost = true;
	if (d->is_accused)
		return;
	self.suspects[self.next_suspect++ % SUSPECTS] = (struct suspect){
		d->m->id, d->local, is_alone(d), process_of(d),
		clock_boot_ms() };
}

/* In its mailbox, but not durable there yet. */
static void
wait_for_sync(struct delivery *d)
{
	list_remove(&d->link);
	list_add(&self.placed, &d->link);
	if (++self.n_placed >= SYNC_AFTER_COUNT)
		sync_now();
	else if (!loop_timer_is_set(&self.sync))
		loop_timer_set(&self.sync, clock_boot_ms() + SYNC_AFTER_MS);
}

/* What the next hop's answer means for others that go there. */
static void
note_reached(struct delivery *d, bool host_later)
{
	const struct rcpt_work *w = &d->m->live->work[d->rcpts[0]];

	if (host_later)
		destination_failed(d->to, w->result.text);
	else
		destination_reached(d->to);
}

static void
on_delivered(void *arg, int type, const union ipc_any *m, int fd)
{
	struct delivery *d = arg;

	m = answer_to(&type, m, IPC_DLV_DONE, fd);
	if (m == NULL && type >= 0)
		return;
	if (type == IPC_DLV_RESULT) {
		set_result(d, &m->DLV_RESULT);
		return;
	}
	self.n_active--;
	if (m == NULL)
		remember_suspect(d);
	else
		d->m->live->was_tried = true;
	fill_missing(d, m == NULL);
	if (m != NULL && !d->local)
		note_reached(d, m->DLV_DONE.host_later != 0);
	if (m != NULL && m->DLV_DONE.placed)
		wait_for_sync(d);
	else
		delivery_over(d);
}

/* Everything placed before the flush began is durable, or must be placed
 * again (the owner recognises it). */
static void
on_synced(void *arg, int error)
{
	struct list *first;
	struct delivery *d;

	(void)arg;
	self.sync_runs = false;
	if (error != 0)
		log_error("event=sync_failed why=%s", LOG_S(strerror(error)));
	while ((first = list_first(&self.syncing)) != NULL) {
		d = LIST_OF(first, struct delivery, link);
		if (error != 0)
			fail(d->m, d->rcpts[0], OUTCOME_LATER, 451,
			    (struct enhanced){ 4, 3, 0 },
			    "the mailbox could not be flushed");
		else
			owners_released(d->to->account, d->m->id,
			    d->rcpts[0]);
		delivery_over(d);
	}
	if (self.n_placed > 0)
		sync_now();
}

static void
on_sync_due(void *arg)
{
	struct list *first;

	(void)arg;
	if (self.sync_runs || self.n_placed == 0)
		return;
	while ((first = list_first(&self.placed)) != NULL) {
		list_remove(first);
		list_add(&self.syncing, first);
	}
	self.n_placed = 0;
	self.sync_runs = true;
	queue_sync_mail(on_synced, NULL);
}

/* ---- handing out ---- */

static void
send_body(struct delivery *d, struct ipc_link *l)
{
	struct message *m = d->m;
	int fd;

	if (m->live->env.body_size <= IPC_BODY_MAX) {
		ipc_send(l, DLV_BODY, -1, .dlv = d->number,
		    .bytes = buf_slice(&m->live->body));
		ipc_send(l, DLV_END, -1, .dlv = d->number);
		return;
	}
	fd = spool_body_fd(queue_spool(), m->ref);
	if (fd < 0) {
		log_error("event=body_missing id=%s", queue_id_text(m->id));
		ipc_send(l, DLV_ABORT, -1, .dlv = d->number);
		return;
	}
	ipc_send(l, DLV_FILE, fd, .dlv = d->number,
	    .size = m->live->env.body_size);
	(void)close(fd);
	ipc_send(l, DLV_END, -1, .dlv = d->number);
}

static void on_link_room(void *arg);

/* A link takes no more than its bound; what is beyond that waits here. */
static void
send_delivery(struct delivery *d, struct ipc_link *l)
{
	const struct spool_envelope *e = &d->m->live->env;
	const struct spool_rcpt *r;
	uint32_t i;

	if (is_full(l)) {
		d->link_serial = ipc_link_serial(l);
		d->room.wake = on_link_room;
		d->room.arg = d;
		ipc_wait_room(l, &d->room);
		return;
	}
	self.n_active++;
	d->is_sent = true;
	d->number = ++self.numbers;
	(void)ipc_ask(l, DLV_OPEN, -1, 0, on_delivered, d, .dlv = d->number,
	    .id = d->m->id, .group = d->rcpts[0],
	    .attempt = d->m->st.attempts, .body_size = e->body_size,
	    .arrival = e->arrival_us, .body = e->body_type, .utf8 = e->utf8,
	    .ret = e->ret, .sync = d->local && queue_is_strict(),
	    .nexthop = d->local ? SLICE_NONE : slice_str(d->to->name),
	    .sender = message_sender(e, d->rcpts[0]), .envid = e->envid);
	for (i = 0; i < d->n; i++) {
		r = &e->rcpts[d->rcpts[i]];
		ipc_send(l, DLV_RCPT, -1, .dlv = d->number,
		    .index = d->rcpts[i], .notify = r->notify,
		    .address = r->address, .orcpt = r->orcpt);
	}
	send_body(d, l);
}

static void
not_sent(struct delivery *d, enum outcome outcome, struct slice text)
{
	uint32_t i;

	for (i = 0; i < d->n; i++)
		live_result(d->m->live, d->rcpts[i], outcome,
		    outcome == OUTCOME_LATER ? 451 : 550,
		    outcome == OUTCOME_LATER ? (struct enhanced){ 4, 3, 0 }
					     : (struct enhanced){ 5, 2, 1 },
		    text, SLICE_NONE);
	delivery_over(d);
}

static void
on_owner(void *arg, struct ipc_link *l, enum outcome outcome,
    struct slice text)
{
	struct delivery *d = arg;

	if (l == NULL)
		not_sent(d, outcome, text);
	else
		send_delivery(d, l);
}

/* The same process for the same next hop, for it keeps the connections. */
static struct ipc_link *
relay_for(const struct destination *to)
{
	struct ipc_link *l = NULL, *found = NULL;
	uint64_t h = 0xcbf29ce484222325ULL, n = 0;
	const char *p;

	for (p = to->name; *p != 0; p++)
		h = (h ^ (unsigned char)*p) * 0x100000001b3ULL;
	while ((l = daemon_peer_next(ROLE_RELAY, l)) != NULL)
		n++;
	if (n == 0)
		return NULL;
	for (h %= n; (l = daemon_peer_next(ROLE_RELAY, l)) != NULL; h--) {
		found = l;
		if (h == 0)
			break;
	}
	return found;
}

static void
on_link_room(void *arg)
{
	struct delivery *d = arg;
	struct ipc_link *l = ipc_link_find(d->link_serial);

	if (l == NULL)
		not_sent(d, OUTCOME_LATER,
		    SLICE("the delivering process went away"));
	else
		send_delivery(d, l);
}

static void
start(struct delivery *d, struct ipc_link *relay)
{
	d->m->live->pending++;
	destination_enter(d->to, d->m);
	if (d->local) {
		owners_open(d->to->account, on_owner, d);
		return;
	}
	if (relay == NULL) {
		not_sent(d, OUTCOME_LATER, SLICE("no relay is running"));
		return;
	}
	d->instance = ipc_link_instance(relay);
	d->relay = destination_take_relay(d->instance);
	destination_enter(d->relay, d->m);
	send_delivery(d, relay);
}

static struct delivery *
delivery_new(struct message *m, uint32_t first)
{
	struct delivery *d = calloc(1, sizeof *d);
	struct live *l = m->live;
	struct rcpt_work *w = &l->work[first];
	uint32_t i, max = w->to->is_owner ? 1 : BATCH_MAX;

	if (d == NULL)
		fatal("event=no_memory for=delivery");
	d->rcpts = calloc(max, sizeof *d->rcpts);
	if (d->rcpts == NULL)
		fatal("event=no_memory for=delivery");
	d->m = m;
	d->to = w->to;
	d->to->users++; /* the delivery's own */
	d->local = w->to->is_owner;
	list_add(&self.active, &d->link);
	for (i = first; i < l->env.n_rcpts && d->n < max; i++) {
		if (l->work[i].step != STEP_ROUTED || l->work[i].to != w->to ||
		    l->env.rcpts[i].group != l->env.rcpts[first].group)
			continue;
		d->rcpts[d->n++] = i;
		l->work[i].step = STEP_SENT;
		if (i != first)
			destination_drop(&l->work[i].to);
	}
	destination_drop(&w->to);
	return d;
}

/* Who has no room for it: the destination or the relay process, with a use of
 * it for the caller. NULL: there is room. */
static struct destination *
who_is_busy(struct message *m, struct destination *to, struct ipc_link *relay)
{
	struct destination *process;

	if (!destination_may_enter(to, m)) {
		to->users++;
		return to;
	}
	if (relay == NULL)
		return NULL;
	process = destination_take_relay(ipc_link_instance(relay));
	if (destination_may_enter(process, m))
		destination_drop(&process);
	return process;
}

/* Waits for the first of those that are busy. */
static void
postpone(struct message *m, uint32_t rcpt, struct destination *busy)
{
	m->live->work[rcpt].postponed = true;
	if (m->live->busy == NULL)
		m->live->busy = busy;
	else
		destination_drop(&busy);
}

static void
dispatch_one(struct message *m, uint32_t i)
{
	struct destination *busy, *to = m->live->work[i].to;
	struct ipc_link *relay = to->is_owner ? NULL : relay_for(to);

	if (!m->by_hand && destination_is_down(to)) {
		fail(m, i, OUTCOME_LATER, 451, (struct enhanced){ 4, 4, 1 },
		    to->why == NULL || to->why[0] == 0
			? "the next hop was not to be reached a moment ago"
			: to->why);
		m->live->work[i].untried = true;
		destination_drop(&m->live->work[i].to);
		return;
	}
	busy = who_is_busy(m, to, relay);
	if (busy != NULL || (!to->is_owner && !schedule_take_remote(m)))
		postpone(m, i, busy);
	else
		start(delivery_new(m, i), relay);
}

static void
dispatch(struct message *m)
{
	struct live *l = m->live;
	uint32_t i;

	l->pending++;
	for (i = 0; i < l->env.n_rcpts; i++)
		if (l->work[i].step == STEP_ROUTED && !l->work[i].postponed)
			dispatch_one(m, i);
	l->pending--;
}

/* ---- the attempt as a whole ---- */

static bool
is_routing(const struct live *l)
{
	uint32_t i;

	for (i = 0; i < l->env.n_rcpts; i++)
		if (l->work[i].step == STEP_ROUTING ||
		    l->work[i].step == STEP_EXPANDING)
			return true;
	return false;
}

/* What could not be handed out waits for room; but not without end, for in
 * line nobody looks at how old it is. True when something waits. */
static bool
take_postponed(struct message *m)
{
	struct live *l = m->live;
	bool late = schedule_is_late(m), any = false;
	uint32_t i;

	for (i = 0; i < l->env.n_rcpts; i++) {
		if (!l->work[i].postponed)
			continue;
		l->work[i].postponed = false;
		l->work[i].step = STEP_NONE;
		destination_drop(&l->work[i].to);
		any = true;
		if (late)
			fail(m, i, OUTCOME_LATER, 451,
			    (struct enhanced){ 4, 4, 5 },
			    message_is_suspect(m)
				? "it waits until it can be tried by itself"
				: "there is much other mail for its next hop");
		l->work[i].untried = late;
	}
	if (late)
		destination_drop(&l->busy);
	return any && !late;
}

static bool
has_results(const struct live *l)
{
	uint32_t i;

	for (i = 0; i < l->env.n_rcpts; i++)
		if (l->work[i].step == STEP_OVER)
			return true;
	return false;
}

static void
check_over(struct message *m)
{
	struct live *l = m->live;
	bool postponed;
	uint32_t i;

	if (l->pending > 0 || is_routing(l))
		return;
	for (i = 0; i < l->env.n_rcpts; i++) {
		if (l->work[i].step == STEP_ROUTED &&
		    !l->work[i].postponed) {
			dispatch(m);
			if (l->pending > 0)
				return;
			break;
		}
	}
	postponed = take_postponed(m);
	if (postponed && !has_results(l) && !m->removed)
		schedule_postponed(m);
	else
		schedule_attempt_over(m);
}

/* Those that were deferred while others waited have their own time. */
static void
let_rest(struct message *m)
{
	uint32_t i;

	if (m->respite != NULL && clock_boot_ms() >= m->respite->until) {
		free(m->respite);
		m->respite = NULL;
	}
	for (i = 0; m->respite != NULL && i < m->respite->n; i++)
		if (m->respite->rcpts[i] < m->live->env.n_rcpts)
			m->live->work[m->respite->rcpts[i]].rests = true;
}

void
deliver_begin(struct message *m)
{
	struct live *l = m->live;

	let_rest(m);
	l->asked = 0;
	l->pending = 1;
	ask_routes(m);
	l->pending--;
	check_over(m);
}

/* ---- processes that died ---- */

static bool
is_out_at(const struct delivery *d, bool local, uint64_t who)
{
	return d->is_sent && d->local == local && process_of(d) == who;
}

/* The second time counts against it only if it was alone. */
static void
accuse(struct message *m, bool alone)
{
	if (alone || m->st.crashes == 0)
		schedule_crashed(m);
}

/* The news came before the end of the link did: what is out at that process
 * was lost with it, for a new one is introduced only later. */
static void
blame_active(bool local, uint64_t who)
{
	struct list *it, *other, *tmp, *tmp2;
	struct delivery *d, *o;

	LIST_EACH(it, tmp, &self.active) {
		d = LIST_OF(it, struct delivery, link);
		if (d->is_accused || !is_out_at(d, local, who))
			continue;
		/* One crash counts once, however much of it was there. */
		LIST_EACH(other, tmp2, &self.active) {
			o = LIST_OF(other, struct delivery, link);
			if (o->m == d->m && is_out_at(o, local, who))
				o->is_accused = true;
		}
		accuse(d->m, is_alone(d));
	}
}

static bool
is_suspect_of(const struct suspect *s, bool local, uint64_t who)
{
	return s->id != 0 && s->when >= clock_boot_ms() - SUSPECT_MS &&
	    s->local == local && s->who == who;
}

static void
blame(bool local, uint64_t who)
{
	struct message *m;
	uint64_t id;
	size_t i, k;
	bool alone;

	for (i = 0; i < SUSPECTS; i++) {
		if (!is_suspect_of(&self.suspects[i], local, who))
			continue;
		id = self.suspects[i].id;
		alone = false;
		for (k = i; k < SUSPECTS; k++) {
			if (self.suspects[k].id != id ||
			    !is_suspect_of(&self.suspects[k], local, who))
				continue;
			alone = alone || self.suspects[k].alone;
			self.suspects[k].id = 0;
		}
		m = schedule_find(id);
		if (m != NULL)
			accuse(m, alone);
	}
	blame_active(local, who);
}

void
deliver_relay_died(uint32_t instance, bool crashed)
{
	if (crashed)
		blame(false, instance);
}

void
deliver_owner_crashed(uint64_t account)
{
	blame(true, account);
}
