/* SPDX-License-Identifier: ISC */
/*
 * The schedule is a heap by boot time; on disk the next attempt is wall time,
 * so a clock that jumps moves nothing that is in memory. Neither does it make
 * mail older: ages are taken by the wall time of our start and what the boot
 * clock has counted since.
 *
 * At most `in_work` messages are loaded at a time; the rest of what is due waits
 * in line. A quarter of these places is never given to messages for other
 * hosts, which may hold theirs for many minutes.
 */
#include "queue/schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/queue_id.h"
#include "conf/conf_queue.h"
#include "queue/bounce.h"
#include "queue/deliver.h"
#include "queue/destination.h"
#include "queue/queue.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	CRASHES_MAX = 2,
	SOON_MS = 1000,
	SOON_ATTEMPTS = 5,     /* so often after a process went away */
	PARK_MS = 300000,      /* a busy destination that never calls */
	DISK_RETRY_MS = 30000,
	BEGIN_MAX = 64         /* messages read in one turn of the loop */
};

/* What is due, but has no place in work. */
enum line {
	LINE_FRESH,         /* never tried, called, or asked for by hand */
	LINE_OLD,
	LINE_REMOTE_CALLED, /* known to go to another host */
	LINE_REMOTE,
	LINE_COUNT
};

static struct {
	struct loop_timer timer;
	struct heap due;
	struct list lines[LINE_COUNT];
	unsigned turn; /* which line comes first */
	struct loop_timer next; /* somebody in line may begin */
	struct map by_id;
	size_t in_work, in_remote;
	int64_t boot_s; /* wall time of the boot, as it was at our start */
	bool stopped;
} self;

static void on_due(void *arg);
static void next_in_line(void *arg);
static void settle(struct message *m);

void
schedule_init(struct loop *l)
{
	int i;

	heap_init(&self.due);
	for (i = 0; i < LINE_COUNT; i++)
		list_init(&self.lines[i]);
	map_init(&self.by_id);
	loop_timer_init(&self.timer, l, on_due, NULL);
	loop_timer_init(&self.next, l, next_in_line, NULL);
	self.boot_s = clock_wall() - clock_boot_ms() / 1000;
}

/* Wall time that nobody sets while we live. */
static int64_t
steady_wall(void)
{
	return self.boot_s + clock_boot_ms() / 1000;
}

struct message *
schedule_find(uint64_t id)
{
	return map_get(&self.by_id, map_u64(&id));
}

struct message *
schedule_next(size_t *pos)
{
	return map_next(&self.by_id, pos, NULL);
}

size_t
schedule_count(void)
{
	return self.by_id.n;
}

size_t
schedule_in_work(void)
{
	return self.in_work;
}

static void
keep(struct message *m)
{
	if (map_put(&self.by_id, map_u64(&m->id), m, NULL) < 0)
		fatal("event=no_memory for=schedule");
}

static void
arm(void)
{
	struct heap_node *min = heap_min(&self.due);

	if (min == NULL || self.stopped)
		loop_timer_clear(&self.timer);
	else
		loop_timer_set(&self.timer, min->key);
}

static void
due_at(struct message *m, int64_t boot_ms)
{
	if (heap_set(&self.due, &m->due, boot_ms) < 0)
		fatal("event=no_memory for=schedule");
	arm();
}

/* A wall time as boot time, never so far away that a clock that was wrong
 * when it was written could stall the message. */
static int64_t
boot_of(int64_t wall_s)
{
	int64_t wait = (wall_s - clock_wall()) * 1000;
	int64_t longest = queue_conf()->retry_max * 2;

	if (wait < 0)
		wait = 0;
	if (wait > longest)
		wait = longest;
	return clock_boot_ms() + wait;
}

/* ---- into work ---- */

static void
set_aside(struct message *m, const char *why)
{
	log_error("event=corrupt id=%s why=%s", queue_id_text(m->id), LOG_S(why));
	(void)map_remove(&self.by_id, map_u64(&m->id));
	heap_remove(&self.due, &m->due);
	spool_set_aside(queue_spool(), &m->ref, why);
	message_free(&m);
}

