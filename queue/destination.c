/* SPDX-License-Identifier: ISC */
/* A map of the destinations in use. */
#include "queue/destination.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "conf/conf_queue.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "sys/log.h"

enum {
	/* Long enough for what is out to come back, as a rule; then the others
	 * have their turn for as long. Doubles up to 16 minutes. */
	ALONE_MS = 60000, ALONE_DOUBLINGS = 4,
	/* The first wait of an unreachable next hop, as a part of retry_min,
	 * which is the longest. */
	DOWN_PART = 8, DOWN_DOUBLINGS = 3
};

static struct map all;
static size_t n_relays; /* of them */

static void on_timer(void *arg);

/* ---- life ---- */

static struct destination *
destination_new(struct slice name)
{
	struct destination *d = calloc(1, sizeof *d);

	if (d == NULL || map_put(&all, name, d, NULL) < 0)
		fatal("event=no_memory for=destination");
	d->name = strndup(name.p, name.n);
	if (d->name == NULL)
		fatal("event=no_memory for=destination");
	list_init(&d->waiting);
	loop_timer_init(&d->timer, daemon_loop(), on_timer, d);
	return d;
}

struct destination *
destination_take(struct slice name, bool is_owner, uint64_t account)
{
	struct destination *d = map_get(&all, name);

	if (d == NULL) {
		d = destination_new(name);
		d->is_owner = is_owner;
		d->account = account;
	}
	d->users++;
	return d;
}

struct destination *
destination_take_relay(uint32_t instance)
{
	struct destination *d;
	char name[32];

	(void)snprintf(name, sizeof name, "*relay:%u", instance);
	d = destination_take(slice_str(name), false, 0);
	n_relays += !d->is_relay;
	d->is_relay = true;
	return d;
}

/* What is known of failures outlives those who use it. */
static void
free_unused(struct destination *d)
{
	if (d->users > 0 || d->active > 0 || loop_timer_is_set(&d->timer))
		return;
	(void)map_remove(&all, slice_str(d->name));
	n_relays -= d->is_relay;
	free(d->why);
	free(d->name);
	free(d);
}

void
destination_drop(struct destination **dp)
{
	struct destination *d = *dp;

	if (d == NULL)
		return;
	*dp = NULL;
	d->users--;
	free_unused(d);
}

size_t
destination_count(void)
{
	return all.n - n_relays;
}

struct destination *
destination_next(size_t *pos)
{
	return map_next(&all, pos, NULL);
}

/* ---- room ---- */

static bool
is_process(const struct destination *d)
{
	return d->is_owner || d->is_relay;
}

static size_t
limit_of(const struct destination *d)
{
	if (d->is_relay)
		return SIZE_MAX;
	/* Not heard of since it failed: one goes to see. */
	return d->failures > 0 ? 1 : (size_t)queue_conf()->per_destination;
}

bool
destination_has_room(const struct destination *d)
{
	return d->alone == NULL && d->active + d->called < limit_of(d);
}

bool
destination_may_enter(const struct destination *d, const struct message *m)
{
	size_t called = d->called;

	if (m->called && m->waits_for == d)
		called--;
	if (d->alone != NULL && d->alone != m)
		return false;
	if (message_is_suspect(m) && is_process(d))
		return d->active == 0;
	return d->active + called < limit_of(d);
}

void
destination_release(struct destination *d)
{
	struct list *it, *tmp;
	struct message *m;

	m = d->alone;
	if (m != NULL) {
		if (m->waits_for == d && !m->called &&
		    destination_may_enter(d, m))
			schedule_called(m);
		return;
	}
	LIST_EACH(it, tmp, &d->waiting) {
		m = LIST_OF(it, struct message, waiting);
		if (destination_may_enter(d, m))
			schedule_called(m);
		else if (d->active + d->called >= limit_of(d))
			break;
	}
}

static void
end_alone(struct destination *d)
{
	d->alone = NULL;
	loop_timer_clear(&d->timer);
}

static void
be_alone(struct destination *d, struct message *m)
{
	d->alone = m;
	loop_timer_set(&d->timer, clock_boot_ms() + destination_alone_ms(m));
}

void
destination_enter(struct destination *d, struct message *m)
{
	d->active++;
	if (is_process(d) && message_is_suspect(m))
		be_alone(d, m);
	if (m->waits_for == d && m->called) {
		m->called = false;
		d->called--;
		m->waits_for = NULL;
		destination_drop(&d);
	}
}

void
destination_leave(struct destination *d, struct message *m)
{
	d->active--;
	if (d->alone == m)
		end_alone(d);
	destination_release(d);
	free_unused(d);
}

void
destination_wait(struct destination *d, struct message *m)
{
	m->waits_for = d;
	list_add(&d->waiting, &m->waiting);
	if (message_is_suspect(m) && is_process(d) && d->alone == NULL &&
	    clock_boot_ms() >= d->not_alone_before)
		be_alone(d, m);
	destination_release(d);
}

void
destination_forget(struct message *m)
{
	struct destination *d = m->waits_for;

	if (d == NULL)
		return;
	m->waits_for = NULL;
	if (m->called)
		d->called--;
	m->called = false;
	if (d->alone == m)
		end_alone(d);
	destination_release(d);
	destination_drop(&d);
}

/* ---- crash suspects ---- */

int64_t
destination_alone_ms(const struct message *m)
{
	return (int64_t)ALONE_MS << m->alone_tries;
}

/* The others have waited long enough, whether it came to be alone or not. */
static void
alone_too_long(struct destination *d)
{
	struct message *m = d->alone;

	d->not_alone_before = clock_boot_ms() + destination_alone_ms(m);
	if (m->alone_tries < ALONE_DOUBLINGS)
		m->alone_tries++;
	d->alone = NULL;
	destination_release(d);
}

/* ---- next hops that are not to be reached ---- */

void
destination_failed(struct destination *d, struct slice why)
{
	int64_t longest = queue_conf()->retry_min, wait = longest / DOWN_PART;
	unsigned n = d->failures < DOWN_DOUBLINGS ? d->failures
						  : DOWN_DOUBLINGS;

	/* Of several that were out together one is enough. */
	if (destination_is_down(d))
		return;
	wait <<= n;
	/* A quarter more or less, so that they do not all come back at once. */
	wait += wait / 4 - (int64_t)(map_hash(slice_str(d->name)) % 1024) *
	    (wait / 2) / 1024;
	d->failures++;
	d->not_before = clock_boot_ms() + wait;
	free(d->why);
	d->why = strndup(why.p, why.n);
	loop_timer_set(&d->timer, d->not_before + longest);
}

void
destination_reached(struct destination *d)
{
	if (d->failures == 0)
		return;
	d->failures = 0;
	d->not_before = 0;
	loop_timer_clear(&d->timer);
}

bool
destination_is_down(const struct destination *d)
{
	return d->failures > 0 && clock_boot_ms() < d->not_before;
}

static void
on_timer(void *arg)
{
	struct destination *d = arg;

	if (d->alone != NULL)
		alone_too_long(d);
	else if (d->failures > 0 && d->active == 0)
		destination_reached(d);
	free_unused(d);
}
