/* SPDX-License-Identifier: ISC */
#include "tests/unit/mda/world.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/unit.h"

static int
remove_one(const char *path, const struct stat *st, int flag,
    struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void
world_make(struct world *w)
{
	const char *tmp = getenv("TMPDIR");

	*w = (struct world){ .dirfd = -1 };
	(void)snprintf(w->dir, sizeof w->dir, "%.40s/mda.XXXXXX",
	    tmp == NULL ? "/tmp" : tmp);
	ck_assert_ptr_nonnull(mkdtemp(w->dir));
	w->loop = loop_new();
	ck_assert_ptr_nonnull(w->loop);
}

void
world_drop(struct world *w)
{
	world_close(w);
	loop_free(&w->loop);
	(void)nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct opened {
	struct world *w;
	bool done;
};

static void
on_opened(void *arg, struct account *a, const char *why)
{
	struct opened *o = arg;

	o->w->a = a;
	if (a == NULL)
		(void)snprintf(o->w->why, sizeof o->w->why, "%s", why);
	o->done = true;
}

int
world_open(struct world *w)
{
	struct opened o = { w, false };

	w->dirfd = open(w->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(w->dirfd, 0);
	account_open(w->loop, w->dirfd, &w->options, on_opened, &o);
	ck_assert(!o.done);
	world_wait(w, &o.done);
	return w->a == NULL ? -1 : 0;
}

void
world_close(struct world *w)
{
	account_close(&w->a);
}

void
world_reopen(struct world *w)
{
	world_close(w);
	ck_assert_int_eq(world_open(w), 0);
}

void
world_child(struct world *w, int keep)
{
	int null = open("/dev/null", O_RDWR), fd;

	/* Each assertion leaves a note in a file that the test's parent reads:
	 * one that is killed in the middle would leave half a note. */
	for (fd = 3; fd < 256; fd++)
		if (fd != keep && fd != null && fcntl(fd, F_GETFD) >= 0)
			(void)dup2(null, fd);
	w->loop = loop_new();
	if (w->loop == NULL)
		_exit(1);
}

void
world_wait(struct world *w, const bool *done)
{
	/* A turn that waits does so after its work: also when that set it. */
	while (!*done) {
		loop_turn(w->loop, false);
		if (!*done)
			(void)usleep(200);
	}
}

void
world_settle(struct world *w)
{
	int i;

	for (i = 0; i < 100; i++)
		loop_turn(w->loop, false);
}

/* ---- files ---- */

static const char *
path_of(struct world *w, const char *path)
{
	static char buffers[4][1024];
	static unsigned turn;
	char *b = buffers[turn++ % 4];

	(void)snprintf(b, 1024, "%s/%.900s", w->dir, path);
	return b;
}

void
world_write(struct world *w, const char *path, const char *text)
{
	const char *full = path_of(w, path);
	char *dir;
	size_t i;
	FILE *f;

	for (i = strlen(w->dir) + 1; full[i] != 0; i++) {
		if (full[i] != '/')
			continue;
		dir = strndup(full, i);
		ck_assert_ptr_nonnull(dir);
		(void)mkdir(dir, 0700);
		free(dir);
	}
	f = fopen(full, "w");
	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

int
world_count(struct world *w, const char *path)
{
	DIR *d = opendir(path_of(w, path));
	const struct dirent *e;
	int n = 0;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

const char *
world_find(struct world *w, const char *path, const char *begin)
{
	DIR *d = opendir(path_of(w, path));
	const struct dirent *e;
	const char *got = NULL;
	char name[1024];

	while (d != NULL && got == NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' ||
		    strncmp(e->d_name, begin, strlen(begin)) != 0)
			continue;
		(void)snprintf(name, sizeof name, "%.300s/%.300s", path,
		    e->d_name);
		got = path_of(w, name);
	}
	if (d != NULL)
		(void)closedir(d);
	return got;
}

/* ---- calls that wait ---- */

struct result {
	bool done;
	enum mbox_result r;
	uint32_t uidvalidity, uid;
	struct mailbox *m;
	size_t n;
	uint32_t *dst;
	size_t cap;
	char *text;
};

static void
on_account(void *arg, enum mbox_result r, const char *text)
{
	struct result *x = arg;

	(void)text;
	x->r = r;
	x->done = true;
}

static enum mbox_result
wait_for(struct world *w, struct result *x)
{
	ck_assert_msg(!x->done, "called back from inside");
	world_wait(w, &x->done);
	return x->r;
}

enum mbox_result
world_create(struct world *w, const char *name)
{
	struct result x = { false };

	account_create(w->a, slice_str(name), 0, on_account, &x);
	return wait_for(w, &x);
}

enum mbox_result
world_delete(struct world *w, const char *name)
{
	struct result x = { false };

	account_delete(w->a, slice_str(name), on_account, &x);
	return wait_for(w, &x);
}

enum mbox_result
world_rename(struct world *w, const char *from, const char *to)
{
	struct result x = { false };

	account_rename(w->a, slice_str(from), slice_str(to), on_account, &x);
	return wait_for(w, &x);
}

enum mbox_result
world_subscribe(struct world *w, const char *name, bool on)
{
	struct result x = { false };

	account_subscribe(w->a, slice_str(name), on, on_account, &x);
	return wait_for(w, &x);
}

enum mbox_result
world_refresh_account(struct world *w, const char *name)
{
	struct result x = { false };

	account_refresh(w->a, slice_str(name), on_account, &x);
	return wait_for(w, &x);
}

static void
on_appended(void *arg, enum mbox_result r, uint32_t uidvalidity, uint32_t uid)
{
	struct result *x = arg;

	x->r = r;
	x->uidvalidity = uidvalidity;
	x->uid = uid;
	x->done = true;
}

struct world_added
world_append(struct world *w, const char *mailbox, const struct append *what,
    const char *text)
{
	struct append_writer *writer;
	struct result x = { false };
	enum mbox_result r;

	writer = append_begin(w->a, slice_str(mailbox), what, strlen(text),
	    &r);
	if (writer == NULL)
		return (struct world_added){ r, 0, 0 };
	append_write(writer, slice_str(text));
	append_end(&writer, on_appended, &x);
	(void)wait_for(w, &x);
	return (struct world_added){ x.r, x.uidvalidity, x.uid };
}

static void
make_text(char *to, size_t size, unsigned n)
{
	(void)snprintf(to, size, "From: a@example.test\r\n"
	    "Message-ID: <%u@example.test>\r\nSubject: %u\r\n\r\nText.\r\n",
	    n, n);
}

uint32_t
world_add(struct world *w, const char *mailbox, unsigned n)
{
	struct append what = { .sync = true };
	struct world_added got;
	char text[256];

	make_text(text, sizeof text, n);
	got = world_append(w, mailbox, &what, text);
	ck_assert_int_eq(got.r, MBOX_OK);
	return got.uid;
}

enum mbox_result
world_deliver(struct world *w, const char *mailbox, uint64_t id)
{
	struct append what = { .delivery_id = id, .delivery_group = 1 };
	char text[256];

	make_text(text, sizeof text, (unsigned)id);
	return world_append(w, mailbox, &what, text).r;
}

static void
on_mailbox(void *arg, enum mbox_result r, struct mailbox *m)
{
	struct result *x = arg;

	x->r = r;
	x->m = m;
	x->done = true;
}

struct mailbox *
world_mailbox(struct world *w, const char *name)
{
	struct result x = { false };

	mailbox_open(w->a, slice_str(name), on_mailbox, &x);
	(void)wait_for(w, &x);
	return x.r == MBOX_OK ? x.m : NULL;
}

static void
on_done(void *arg, enum mbox_result r)
{
	struct result *x = arg;

	x->r = r;
	x->done = true;
}

enum mbox_result
world_refresh(struct world *w, struct mailbox *m)
{
	struct result x = { false };

	mailbox_refresh(m, on_done, &x);
	return wait_for(w, &x);
}

static void
on_stored(void *arg, enum mbox_result r, const uint32_t *modified, size_t n)
{
	struct result *x = arg;

	(void)modified;
	x->r = r;
	x->n = n;
	x->done = true;
}

enum mbox_result
world_store(struct world *w, struct mailbox *m, const uint32_t *uids,
    size_t n, const struct flag_change *c, size_t *n_modified_r)
{
	struct result x = { false };

	mailbox_store(m, uids, n, c, on_stored, &x);
	(void)wait_for(w, &x);
	if (n_modified_r != NULL)
		*n_modified_r = x.n;
	return x.r;
}

enum mbox_result
world_flag(struct world *w, struct mailbox *m, uint32_t uid,
    enum flag_op op, uint32_t flags)
{
	struct flag_change c = { .op = op, .flags = flags };

	return world_store(w, m, &uid, 1, &c, NULL);
}

enum mbox_result
world_expunge(struct world *w, struct mailbox *m, const uint32_t *uids,
    size_t n, bool force)
{
	struct result x = { false };

	mailbox_expunge(m, uids, n, force, on_done, &x);
	return wait_for(w, &x);
}

static void
on_copied(void *arg, enum mbox_result r, uint32_t uidvalidity,
    const uint32_t *src, const uint32_t *dst, size_t n)
{
	struct result *x = arg;

	(void)src;
	x->r = r;
	x->uidvalidity = uidvalidity;
	x->n = n;
	if (x->dst != NULL && n > 0)
		memcpy(x->dst, dst, (n < x->cap ? n : x->cap) * sizeof *dst);
	x->done = true;
}

enum mbox_result
world_copy(struct world *w, struct mailbox *m, const uint32_t *uids, size_t n,
    const char *to, bool move, uint32_t *dst_r, size_t *n_r)
{
	struct result x = { .dst = dst_r, .cap = n };

	mailbox_copy(m, uids, n, slice_str(to), move, on_copied, &x);
	(void)wait_for(w, &x);
	if (n_r != NULL)
		*n_r = x.n;
	return x.r;
}

static void
on_got(void *arg, enum mbox_result r, struct slice bytes)
{
	static char text[65536];
	struct result *x = arg;

	x->r = r;
	ck_assert_uint_lt(bytes.n, sizeof text);
	if (bytes.n > 0)
		memcpy(text, bytes.p, bytes.n);
	text[bytes.n] = 0;
	x->text = text;
	x->done = true;
}

const char *
world_read(struct world *w, struct mailbox *m, uint32_t uid, uint64_t offset,
    size_t n)
{
	struct result x = { false };

	mailbox_read(m, uid, offset, n, on_got, &x);
	return wait_for(w, &x) == MBOX_OK ? x.text : NULL;
}

const char *
world_field(struct world *w, struct mailbox *m, uint32_t uid,
    enum message_field f)
{
	struct result x = { false };

	mailbox_field(m, uid, f, on_got, &x);
	return wait_for(w, &x) == MBOX_OK ? x.text : NULL;
}
