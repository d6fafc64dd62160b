/* SPDX-License-Identifier: ISC */
/*
 * Power cuts. The script runs once with every step recorded, and what had been
 * promised at each point. Then, for points all along the record, a folder is
 * made of what a disk could hold after a cut there, under each of FORMAT's two
 * models: any part of what was not flushed. The spool must keep the promises
 * of that point on it.
 *
 * The models are taken at their worst. Ordered: a flush makes folder changes
 * durable only when the file itself has some that are not, as ext4 does it: an
 * fdatasync of a file overwritten in place carries nothing else. Strict: each
 * folder for itself.
 */
#include "queue/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/num.h"
#include "queue/fsio.h"
#include "queue/slot.h"
#include "tests/unit/queue/script.h"
#include "tests/unit/unit.h"

enum { ENTRIES = 20000, FILES = 8000, WRITES = 64, SECTOR = 512,
	PROMISE = FSIO_OP_COUNT };

/* ---- the record ---- */

struct entry {
	int op; /* enum fsio_op, or PROMISE */
	bool begins;
	dev_t dev;
	ino_t ino;
	char path[SLOT_PATH], to[SLOT_PATH];
	char *data;
	size_t n;
	off_t offset;
	struct promises *promises;
};

static struct entry log_[ENTRIES];
static size_t n_log, n_base; /* the first n_base are the folder before */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct promises promises;
static struct world w, cut;
static ino_t root;

static struct entry *
new_entry(int op)
{
	struct entry *e = &log_[n_log++];

	if (n_log == ENTRIES)
		abort();
	*e = (struct entry){ .op = op };
	return e;
}

/* A path relative to the queue's folder, whatever folder it was given for. */
static void
set_path(char path[SLOT_PATH], int dir, const char *given)
{
	struct stat st;

	if (given == NULL)
		return;
	(void)fstat(dir, &st);
	(void)snprintf(path, SLOT_PATH, "%s%s",
	    st.st_ino == root ? "" : "tmp/", given);
}

static void
record(const struct fsio_step *s)
{
	struct entry *e;
	struct stat st;
	size_t n = 0;
	int i;

	(void)pthread_mutex_lock(&lock);
	e = new_entry((int)s->op);
	e->begins = s->begins;
	e->offset = s->offset;
	set_path(e->path, s->dir, s->path);
	set_path(e->to, s->dir, s->to);
	if (s->fd >= 0 && fstat(s->fd, &st) == 0)
		e->ino = st.st_ino;
	for (i = 0; i < s->iov_n; i++)
		e->n += s->iov[i].iov_len;
	e->data = e->n > 0 ? malloc(e->n) : NULL;
	for (i = 0; i < s->iov_n; i++) {
		if (s->iov[i].iov_len == 0)
			continue;
		memcpy(e->data + n, s->iov[i].iov_base, s->iov[i].iov_len);
		n += s->iov[i].iov_len;
	}
	(void)pthread_mutex_unlock(&lock);
}

static void
promise_changed(void)
{
	struct entry *e;

	(void)pthread_mutex_lock(&lock);
	e = new_entry(PROMISE);
	e->promises = malloc(sizeof *e->promises);
	*e->promises = promises;
	(void)pthread_mutex_unlock(&lock);
}

/* ---- the model disk ---- */

struct pending {
	const struct entry *e;
	bool out; /* on its way: any later flush makes it durable */
};

struct file {
	char *p; /* durable bytes */
	size_t n;
	struct pending pending[WRITES];
	size_t n_pending, flushing; /* how many the flush under way covers */
	bool named; /* has folder changes of its own since its last flush */
	bool grown; /* an fdatasync of it has to write tables */
};

/* One name given to a file, or taken away (file -1), in one folder. */
struct change {
	int folder; /* -1: a step of the ordered model, all folders in one */
	char path[SLOT_PATH], from[SLOT_PATH];
	int file;
};

static struct file files[FILES];
static struct {
	ino_t ino;
	int file;
} by_ino[FILES];
static int n_files, n_inos;
static struct change changes[ENTRIES];
static size_t n_changes, durable; /* ordered: the first `durable` */
static size_t flushing;		  /* n_changes when the flush began */

static bool strict;

/* Strict: per folder, which of its changes are durable. */
enum { FOLDERS = 800 };
static struct {
	char path[SLOT_PATH];
	ino_t ino;
	size_t durable, flushing; /* counted in changes[] */
} folders[FOLDERS];
static int n_folders;

