/* SPDX-License-Identifier: ISC */
/*
 * A stack per kind. Making goes in chunks, so that whoever waits for a slot at
 * the first start has one after milliseconds, and by several threads, since it
 * is one flush after another; each time the pool runs low the next step is
 * twice as large.
 */
#include "queue/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "sys/log.h"

enum { SIZE_MAX_KIND = 40960 };

static const struct {
	size_t first_step, last_step;
} steps[SLOT_ONE] = {
	[SLOT_8] = { 32, 2048 },
	[SLOT_40] = { 16, 512 },
};

/* No fewer than that many free ones are kept. */
static const size_t keep[SLOT_ONE] = {
	[SLOT_8] = 8192,
	[SLOT_40] = 1024,
};

void
slots_init(struct slots *p, int dir, bool strict, struct jobs *jobs)
{
	int k, i;

	*p = (struct slots){ .dir = dir, .strict = strict, .jobs = jobs,
		.next = 1 };
	for (k = 0; k < SLOT_ONE; k++) {
		p->stacks[k].step = steps[k].first_step;
		for (i = 0; i < SLOTS_MAKERS; i++)
			p->stacks[k].makers[i] = (struct slot_maker){
				.slots = p, .kind = (enum slot_kind)k };
	}
}

void
slots_fini(struct slots *p)
{
	int k;

	for (k = 0; k < SLOT_ONE; k++)
		free(p->stacks[k].slots);
}

void
slots_saw(struct slots *p, uint32_t number)
{
	if (number >= p->next)
		p->next = (uint64_t)number + 1;
}

int
slots_take(struct slots *p, enum slot_kind kind, struct slot *slot_r)
{
	struct slot_stack *s = &p->stacks[kind];

	if (s->n == 0)
		return -1;
	*slot_r = s->slots[--s->n];
	return 0;
}

void
slots_put(struct slots *p, const struct slot *slot)
{
	struct slot_stack *s = &p->stacks[slot->kind];
	struct slot *grown;
	size_t cap;

	if (s->n == s->cap) {
		cap = s->cap == 0 ? 64 : s->cap * 2;
		grown = realloc(s->slots, cap * sizeof *grown);
		if (grown == NULL)
			return; /* found again at the next start */
		s->slots = grown;
		s->cap = cap;
	}
	s->slots[s->n++] = *slot;
}

void
slots_count(struct slots *p, enum slot_kind kind, int by)
{
	if (kind != SLOT_ONE)
		p->stacks[kind].total += (uint64_t)(int64_t)by;
}

uint32_t
slots_number(struct slots *p)
{
	return p->next > UINT32_MAX ? 0 : (uint32_t)p->next++;
}

/* ---- making, in a thread ---- */

/* One file under tmp/, whole and flushed. */
static int
make_one(const struct slots *p, enum slot_kind kind, uint32_t number)
{
	static char zeros[SIZE_MAX_KIND];
	struct format_state st = { .generation = 1 };
	unsigned char sector[FORMAT_SECTOR];
	struct iovec iov[2] = {
		{ sector, sizeof sector },
		{ zeros, (size_t)slot_size(kind) - sizeof sector },
	};
	int fd, result, error;
	char path[SLOT_PATH];

	format_state_put(&st, sector);
	slot_tmp_path(kind, number, path);
	fd = fsio_create(p->dir, path, O_RDWR);
	if (fd < 0)
		return -1;
	result = fsio_pwritev(fd, iov, 2, 0);
	if (result == 0)
		result = fsio_fsync(fd);
	error = errno;
	(void)close(fd);
	if (result < 0)
		(void)!fsio_unlink(p->dir, path);
	errno = error;
	return result;
}

static int
move_one(const struct slots *p, enum slot_kind kind, uint32_t number)
{
	char from[SLOT_PATH], to[SLOT_PATH], folder[SLOT_PATH];

	slot_tmp_path(kind, number, from);
	slot_path(kind, number, to);
	slot_dir(number, folder);
	if (fsio_rename_new(p->dir, from, to) < 0)
		return -1;
	return p->strict ? fsio_fsync_dir(p->dir, folder) : 0;
}

static void
make_run(struct job *j)
{
	struct slot_maker *m = JOB_OF(j, struct slot_maker);
	const struct slots *p = m->slots;
	char folder[SLOT_PATH];
	unsigned i, n = 0;

	m->error = 0;
	m->made = 0;
	while (n < m->want && make_one(p, m->kind, m->first + n) == 0)
		n++;
	if (n < m->want)
		m->error = errno;
	for (i = 0; i < n; i++)
		if (move_one(p, m->kind, m->first + i) < 0)
			break;
	if (i < n)
		m->error = errno;
	/* Under the ordered model one flush carries all the names. */
	slot_dir(m->first + i - 1, folder);
	if (i > 0 && !p->strict && fsio_fsync_dir(p->dir, folder) < 0) {
		m->error = errno;
		i = 0;
	}
	m->made = i;
}

