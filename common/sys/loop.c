/* SPDX-License-Identifier: ISC */
/*
 * The loop on libevent: descriptors and signals are events, timers are one
 * heap with a single event for the nearest, and work for the end of the turn
 * is a list that is emptied before waiting again.
 */
#include "sys/loop.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/clock.h"

struct loop {
	struct event_base *base;
	struct event *alarm; /* wakes the wait for the nearest timer */
	struct heap timers;
	struct list laters;
	bool stopped;
};

struct signal_watch {
	void (*caught)(void *arg);
	void *arg;
	struct event *event;
};

static void
on_alarm(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg; /* run_timers() follows each wait */
}

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);
	struct event_config *cfg = event_config_new();

	if (l != NULL && cfg != NULL) {
		/* No EPOLL_USE_CHANGELIST: it loses events when a descriptor
		 * is closed and its number used again in one turn. */
		(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
		l->base = event_base_new_with_config(cfg);
	}
	if (cfg != NULL)
		event_config_free(cfg);
	if (l == NULL || l->base == NULL) {
		free(l);
		return NULL;
	}
	l->alarm = evtimer_new(l->base, on_alarm, l);
	if (l->alarm == NULL) {
		event_base_free(l->base);
		free(l);
		return NULL;
	}
	heap_init(&l->timers);
	list_init(&l->laters);
	return l;
}

void
loop_free(struct loop **lp)
{
	struct loop *l = *lp;

	if (l == NULL)
		return;
	heap_fini(&l->timers);
	event_free(l->alarm);
	event_base_free(l->base);
	free(l);
	*lp = NULL;
}

static void
run_timers(struct loop *l)
{
	int64_t now = clock_boot_ms();
	struct heap_node *min;
	struct loop_timer *t;

	while ((min = heap_min(&l->timers)) != NULL && min->key <= now) {
		t = HEAP_OF(min, struct loop_timer, node);
		heap_remove(&l->timers, min);
		t->expired(t->arg);
	}
}

static void
run_laters(struct loop *l)
{
	struct list *first;
	struct loop_later *d;

	while ((first = list_first(&l->laters)) != NULL) {
		d = LIST_OF(first, struct loop_later, link);
		list_remove(first);
		d->run(d->arg);
	}
}

void
loop_turn(struct loop *l, bool wait)
{
	struct heap_node *min;
	struct timeval tv;
	int64_t left;

	run_laters(l);
	min = heap_min(&l->timers);
	left = min == NULL ? INT64_MAX : min->key - clock_boot_ms();
	if (wait && left > 0) {
		if (min != NULL) {
			tv = (struct timeval){ left / 1000,
				left % 1000 * 1000 };
			(void)event_add(l->alarm, &tv);
		}
		(void)event_base_loop(l->base,
		    EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
		if (min != NULL)
			(void)event_del(l->alarm);
	} else {
		(void)event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	}
	run_timers(l);
	run_laters(l);
}

void
loop_run(struct loop *l)
{
	l->stopped = false;
	while (!l->stopped)
		loop_turn(l, true);
}

void
loop_stop(struct loop *l)
{
	l->stopped = true;
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;

	(void)fd;
	io->ready(io->arg, ((what & EV_READ) != 0 ? LOOP_READ : 0U) |
		((what & EV_WRITE) != 0 ? LOOP_WRITE : 0U));
}

void
loop_io_init(struct loop_io *io, struct loop *l, int fd,
    void (*ready)(void *arg, unsigned what), void *arg)
{
	*io = (struct loop_io){ .loop = l, .fd = fd, .ready = ready,
		.arg = arg };
}

void
loop_io_want(struct loop_io *io, unsigned what)
{
	short flags = EV_PERSIST;

	if (what == io->want)
		return;
	if (io->event != NULL) {
		(void)event_del(io->event);
	} else {
		io->event = event_new(io->loop->base, io->fd, 0, on_event, io);
		if (io->event == NULL)
			abort(); /* no memory for an event: master restarts us */
	}
	io->want = what;
	if (what == 0)
		return;
	if ((what & LOOP_READ) != 0)
		flags |= EV_READ;
	if ((what & LOOP_WRITE) != 0)
		flags |= EV_WRITE;
	(void)event_assign(io->event, io->loop->base, io->fd, flags, on_event,
	    io);
	if (event_add(io->event, NULL) < 0)
		abort();
}

void
loop_io_remove(struct loop_io *io)
{
	if (io->event != NULL)
		event_free(io->event);
	io->event = NULL;
	io->want = 0;
}

void
loop_timer_init(struct loop_timer *t, struct loop *l,
    void (*expired)(void *arg), void *arg)
{
	*t = (struct loop_timer){ .loop = l, .expired = expired, .arg = arg };
}

void
loop_timer_set(struct loop_timer *t, int64_t deadline_ms)
{
	if (heap_set(&t->loop->timers, &t->node, deadline_ms) < 0)
		abort();
}

void
loop_timer_clear(struct loop_timer *t)
{
	if (t->loop != NULL)
		heap_remove(&t->loop->timers, &t->node);
}

bool
loop_timer_is_set(const struct loop_timer *t)
{
	return t->node.at != 0;
}

void
loop_later_init(struct loop_later *d, struct loop *l, void (*run)(void *arg),
    void *arg)
{
	*d = (struct loop_later){ .loop = l, .run = run, .arg = arg };
}

void
loop_later_ask(struct loop_later *d)
{
	if (!list_is_in(&d->link))
		list_add(&d->loop->laters, &d->link);
}

void
loop_later_remove(struct loop_later *d)
{
	list_remove(&d->link);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct signal_watch *w = arg;

	(void)signo;
	(void)what;
	w->caught(w->arg);
}

int
loop_signal(struct loop *l, int signo, void (*caught)(void *arg), void *arg)
{
	struct signal_watch *w = calloc(1, sizeof *w);

	if (w == NULL)
		return -1;
	w->caught = caught;
	w->arg = arg;
	w->event = event_new(l->base, signo, EV_SIGNAL | EV_PERSIST, on_signal,
	    w);
	if (w->event == NULL || event_add(w->event, NULL) < 0)
		return -1; /* once at start: the caller gives up, nothing leaks */
	return 0;
}