static bool
has_place(void)
{
	return !self.stopped &&
	    self.in_work < (size_t)queue_conf()->in_work;
}

static bool
has_remote_place(void)
{
	size_t all = (size_t)queue_conf()->in_work;

	return self.in_remote < all - all / 4;
}

bool
schedule_take_remote(struct message *m)
{
	if (m->live->has_remote_place)
		return true;
	m->is_remote = true;
	if (!has_remote_place())
		return false;
	m->live->has_remote_place = true;
	self.in_remote++;
	return true;
}

static int64_t
deadline_of(const struct message *m)
{
	const struct spool_envelope *e = &m->live->env;
	int64_t age = e->groups[0].sender.n == 0
	    ? queue_conf()->max_age_bounce : queue_conf()->max_age;

	age /= 1000;
	if (e->deadline_s != 0)
		age = e->deadline_s - e->arrival_us / 1000000;
	return m->arrival_s + age;
}

/* Its envelope asks for a later time: that is written once and for all, so
 * each start and each wait cut short comes back here. */
static bool
is_for_later(const struct message *m)
{
	return m->live->env.hold_until_s > clock_wall() && !m->by_hand;
}

/* Reads it back and begins an attempt. It is in no line and not due. */
static void
begin(struct message *m)
{
	int64_t hold;

	if (message_load(queue_spool(), m) < 0) {
		if (errno == EBADMSG) {
			set_aside(m, "its file is not what it was");
			return;
		}
		/* Memory, descriptors or the disk: not the message's fault. */
		log_error("event=not_read id=%s why=%s", queue_id_text(m->id),
		    LOG_S(strerror(errno)));
		message_leave_line(m);
		due_at(m, clock_boot_ms() + DISK_RETRY_MS);
		return;
	}
	/* The clock was wrong when it came, or is now. */
	if (m->arrival_s > steady_wall())
		m->arrival_s = steady_wall();
	m->deadline_s = deadline_of(m);
	if (is_for_later(m)) {
		hold = m->live->env.hold_until_s;
		message_unload(m);
		message_leave_line(m);
		m->st.next_s = hold;
		due_at(m, boot_of(hold));
		return;
	}
	self.in_work++;
	if (m->is_remote)
		(void)schedule_take_remote(m);
	deliver_begin(m);
}

static enum line
line_of(const struct message *m)
{
	if (m->is_remote && !m->by_hand)
		return m->called ? LINE_REMOTE_CALLED : LINE_REMOTE;
	return m->called || m->by_hand || m->st.attempts == 0 ? LINE_FRESH
							      : LINE_OLD;
}

static void
ask_next(void)
{
	if (!loop_timer_is_set(&self.next))
		loop_timer_set(&self.next, clock_boot_ms());
}

static void
into_line(struct message *m)
{
	heap_remove(&self.due, &m->due);
	if (!m->called)
		message_leave_line(m);
	message_unload(m);
	list_add(&self.lines[line_of(m)], &m->waiting);
	ask_next();
}

void
schedule_called(struct message *m)
{
	list_remove(&m->waiting);
	m->called = true;
	m->waits_for->called++;
	into_line(m);
}

/* The lines take turns in coming first, so that none waits for ever; new mail
 * comes before a backlog as a rule. */
static struct message *
first_in_line(void)
{
	static const enum line order[4][LINE_COUNT] = {
		{ LINE_FRESH, LINE_REMOTE_CALLED, LINE_OLD, LINE_REMOTE },
		{ LINE_REMOTE_CALLED, LINE_REMOTE, LINE_FRESH, LINE_OLD },
		{ LINE_FRESH, LINE_REMOTE_CALLED, LINE_OLD, LINE_REMOTE },
		{ LINE_OLD, LINE_FRESH, LINE_REMOTE_CALLED, LINE_REMOTE },
	};
	struct list *first;
	enum line line;
	int i;

	self.turn++;
	for (i = 0; i < LINE_COUNT && has_place(); i++) {
		line = order[self.turn % 4][i];
		first = list_first(&self.lines[line]);
		if (first != NULL && (line < LINE_REMOTE_CALLED ||
		    has_remote_place()))
			return LIST_OF(first, struct message, waiting);
	}
	return NULL;
}

