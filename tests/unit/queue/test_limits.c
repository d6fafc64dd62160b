/* SPDX-License-Identifier: ISC */
/* The spool where something is missing: room on the disk, a disk that works,
 * system calls. */
#include "queue/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "queue/spool_priv.h"
#include "sys/sandbox.h"
#include "tests/unit/queue/script.h"
#include "tests/unit/unit.h"

enum { FULL_MAX = 4000 };

static struct world w;

static void
set_up(void)
{
	world_init(&w);
}

static void
tear_down(void)
{
	fsio_fail_at(FSIO_ANY, 0, 0, 0);
	world_fini(&w);
}

/* ---- a full disk ---- */

/* A tmpfs of 8 MB over the folder, seen by this process alone. */
static bool
mount_small(void)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", w.path, "tmpfs", 0, "size=8m") < 0) {
		(void)printf("skipped: cannot mount: %s\n", strerror(errno));
		return false;
	}
	(void)close(w.dir);
	w.dir = open(w.path, O_RDONLY | O_DIRECTORY);
	return true;
}

static void
end_small(void)
{
	world_close(&w);
	(void)close(w.dir);
	ck_assert_int_eq(umount(w.path), 0);
	w.dir = open(w.path, O_RDONLY | O_DIRECTORY);
}

static size_t
fill(struct spool_ref **refs, size_t size)
{
	size_t n;
	int error;

	for (n = 0; n < FULL_MAX; n++) {
		refs[n] = world_send(&w, n + 1, size, 1, &error);
		if (refs[n] == NULL)
			break;
	}
	ck_assert_uint_lt(n, FULL_MAX);
	ck_assert_int_eq(error, ENOSPC);
	return n;
}

START_TEST(full_disk)
{
	static struct spool_ref *refs[FULL_MAX], *again;
	static const size_t sizes[] = { 500, 20000 };
	struct world_message *m;
	size_t n, i;
	int error;

	if (!mount_small())
		return;
	ck_assert(world_open(&w));
	n = fill(refs, sizes[_i]);
	ck_assert_uint_gt(n, 100);
	/* Nothing that was said to be safe has suffered. */
	for (i = 0; i < n; i++)
		ck_assert_uint_eq(world_check(&w, refs[i]), i + 1);
	/* Marks need no room; an expansion does, and says so. */
	spool_mark(w.spool, refs[0], 0, SPOOL_DONE);
	ck_assert_int_eq(world_flush(&w), 0);
	error = world_expand(&w, refs[1], 0,
	    &(struct spool_rcpt){ .address = SLICE("a@b") }, 1);
	ck_assert(error == 0 || error == ENOSPC);
	/* A message that leaves makes room for one that comes. */
	spool_finish(w.spool, &refs[2]);
	ck_assert_int_eq(world_flush(&w), 0);
	again = world_send(&w, 77, sizes[_i], 1, &error);
	ck_assert_ptr_nonnull(again);
	/* Setting aside needs none. */
	spool_set_aside(w.spool, &refs[3], "a test on a full disk");
	ck_assert_int_eq(world_flush(&w), 0);
	(void)usleep(1100000); /* it asks once a second */
	ck_assert(!spool_has_room(w.spool, 2 << 20, true));
	world_close(&w);
	ck_assert_msg(world_open(&w), "%s", w.why.p);
	ck_assert_uint_eq(w.n_found, n - 1);
	for (i = 0; i < n; i++) {
		m = &w.found[i < w.n_found ? i : 0];
		ck_assert_uint_ne(world_check(&w, m->ref), 0);
	}
	end_small();
}
END_TEST

/* ---- a disk that fails ---- */

START_TEST(flush_fails)
{
	struct spool_ref *ref;
	int error;

	ck_assert(world_open(&w));
	world_settle(&w);
	fsio_fail_at(FSIO_FDATASYNC, 1, 0, EIO);
	ref = world_send(&w, 1, 500, 1, &error);
	ck_assert_ptr_null(ref);
	ck_assert_int_eq(error, EIO);
	ck_assert(world_logged(&w, "event=flush_failed"));
	/* The next goes into another slot. */
	ref = world_send(&w, 2, 500, 1, &error);
	ck_assert_uint_eq(world_check(&w, ref), 2);
	world_close(&w);
	ck_assert(world_open(&w));
	/* The refused one may be there after all: whole. */
	ck_assert_uint_ge(w.n_found, 1);
	ck_assert_uint_le(w.n_found, 2);
	while (w.n_found > 0)
		(void)world_check(&w, w.found[--w.n_found].ref);
}
END_TEST

START_TEST(mark_fails)
{
	struct spool_envelope e;
	struct spool_ref *ref;
	struct region mem;
	int error;

	ck_assert(world_open(&w));
	world_settle(&w);
	ref = world_send(&w, 1, 500, 2, &error);
	fsio_fail_at(FSIO_FDATASYNC, 1, 0, EIO);
	spool_mark(w.spool, ref, 0, SPOOL_DONE);
	ck_assert_int_eq(world_flush(&w), EIO);
	/* The message lives, and the next mark is written. */
	spool_mark(w.spool, ref, 1, SPOOL_DONE);
	ck_assert_int_eq(world_flush(&w), 0);
	world_close(&w);
	ck_assert(world_open(&w));
	ck_assert_uint_eq(w.n_found, 1);
	region_init(&mem, 65536);
	ck_assert_int_eq(spool_read_envelope(w.spool, w.found[0].ref, &mem,
	    &e), 0);
	ck_assert_uint_eq(e.rcpts[1].mark, SPOOL_DONE);
	region_fini(&mem);
}
END_TEST

