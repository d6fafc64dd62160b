/* SPDX-License-Identifier: ISC */
#include "tests/unit/queue/world.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "queue/spool_priv.h"
#include "sys/log.h"
#include "tests/unit/unit.h"

enum { INSIDE = 32768, MEMORY = 64 << 20, ROOM = 512 << 20 };

/* ---- the spool ---- */

static void
on_found(void *arg, struct spool_ref *ref, uint64_t id,
    const struct spool_status *s)
{
	struct world *w = arg;
	struct world_message *m = &w->found[w->n_found++];

	ck_assert_uint_le(w->n_found, WORLD_MESSAGES);
	*m = (struct world_message){ .ref = ref, .id = id, .state = s->state,
		.flags = s->flags, .attempts = s->attempts,
		.crashes = s->crashes, .next_s = s->next_s,
		.last_s = s->last_s };
	if (s->text.n > 0)
		memcpy(m->text, s->text.p, s->text.n);
	m->text[s->text.n] = '\0';
}

static void
on_scanned(void *arg, uint64_t live)
{
	struct world *w = arg;

	(void)live;
	w->scanned = true;
}

static const struct spool_events events = { on_found, on_scanned };

/* In memory where there is enough: thousands of flushes are made. */
static const char *
temp_folder(void)
{
	const char *set = getenv("TMPDIR");
	struct statvfs v;

	if (set != NULL && strlen(set) < 32)
		return set;
	if (statvfs("/dev/shm", &v) == 0 &&
	    (uint64_t)v.f_bavail * v.f_frsize > (uint64_t)ROOM)
		return "/dev/shm";
	return "/tmp";
}

void
world_init(struct world *w)
{
	*w = (struct world){ .options = { .threads = 4 } };
	(void)snprintf(w->path, sizeof w->path, "%s/veredus-spool-XXXXXX",
	    temp_folder());
	ck_assert_ptr_nonnull(mkdtemp(w->path));
	w->dir = open(w->path, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(w->dir, 0);
	buf_init(&w->why, 4096);
	w->log = memfd_create("log", MFD_CLOEXEC);
	ck_assert_int_ge(w->log, 0);
	log_set_fd(dup(w->log), LOG_FORMAT_TEXT);
}

bool
world_logged(struct world *w, const char *text)
{
	static char all[1 << 20];
	ssize_t n = pread(w->log, all, sizeof all - 1, 0);

	all[n < 0 ? 0 : n] = '\0';
	return strstr(all, text) != NULL;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)kind;
	(void)f;
	return remove(path);
}

