/* SPDX-License-Identifier: ISC */
/*
 * What every implementation of the store promises. Another one is tested by
 * another line in `stores`.
 */
#include "mda/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mda/letters.h"
#include "sys/loop.h"
#include "tests/unit/mda/world.h"
#include "tests/unit/unit.h"

static struct world w;
static struct store *s;
static struct store_options options;

static void
open_local(void)
{
	struct buf why;
	int fd = open(w.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	buf_init(&why, 1000);
	s = store_open_local(w.loop, fd, &options, &why);
	ck_assert_msg(s != NULL, "%s", why.p);
	buf_fini(&why);
}

static void (*const stores[])(void) = { open_local };

static void
setup(void)
{
	world_make(&w);
	options = (struct store_options){ false };
	stores[0]();
}

static void
teardown(void)
{
	store_close(&s);
	world_drop(&w);
}

static void
reopen(void)
{
	store_close(&s);
	stores[0]();
}

/* ---- waiting ---- */

struct seen {
	bool done;
	enum store_result r;
	uint64_t version, size;
	char text[1024];
	unsigned n;
};

static void
on_committed(void *arg, enum store_result r, uint64_t version)
{
	struct seen *x = arg;

	x->r = r;
	x->version = version;
	x->done = true;
}

static struct seen *
wait_for(struct seen *x)
{
	ck_assert_msg(!x->done, "called back from inside");
	world_wait(&w, &x->done);
	return x;
}

static struct seen
commit(uint64_t expected, const char *key, const char *value)
{
	struct store_change c = { slice_str(key), slice_str(value) };
	struct seen x = { .done = false };

	store_commit(s, expected, &c, 1, true, on_committed, &x);
	return *wait_for(&x);
}

static bool
on_row(void *arg, struct slice key, struct slice value)
{
	struct seen *x = arg;
	size_t n = strlen(x->text);

	if (key.p[0] == 'V')
		return true;
	(void)snprintf(x->text + n, sizeof x->text - n, "%.*s=%.*s ",
	    SLICE_FMT(key), SLICE_FMT(value));
	return ++x->n < 3;
}

static struct seen
load(const char *from, const char *to)
{
	struct seen x = { .done = false };

	store_load(s, slice_str(from), slice_str(to), on_row, on_committed,
	    &x);
	return *wait_for(&x);
}

static void
on_put(void *arg, enum store_result r, struct slice id, uint64_t size)
{
	struct seen *x = arg;

	x->r = r;
	x->size = size;
	(void)snprintf(x->text, sizeof x->text, "%.*s", SLICE_FMT(id));
	x->done = true;
}

static struct seen
put(const char *folder, const char *base, const char *text, uint32_t letters)
{
	struct seen x = { .done = false };
	struct store_put *p;

	p = store_put_begin(s, folder, slice_str(base), 1000);
	if (p == NULL)
		return (struct seen){ .r = STORE_FAILED };
	store_put_write(p, slice_str(text));
	store_put_end(&p, true, letters, NULL, on_put, &x);
	return *wait_for(&x);
}

static void
on_done(void *arg, enum store_result r)
{
	struct seen *x = arg;

	x->r = r;
	x->done = true;
}

static void
on_got(void *arg, enum store_result r, struct slice bytes)
{
	struct seen *x = arg;

	x->r = r;
	(void)snprintf(x->text, sizeof x->text, "%.*s", SLICE_FMT(bytes));
	x->done = true;
}

static struct store_body
body(const char *folder, const char *id)
{
	return (struct store_body){ .folder = folder, .id = slice_str(id),
		.place = BODY_NEW };
}

static struct seen
get(const char *folder, const char *id, bool crlf, uint64_t offset, size_t n)
{
	struct store_body b = body(folder, id);
	struct seen x = { .done = false };

	store_get_body(s, &b, crlf, offset, n, on_got, &x);
	return *wait_for(&x);
}

static bool
on_found(void *arg, const struct store_entry *e)
{
	struct seen *x = arg;

	x->n++;
	x->size += e->letters;
	return true;
}

static struct seen
scan(const char *folder)
{
	struct seen x = { .done = false };

	store_folder_scan(s, folder, on_found, on_committed, &x);
	return *wait_for(&x);
}

/* ---- the map ---- */

START_TEST(compares_and_sets)
{
	struct buf value;

	ck_assert_uint_eq(load("a", "z").version, 0);
	ck_assert_int_eq(commit(0, "a1", "one").r, STORE_OK);
	ck_assert_int_eq(commit(0, "a1", "two").r, STORE_STALE);
	ck_assert_uint_eq(commit(1, "a2", "two").version, 2);
	ck_assert_int_eq(commit(3, "a3", "x").r, STORE_STALE);
	ck_assert_int_eq(commit(2, "b", "x").r, STORE_OK);
	ck_assert_str_eq(load("a", "b").text, "a1=one a2=two ");
	ck_assert_str_eq(load("a2", "zz").text, "a2=two b=x ");
	ck_assert_int_eq(commit(3, "a1", NULL).r, STORE_OK);
	ck_assert_int_eq(commit(4, "none", NULL).r, STORE_OK);
	reopen();
	ck_assert_str_eq(load("a", "z").text, "a2=two b=x ");
	ck_assert_uint_eq(load("a", "z").version, 5);
	buf_init(&value, 100);
	ck_assert_int_eq(store_get(s, SLICE("a2"), &value), STORE_OK);
	ck_slice_str(buf_slice(&value), "two");
	ck_assert_int_eq(store_get(s, SLICE("a1"), &value), STORE_NONE);
	buf_fini(&value);
}
END_TEST

/* Several in one turn: each is judged by itself. */
START_TEST(groups)
{
	struct store_change c = { SLICE("k"), SLICE("v") };
	struct seen x[4] = { { .done = false } }, sync = { .done = false };
	uint64_t expected[4] = { 0, 0, 1, 2 };
	unsigned i;

	for (i = 0; i < 4; i++)
		store_commit(s, expected[i], &c, 1, i == 2, on_committed,
		    &x[i]);
	store_sync(s, on_committed, &sync);
	world_wait(&w, &sync.done);
	ck_assert_int_eq(x[0].r, STORE_OK);
	ck_assert_int_eq(x[1].r, STORE_STALE);
	ck_assert_int_eq(x[2].r, STORE_OK);
	ck_assert_uint_eq(x[3].version, 3);
	ck_assert_int_eq(sync.r, STORE_OK);
	ck_assert_uint_eq(sync.version, 3);
}
END_TEST

/*
 * Rows that come and go within a commit leave pages at the end of the map that
 * were never written: that is no damage.
 */
START_TEST(unwritten_end)
{
	static const char big[100000];
	struct store_change c[] = { { SLICE("big"), { big, 0 } },
		{ SLICE("big"), SLICE_NONE }, { SLICE("k"), SLICE("v") } };
	unsigned i;

	for (i = 0; i < 10; i++) {
		struct seen x = { .done = false };

		/* Each needs more than is free by now. */
		c[0].value.n = 10000 * (i + 1);
		store_commit(s, i, c, 3, true, on_committed, &x);
		ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
		reopen();
		ck_assert_uint_eq(load("a", "z").version, i + 1);
		ck_assert_str_eq(load("a", "z").text, "k=v ");
	}
}
END_TEST

/* Killed in the middle of commits: whole ones, and all that were answered. */
START_TEST(survives)
{
	uint64_t last = 0, got;
	char name[32];
	int fds[2], i;
	pid_t pid;

	store_close(&s);
	for (i = 0; i < 20; i++) {
		ck_assert_int_eq(pipe(fds), 0);
		pid = fork();
		if (pid == 0) {
			uint64_t v;

			world_child(&w, fds[1]);
			open_local();
			v = load("a", "b").version;
			for (;;) {
				struct store_change c[2];
				struct seen x = { .done = false };

				(void)snprintf(name, sizeof name, "a%lu",
				    (unsigned long)v);
				c[0].key = slice_str(name);
				c[0].value = SLICE("1");
				c[1].key = SLICE("b");
				c[1].value = slice_str(name);
				store_commit(s, v, c, 2, true, on_committed,
				    &x);
				world_wait(&w, &x.done);
				v = x.version;
				if (write(fds[1], &v, sizeof v) != sizeof v)
					_exit(0);
			}
		}
		(void)close(fds[1]);
		while (read(fds[0], &got, sizeof got) == sizeof got) {
			last = got;
			if (got % 7 == (uint64_t)i % 7)
				(void)kill(pid, SIGKILL);
		}
		(void)close(fds[0]);
		(void)waitpid(pid, NULL, 0);
		open_local();
		got = load("b", "c").version;
		ck_assert_uint_ge(got, last);
		(void)snprintf(name, sizeof name, "b=a%lu ",
		    (unsigned long)got - 1);
		ck_assert_str_eq(load("b", "c").text, name);
		store_close(&s);
	}
	open_local();
}
END_TEST

/* ---- bodies ---- */

START_TEST(bodies)
{
	struct store_body b;
	struct seen x;

	x = put("", "one", "A: b\r\n\r\n", 0);
	ck_assert_int_eq(x.r, STORE_OK);
	ck_assert_str_eq(x.text, "one,S=8");
	ck_assert_uint_eq(x.size, 8);
	/* Again: the same one. */
	ck_assert_int_eq(put("", "one", "A: b\r\n\r\n", 0).r, STORE_OK);
	ck_assert_uint_eq(scan("").n, 1);
	ck_assert_str_eq(get("", "one,S=8", true, 0, 100).text,
	    "A: b\r\n\r\n");
	ck_assert_str_eq(get("", "one,S=8", true, 3, 2).text, "b\r");
	ck_assert_str_eq(get("", "one,S=8", true, 8, 2).text, "");
	ck_assert_str_eq(get("", "one,S=8", true, 800, 2).text, "");
	ck_assert_int_eq(get("", "two,S=8", true, 0, 2).r, STORE_NONE);
	/* With letters, found whatever the hint says. */
	ck_assert_int_eq(put("", "two", "x", LETTER_SEEN).r, STORE_OK);
	ck_assert_str_eq(get("", "two,S=1", true, 0, 9).text, "x");
	ck_assert_uint_eq(scan("").size, LETTER_SEEN);
	b = body("", "two,S=1");
	x = (struct seen){ .done = false };
	store_name_body(s, &b, BODY_CUR, LETTER_SEEN | LETTER_TRASHED,
	    on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	ck_assert_uint_eq(scan("").size, LETTER_SEEN | LETTER_TRASHED);
	ck_assert_str_eq(get("", "two,S=1", true, 0, 9).text, "x");
	x = (struct seen){ .done = false };
	store_delete_body(s, &b, on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	x = (struct seen){ .done = false };
	store_delete_body(s, &b, on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	ck_assert_uint_eq(scan("").n, 1);
	x = (struct seen){ .done = false };
	store_name_body(s, &b, BODY_CUR, 0, on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_NONE);
}
END_TEST

START_TEST(links)
{
	struct store_body b = body("", "one,S=1"), tmp;
	struct seen x = { .done = false };

	ck_assert_int_eq(put("", "one", "x", 0).r, STORE_OK);
	store_folder_create(s, ".f", true, on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	x = (struct seen){ .done = false };
	store_link_body(s, &b, ".f", SLICE("copy,S=1"), on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	/* Others do not see it yet; we do. */
	ck_assert_uint_eq(scan(".f").n, 0);
	ck_assert_str_eq(get(".f", "copy,S=1", true, 0, 9).text, "x");
	tmp = body(".f", "copy,S=1");
	tmp.place = BODY_TMP;
	x = (struct seen){ .done = false };
	store_name_body(s, &tmp, BODY_CUR, LETTER_SEEN, on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	ck_assert_uint_eq(scan(".f").n, 1);
	x = (struct seen){ .done = false };
	store_delete_body(s, &b, on_done, &x);
	(void)wait_for(&x);
	ck_assert_str_eq(get(".f", "copy,S=1", true, 0, 9).text, "x");
	b = body("", "gone");
	x = (struct seen){ .done = false };
	store_link_body(s, &b, ".f", SLICE("y"), on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_NONE);
}
END_TEST

/* Every offset and length of a body with bare LF. */
START_TEST(line_ends)
{
	static const char stored[] = "A\n\nB\r\nC\r\n\n\rD";
	static const char served[] = "A\r\n\r\nB\r\nC\r\n\r\n\rD";
	char want[64];
	size_t from, n;
	struct seen x;

	ck_assert_int_eq(put("", "lf", stored, 0).r, STORE_OK);
	for (from = 0; from <= sizeof served; from++)
		for (n = 0; n <= sizeof served; n++) {
			x = get("", "lf,S=12", false, from, n);
			ck_assert_int_eq(x.r, STORE_OK);
			want[0] = 0;
			if (from < sizeof served - 1)
				(void)snprintf(want, sizeof want, "%.*s",
				    (int)n, served + from);
			ck_assert_msg(strcmp(x.text, want) == 0, "%zu %zu",
			    from, n);
		}
	/* In pieces, going on. */
	for (n = 1; n < 5; n++)
		for (from = 0; from < sizeof served - 1; from += n) {
			x = get("", "lf,S=12", false, from, n);
			(void)snprintf(want, sizeof want, "%.*s", (int)n,
			    served + from);
			ck_assert_str_eq(x.text, want);
		}
}
END_TEST

static void
on_examined(void *arg, enum store_result r, const struct store_facts *f)
{
	struct seen *x = arg;

	x->r = r;
	x->size = f->served;
	x->version = f->size;
	x->n = (unsigned)f->mtime;
	(void)snprintf(x->text, sizeof x->text, "%.*s", SLICE_FMT(f->head));
	x->done = true;
}

START_TEST(examines)
{
	struct store_body b = body("", "one,S=7");
	struct seen x = { .done = false };

	ck_assert_int_eq(put("", "one", "A\r\nB\nC", 0).r, STORE_OK);
	b.id = SLICE("one,S=6");
	store_examine_body(s, &b, on_examined, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	ck_assert_uint_eq(x.version, 6);
	ck_assert_uint_eq(x.size, 7);
	ck_assert_uint_eq(x.n, 1000);
	ck_assert_str_eq(x.text, "A\r\nB\nC");
	x = (struct seen){ .done = false };
	b.id = SLICE("none");
	store_examine_body(s, &b, on_examined, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_NONE);
}
END_TEST

/* ---- folders ---- */

static bool
on_folder(void *arg, const char *folder)
{
	struct seen *x = arg;

	x->n++;
	(void)snprintf(x->text, sizeof x->text, "%s", folder);
	return true;
}

START_TEST(folders)
{
	struct seen x = { .done = false };
	int i;

	for (i = 0; i < 2; i++) {
		x = (struct seen){ .done = false };
		store_folder_create(s, ".a.b", true, on_done, &x);
		ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	}
	ck_assert_int_eq(put(".a.b", "one", "x", 0).r, STORE_OK);
	for (i = 0; i < 2; i++) {
		x = (struct seen){ .done = false };
		store_folder_rename(s, ".a.b", ".c", on_done, &x);
		ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	}
	x = (struct seen){ .done = false };
	store_folders(s, on_folder, on_committed, &x);
	ck_assert_uint_eq(wait_for(&x)->n, 1);
	ck_assert_str_eq(x.text, ".c");
	ck_assert_str_eq(get(".c", "one,S=1", true, 0, 9).text, "x");
	for (i = 0; i < 2; i++) {
		x = (struct seen){ .done = false };
		store_folder_delete(s, ".c", on_done, &x);
		ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	}
	ck_assert_int_eq(scan(".c").r, STORE_NONE);
	ck_assert_int_eq(world_count(&w, ".c"), -1);
}
END_TEST

START_TEST(stamps)
{
	uint64_t stamp;
	int i;

	ck_assert(store_folder_is_changed(s, ""));
	(void)scan("");
	ck_assert(!store_folder_is_changed(s, ""));
	for (i = 0; i < 50; i++) {
		char name[32];

		/* Our own are not news, others' are, however fast. */
		(void)snprintf(name, sizeof name, "own%d", i);
		ck_assert_int_eq(put("", name, "x", 0).r, STORE_OK);
		ck_assert(!store_folder_is_changed(s, ""));
		(void)snprintf(name, sizeof name, "new/other%d", i);
		world_write(&w, name, "x");
		ck_assert(store_folder_is_changed(s, ""));
		ck_assert_int_eq(put("", "again", "x", 0).r, STORE_OK);
		ck_assert(store_folder_is_changed(s, ""));
		(void)scan("");
		ck_assert(!store_folder_is_changed(s, ""));
	}
	stamp = store_folder_stamp(s, "");
	ck_assert_uint_ne(stamp, 0);
	reopen();
	ck_assert(store_folder_is_changed(s, ""));
	store_folder_expect(s, "", stamp);
	ck_assert(!store_folder_is_changed(s, ""));
}
END_TEST

START_TEST(texts)
{
	struct seen x = { .done = false };
	struct buf text;

	store_write_list(s, "", SLICE("one\n"), false, true, on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	x = (struct seen){ .done = false };
	store_write_list(s, "", SLICE("two\n"), true, false, on_done, &x);
	ck_assert_int_eq(wait_for(&x)->r, STORE_OK);
	buf_init(&text, 1000);
	ck_assert_int_eq(store_read_list(s, "", &text), STORE_OK);
	ck_slice_str(buf_slice(&text), "one\ntwo\n");
	ck_assert_int_eq(store_read_list(s, NULL, &text), STORE_NONE);
	ck_assert_int_eq(store_read_foreign(s, "", "x", &text), STORE_NONE);
	buf_fini(&text);
}
END_TEST

START_TEST(strict)
{
	options.strict = true;
	reopen();
	ck_assert_int_eq(put("", "one", "x", LETTER_SEEN).r, STORE_OK);
	ck_assert_int_eq(put("", "two", "x", 0).r, STORE_OK);
	ck_assert_uint_eq(scan("").n, 2);
}
END_TEST

UNIT_SUITE(store, {
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, compares_and_sets);
	tcase_add_test(tc, groups);
	tcase_add_test(tc, unwritten_end);
	tcase_add_test(tc, survives);
	tcase_add_test(tc, bodies);
	tcase_add_test(tc, links);
	tcase_add_test(tc, line_ends);
	tcase_add_test(tc, examines);
	tcase_add_test(tc, folders);
	tcase_add_test(tc, stamps);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, strict);
})