/* Not all at once: reading may wait for the disk. */
static void
next_in_line(void *arg)
{
	struct message *m;
	int n;

	(void)arg;
	for (n = 0; n < BEGIN_MAX; n++) {
		m = first_in_line();
		if (m == NULL)
			return;
		list_remove(&m->waiting);
		begin(m);
	}
	ask_next();
}

/* ---- when it is due ---- */

static bool
is_delay_due(const struct message *m)
{
	int64_t after = queue_conf()->delay_warning;

	return after > 0 && (m->st.flags & SPOOL_DELAY_TOLD) == 0 &&
	    steady_wall() >= m->arrival_s + after / 1000;
}

bool
schedule_is_late(const struct message *m)
{
	return m->deadline_s != 0 &&
	    (steady_wall() >= m->deadline_s || is_delay_due(m));
}

/* When a message that waits for room looks for itself. */
static int64_t
park_until(const struct message *m)
{
	int64_t now = clock_boot_ms(), until = now + PARK_MS;

	if (message_is_suspect(m))
		until = now + 2 * destination_alone_ms(m);
	if (m->respite != NULL && m->respite->until < until)
		until = m->respite->until;
	return until < now ? now : until;
}

/* Nothing has changed for it: it need not be read. */
static bool
waits_on(const struct message *m)
{
	return m->waits_for != NULL && !message_is_suspect(m) &&
	    !destination_may_enter(m->waits_for, m) && !schedule_is_late(m) &&
	    (m->respite == NULL || m->respite->until > clock_boot_ms());
}

static void
on_due(void *arg)
{
	int64_t now = clock_boot_ms();
	struct heap_node *min;
	struct message *m;

	(void)arg;
	while ((min = heap_min(&self.due)) != NULL && min->key <= now) {
		m = HEAP_OF(min, struct message, due);
		if (waits_on(m))
			due_at(m, park_until(m));
		else
			into_line(m);
	}
	arm();
}

void
schedule_fresh(struct message *m)
{
	keep(m);
	m->arrival_s = steady_wall();
	if (has_place() && list_first(&self.lines[LINE_FRESH]) == NULL)
		begin(m);
	else
		into_line(m);
}

void
schedule_found(struct message *m)
{
	keep(m);
	if (m->st.state != SPOOL_HELD)
		due_at(m, boot_of(m->st.next_s));
}

/* ---- out of work ---- */

static void
leave_work(struct message *m)
{
	self.in_work--;
	if (m->live->has_remote_place)
		self.in_remote--;
	m->live->has_remote_place = false;
	m->by_hand = false;
	/* It did not go where it was called to. */
	message_leave_line(m);
	/* From the loop: an attempt that ends at once must not begin the next
	 * one on its own stack. */
	ask_next();
	queue_check_stop();
}

static void
finish(struct message *m)
{
	log_info("event=done id=%s", queue_id_text(m->id));
	(void)map_remove(&self.by_id, map_u64(&m->id));
	heap_remove(&self.due, &m->due);
	spool_finish(queue_spool(), &m->ref);
	message_free(&m);
}

/* 5m, 10m, 20m … up to retry_max, each a quarter more or less. */
static int64_t
wait_of(const struct message *m)
{
	const struct conf_queue *c = queue_conf();
	int64_t wait = c->retry_min;
	uint32_t i, r = 0;

	for (i = 1; i < m->st.attempts && wait < c->retry_max; i++)
		wait *= 2;
	if (wait > c->retry_max)
		wait = c->retry_max;
	if (getrandom(&r, sizeof r, 0) != sizeof r)
		r = (uint32_t)clock_boot_us();
	return wait - wait / 4 + (int64_t)(r % 1024) * (wait / 2) / 1024;
}