static int
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - path);
	struct stat st;
	int i;

	for (i = 0; i < n_folders; i++)
		if (strlen(folders[i].path) == n &&
		    strncmp(folders[i].path, path, n) == 0)
			return i;
	ck_assert_int_lt(n_folders, FOLDERS);
	(void)snprintf(folders[i].path, SLOT_PATH, "%.*s", (int)n, path);
	ck_assert_int_eq(fstatat(w.dir, n == 0 ? "." : folders[i].path, &st,
	    0), 0);
	folders[i].ino = st.st_ino;
	folders[i].durable = folders[i].flushing = 0;
	return n_folders++;
}

static struct file *
file_of(ino_t ino)
{
	int i;

	for (i = n_inos; i-- > 0;)
		if (by_ino[i].ino == ino)
			return &files[by_ino[i].file];
	return NULL;
}

static void
add_change(const char *path, const char *from, int file)
{
	struct change *c = &changes[n_changes++];

	ck_assert_uint_lt(n_changes, ENTRIES);
	*c = (struct change){ .folder = folder_of(path), .file = file };
	(void)snprintf(c->path, SLOT_PATH, "%s", path);
	(void)snprintf(c->from, SLOT_PATH, "%s", from);
}

/* What a name stands for, all changes done. -1 for nothing. */
static int
lookup(const char *path)
{
	size_t i;

	for (i = n_changes; i-- > 0;) {
		if (strcmp(changes[i].path, path) == 0)
			return changes[i].file;
		if (strcmp(changes[i].from, path) == 0)
			return -1;
	}
	return -1;
}

static void
put_bytes(struct file *f, const char *p, size_t n, size_t at)
{
	if (at + n > f->n) {
		f->p = realloc(f->p, at + n);
		ck_assert_ptr_nonnull(f->p);
		memset(f->p + f->n, 0, at + n - f->n);
		f->n = at + n;
	}
	if (n > 0)
		memcpy(f->p + at, p, n);
}

/* The first `n` pending writes are durable. */
static void
settle(struct file *f, size_t n)
{
	const struct entry *e;
	size_t i;

	for (i = 0; i < n; i++) {
		e = f->pending[i].e;
		if (e->op == FSIO_TRUNCATE)
			f->n = (size_t)e->offset < f->n ? (size_t)e->offset
							: f->n;
		else
			put_bytes(f, e->data, e->n, (size_t)e->offset);
	}
	f->n_pending -= n;
	memmove(f->pending, f->pending + n,
	    f->n_pending * sizeof *f->pending);
}

/* An empty disk cache: what was written out is durable too. */
static void
settle_out(void)
{
	size_t n;
	int i;

	for (i = 0; i < n_files; i++) {
		for (n = 0; n < files[i].n_pending &&
		    files[i].pending[n].out; n++)
			;
		settle(&files[i], n);
	}
}

static void
begin_flush(const struct entry *e, struct file *f)
{
	int i;

	flushing = n_changes;
	if (f != NULL)
		f->flushing = f->n_pending;
	for (i = 0; i < n_folders; i++)
		if (folders[i].ino == e->ino)
			folders[i].flushing = n_changes;
}

/*
 * Flushes of several threads overlap; only what each covered when it began is
 * durable. `flushing` of the ordered model is then that of the latest to begin,
 * which may be too much: so it is kept with the file.
 */
static void
end_flush(const struct entry *e, struct file *f, size_t covered)
{
	bool tables;
	int i;

	if (f != NULL) {
		tables = e->op == FSIO_FSYNC ? f->named || f->grown : f->grown;
		settle(f, f->flushing < f->n_pending ? f->flushing
						     : f->n_pending);
		if (tables && covered > durable)
			durable = covered;
		f->named = f->named && e->op != FSIO_FSYNC;
		f->grown = false;
	}
	for (i = 0; i < n_folders; i++) {
		if (folders[i].ino != e->ino)
			continue;
		folders[i].durable = folders[i].flushing;
		if (covered > durable)
			durable = covered;
	}
	settle_out();
}

static void
new_file(const struct entry *e)
{
	ck_assert_int_lt(n_files, FILES);
	files[n_files] = (struct file){ .named = true, .grown = true };
	by_ino[n_inos].ino = e->ino;
	by_ino[n_inos++].file = n_files;
	add_change(e->path, "", n_files++);
}

