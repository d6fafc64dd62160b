/* SPDX-License-Identifier: ISC */
/*
 * The spool as a whole: opening, starting, closing, room on the disk, the
 * memory of live messages. What it does to messages is in commit.c, changes.c,
 * flusher.c, read.c and scan.c.
 */
#include "queue/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "queue/fsio.h"
#include "queue/layout.h"
#include "queue/spool_priv.h"
#include "sys/log.h"

enum { SLAB = 1024, ROOM_MS = 1000, FDS_MIN = 16, FDS_MAX = 2048,
	TRIM_MS = 10000, SLOTS_OWN = 64, ENVELOPE_GUESS = 4096 };

struct ref_slab {
	struct ref_slab *next;
	struct spool_ref refs[SLAB];
};

/* ---- live messages ---- */

struct spool_ref *
spool_ref_new(struct spool *s)
{
	struct spool_ref *ref;
	struct ref_slab *slab;
	size_t i;

	if (s->free_refs == NULL) {
		slab = malloc(sizeof *slab);
		if (slab == NULL)
			return NULL;
		slab->next = s->slabs;
		s->slabs = slab;
		for (i = 0; i < SLAB; i++)
			spool_ref_free(s, &slab->refs[i]);
	}
	ref = s->free_refs;
	s->free_refs = ref->data;
	*ref = (struct spool_ref){ 0 };
	return ref;
}

void
spool_ref_free(struct spool *s, struct spool_ref *ref)
{
	ref->data = s->free_refs;
	s->free_refs = ref;
}

uint64_t
spool_ref_id(const struct spool_ref *r)
{
	return r->id;
}

void
spool_ref_set_data(struct spool_ref *r, void *data)
{
	r->data = data;
}

void *
spool_ref_data(const struct spool_ref *r)
{
	return r->data;
}

void
spool_status_of(const struct format_state *st, struct spool_status *status_r)
{
	*status_r = (struct spool_status){ .state = st->state,
		.flags = st->flags, .attempts = st->attempts,
		.crashes = st->crashes, .next_s = st->next_s,
		.last_s = st->last_s, .text = { st->text, st->text_n } };
}

/* ---- the pool's questions ---- */

/* Free bytes, asked of the kernel at most once a second; what was promised
 * since then is taken off. */
static int64_t
room_left(struct spool *s)
{
	int64_t now = clock_boot_ms();

	if (s->room_asked_ms == 0 || now - s->room_asked_ms >= ROOM_MS) {
		s->room = fsio_room(s->dir);
		s->room_asked_ms = now;
	}
	return s->room;
}

static bool
take_room(struct spool *s, uint64_t size, int64_t floor)
{
	int64_t room = room_left(s);

	if (room < 0 || size > (uint64_t)room ||
	    room - (int64_t)size < floor)
		return false;
	s->room -= (int64_t)size;
	return true;
}

/* A free slot takes nothing from the disk; some are kept for bounces. */
static bool
has_slot(const struct spool *s, uint64_t size, bool own)
{
	enum slot_kind kind;

	if (size > FORMAT_INSIDE)
		return false;
	kind = slot_kind_for(size + ENVELOPE_GUESS);
	return kind != SLOT_ONE &&
	    s->slots.stacks[kind].n > (own ? 0 : SLOTS_OWN);
}

bool
spool_has_room(struct spool *s, uint64_t size, bool own)
{
	if (has_slot(s, size, own))
		return true;
	return take_room(s, size, own ? s->options.min_free_bounces
				      : s->options.min_free);
}

bool
spool_is_below(struct spool *s, uint64_t floor)
{
	int64_t room = room_left(s);

	return room < 0 || (uint64_t)room < floor;
}

static bool
slots_have_room(void *arg, uint64_t bytes)
{
	struct spool *s = arg;
	int64_t room = room_left(s);

	return bytes <= (uint64_t)INT64_MAX && room >= 0 &&
	    room - (int64_t)bytes >= s->options.min_free;
}

static void
slot_removing(void *arg, enum slot_kind kind, uint32_t number)
{
	struct spool *s = arg;

	slot_fds_forget(&s->fds, kind, number);
}

static void
on_trim(void *arg)
{
	struct spool *s = arg;

	slots_trim(&s->slots, SLOT_8);
	slots_trim(&s->slots, SLOT_40);
	loop_timer_set(&s->trim, clock_boot_ms() + TRIM_MS);
}

static void
slots_changed(void *arg, enum slot_kind kind, int error)
{
	commit_slots_changed(arg, kind, error);
}

/* ---- opening ---- */

/* A quarter of what the process may open: links and bodies need the rest. */
static size_t
fds_max(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur / 4 < FDS_MIN)
		return FDS_MIN;
	return r.rlim_cur / 4 > FDS_MAX ? FDS_MAX : (size_t)r.rlim_cur / 4;
}

static int
open_ids(struct spool *s, struct buf *why)
{
	enum format_sector found = FORMAT_VALID;

	if (ids_open(&s->ids, s->dir, &found) < 0) {
		if (found == FORMAT_NEWER)
			buf_add_str(why, "the queue was made by a later "
					 "version of this program");
		else
			buf_addf(why, "cannot reserve message ids: %s",
			    strerror(errno));
		return -1;
	}
	if (found == FORMAT_BAD)
		log_warn("event=ids_lost");
	layout_give(s->dir, "ids");
	return 0;
}

