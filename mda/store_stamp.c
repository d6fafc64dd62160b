/* SPDX-License-Identifier: ISC */
/*
 * Noticing changes by other programs. A stamp is made from the times of new/
 * and cur/. Two things would fool it: our own changes move those times, and
 * two changes within one tick of the kernel's clock look like one. So after
 * each change of our own the folder's time is set to a value that no tick has
 * (the fine clock), and the stamp expected moves on, but only if the time was
 * as expected right before: whatever another program does later sets another
 * one.
 *
 * What another program does within the few microseconds between is not seen
 * until the folder is next read whole.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "mda/store_priv.h"

enum {
	TICK_NS = 20000000,   /* longer than a tick of any kernel */
	COARSE_S = 3          /* file systems with whole (even) seconds */
};

static const char *const dirs[] = { [BODY_NEW] = "new", [BODY_CUR] = "cur" };

static struct store_stamp *
find(struct store *s, const char *folder)
{
	return map_get(&s->folders, slice_str(folder));
}

static struct store_stamp *
get(struct store *s, const char *folder)
{
	struct store_stamp *f = find(s, folder);

	if (f != NULL)
		return f;
	f = store_alloc(sizeof *f);
	if (map_put(&s->folders, slice_str(folder), f, NULL) < 0) {
		free(f);
		return NULL;
	}
	return f;
}

/* Mixes the two times so that each bit counts; never 0. */
static uint64_t
mix(const int64_t times[2])
{
	uint64_t h = 1;
	size_t i;

	for (i = 0; i < 2; i++) {
		h ^= (uint64_t)times[i];
		h *= 0x9e3779b97f4a7c15;
		h ^= h >> 29;
		h *= 0xbf58476d1ce4e5b9;
		h ^= h >> 32;
	}
	return h == 0 ? 1 : h;
}

/* -1 when it cannot be read. */
static int64_t
read_time(struct store *s, const char *folder, size_t dir)
{
	struct stat st;

	if (fstatat(s->root, store_path_in(folder, dirs[dir]), &st, 0) < 0)
		return -1;
	return (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
}

static bool
read_times(struct store *s, const char *folder, int64_t times_r[2])
{
	times_r[0] = read_time(s, folder, 0);
	times_r[1] = read_time(s, folder, 1);
	return times_r[0] >= 0 && times_r[1] >= 0;
}

static int64_t
now_ns(struct timespec *ts_r)
{
	(void)clock_gettime(CLOCK_REALTIME, ts_r);
	return (int64_t)ts_r->tv_sec * 1000000000 + ts_r->tv_nsec;
}

/* Gives a folder a time that no tick has; what it is then. */
static int64_t
set_time(struct store *s, const char *folder, size_t dir)
{
	struct timespec times[2];
	int64_t now, got;

	now = now_ns(&times[1]);
	if (now % 1000000 == 0) {
		times[1].tv_nsec++;
		now++;
	}
	times[0].tv_nsec = UTIME_OMIT;
	if (s->coarse || utimensat(s->root, store_path_in(folder, dirs[dir]),
		times, 0) < 0)
		return read_time(s, folder, dir);
	if (s->fine)
		return now;
	/* Once: does the file system keep all of it? */
	got = read_time(s, folder, dir);
	s->fine = got == now;
	s->coarse = !s->fine;
	return got;
}

/* Are the times known to be those of the stamp expected? */
static bool
learn(struct store *s, const char *folder, struct store_stamp *f)
{
	if (f->expected == 0 || f->known)
		return f->known;
	f->known = read_times(s, folder, f->times) &&
	    mix(f->times) == f->expected;
	return f->known;
}

void
stamp_begin(struct store *s, const char *folder, unsigned places)
{
	struct store_stamp *f = find(s, folder);
	size_t i;

	if (f == NULL)
		return;
	f->intact = learn(s, folder, f);
	for (i = 0; i < 2 && f->intact; i++)
		if ((places >> i & 1) != 0)
			f->intact = read_time(s, folder, i) == f->times[i];
}

void
stamp_end(struct store *s, const char *folder, unsigned places)
{
	struct store_stamp *f = find(s, folder);
	size_t i;

	if (f == NULL || !f->intact)
		return;
	for (i = 0; i < 2; i++)
		if ((places >> i & 1) != 0)
			f->times[i] = set_time(s, folder, i);
	f->expected = mix(f->times);
	f->intact = false;
}

void
stamp_scan(struct store *s, const char *folder)
{
	struct store_stamp *f = get(s, folder);
	struct timespec ts;
	size_t i;

	if (f == NULL)
		return;
	f->known = read_times(s, folder, f->times);
	f->expected = 0;
	if (!f->known)
		return;
	for (i = 0; i < 2; i++)
		if (now_ns(&ts) - f->times[i] < TICK_NS)
			f->times[i] = set_time(s, folder, i);
	f->expected = mix(f->times);
}

void
store_folder_expect(struct store *s, const char *folder, uint64_t stamp)
{
	struct store_stamp *f = get(s, folder);

	if (f == NULL)
		return;
	f->expected = stamp;
	f->known = false;
}

uint64_t
store_folder_stamp(struct store *s, const char *folder)
{
	const struct store_stamp *f = find(s, folder);

	return f == NULL ? 0 : f->expected;
}

bool
store_folder_is_changed(struct store *s, const char *folder)
{
	const struct store_stamp *f = find(s, folder);
	int64_t times[2], newest;
	struct timespec ts;

	if (f == NULL || f->expected == 0 ||
	    !read_times(s, folder, times) || mix(times) != f->expected)
		return true;
	/* Times too coarse to tell: what is recent must be read again. */
	newest = times[0] > times[1] ? times[0] : times[1];
	return s->coarse &&
	    now_ns(&ts) - newest < (int64_t)COARSE_S * 1000000000;
}

void
stamp_forget(struct store *s, const char *folder)
{
	free(map_remove(&s->folders, slice_str(folder)));
}

void
stamp_rename(struct store *s, const char *from, const char *to)
{
	struct store_stamp *f = map_remove(&s->folders, slice_str(from));
	void *old = NULL;

	if (f == NULL)
		return;
	if (map_put(&s->folders, slice_str(to), f, &old) < 0)
		free(f);
	free(old);
}

void
stamp_fini(struct store *s)
{
	struct store_stamp *f;
	size_t pos = 0;

	while ((f = map_next(&s->folders, &pos, NULL)) != NULL)
		free(f);
	map_fini(&s->folders);
}