static void
add_pending(const struct entry *e)
{
	struct file *f = file_of(e->ino);

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_lt(f->n_pending, WRITES);
	f->pending[f->n_pending++] = (struct pending){ e, false };
	if (e->op == FSIO_TRUNCATE || (size_t)e->offset + e->n > f->n)
		f->grown = true;
}

/* One entry happens. covered[]: by the flush of each entry, when it began. */
static void
play(size_t k)
{
	static size_t covered[FILES];
	const struct entry *e = &log_[k];
	struct file *f = e->ino == 0 ? NULL : file_of(e->ino);
	size_t i;
	int at;

	switch (e->op) {
	case FSIO_CREATE:
		new_file(e);
		break;
	case FSIO_WRITE:
	case FSIO_TRUNCATE:
		add_pending(e);
		break;
	case FSIO_RENAME:
		at = lookup(e->path);
		ck_assert_int_ge(at, 0);
		files[at].named = true;
		add_change(e->to, e->path, at);
		break;
	case FSIO_UNLINK:
		add_change(e->path, "", -1);
		break;
	case FSIO_WRITE_OUT:
		for (i = 0; f != NULL && i < f->n_pending; i++)
			f->pending[i].out = true;
		break;
	case FSIO_FDATASYNC:
	case FSIO_FSYNC:
		at = f == NULL ? 0 : (int)(f - files);
		if (e->begins) {
			begin_flush(e, f);
			covered[at] = flushing;
		} else {
			end_flush(e, f, covered[at]);
		}
		break;
	default:
		break;
	}
}

static void
reset(void)
{
	int i;

	for (i = 0; i < n_files; i++)
		free(files[i].p);
	n_files = n_inos = n_folders = 0;
	n_changes = durable = 0;
}

/* ---- a folder as the disk may hold it ---- */

static unsigned seed;

static unsigned
chance(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

/* Some sectors of a write that was not flushed. */
static void
tear(struct file *f, const struct entry *e)
{
	size_t at, n, mode = chance(4);

	for (at = 0; at < e->n; at += n) {
		n = SECTOR - ((size_t)e->offset + at) % SECTOR;
		n = n < e->n - at ? n : e->n - at;
		if (mode == 0 || (mode > 1 && chance(2) == 0))
			put_bytes(f, e->data + at, n, (size_t)e->offset + at);
	}
}

static void
write_file(const char *path, const struct file *from)
{
	struct file f = { 0 };
	size_t i;
	int fd;

	put_bytes(&f, from->p, from->n, 0);
	for (i = 0; i < from->n_pending; i++) {
		if (from->pending[i].e->op == FSIO_WRITE)
			tear(&f, from->pending[i].e);
		else if (chance(2) == 0 &&
		    (size_t)from->pending[i].e->offset < f.n)
			f.n = (size_t)from->pending[i].e->offset;
	}
	fd = openat(cut.dir, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, f.p, f.n), (ssize_t)f.n);
	(void)close(fd);
	free(f.p);
}

/* Which changes of names this cut leaves: a prefix, or one per folder. A
 * rename is a change of two folders, and each may have its part alone. */
static void
build(void)
{
	static size_t kept[FOLDERS];
	static struct {
		char path[SLOT_PATH];
		int file;
	} names[FILES];
	size_t all, i, k, n = 0;
	const struct change *c;
	int f;

	for (f = 0; f < n_folders; f++)
		kept[f] = folders[f].durable +
		    chance((unsigned)(n_changes - folders[f].durable) + 1);
	all = durable + chance((unsigned)(n_changes - durable) + 1);
	for (i = 0; i < n_changes; i++) {
		c = &changes[i];
		for (k = 0; k < n; k++) {
			if (strcmp(names[k].path, c->from) == 0 && (strict
			    ? i < kept[folder_of(c->from)] : i < all))
				names[k].file = -1;
			if (strcmp(names[k].path, c->path) == 0 && (strict
			    ? i < kept[c->folder] : i < all))
				break;
		}
		if (strict ? i >= kept[c->folder] : i >= all)
			continue;
		if (k == n) {
			ck_assert_uint_lt(n, FILES);
			(void)snprintf(names[n++].path, SLOT_PATH, "%s",
			    c->path);
		}
		names[k].file = c->file;
	}
	for (k = 0; k < n; k++)
		if (names[k].file >= 0)
			write_file(names[k].path, &files[names[k].file]);
}

static void
empty_folder(const char *path)
{
	DIR *d = fdopendir(openat(cut.dir, path, O_RDONLY | O_DIRECTORY));
	struct dirent *e;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
}