/* The expansion did not happen; what is then written in its place counts. */
START_TEST(expansion_fails)
{
	static const struct spool_rcpt a = { .address = SLICE("a@b") },
				       b = { .address = SLICE("c@d") };
	struct spool_envelope e;
	struct spool_ref *ref;
	struct region mem;
	int error;

	ck_assert(world_open(&w));
	world_settle(&w);
	ref = world_send(&w, 1, _i < 2 ? 6600 : 500, 2, &error);
	ck_assert_int_eq(world_expand(&w, ref, 0, &a, 1), 0);
	fsio_fail_at(_i % 2 == 0 ? FSIO_FDATASYNC : FSIO_WRITE, 1, 0,
	    _i % 2 == 0 ? EIO : ENOSPC);
	ck_assert_int_eq(world_expand(&w, ref, 1, &a, 1),
	    _i % 2 == 0 ? EIO : ENOSPC);
	ck_assert_int_eq(world_expand(&w, ref, 1, &b, 1), 0);
	world_close(&w);
	ck_assert(world_open(&w));
	region_init(&mem, 65536);
	ck_assert_int_eq(spool_read_envelope(w.spool, w.found[0].ref, &mem,
	    &e), 0);
	ck_assert_uint_eq(e.n_rcpts, 4);
	ck_slice_str(e.rcpts[2].address, "a@b");
	ck_slice_str(e.rcpts[3].address, "c@d");
	region_fini(&mem);
}
END_TEST

/* When it cannot be cut back either, nothing more is appended to it. */
START_TEST(journal_stuck)
{
	static const struct spool_rcpt a = { .address = SLICE("a@b") };
	struct spool_ref *ref;
	int error;

	ck_assert(world_open(&w));
	world_settle(&w);
	ref = world_send(&w, 1, 6600, 2, &error);
	ck_assert_int_eq(world_expand(&w, ref, 0, &a, 1), 0);
	/* The write, then the truncation after it. */
	fsio_fail_at(FSIO_ANY, 1, 1, EIO);
	ck_assert_int_eq(world_expand(&w, ref, 1, &a, 1), EIO);
	ck_assert_int_eq(world_expand(&w, ref, 1, &a, 1), EIO);
	spool_mark(w.spool, ref, 1, SPOOL_FAILED);
	ck_assert_int_eq(world_flush(&w), 0);
	world_close(&w);
	ck_assert(world_open(&w));
	ck_assert_int_eq(world_expand(&w, w.found[0].ref, 1, &a, 1), 0);
}
END_TEST

/* ---- a backlog that is over ---- */

/* Most slots are free: some go, and nothing else happens. */
START_TEST(trimmed)
{
	enum { EMPTY = 9000 };
	static const char zeros[8192];
	struct spool_counts before, c;
	struct spool_ref *refs[20];
	char path[SLOT_PATH];
	int error, fd, i;

	ck_assert(world_open(&w));
	world_close(&w);
	for (i = 0; i < EMPTY; i++) {
		slot_path(SLOT_8, 0x1000 + (uint32_t)i, path);
		fd = openat(w.dir, path, O_WRONLY | O_CREAT, 0600);
		ck_assert_int_eq(write(fd, zeros, sizeof zeros), sizeof zeros);
		(void)close(fd);
	}
	ck_assert(world_open(&w));
	for (i = 0; i < 20; i++)
		refs[i] = world_send(&w, (uint64_t)i + 1, 500, 1, &error);
	spool_counts(w.spool, &before);
	ck_assert_uint_ge(before.slots_8, EMPTY);
	slots_trim(&w.spool->slots, SLOT_8);
	slots_trim(&w.spool->slots, SLOT_8); /* few enough now */
	slots_trim(&w.spool->slots, SLOT_40);
	world_settle(&w);
	spool_counts(w.spool, &c);
	ck_assert_uint_eq(c.slots_8, before.slots_8 - 512);
	ck_assert_uint_eq(c.free_8, before.free_8 - 512);
	for (i = 0; i < 20; i++)
		ck_assert_uint_eq(world_check(&w, refs[i]), (uint64_t)i + 1);
	world_close(&w);
	ck_assert(world_open(&w));
	spool_counts(w.spool, &before);
	ck_assert_uint_eq(before.slots_8, c.slots_8);
	ck_assert_uint_eq(w.n_found, 20);
}
END_TEST

/* ---- in the sandbox ---- */

/* Everything from opening on works with the calls that `queue` has. */
START_TEST(sandboxed)
{
#ifndef WITH_SANITIZERS
	static struct promises p;
	int status;
	pid_t pid;

	ck_assert(world_open(&w));
	world_close(&w);
	pid = fork();
	if (pid == 0) {
		w.keep_loop = true;
		w.loop = loop_new();
		if (sandbox_no_new_privs() < 0 ||
		    sandbox_seccomp(SANDBOX_FILES | SANDBOX_THREADS) < 0)
			_exit(77);
		script_run(&w, &p, NULL);
		_exit(p.n == 16 && p.of[0].marked && p.of[1].expanded &&
			p.of[15].ended ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		(void)printf("skipped: no seccomp here\n");
	else
		ck_assert_int_eq(WEXITSTATUS(status), 0);
#endif
}
END_TEST

Suite *suite_limits(void);

Suite *
suite_limits(void)
{
	Suite *suite = suite_create("limits");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, full_disk, 0, 2);
	tcase_add_test(tc, flush_fails);
	tcase_add_test(tc, mark_fails);
	tcase_add_loop_test(tc, expansion_fails, 0, 4);
	tcase_add_test(tc, journal_stuck);
	tcase_add_test(tc, trimmed);
	tcase_add_test(tc, sandboxed);
	suite_add_tcase(suite, tc);
	return suite;
}
