/* SPDX-License-Identifier: ISC */
#include "tests/unit/queue/script.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "tests/unit/unit.h"

enum { MARKED = 2, EXPANDED = 3, TARGETS = 3, LATE = 1500 };

/* Of the script under way. */
static struct world *w;
static struct promises *shared;
static void (*told)(void);

static void
tell(void)
{
	if (told != NULL)
		told();
}

/* ---- the script ---- */

static uint64_t
fresh_id(void)
{
	uint64_t id = spool_new_id(w->spool);

	/* An id given twice would be found here at once. */
	if (id != 0 && id <= shared->max_id)
		abort();
	if (id != 0)
		shared->max_id = id;
	return id;
}

struct sent {
	struct world_letter letter;
	struct world_result result;
	struct promise *promise;
};

static void
begin_send(struct sent *s, size_t size, uint32_t n)
{
	uint64_t id = fresh_id();
	struct promise *p = &shared->of[shared->n++];

	s->result.done = true;
	s->result.ref = NULL;
	s->promise = p;
	p->key = shared->n;
	letter_init(&s->letter, p->key, id, size, n);
	if (id == 0)
		return;
	p->id = id;
	tell();
	if (size > 32768) {
		s->letter.file = spool_body_open(w->spool, id);
		if (s->letter.file == NULL)
			return;
		if (spool_body_write(s->letter.file,
		    buf_slice(&s->letter.body)) < 0) {
			spool_body_discard(&s->letter.file);
			return;
		}
	}
	letter_commit(w, &s->letter, &s->result);
}

static struct spool_ref *
end_send(struct sent *s)
{
	world_run(w, &s->result.done);
	s->promise->acked = s->result.ref != NULL;
	tell();
	letter_fini(&s->letter);
	return s->result.ref;
}

static void
script_mark(struct spool_ref *ref, struct promise *p, uint32_t n)
{
	struct spool_status st = { .state = SPOOL_TRIED, .attempts = 1,
		.text = SLICE("4.4.1") };

	if (ref == NULL)
		return;
	p->marking = true;
	tell();
	spool_mark(w->spool, ref, MARKED, SPOOL_DONE);
	if (n > LATE)
		spool_mark(w->spool, ref, LATE, SPOOL_FAILED);
	spool_set_status(w->spool, ref, &st);
	p->marked = world_flush(w) == 0;
	tell();
}

static void
script_expand(struct spool_ref *ref, struct promise *p)
{
	static const struct spool_rcpt targets[TARGETS] = {
		{ .address = SLICE("a@b") }, { .address = SLICE("c@d") },
		{ .address = SLICE("e@f") },
	};

	if (ref == NULL)
		return;
	p->expanding = true;
	tell();
	p->expanded = world_expand(w, ref, EXPANDED, targets, TARGETS) == 0;
	tell();
}

static void
script_end(struct spool_ref *ref, struct promise *p, bool aside)
{
	if (ref == NULL)
		return;
	p->aside = aside;
	p->ending = true;
	tell();
	if (aside)
		spool_set_aside(w->spool, &ref, "the test says so");
	else
		spool_finish(w->spool, &ref);
	p->ended = world_flush(w) == 0;
	tell();
}

/* One round: every size, three at a time, then what becomes of them. */
static void
script_round(void)
{
	static const struct {
		size_t size;
		uint32_t n;
	} mail[] = { { 100, 4 }, { 50000, 4 }, { 20000, 4 }, { 10, 2000 },
		{ 6000, 4 }, { 40000, 2000 } };
	enum { COUNT = sizeof mail / sizeof *mail };
	struct spool_ref *refs[COUNT];
	struct sent sent[COUNT];
	size_t i, k;

	for (i = 0; i < COUNT; i += 3) {
		for (k = i; k < i + 3; k++)
			begin_send(&sent[k], mail[k].size, mail[k].n);
		for (k = i; k < i + 3; k++)
			refs[k] = end_send(&sent[k]);
	}
	script_mark(refs[0], sent[0].promise, mail[0].n);
	script_expand(refs[1], sent[1].promise);
	script_expand(refs[3], sent[3].promise);
	script_expand(refs[4], sent[4].promise);
	script_expand(refs[0], sent[0].promise);
	script_mark(refs[3], sent[3].promise, mail[3].n);
	script_end(refs[4], sent[4].promise, false);
	script_mark(refs[0], sent[0].promise, mail[0].n);
	script_end(refs[1], sent[1].promise, false);
	script_end(refs[2], sent[2].promise, false);
	script_end(refs[5], sent[5].promise, true);
	/* Into the slots that became free. */
	begin_send(&sent[0], 300, 4);
	begin_send(&sent[1], 7000, 4);
	(void)end_send(&sent[0]);
	script_end(end_send(&sent[1]), sent[1].promise, false);
}