static bool
is_waiting(const struct spool_rcpt *r)
{
	return r->mark == SPOOL_WAITING;
}

static void
record_next(struct message *m, int64_t wait_ms)
{
	m->st.state = m->st.state == SPOOL_HELD ? SPOOL_HELD : SPOOL_TRIED;
	m->st.next_s = clock_wall() + (wait_ms + 999) / 1000;
	spool_set_status(queue_spool(), m->ref, &m->st);
}

static void
try_later(struct message *m, int64_t wait_ms)
{
	if (wait_ms < 0)
		wait_ms = 0;
	record_next(m, wait_ms);
	message_unload(m);
	if (m->st.state != SPOOL_HELD)
		due_at(m, clock_boot_ms() + wait_ms);
}

/* Where it goes there is no room. It is called when there is; if nobody calls,
 * time does. */
static void
wait_for_room(struct message *m)
{
	struct destination *d = m->live->busy;

	m->live->busy = NULL;
	message_unload(m);
	if (m->st.state == SPOOL_HELD) {
		destination_drop(&d);
	} else if (d == NULL) {
		into_line(m); /* of those that go to a relay */
	} else {
		due_at(m, park_until(m));
		destination_wait(d, m);
	}
}

/* Past its deadline: what would have to wait on has failed. What this attempt
 * delivered, or found refused for good, stays as it is. */
static void
expire(struct message *m)
{
	struct live *l = m->live;
	struct buf text;
	uint32_t i;

	buf_init(&text, 1024);
	for (i = 0; i < l->env.n_rcpts; i++) {
		/* Delivered at the last moment, or refused: so be it. */
		if (!is_waiting(&l->env.rcpts[i]) ||
		    l->work[i].step != STEP_OVER ||
		    l->work[i].result.outcome != OUTCOME_LATER)
			continue;
		buf_reset(&text);
		buf_addf(&text, "delivery time expired; the last answer was: "
		    "%.*s", SLICE_FMT(l->work[i].result.text));
		live_result(l, i, OUTCOME_FAILED, 0,
		    (struct enhanced){ 4, 4, 7 }, buf_slice(&text),
		    l->work[i].remote);
	}
	buf_fini(&text);
}

static void
on_bounced(void *arg, bool ok)
{
	struct message *m = arg;
	struct live *l = m->live;
	uint32_t i;

	if (!ok) {
		/* No room for the bounce: nothing is marked, so that it is
		 * told later. */
		leave_work(m);
		if (m->removed)
			finish(m);
		else
			try_later(m, DISK_RETRY_MS);
		return;
	}
	for (i = 0; i < l->env.n_rcpts; i++) {
		if (is_waiting(&l->env.rcpts[i]) &&
		    l->work[i].step == STEP_OVER &&
		    l->work[i].result.outcome == OUTCOME_FAILED) {
			l->env.rcpts[i].mark = SPOOL_FAILED;
			spool_mark(queue_spool(), m->ref, i, SPOOL_FAILED);
		}
	}
	settle(m);
}

/* Is this recipient tried again at its own time, and not at once? */
static bool
is_deferred(const struct message *m, uint32_t i, bool soon)
{
	const struct rcpt_work *w = &m->live->work[i];

	return w->rests || (w->step == STEP_OVER && !(w->lost && soon));
}

/* Notes which recipients are to be left alone until then. */
static void
give_respite(struct message *m, uint32_t n, int64_t until, bool soon)
{
	struct live *l = m->live;
	struct respite *r = malloc(sizeof *r + n * sizeof *r->rcpts);
	uint32_t i;

	if (r == NULL)
		fatal("event=no_memory for=respite");
	r->until = until;
	r->n = 0;
	for (i = 0; i < l->env.n_rcpts && r->n < n; i++)
		if (is_waiting(&l->env.rcpts[i]) && is_deferred(m, i, soon))
			r->rcpts[r->n++] = i;
	free(m->respite);
	m->respite = r;
}

