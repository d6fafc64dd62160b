/* SPDX-License-Identifier: ISC */
/*
 * The local store: opening and locking, the list of work and the commits. What
 * is asked for is done at the end of the loop's turn, in order, so that callers
 * see an asynchronous store; all commits asked for in a turn are one
 * transaction of the map. The lock file is held for the store's life: nobody
 * else has the map open, as LMDB's NOLOCK demands.
 */
#include "mda/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "mda/rows.h"
#include "sys/log.h"

enum {
	TURN_MS = 50,    /* work in one turn before others get theirs */
	RESERVE = 65536
};

struct commit {
	struct list link;
	uint64_t expected, version;
	struct store_change *changes;
	size_t n;
	struct buf bytes;
	bool durable, sync_only;
	enum store_result result;
	store_committed *done;
	void *arg;
};

void *
store_alloc(size_t n)
{
	void *p = calloc(1, n == 0 ? 1 : n);

	if (p == NULL)
		fatal("event=fatal what=store error=\"out of memory\"");
	return p;
}

char *
store_dup(struct slice s)
{
	char *p = store_alloc(s.n + 1);

	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

enum store_result
store_errno(const char *what, const char *path)
{
	int err = errno;

	if (err == ENOENT)
		return STORE_NONE;
	log_error("event=store_failed what=%s path=%s error=%s", what,
	    LOG_S(path == NULL ? "" : path), LOG_S(strerror(err)));
	return err == ENOSPC || err == EDQUOT || err == EFBIG ? STORE_FULL :
	    STORE_FAILED;
}

/* ---- the work list ---- */

static enum store_result
try_commits(struct store *s, struct commit **list, size_t n)
{
	enum store_result r = store_map_begin(s->map);
	bool durable = false;
	size_t i;

	for (i = 0; i < n && r == STORE_OK; i++) {
		durable = durable || list[i]->durable;
		list[i]->result = STORE_OK;
		if (list[i]->sync_only)
			continue;
		r = store_map_apply(s->map, list[i]->expected,
		    list[i]->changes, list[i]->n, &list[i]->version);
		if (r == STORE_STALE) {
			list[i]->result = STORE_STALE;
			r = STORE_OK;
		}
	}
	if (r == STORE_OK)
		r = store_map_commit(s->map);
	else
		store_map_abort(s->map);
	if (r == STORE_OK && durable)
		r = store_map_sync(s->map);
	if (r != STORE_OK)
		for (i = 0; i < n; i++)
			list[i]->result = r;
	return r;
}

/*
 * The last of the reserve is a file of its own, given up when a commit finds
 * no room although the map keeps some: LMDB gives the pages that a commit
 * freed to the one after the next, so a single small commit more gets it going
 * again.
 */
static void
make_reserve(struct store *s)
{
	int fd;

	if (s->has_reserve || !store_map_reserve(s->map))
		return;
	fd = openat(s->root, STORE_DIR "/reserve",
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	s->has_reserve = fallocate(fd, 0, 0, RESERVE) == 0;
	(void)close(fd);
}

static bool
release_reserve(struct store *s)
{
	if (!s->has_reserve)
		return false;
	s->has_reserve = false;
	return unlinkat(s->root, STORE_DIR "/reserve", 0) == 0;
}

static void
free_commit(struct commit *c)
{
	buf_fini(&c->bytes);
	free(c->changes);
	free(c);
}

static void
run_commits(struct store *s)
{
	struct commit **list;
	enum store_result r;
	struct list *e;
	size_t n = 0, i;

	for (e = s->commits.next; e != &s->commits; e = e->next)
		n++;
	list = store_alloc(n * sizeof(struct commit *));
	for (i = 0; i < n; i++) {
		e = list_first(&s->commits);
		list_remove(e);
		list[i] = LIST_OF(e, struct commit, link);
	}
	r = try_commits(s, list, n);
	if (r == STORE_FULL && release_reserve(s))
		r = try_commits(s, list, n);
	/* A full disk: one that asks for little may still have it. */
	if (r == STORE_FULL && n > 1)
		for (i = 0; i < n; i++)
			(void)try_commits(s, &list[i], 1);
	make_reserve(s);
	for (i = 0; i < n; i++) {
		list[i]->done(list[i]->arg, list[i]->result,
		    list[i]->result == STORE_OK && !list[i]->sync_only ?
			list[i]->version : store_map_version(s->map));
		free_commit(list[i]);
	}
	free(list);
}

static bool
has_work(const struct store *s)
{
	return !list_is_empty(&s->jobs) || !list_is_empty(&s->commits);
}

static void
run_work(struct store *s, int64_t until_ms)
{
	struct store_job *job;
	struct list *e;

	if (s->running)
		return;
	s->running = true;
	while (has_work(s)) {
		e = list_first(&s->jobs);
		if (e != NULL) {
			list_remove(e);
			job = LIST_OF(e, struct store_job, link);
			job->run(s, job);
		} else {
			run_commits(s);
		}
		if (until_ms != 0 && clock_boot_ms() > until_ms)
			break;
	}
	s->running = false;
}

static void
on_later(void *arg)
{
	struct store *s = arg;
	int64_t now = clock_boot_ms();

	run_work(s, now + TURN_MS);
	if (has_work(s))
		loop_timer_set(&s->again, now);
}

void
store_add_job(struct store *s, struct store_job *job)
{
	list_add(&s->jobs, &job->link);
	if (!s->running)
		loop_later_ask(&s->later);
}

void
store_drain(struct store *s)
{
	run_work(s, 0);
	loop_later_remove(&s->later);
	loop_timer_clear(&s->again);
}

/* ---- opening ---- */

/*
 * LMDB opens by path. In the jail our folder is where we stand; elsewhere the
 * descriptor has a path under /proc.
 */
static void
map_path(const struct store *s, struct buf *b)
{
	struct stat root, here;

	if (fstat(s->root, &root) == 0 && stat(".", &here) == 0 &&
	    root.st_dev == here.st_dev && root.st_ino == here.st_ino)
		buf_add_str(b, STORE_DIR "/map");
	else
		buf_addf(b, "/proc/self/fd/%d/" STORE_DIR "/map", s->root);
}

static int
make_dir(int root, const char *path)
{
	return mkdirat(root, path, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

static void
flush_dir(int root, const char *path)
{
	int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static int
lock(struct store *s, struct buf *why)
{
	s->lock = openat(s->root, STORE_DIR "/lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock < 0) {
		buf_addf(why, "cannot open the lock file: %s",
		    strerror(errno));
		return -1;
	}
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	buf_add_str(why, errno == EWOULDBLOCK ?
		"the mail is in use by another process" :
		"the mail cannot be locked");
	return -1;
}

/* Keeps what is left of a map for whoever wants to look at it. */
static int
set_aside(struct store *s)
{
	struct buf to;
	int rc;

	buf_init(&to, 128);
	buf_addf(&to, STORE_DIR "/map.damaged-%lld", (long long)clock_wall());
	rc = renameat(s->root, STORE_DIR "/map", s->root, to.p);
	log_error("event=map_damaged kept=%s", LOG_S(to.p));
	buf_fini(&to);
	return rc;
}

static int
open_map(struct store *s, struct buf *why)
{
	enum store_map_open r;
	struct buf path;

	buf_init(&path, 128);
	map_path(s, &path);
	r = store_map_open(path.p, &s->map);
	if (r == STORE_MAP_DAMAGED && set_aside(s) == 0)
		r = store_map_open(path.p, &s->map);
	buf_fini(&path);
	if (r == STORE_MAP_OPENED) {
		if (store_map_version(s->map) == 0)
			flush_dir(s->root, STORE_DIR);
		return 0;
	}
	if (r == STORE_MAP_NEWER)
		buf_add_str(why, "the map was made by a newer version");
	else
		buf_addf(why, "cannot open the map: %s", strerror(errno));
	return -1;
}

static int
make_dirs(struct store *s, struct buf *why)
{
	static const char *const dirs[] = { STORE_DIR, STORE_DIR "/list",
		"tmp", "new", "cur" };
	size_t i;

	for (i = 0; i < sizeof dirs / sizeof *dirs; i++)
		if (make_dir(s->root, dirs[i]) < 0) {
			buf_addf(why, "cannot make %s: %s", dirs[i],
			    strerror(errno));
			return -1;
		}
	return 0;
}

struct store *
store_open_local(struct loop *l, int dirfd, const struct store_options *o,
    struct buf *why)
{
	struct store *s = store_alloc(sizeof *s);

	s->loop = l;
	s->root = dirfd;
	s->lock = -1;
	s->o = *o;
	list_init(&s->jobs);
	list_init(&s->commits);
	list_init(&s->puts);
	map_init(&s->folders);
	buf_init(&s->lf.name, 1024);
	loop_later_init(&s->later, l, on_later, s);
	loop_timer_init(&s->again, l, on_later, s);
	if (make_dirs(s, why) < 0 || lock(s, why) < 0 ||
	    open_map(s, why) < 0) {
		store_close(&s);
		return NULL;
	}
	store_folder_clean(s);
	flush_dir(s->root, ".");
	return s;
}

int
store_reset(struct store *s)
{
	struct buf why;
	int rc;

	store_map_close(&s->map);
	if (set_aside(s) < 0)
		return -1;
	buf_init(&why, 256);
	rc = open_map(s, &why);
	if (rc < 0)
		log_error("event=store_failed what=reset error=%s",
		    LOG_S(why.p));
	buf_fini(&why);
	return rc;
}

void
store_close(struct store **sp)
{
	struct store *s = *sp;

	if (s == NULL)
		return;
	if (s->map != NULL) {
		store_drain(s);
		(void)store_map_sync(s->map);
	}
	store_map_close(&s->map);
	if (s->lock >= 0)
		(void)close(s->lock); /* after the map: the lock covers it */
	loop_later_remove(&s->later);
	loop_timer_clear(&s->again);
	stamp_fini(s);
	buf_fini(&s->lf.name);
	(void)close(s->root);
	free(s);
	*sp = NULL;
}

/* ---- the map ---- */

struct load {
	struct store_job job;
	char *from, *to;
	size_t from_n, to_n;
	store_row *row;
	store_loaded *done;
	void *arg;
};

static void
run_load(struct store *s, struct store_job *job)
{
	struct load *l = LIST_OF(job, struct load, job);
	enum store_result r;

	r = store_map_each(s->map, (struct slice){ l->from, l->from_n },
	    (struct slice){ l->to, l->to_n }, l->row, l->arg);
	l->done(l->arg, r, store_map_version(s->map));
	free(l->from);
	free(l->to);
	free(l);
}

void
store_load(struct store *s, struct slice from, struct slice to, store_row *row,
    store_loaded *done, void *arg)
{
	struct load *l = store_alloc(sizeof *l);

	l->job.run = run_load;
	l->from = store_dup(from);
	l->from_n = from.n;
	l->to = store_dup(to);
	l->to_n = to.n;
	l->row = row;
	l->done = done;
	l->arg = arg;
	store_add_job(s, &l->job);
}

enum store_result
store_get(struct store *s, struct slice key, struct buf *out)
{
	return store_map_get(s->map, key, out);
}

static void
add_commit(struct store *s, struct commit *c)
{
	list_add(&s->commits, &c->link);
	if (!s->running)
		loop_later_ask(&s->later);
}

/* Copies the changes: first all bytes, then slices of them. */
static void
copy_changes(struct commit *c, const struct store_change *changes)
{
	size_t i, at = 0;

	buf_init(&c->bytes, SIZE_MAX / 2);
	for (i = 0; i < c->n; i++) {
		buf_add_slice(&c->bytes, changes[i].key);
		if (changes[i].value.p != NULL)
			buf_add_slice(&c->bytes, changes[i].value);
	}
	if (!buf_is_ok(&c->bytes))
		fatal("event=fatal what=store error=\"out of memory\"");
	c->changes = store_alloc(c->n * sizeof *c->changes);
	for (i = 0; i < c->n; i++) {
		c->changes[i].key = (struct slice){ c->bytes.p + at,
			changes[i].key.n };
		at += changes[i].key.n;
		if (changes[i].value.p == NULL)
			continue;
		c->changes[i].value = (struct slice){ c->bytes.p + at,
			changes[i].value.n };
		at += changes[i].value.n;
	}
}

void
store_commit(struct store *s, uint64_t expected,
    const struct store_change *changes, size_t n, bool durable,
    store_committed *done, void *arg)
{
	struct commit *c = store_alloc(sizeof *c);

	c->expected = expected;
	c->n = n;
	c->durable = durable;
	c->done = done;
	c->arg = arg;
	copy_changes(c, changes);
	add_commit(s, c);
}

void
store_sync(struct store *s, store_committed *done, void *arg)
{
	struct commit *c = store_alloc(sizeof *c);

	c->durable = true;
	c->sync_only = true;
	c->done = done;
	c->arg = arg;
	copy_changes(c, NULL);
	add_commit(s, c);
}

void
store_watch(struct store *s, void (*changed)(void *arg, uint64_t version),
    void *arg)
{
	/* We are the only writer: there is nothing to tell, ever. */
	(void)s;
	(void)changed;
	(void)arg;
}

bool
store_is_low(struct store *s)
{
	return !store_map_reserve(s->map);
}