static int
check_leases(struct spool *s, struct buf *why)
{
	if (body_probe(s->dir) == 0)
		return 0;
	buf_addf(why, "the queue's file system gives no file leases: %s",
	    strerror(errno));
	return -1;
}

static int
open_folder(struct spool *s, struct buf *why)
{
	s->lock = layout_lock(s->dir, why);
	if (s->lock < 0 || layout_prepare(s->dir, why) < 0)
		return -1;
	return check_leases(s, why) < 0 ? -1 : open_ids(s, why);
}

struct spool *
spool_open(struct loop *l, int dirfd, const struct spool_options *o,
    const struct spool_events *e, void *arg, struct buf *why)
{
	struct spool *s = calloc(1, sizeof *s);

	if (s == NULL) {
		buf_add_str(why, "no memory");
		return NULL;
	}
	(void)crc32c(0, "", 1); /* makes its tables before there are threads */
	*s = (struct spool){ .loop = l, .options = *o, .events = e,
		.arg = arg, .lock = -1, .ids = { .fd = -1 } };
	s->dir = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	list_init(&s->waiting);
	flusher_init(s);
	loop_timer_init(&s->trim, l, on_trim, s);
	slot_fds_init(&s->fds, s->dir, fds_max());
	slots_init(&s->slots, s->dir, o->strict, &s->jobs);
	s->slots.changed = slots_changed;
	s->slots.has_room = slots_have_room;
	s->slots.removing = slot_removing;
	s->slots.arg = s;
	if (s->dir < 0)
		buf_addf(why, "cannot open the queue's folder: %s",
		    strerror(errno));
	else if (open_folder(s, why) == 0)
		return s;
	spool_close(&s);
	return NULL;
}

int
spool_start(struct spool *s)
{
	if (jobs_init(&s->jobs, s->loop,
	    s->options.threads == 0 ? 1 : s->options.threads) < 0)
		return -1;
	s->started = true;
	ids_start(&s->ids, &s->jobs);
	loop_timer_set(&s->trim, clock_boot_ms() + TRIM_MS);
	return scan_start(s);
}

/* ---- closing ---- */

/* Commits that never got a slot. */
static void
refuse_waiting(struct spool *s)
{
	int k;

	s->numbers_known = true;
	for (k = 0; k < SLOT_ONE; k++)
		commit_slots_changed(s, (enum slot_kind)k, ESHUTDOWN);
}

static void
finish_work(struct spool *s)
{
	s->slots.stopped = true;
	if (!s->started)
		return;
	refuse_waiting(s);
	flusher_retry(s); /* for the last time */
	do {
		flusher_kick(s);
	} while (jobs_wait(&s->jobs));
	jobs_fini(&s->jobs);
}

void
spool_close(struct spool **sp)
{
	struct spool *s = *sp;
	struct ref_slab *slab;

	if (s == NULL)
		return;
	s->closing = true;
	finish_work(s);
	flusher_fini(s);
	loop_timer_clear(&s->trim);
	scan_free(s);
	slots_fini(&s->slots);
	slot_fds_fini(&s->fds);
	ids_close(&s->ids);
	while ((slab = s->slabs) != NULL) {
		s->slabs = slab->next;
		free(slab);
	}
	if (s->dir >= 0)
		(void)close(s->dir);
	if (s->lock >= 0)
		(void)close(s->lock);
	free(s);
	*sp = NULL;
}

/* ---- the rest ---- */

uint64_t
spool_new_id(struct spool *s)
{
	return ids_next(&s->ids);
}

struct spool_body *
spool_body_open(struct spool *s, uint64_t id)
{
	return body_open(s, s->dir, id);
}

void
spool_body_discard(struct spool_body **b)
{
	body_discard(b);
}

struct sync_job {
	struct job job;
	int fd, error;
	void (*done)(void *arg, int error);
	void *arg;
};

static void
sync_run(struct job *j)
{
	struct sync_job *sync = JOB_OF(j, struct sync_job);

	sync->error = fsio_syncfs(sync->fd) < 0 ? errno : 0;
}

static void
sync_done(struct job *j)
{
	struct sync_job *sync = JOB_OF(j, struct sync_job), copy = *sync;

	free(sync);
	copy.done(copy.arg, copy.error);
}

void
spool_syncfs(struct spool *s, int fd, void (*done)(void *arg, int error),
    void *arg)
{
	struct sync_job *sync = calloc(1, sizeof *sync);

	if (sync == NULL)
		fatal("no memory for a flush");
	*sync = (struct sync_job){ .fd = fd, .done = done, .arg = arg,
		.job = { .run = sync_run, .done = sync_done } };
	jobs_submit(&s->jobs, &sync->job);
}

void
spool_counts(const struct spool *s, struct spool_counts *out)
{
	*out = s->counts;
	out->slots_8 = s->slots.stacks[SLOT_8].total;
	out->slots_40 = s->slots.stacks[SLOT_40].total;
	out->free_8 = s->slots.stacks[SLOT_8].n;
	out->free_40 = s->slots.stacks[SLOT_40].n;
}