/* Some of it still waits. */
static void
go_on(struct message *m, bool lost)
{
	struct live *l = m->live;
	bool soon = lost && m->st.attempts <= SOON_ATTEMPTS;
	uint32_t i, waiting = 0, deferred = 0;
	bool untried = false, remote = false;
	int64_t until;

	for (i = 0; i < l->env.n_rcpts; i++) {
		if (!is_waiting(&l->env.rcpts[i]))
			continue;
		waiting++;
		remote = remote || l->work[i].account == 0;
		deferred += is_deferred(m, i, soon);
		untried = untried || (l->work[i].step == STEP_NONE &&
		    !l->work[i].rests);
	}
	m->is_remote = m->is_remote && remote;
	until = m->respite != NULL ? m->respite->until
				   : clock_boot_ms() + wait_of(m);
	if (deferred > 0 && deferred < waiting) {
		give_respite(m, deferred, until, soon);
	} else {
		free(m->respite);
		m->respite = NULL;
	}
	if (deferred == waiting) {
		try_later(m, until - clock_boot_ms());
	} else if (!untried || soon) {
		try_later(m, SOON_MS);
	} else {
		record_next(m, 0);
		wait_for_room(m);
	}
}

/* Everything of this attempt is recorded: the end, or the next time. */
static void
settle(struct message *m)
{
	struct live *l = m->live;
	bool waits = false, untried = false, lost = m->process_lost;
	uint32_t i;

	for (i = 0; i < l->env.n_rcpts; i++) {
		waits = waits || is_waiting(&l->env.rcpts[i]);
		untried = untried || (is_waiting(&l->env.rcpts[i]) &&
		    (l->work[i].step == STEP_NONE || l->work[i].untried));
	}
	untried = untried || !l->was_tried;
	leave_work(m);
	if (!waits || m->removed) {
		finish(m);
		return;
	}
	if (!lost && !untried) {
		/* It was not the message that brought a process down. */
		m->st.crashes = 0;
		m->st.flags &= (uint8_t)~SPOOL_ALONE;
		m->alone_tries = 0;
	}
	m->process_lost = false;
	if (m->st.crashes >= CRASHES_MAX)
		set_aside(m, "a process crashed on it twice");
	else
		go_on(m, lost);
}

static void
log_result(const struct message *m, uint32_t i)
{
	const struct rcpt_work *w = &m->live->work[i];
	struct buf e;

	buf_init(&e, 32);
	enhanced_add(&e, w->result.enhanced);
	log_info("event=%s id=%s to=%s remote=%s code=%d status=%s text=%s",
	    w->result.outcome == OUTCOME_DONE ? "delivered"
		: w->result.outcome == OUTCOME_LATER ? "deferred" : "failed",
	    queue_id_text(m->id), LOG_V(m->live->env.rcpts[i].address),
	    LOG_V(w->remote), w->result.code, e.p,
	    LOG_V(w->result.text));
	buf_fini(&e);
}

/* Marks what is done; says whether anything failed. */
static bool
record_results(struct message *m)
{
	struct live *l = m->live;
	bool failed = false;
	uint32_t i;

	for (i = 0; i < l->env.n_rcpts; i++) {
		if (!is_waiting(&l->env.rcpts[i]) ||
		    l->work[i].step != STEP_OVER)
			continue;
		log_result(m, i);
		if (l->work[i].result.outcome == OUTCOME_DONE) {
			l->env.rcpts[i].mark = SPOOL_DONE;
			spool_mark(queue_spool(), m->ref, i, SPOOL_DONE);
		}
		if (l->work[i].result.outcome == OUTCOME_LATER)
			message_set_text(m, l->work[i].result.text);
		failed = failed ||
		    l->work[i].result.outcome == OUTCOME_FAILED;
	}
	return failed;
}