/* ---- making, in the loop ---- */

static void begin_chunks(struct slots *p, struct slot_stack *s);

static void
make_done(struct job *j)
{
	struct slot_maker *m = JOB_OF(j, struct slot_maker);
	struct slots *p = m->slots;
	struct slot_stack *s = &p->stacks[m->kind];
	struct slot slot = { .generation = 1, .kind = (uint8_t)m->kind };
	unsigned i;

	m->busy = false;
	s->making -= m->want;
	s->total += m->made;
	for (i = m->made; i-- > 0;) {
		slot.number = m->first + i;
		slots_put(p, &slot);
	}
	if (m->error != 0) {
		log_warn("event=slots_failed size=%u made=%u error=%s",
		    (unsigned)slot_size(m->kind), m->made,
		    LOG_S(strerror(m->error)));
		s->to_make = 0;
	}
	p->changed(p->arg, m->kind, m->error);
	begin_chunks(p, s);
}

static void
begin_chunk(struct slots *p, struct slot_stack *s, struct slot_maker *m)
{
	m->want = s->to_make < SLOTS_CHUNK ? (unsigned)s->to_make : SLOTS_CHUNK;
	m->first = (uint32_t)p->next;
	p->next += m->want;
	s->to_make -= m->want;
	s->making += m->want;
	m->busy = true;
	m->job.run = make_run;
	m->job.done = make_done;
	jobs_submit(p->jobs, &m->job);
}

static void
begin_chunks(struct slots *p, struct slot_stack *s)
{
	int i;

	if (p->next + s->to_make > UINT32_MAX || p->stopped)
		s->to_make = 0;
	for (i = 0; i < SLOTS_MAKERS && s->to_make > 0; i++)
		if (!s->makers[i].busy)
			begin_chunk(p, s, &s->makers[i]);
}

int
slots_make(struct slots *p, enum slot_kind kind)
{
	struct slot_stack *s = &p->stacks[kind];

	if (s->to_make > 0 || s->making > s->step / 2)
		return 0;
	s->to_make = s->step;
	s->step *= 2;
	if (s->step > steps[kind].last_step)
		s->step = steps[kind].last_step;
	/* On a full disk only what somebody waits for. */
	if (!p->has_room(p->arg, s->to_make * slot_size(kind)))
		s->to_make = s->making > 0 ? 0 : 1;
	begin_chunks(p, s);
	errno = p->stopped ? ESHUTDOWN : ENOSPC;
	return s->making > 0 ? 0 : -1;
}

void
slots_tend(struct slots *p, enum slot_kind kind)
{
	struct slot_stack *s = &p->stacks[kind];

	if (s->n < s->step / 4 &&
	    p->has_room(p->arg, s->step * slot_size(kind)))
		(void)!slots_make(p, kind);
}

/* ---- removing ---- */

static void
trim_run(struct job *j)
{
	struct slot_remover *r = JOB_OF(j, struct slot_remover);
	char path[SLOT_PATH];

	for (; r->removed < r->n; r->removed++) {
		slot_path(r->kind, r->numbers[r->removed], path);
		/* One that comes back after a power cut is free again. */
		if (fsio_unlink(r->slots->dir, path) < 0)
			return;
	}
}

static void
trim_done(struct job *j)
{
	struct slot_remover *r = JOB_OF(j, struct slot_remover);

	if (r->removed < r->n)
		log_warn("event=slots_kept size=%u n=%zu",
		    (unsigned)slot_size(r->kind), r->n - r->removed);
	free(r);
}

void
slots_trim(struct slots *p, enum slot_kind kind)
{
	struct slot_stack *s = &p->stacks[kind];
	struct slot_remover *r;
	size_t i;

	if (p->stopped || s->n < keep[kind] + SLOTS_TRIM ||
	    s->n < s->total / 4 * 3)
		return;
	r = calloc(1, sizeof *r);
	if (r == NULL)
		return;
	*r = (struct slot_remover){ .slots = p, .kind = kind, .n = SLOTS_TRIM,
		.job = { .run = trim_run, .done = trim_done } };
	for (i = 0; i < r->n; i++) {
		r->numbers[i] = s->slots[i].number;
		p->removing(p->arg, kind, r->numbers[i]);
	}
	s->n -= r->n;
	s->total -= r->n;
	memmove(s->slots, s->slots + r->n, s->n * sizeof *s->slots);
	jobs_submit(p->jobs, &r->job);
}