void
script_run(struct world *world, struct promises *p, void (*changed)(void))
{
	uint64_t before = fsio_steps();
	int i;

	w = world;
	shared = p;
	told = changed;
	for (i = 0; i < 2; i++) {
		if (!world_open(w))
			continue;
		script_round();
		world_close(w);
	}
	shared->steps = fsio_steps() - before;
}

/* ---- what must hold afterwards ---- */

static void
check_marks(struct spool_ref *ref, const struct promise *p)
{
	struct spool_envelope e;
	struct region mem;

	region_init(&mem, 64 << 20);
	ck_assert_int_eq(spool_read_envelope(w->spool, ref, &mem, &e), 0);
	if (p->marked && e.n_first > LATE)
		ck_assert_uint_eq(e.rcpts[LATE].mark, SPOOL_FAILED);
	if (p->marked)
		ck_assert_uint_eq(e.rcpts[MARKED].mark, SPOOL_DONE);
	else if (!p->marking)
		ck_assert_uint_eq(e.rcpts[MARKED].mark, SPOOL_WAITING);
	if (p->expanded) {
		ck_assert_uint_eq(e.rcpts[EXPANDED].mark, SPOOL_EXPANDED);
		ck_assert_uint_eq(e.n_rcpts, e.n_first + TARGETS);
	} else if (!p->expanding) {
		ck_assert_uint_eq(e.n_rcpts, e.n_first);
	}
	region_fini(&mem);
}

/* How many files; `empty` removes them. */
static size_t
count_names(const char *folder, bool empty)
{
	int fd = openat(w->dir, folder, O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(fd);
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL) {
		n += e->d_name[0] != '.';
		if (empty && e->d_name[0] != '.')
			(void)unlinkat(fd, e->d_name, 0);
	}
	(void)closedir(d);
	return n;
}

static size_t
count_hashed(const char *folder)
{
	char path[32];
	size_t n = 0;
	unsigned i;

	for (i = 0; i < 256; i++) {
		(void)snprintf(path, sizeof path, "%s/%02x", folder, i);
		n += count_names(path, false);
	}
	return n;
}

static size_t
check_promises(const struct promises *ps, uint64_t step)
{
	size_t i, known = 0, aside = 0;
	const struct promise *p;
	struct world_message *m;

	for (i = 0; i < ps->n; i++) {
		p = &ps->of[i];
		m = p->id == 0 ? NULL : world_find(w, p->id);
		known += m != NULL;
		aside += p->aside;
		ck_assert_msg(m != NULL || p->ending || !p->acked,
		    "step %d: message %d is lost", (int)step, (int)i);
		ck_assert_msg(m == NULL || !p->ended,
		    "step %d: message %d is back", (int)step, (int)i);
		if (m == NULL)
			continue;
		ck_assert_msg(world_verify(w, m->ref) == p->key,
		    "step %d: message %d is torn", (int)step, (int)i);
		check_marks(m->ref, p);
	}
	ck_assert_uint_eq(known, w->n_found);
	ck_assert_uint_le(count_names("corrupt", true), aside * 3);
	return aside;
}

/* It goes on working, and comes to an end. */
static void
check_use(const struct promises *ps, uint64_t step)
{
	struct spool_ref *ref;
	int error;
	size_t i;

	if (spool_new_id(w->spool) <= ps->max_id)
		ck_abort_msg("step %d: an id is given twice", (int)step);
	ref = world_send(w, 999, 3000, 2, &error);
	ck_assert_ptr_nonnull(ref);
	spool_finish(w->spool, &ref);
	for (i = 0; i < w->n_found; i++)
		spool_finish(w->spool, &w->found[i].ref);
	ck_assert_int_eq(world_flush(w), 0);
	ck_assert_uint_eq(count_hashed("body"), 0);
	ck_assert_uint_eq(count_hashed("journal"), 0);
	world_close(w);
	ck_assert(world_open(w));
	ck_assert_uint_eq(w->n_found, 0);
	world_close(w);
}

void
script_check(struct world *world, const struct promises *ps, uint64_t step)
{
	struct spool_counts c;

	w = world;
	ck_assert_msg(world_open(w), "step %d: %s", (int)step, w->why.p);
	spool_counts(w->spool, &c);
	/* Only what was half way to corrupt/ may be found there. */
	ck_assert_msg(c.corrupt <= check_promises(ps, step),
	    "step %d: %d corrupt", (int)step, (int)c.corrupt);
	ck_assert_uint_eq(count_hashed("body"), c.bodies);
	check_use(ps, step);
}