/* Aliases that led to each other, before we took care that they do not: nobody
 * got it, and nobody was told. */
static bool
is_swallowed(const struct live *l)
{
	uint32_t i;

	for (i = 0; i < l->env.n_rcpts; i++)
		if (l->env.rcpts[i].mark != SPOOL_EXPANDED)
			return false;
	return true;
}

static void
fail_swallowed(struct live *l)
{
	uint32_t i;

	for (i = 0; i < l->env.n_first; i++) {
		l->env.rcpts[i].mark = SPOOL_WAITING;
		live_result(l, i, OUTCOME_FAILED, 554,
		    (struct enhanced){ 5, 4, 6 },
		    SLICE("the alias comes back to itself"), SLICE_NONE);
	}
}

/* Then there is nobody else who might want to be told. */
static bool
is_all_tried(const struct live *l)
{
	uint32_t i;

	for (i = 0; i < l->env.n_rcpts; i++)
		if (is_waiting(&l->env.rcpts[i]) &&
		    l->work[i].step != STEP_OVER)
			return false;
	return true;
}

void
schedule_attempt_over(struct message *m)
{
	bool failed;

	/* While some rest, it is the same attempt still. */
	if (m->respite == NULL || m->process_lost)
		m->st.attempts++;
	m->st.last_s = clock_wall();
	if (is_swallowed(m->live))
		fail_swallowed(m->live);
	if (steady_wall() >= m->deadline_s)
		expire(m);
	failed = record_results(m);
	bounce_successes(m);
	if (m->removed) {
		settle(m); /* nobody hears of what he took out */
		return;
	}
	if (is_delay_due(m) && (bounce_delay(m) || is_all_tried(m->live)))
		m->st.flags |= SPOOL_DELAY_TOLD;
	if (failed)
		bounce_failures(m, on_bounced, m);
	else
		settle(m);
}

void
schedule_postponed(struct message *m)
{
	leave_work(m);
	wait_for_room(m);
}

/* ---- crashes ---- */

void
schedule_crashed(struct message *m)
{
	m->st.crashes++;
	m->st.flags |= SPOOL_ALONE;
	log_warn("event=crash_suspect id=%s crashes=%u", queue_id_text(m->id),
	    m->st.crashes);
	if (m->st.crashes >= CRASHES_MAX && m->live == NULL) {
		set_aside(m, "a process crashed on it twice");
		return;
	}
	spool_set_status(queue_spool(), m->ref, &m->st);
	if (m->live != NULL || m->st.state == SPOOL_HELD)
		return;
	message_leave_line(m);
	due_at(m, clock_boot_ms() + SOON_MS);
}

/* ---- by the administrator ---- */

void
schedule_now(struct message *m)
{
	if (m->live != NULL || m->st.state == SPOOL_HELD)
		return;
	message_leave_line(m);
	free(m->respite);
	m->respite = NULL;
	due_at(m, clock_boot_ms());
}

void
schedule_flush(struct message *m)
{
	if (m->live == NULL && m->st.state != SPOOL_HELD)
		m->by_hand = true;
	schedule_now(m);
}

void
schedule_hold(struct message *m)
{
	m->st.state = SPOOL_HELD;
	spool_set_status(queue_spool(), m->ref, &m->st);
	heap_remove(&self.due, &m->due);
	if (m->live == NULL)
		message_leave_line(m);
	arm();
}

void
schedule_release(struct message *m)
{
	m->st.state = m->st.attempts == 0 ? SPOOL_NEW : SPOOL_TRIED;
	spool_set_status(queue_spool(), m->ref, &m->st);
	schedule_now(m);
}

void
schedule_remove(struct message *m)
{
	log_info("event=removed id=%s", queue_id_text(m->id));
	if (m->live != NULL) {
		m->removed = true; /* when its deliveries are over */
		return;
	}
	message_leave_line(m);
	finish(m);
	arm();
}

void
schedule_stop(void)
{
	self.stopped = true;
	arm();
}
