/* SPDX-License-Identifier: ISC */
#include "queue/fsio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char path[] = "/tmp/veredus-fsio-XXXXXX";
static int dir = -1;

static void
set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(path));
	dir = open(path, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(dir, 0);
}

static void
tear_down(void)
{
	fsio_fail_at(FSIO_ANY, 0, 0, 0);
	(void)unlinkat(dir, "a", 0);
	(void)unlinkat(dir, "b", 0);
	(void)unlinkat(dir, "d", AT_REMOVEDIR);
	(void)close(dir);
	(void)rmdir(path);
}

/* The same five steps, for counting, killing and failing. */
static int
script(void)
{
	char x[] = "0123456789";
	struct iovec iov[2] = { { x, 4 }, { x + 4, 6 } };
	int fd = fsio_create(dir, "a", O_RDWR), result = -1;

	if (fd < 0)
		return -1;
	if (fsio_pwritev(fd, iov, 2, 0) == 0 && fsio_fdatasync(fd) == 0 &&
	    fsio_rename(dir, "a", "b") == 0 && fsio_fsync_dir(dir, ".") == 0)
		result = 0;
	(void)close(fd);
	return result;
}

START_TEST(counts)
{
	uint64_t before = fsio_steps();
	char got[11] = "";
	int fd;

	ck_assert_int_eq(script(), 0);
	ck_assert_uint_eq(fsio_steps() - before, 5);
	fd = fsio_open(dir, "b", O_RDONLY);
	ck_assert_int_eq(fsio_pread(fd, got, 10, 0), 10);
	ck_assert_str_eq(got, "0123456789");
	ck_assert_int_eq(fsio_pread(fd, got, 10, 8), 2);
	(void)close(fd);
}
END_TEST

START_TEST(fails_each)
{
	errno = 0;
	fsio_fail_at(FSIO_ANY, (uint64_t)_i, 0, EIO);
	ck_assert_int_eq(script(), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert_int_eq(fsio_unlink(dir, _i >= 5 ? "b" : "a"),
	    _i == 1 ? -1 : 0);
	ck_assert_int_eq(script(), 0);
}
END_TEST

START_TEST(fails_kind)
{
	fsio_fail_at(FSIO_FSYNC, 1, 1, ENOSPC);
	ck_assert_int_eq(script(), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(fsio_fsync(dir), -1);
	ck_assert_int_eq(fsio_fsync(dir), 0);
}
END_TEST

/* Killed at step n: exactly n - 1 steps were done, or half of a write. */
START_TEST(kills)
{
	static const struct {
		uint64_t at;
		bool torn;
		off_t a, b; /* sizes, -1 for absent */
	} want[] = {
		{ 1, false, -1, -1 }, { 2, false, 0, -1 }, { 2, true, 5, -1 },
		{ 3, false, 10, -1 }, { 4, true, 10, -1 }, { 5, false, -1, 10 },
	};
	struct stat st;
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		fsio_kill_at(want[_i].at, want[_i].torn);
		_exit(script());
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_int_eq(fsio_stat(dir, "a", &st), want[_i].a < 0 ? -1 : 0);
	if (want[_i].a >= 0)
		ck_assert_int_eq(st.st_size, want[_i].a);
	ck_assert_int_eq(fsio_stat(dir, "b", &st), want[_i].b < 0 ? -1 : 0);
	if (want[_i].b >= 0)
		ck_assert_int_eq(st.st_size, want[_i].b);
}
END_TEST

START_TEST(no_writer)
{
	int w = fsio_create(dir, "a", O_WRONLY), dup_w, r;

	r = fsio_open(dir, "a", O_RDONLY);
	dup_w = dup(w);
	ck_assert_int_eq(fsio_no_writer(r), -1);
	ck_assert_int_eq(errno, EAGAIN);
	(void)close(w);
	ck_assert_int_eq(fsio_no_writer(r), -1);
	(void)close(dup_w);
	ck_assert_int_eq(fsio_no_writer(r), 0);
	(void)close(r);
}
END_TEST

START_TEST(flush_many)
{
	int fds[4], errors[4] = { 1, 1, 1, 1 };
	bool strict = _i != 0;

	fds[0] = fsio_create(dir, "a", O_RDWR);
	fds[1] = -1;
	fds[2] = fsio_create(dir, "b", O_RDWR);
	fds[3] = -1;
	ck_assert_int_eq(fsio_pwrite(fds[0], "x", 1, 0), 0);
	fsio_flush_many(fds, errors, 4, strict);
	ck_assert(errors[0] == 0 && errors[2] == 0);
	fsio_fail_at(FSIO_FDATASYNC, 1, 0, EIO);
	fsio_flush_many(fds, errors, 4, strict);
	ck_assert_int_eq(errors[0], EIO);
	ck_assert_int_eq(errors[2], strict ? 0 : EIO);
	fsio_flush_many(fds, errors, 0, strict);
	(void)close(fds[0]);
	(void)close(fds[2]);
}
END_TEST

START_TEST(links_are_not_followed)
{
	ck_assert_int_eq(symlinkat("/etc/passwd", dir, "a"), 0);
	ck_assert_int_eq(fsio_open(dir, "a", O_RDONLY), -1);
	ck_assert_int_eq(errno, ELOOP);
	ck_assert_int_eq(fsio_create(dir, "a", O_RDWR), -1);
	ck_assert_int_eq(errno, EEXIST);
}
END_TEST

START_TEST(models)
{
	const char *name = NULL;
	int fd;

	/* /proc is no file system for mail: it must never count as ordered. */
	fd = open("/proc", O_RDONLY | O_DIRECTORY);
	if (fd >= 0) {
		ck_assert_int_eq(fsio_model_of(fd, &name), FSIO_STRICT);
		ck_assert_str_eq(name, "unknown");
		(void)close(fd);
	}
	ck_assert_int_eq(fsio_model_of(-1, &name), FSIO_STRICT);
	(void)fsio_model_of(dir, &name);
	ck_assert_ptr_nonnull(name);
	ck_assert_int_gt(fsio_room(dir), 0);
	ck_assert_int_eq(fsio_room(-1), -1);
}
END_TEST

Suite *suite_fsio(void);

Suite *
suite_fsio(void)
{
	Suite *suite = suite_create("fsio");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, counts);
	tcase_add_loop_test(tc, fails_each, 1, 6);
	tcase_add_test(tc, fails_kind);
	tcase_add_loop_test(tc, kills, 0, 6);
	tcase_add_test(tc, no_writer);
	tcase_add_loop_test(tc, flush_many, 0, 2);
	tcase_add_test(tc, links_are_not_followed);
	tcase_add_test(tc, models);
	suite_add_tcase(suite, tc);
	return suite;
}