static void
empty_cut(void)
{
	static const char *const hashed[] = { "cur", "body", "journal" };
	char path[SLOT_PATH];
	unsigned i, k;

	for (i = 0; i < 3; i++) {
		for (k = 0; k < 256; k++) {
			(void)snprintf(path, sizeof path, "%s/%02x",
			    hashed[i], k);
			empty_folder(path);
		}
	}
	empty_folder("tmp");
	empty_folder("corrupt");
	(void)unlinkat(cut.dir, "ids", 0);
}

/* ---- recording and walking ---- */

/* The files that are there before the script, as if just made and flushed. */
static void
record_base(const char *folder)
{
	DIR *d = fdopendir(openat(w.dir, folder, O_RDONLY | O_DIRECTORY));
	struct dirent *d_e;
	struct entry *e;
	struct stat st;

	ck_assert_ptr_nonnull(d);
	while ((d_e = readdir(d)) != NULL) {
		ck_assert_int_eq(fstatat(dirfd(d), d_e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW), 0);
		if (!S_ISREG(st.st_mode))
			continue;
		e = new_entry(FSIO_CREATE);
		e->ino = st.st_ino;
		(void)snprintf(e->path, SLOT_PATH, "%s%s%.40s",
		    strcmp(folder, ".") == 0 ? "" : folder,
		    strcmp(folder, ".") == 0 ? "" : "/", d_e->d_name);
		if (st.st_size == 0)
			continue;
		e = new_entry(FSIO_WRITE);
		e->ino = st.st_ino;
		e->n = (size_t)st.st_size;
		e->data = malloc(e->n);
		ck_assert_int_eq(pread(openat(dirfd(d), d_e->d_name, O_RDONLY),
		    e->data, e->n, 0), (ssize_t)e->n);
	}
	(void)closedir(d);
}

static void
record_script(void)
{
	char path[SLOT_PATH];
	struct stat st;
	unsigned i;

	ck_assert_int_eq(fstat(w.dir, &st), 0);
	root = st.st_ino;
	record_base(".");
	for (i = 0; i < 256; i++) {
		(void)snprintf(path, sizeof path, "cur/%02x", i);
		record_base(path);
	}
	n_base = n_log;
	fsio_watch(record);
	script_run(&w, &promises, promise_changed);
	fsio_watch(NULL);
}

static void
play_base(void)
{
	size_t k;
	int i;

	for (k = 0; k < n_base; k++)
		play(k);
	for (i = 0; i < n_files; i++) {
		settle(&files[i], files[i].n_pending);
		files[i].named = files[i].grown = false;
	}
	durable = n_changes;
	for (i = 0; i < n_folders; i++)
		folders[i].durable = n_changes;
}

/* A cut after entry `upto`. */
static void
check_cut(size_t upto, const struct promises *at)
{
	empty_cut();
	build();
	script_check(&cut, at, upto);
}

/* More when asked for: each leaves other parts of what was not flushed. */
static size_t
rounds(void)
{
	const char *asked = getenv("POWER_ROUNDS");
	uint64_t n = 1;

	if (asked != NULL)
		ck_assert_int_eq(num_parse(slice_str(asked), 1, 1000, &n), 0);
	return (size_t)n;
}

START_TEST(power_cuts)
{
	static const struct promises none;
	const struct promises *at;
	size_t k, round;

	strict = w.options.strict = cut.options.strict = _i % 2 == 1;
	seed = (unsigned)_i;
	record_script();
	for (round = 0; round < rounds(); round++) {
		at = &none;
		reset();
		play_base();
		for (k = n_base; k < n_log; k++) {
			play(k);
			if (log_[k].op == PROMISE)
				at = log_[k].promises;
			else
				check_cut(k, at);
		}
	}
	ck_assert_uint_gt(n_log - n_base, 400);
}
END_TEST

static void
set_up(void)
{
	world_init(&w);
	ck_assert(world_open(&w));
	world_close(&w);
	world_drop_slots(&w);
	world_init(&cut);
	ck_assert(world_open(&cut));
	world_close(&cut);
}

static void
tear_down(void)
{
	world_fini(&w);
	world_fini(&cut);
}

Suite *suite_power(void);

Suite *
suite_power(void)
{
	Suite *suite = suite_create("power");
	TCase *tc = tcase_create("cuts");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 900);
	tcase_add_loop_test(tc, power_cuts, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}