void
world_fini(struct world *w)
{
	world_close(w);
	(void)close(w->dir);
	(void)close(w->log);
	(void)nftw(w->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	buf_fini(&w->why);
}

bool
world_begin(struct world *w)
{
	buf_reset(&w->why);
	w->n_found = 0;
	w->scanned = false;
	if (w->loop == NULL)
		w->loop = loop_new();
	ck_assert_ptr_nonnull(w->loop);
	w->spool = spool_open(w->loop, w->dir, &w->options, &events, w,
	    &w->why);
	if (w->spool == NULL) {
		if (!w->keep_loop)
			loop_free(&w->loop);
		return false;
	}
	ck_assert_int_eq(spool_start(w->spool), 0);
	return true;
}

bool
world_open(struct world *w)
{
	if (!world_begin(w))
		return false;
	world_run(w, &w->scanned);
	return true;
}

void
world_close(struct world *w)
{
	if (w->spool == NULL)
		return;
	spool_close(&w->spool);
	if (!w->keep_loop)
		loop_free(&w->loop);
}

void
world_settle(struct world *w)
{
	while (jobs_wait(&w->spool->jobs))
		;
}

static int
remove_file(const char *path, const struct stat *st, int kind, struct FTW *f)
{
	(void)st;
	(void)f;
	return kind == FTW_F ? remove(path) : 0;
}

void
world_drop_slots(struct world *w)
{
	char path[80];

	(void)snprintf(path, sizeof path, "%s/cur", w->path);
	ck_assert_int_eq(nftw(path, remove_file, 16, FTW_PHYS), 0);
}

void
world_run(struct world *w, const bool *done)
{
	while (!*done)
		loop_turn(w->loop, true);
}

struct world_message *
world_find(struct world *w, uint64_t id)
{
	size_t i;

	for (i = 0; i < w->n_found; i++)
		if (w->found[i].id == id)
			return &w->found[i];
	return NULL;
}

/* ---- letters ---- */

/* Bytes that depend on key and place, so that no two sectors are the same. */
static void
fill_body(struct buf *b, uint64_t key, size_t size)
{
	uint64_t x = key * 0x9e3779b97f4a7c15U + 1;
	size_t i;

	for (i = 0; i < size; i++) {
		if (i % 8 == 0)
			x = x * 6364136223846793005U + 1442695040888963407U;
		buf_add_char(b, (char)(x >> (8 * (i % 8))));
	}
}

/* "PREFIXa-bSUFFIX" in the region. */
static struct slice
text(struct region *mem, const char *prefix, uint64_t a, uint64_t b,
    const char *suffix)
{
	char line[128];

	(void)snprintf(line, sizeof line, "%s%" PRIu64 "-%" PRIu64 "%s",
	    prefix, a, b, suffix);
	return region_slice(mem, slice_str(line));
}

static void
fill_envelope(struct world_letter *l)
{
	struct spool_envelope *e = &l->envelope;
	uint32_t i, half = l->n_rcpts / 2;

	l->rcpts = region_alloc(&l->mem, l->n_rcpts * sizeof *l->rcpts);
	ck_assert_ptr_nonnull(l->rcpts);
	for (i = 0; i < l->n_rcpts; i++) {
		l->rcpts[i] = (struct spool_rcpt){
			.address = text(&l->mem, "r", i, l->key,
			    "@example.org"),
			.orcpt = i % 3 != 0 ? SLICE_NONE
			    : text(&l->mem, "rfc822;", i, l->key, ""),
			.notify = (uint8_t)(i % 8),
		};
	}
	l->group[0] = (struct spool_group){ text(&l->mem, "s",
	    l->key, 0, "@example.net"), 0, l->n_rcpts };
	if (half > 0) {
		l->group[0].n = half;
		l->group[1] = (struct spool_group){ SLICE(""), half,
			l->n_rcpts - half };
	}
	*e = (struct spool_envelope){
		.id = l->id, .account = l->key * 3,
		.arrival_us = (int64_t)(1700000000000000 + l->key),
		.deadline_s = (int64_t)(l->key * 5),
		.hold_until_s = (int64_t)(l->key * 7),
		.body_size = l->size, .body_type = (uint8_t)(l->key % 3),
		.utf8 = l->key % 2, .ret = (uint8_t)(l->key % 3),
		.origin = (uint8_t)(l->key % 4),
		.priority = (int8_t)((int)(l->key % 19) - 9),
		.envid = text(&l->mem, "k", l->key, l->size, ""),
		.session = text(&l->mem, "session", l->key, l->id, ""),
		.client = SLICE("192.0.2.1"), .groups = l->group,
		.n_groups = half > 0 ? 2 : 1, .rcpts = l->rcpts,
		.n_rcpts = l->n_rcpts, .n_first = l->n_rcpts,
	};
}

void
letter_init(struct world_letter *l, uint64_t key, uint64_t id, size_t size,
    uint32_t n_rcpts)
{
	*l = (struct world_letter){ .key = key, .id = id, .size = size,
		.n_rcpts = n_rcpts };
	region_init(&l->mem, MEMORY);
	buf_init(&l->body, MEMORY);
	fill_body(&l->body, key, size);
	fill_envelope(l);
}

void
letter_fini(struct world_letter *l)
{
	region_fini(&l->mem);
	buf_fini(&l->body);
}

void
letter_write(struct world *w, struct world_letter *l)
{
	if (l->size <= INSIDE)
		return;
	l->file = spool_body_open(w->spool, l->id);
	ck_assert_ptr_nonnull(l->file);
	/* In two pieces: the second as a client would write it. */
	ck_assert_int_eq(spool_body_write(l->file,
	    slice_head(buf_slice(&l->body), INSIDE)), 0);
	ck_assert_int_eq(write(spool_body_writer(l->file), l->body.p + INSIDE,
	    l->size - INSIDE), (ssize_t)(l->size - INSIDE));
}

static void
on_committed(void *arg, struct spool_ref *ref, int error)
{
	struct world_result *r = arg;

	r->done = true;
	r->ref = ref;
	r->error = error;
}

void
letter_commit(struct world *w, struct world_letter *l,
    struct world_result *r)
{
	*r = (struct world_result){ 0 };
	spool_commit(w->spool, &l->envelope,
	    l->file == NULL ? buf_slice(&l->body) : SLICE_NONE, l->file,
	    on_committed, r);
}

struct spool_ref *
world_send(struct world *w, uint64_t key, size_t size, uint32_t n_rcpts,
    int *error_r)
{
	struct world_letter l;
	struct world_result r;

	letter_init(&l, key, spool_new_id(w->spool), size, n_rcpts);
	letter_write(w, &l);
	letter_commit(w, &l, &r);
	world_run(w, &r.done);
	letter_fini(&l);
	*error_r = r.error;
	return r.ref;
}

/* ---- reading back ---- */

static bool
same_envelope(const struct spool_envelope *a, const struct spool_envelope *b)
{
	uint32_t i;

	if (a->id != b->id || a->account != b->account ||
	    a->arrival_us != b->arrival_us ||
	    a->deadline_s != b->deadline_s ||
	    a->hold_until_s != b->hold_until_s ||
	    a->body_size != b->body_size || a->body_type != b->body_type ||
	    a->utf8 != b->utf8 || a->ret != b->ret ||
	    a->origin != b->origin || a->priority != b->priority ||
	    !slice_eq(a->session, b->session) ||
	    !slice_eq(a->client, b->client) || a->n_groups != b->n_groups ||
	    a->n_first != b->n_first)
		return false;
	for (i = 0; i < a->n_groups; i++)
		if (!slice_eq(a->groups[i].sender, b->groups[i].sender) ||
		    a->groups[i].first != b->groups[i].first ||
		    a->groups[i].n != b->groups[i].n)
			return false;
	for (i = 0; i < a->n_first; i++)
		if (!slice_eq(a->rcpts[i].address, b->rcpts[i].address) ||
		    !slice_eq(a->rcpts[i].orcpt, b->rcpts[i].orcpt) ||
		    a->rcpts[i].notify != b->rcpts[i].notify)
			return false;
	return true;
}

static bool
same_body(struct world *w, struct spool_ref *ref, const struct buf *want)
{
	struct buf got;
	size_t at;
	bool same;

	buf_init(&got, MEMORY);
	for (at = 0; at < want->n + 1; at += 50000)
		if (spool_read_body(w->spool, ref, at, 50000, &got) < 0)
			break;
	same = got.n == want->n && memcmp(got.p, want->p, want->n) == 0;
	buf_fini(&got);
	return same;
}

uint64_t
world_verify(struct world *w, struct spool_ref *ref)
{
	unsigned long long key = 0, size = 0;
	struct world_letter l;
	struct spool_envelope e;
	struct region mem;
	char envid[64];
	bool good;

	region_init(&mem, MEMORY);
	if (spool_read_envelope(w->spool, ref, &mem, &e) < 0) {
		region_fini(&mem);
		return 0;
	}
	(void)snprintf(envid, sizeof envid, "%.*s", SLICE_FMT(e.envid));
	if (sscanf(envid, "k%llu-%llu", &key, &size) != 2) {
		region_fini(&mem);
		return 0;
	}
	letter_init(&l, key, spool_ref_id(ref), (size_t)size, e.n_first);
	good = same_envelope(&e, &l.envelope) && same_body(w, ref, &l.body);
	letter_fini(&l);
	region_fini(&mem);
	return good ? key : 0;
}

uint64_t
world_check(struct world *w, struct spool_ref *ref)
{
	uint64_t key = world_verify(w, ref);

	ck_assert_uint_ne(key, 0);
	return key;
}

static void
on_error(void *arg, int error)
{
	struct world_result *r = arg;

	r->done = true;
	r->error = error;
}

int
world_flush(struct world *w)
{
	struct world_result r = { 0 };

	spool_flush(w->spool, on_error, &r);
	world_run(w, &r.done);
	return r.error;
}

int
world_expand(struct world *w, struct spool_ref *ref, uint32_t rcpt,
    const struct spool_rcpt *targets, uint32_t n)
{
	struct world_result r = { 0 };

	spool_expand(w->spool, ref, rcpt, targets, n, on_error, &r);
	world_run(w, &r.done);
	return r.error;
}
