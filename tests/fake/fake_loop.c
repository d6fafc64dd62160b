/* SPDX-License-Identifier: ISC */
#include "tests/fake/fake_loop.h"

#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "sys/loop.h"
#include "tests/fake/fake_clock.h"

enum { WATCHED_MAX = 64 };

struct loop {
	struct heap timers;
	struct list laters;
	struct loop_io *watched[WATCHED_MAX];
	bool is_stopped;
};

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	heap_init(&l->timers);
	list_init(&l->laters);
	return l;
}

void
loop_free(struct loop **l)
{
	if (*l == NULL)
		return;
	heap_fini(&(*l)->timers);
	free(*l);
	*l = NULL;
}

void
fake_loop_settle(struct loop *l)
{
	struct heap_node *min;
	struct loop_later *d;
	struct loop_timer *t;
	struct list *first;

	for (;;) {
		min = heap_min(&l->timers);
		first = list_first(&l->laters);
		if (min != NULL && min->key <= clock_boot_ms()) {
			t = HEAP_OF(min, struct loop_timer, node);
			heap_remove(&l->timers, min);
			t->expired(t->arg);
		} else if (first != NULL) {
			d = LIST_OF(first, struct loop_later, link);
			list_remove(first);
			d->run(d->arg);
		} else {
			return;
		}
	}
}

void
fake_loop_advance(struct loop *l, int64_t ms)
{
	int64_t until = clock_boot_ms() + ms;
	struct heap_node *min;

	fake_loop_settle(l);
	while ((min = heap_min(&l->timers)) != NULL && min->key <= until) {
		fake_clock_set(min->key);
		fake_loop_settle(l);
	}
	fake_clock_set(until);
	fake_loop_settle(l);
}

bool
fake_loop_ready(struct loop *l, int fd, unsigned what)
{
	struct loop_io *io;
	int i;

	for (i = 0; i < WATCHED_MAX; i++) {
		io = l->watched[i];
		if (io != NULL && io->fd == fd && (io->want & what) != 0) {
			io->ready(io->arg, io->want & what);
			return true;
		}
	}
	return false;
}

static unsigned
wanted(const struct pollfd *p, const struct loop_io *io)
{
	unsigned what = 0;

	if ((p->revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		what |= LOOP_READ;
	if ((p->revents & (POLLOUT | POLLHUP | POLLERR)) != 0)
		what |= LOOP_WRITE;
	return what & io->want;
}

bool
fake_loop_poll(struct loop *l)
{
	struct pollfd p[WATCHED_MAX];
	struct loop_io *io;
	bool did = false;
	int i;

	for (i = 0; i < WATCHED_MAX; i++) {
		io = l->watched[i];
		p[i] = (struct pollfd){ .fd = -1 };
		if (io == NULL || io->want == 0)
			continue;
		p[i].fd = io->fd;
		p[i].events = (short)(((io->want & LOOP_READ) != 0
			? POLLIN : 0) |
		    ((io->want & LOOP_WRITE) != 0 ? POLLOUT : 0));
	}
	if (poll(p, WATCHED_MAX, 0) < 0)
		abort();
	for (i = 0; i < WATCHED_MAX; i++) {
		io = l->watched[i];
		/* An earlier one's callback may have removed it. */
		if (p[i].revents == 0 || io == NULL || io->fd != p[i].fd ||
		    wanted(&p[i], io) == 0)
			continue;
		io->ready(io->arg, wanted(&p[i], io));
		did = true;
	}
	return did;
}

int64_t
fake_loop_next(const struct loop *l)
{
	struct heap_node *min = heap_min(&l->timers);

	return min == NULL ? INT64_MAX : min->key;
}

unsigned
fake_loop_timers(const struct loop *l)
{
	return (unsigned)l->timers.n;
}

void
loop_turn(struct loop *l, bool wait)
{
	struct heap_node *min = heap_min(&l->timers);

	if (wait && min != NULL && min->key > clock_boot_ms())
		fake_clock_set(min->key);
	fake_loop_settle(l);
}

void
loop_run(struct loop *l)
{
	l->is_stopped = false;
	while (!l->is_stopped &&
	    (l->timers.n > 0 || !list_is_empty(&l->laters)))
		loop_turn(l, true);
}

void
loop_stop(struct loop *l)
{
	l->is_stopped = true;
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
	int i, place = -1;

	io->want = what;
	for (i = 0; i < WATCHED_MAX; i++) {
		if (io->loop->watched[i] == io)
			return;
		if (place < 0 && io->loop->watched[i] == NULL)
			place = i;
	}
	if (place < 0)
		abort();
	io->loop->watched[place] = io;
}

void
loop_io_remove(struct loop_io *io)
{
	int i;

	io->want = 0;
	for (i = 0; i < WATCHED_MAX; i++)
		if (io->loop->watched[i] == io)
			io->loop->watched[i] = NULL;
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

int
loop_signal(struct loop *l, int signo, void (*caught)(void *arg), void *arg)
{
	(void)l;
	(void)signo;
	(void)caught;
	(void)arg;
	return 0;
}
