/* SPDX-License-Identifier: ISC */
/*
 * What is left of a table when its owner dies at the worst moment, or the disk
 * is full, or the current goes. Transaction number k puts key k with a value
 * made from k, deletes key k - WINDOW and writes k to the other table, so any
 * mixture of two states is seen.
 */
#include "sys/table.h"

#include <db.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "sys/table_driver.h"
#include "tests/unit/sys/scratch.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 50, WINDOW = 100, VALUE = 3000, SECTOR = 512, CUTS = 20 };
enum { FROM = TABLE_BDB, TO = TABLE_LMDB + 1 }; /* drivers */

static struct scratch scratch;
static struct table_env *env;
static struct table *data, *last;
static struct buf error, value;
static char expected[VALUE];

static void
open_at(int driver, const char *dir)
{
	ck_assert_msg(table_env_open((enum table_driver)driver, dir, &error,
	    &env) == 0, "%s", error.p);
	ck_assert_msg(table_open(env, "data", &error, &data) == 0, "%s",
	    error.p);
	ck_assert_msg(table_open(env, "last", &error, &last) == 0, "%s",
	    error.p);
}

static void
set_up(void)
{
	scratch_init(&scratch);
	buf_init(&error, 4096);
	buf_init(&value, TABLE_VALUE_MAX);
}

static void
tear_down(void)
{
	table_env_close(&env);
	scratch_fini(&scratch);
	buf_fini(&error);
	buf_fini(&value);
}

/* Mostly short, sometimes long: both kinds of pages. */
static struct slice
value_of(unsigned k)
{
	unsigned n = k % 7 == 0 ? k * 37 % VALUE : 20 + k % 100, i;

	for (i = 0; i < n; i++)
		expected[i] = (char)('a' + (k + i) % 26);
	return (struct slice){ expected, n };
}

static int
transaction(unsigned k, enum table_durability how)
{
	char now[16], old[16];
	struct table_change c[3] = {
		{ data, SLICE_NONE, value_of(k), false },
		{ data, SLICE_NONE, SLICE_NONE, true },
		{ last, SLICE("last"), SLICE_NONE, false },
	};

	(void)snprintf(now, sizeof now, "%08u", k);
	(void)snprintf(old, sizeof old, "%08u", k < WINDOW ? 0 : k - WINDOW);
	c[0].key = c[2].value = slice_str(now);
	c[1].key = slice_str(old);
	return table_apply(env, c, 3, how);
}

static unsigned
last_number(void)
{
	uint64_t k = 0;

	buf_reset(&value);
	if (table_get(last, SLICE("last"), &value) < 0)
		return 0;
	ck_assert_int_eq(num_parse(buf_slice(&value), 1, 99999999, &k), 0);
	return (unsigned)k;
}

static bool
count_one(void *arg, struct slice key, struct slice val)
{
	unsigned *n = arg;
	uint64_t k;

	ck_assert_int_eq(num_parse(key, 1, 99999999, &k), 0);
	ck_slice_eq(val, value_of((unsigned)k));
	*n += 1;
	return true;
}

/* The state after transaction k, no more and no less. */
static void
check_state(unsigned k)
{
	unsigned want = k < WINDOW ? k : WINDOW, n = 0, i;
	char key[16];

	for (i = k - want + 1; i <= k; i++) {
		(void)snprintf(key, sizeof key, "%08u", i);
		buf_reset(&value);
		ck_assert_msg(table_get(data, slice_str(key), &value) == 0,
		    "%u of %u: %s", i, k, table_error(env));
		ck_slice_eq(buf_slice(&value), value_of(i));
	}
	ck_assert_int_eq(table_walk(data, SLICE_NONE, SLICE_NONE, count_one,
	    &n), 0);
	ck_assert_uint_eq(n, want);
}

/* The child: commits until it is killed, reporting each. */
static void
commit_for_ever(int driver, int fd)
{
	unsigned k;

	open_at(driver, scratch.dir);
	for (k = last_number() + 1;; k++)
		if (transaction(k, TABLE_DURABLE) < 0 ||
		    write(fd, &k, sizeof k) != sizeof k)
			_exit(1);
}

static unsigned
read_acks(int fd)
{
	unsigned k, acked = 0;

	while (read(fd, &k, sizeof k) == sizeof k)
		acked = k;
	return acked;
}

/* Lets it live a while: mostly until it works, sometimes not that long. */
static unsigned
let_live(int round, int fd)
{
	static unsigned seed = 12345;
	unsigned first = 0;

	seed = seed * 1103515245 + 12345;
	if (round % 5 != 4)
		ck_assert_int_eq(read(fd, &first, sizeof first),
		    sizeof first);
	(void)usleep(seed / 65536 % 20000);
	return first;
}

START_TEST(kill_nine)
{
	unsigned acked, first, found, total = 0;
	int round, fds[2], status;
	pid_t pid;

	for (round = 0; round < ROUNDS; round++) {
		ck_assert_int_eq(pipe(fds), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			(void)close(fds[0]);
			commit_for_ever(_i, fds[1]);
		}
		(void)close(fds[1]);
		first = let_live(round, fds[0]);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		acked = read_acks(fds[0]);
		if (acked == 0)
			acked = first;
		(void)close(fds[0]);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		open_at(_i, scratch.dir);
		found = last_number();
		ck_assert_msg(acked == 0 || found == acked ||
		    found == acked + 1, "round %d: told %u, found %u", round,
		    acked, found);
		ck_assert_uint_ge(found, total);
		check_state(found);
		total = found;
		table_env_close(&env);
	}
	ck_assert_uint_ge(total, ROUNDS / 5 * 4);
}
END_TEST

/* Without flushes a crash may lose the end, but nothing else. */
START_TEST(kill_nine_later)
{
	int round, status;
	unsigned k, found;
	pid_t pid;

	for (round = 0; round < 10; round++) {
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			open_at(_i, scratch.dir);
			for (k = last_number() + 1;; k++)
				if (transaction(k, TABLE_LATER) < 0)
					_exit(1);
		}
		(void)usleep(30000);
		ck_assert_int_eq(kill(pid, SIGKILL), 0);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		open_at(_i, scratch.dir);
		found = last_number();
		check_state(found);
		table_env_close(&env);
	}
}
END_TEST

/* No room for a file to grow: refused, and all that was told is there. */
START_TEST(full_disk)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };
	int fds[2], status;
	unsigned k, acked;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &limit);
		open_at(_i, scratch.dir);
		for (k = 1; k < 20000; k++) {
			buf_reset(&value);
			buf_add(&value, expected, VALUE);
			if (table_put(data, (struct slice){ (char *)&k,
				sizeof k }, buf_slice(&value)) < 0)
				_exit(2);
			if (write(fds[1], &k, sizeof k) != sizeof k)
				_exit(1);
		}
		_exit(0);
	}
	(void)close(fds[1]);
	acked = read_acks(fds[0]);
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
	ck_assert_uint_gt(acked, 10);
	open_at(_i, scratch.dir);
	for (k = 1; k <= acked; k++) {
		buf_reset(&value);
		ck_assert_int_eq(table_get(data, (struct slice){ (char *)&k,
		    sizeof k }, &value), 0);
		ck_assert_uint_eq(value.n, VALUE);
	}
	ck_assert_int_eq(transaction(1, TABLE_DURABLE), 0);
}
END_TEST

static struct slice
read_file(const char *dir, const char *name)
{
	char path[2 * SCRATCH_PATH];
	struct stat st;
	char *p;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fstat(fd, &st), 0);
	p = malloc((size_t)st.st_size + 1);
	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(read(fd, p, (size_t)st.st_size), st.st_size);
	(void)close(fd);
	return (struct slice){ p, (size_t)st.st_size };
}

static void
drop(struct slice text)
{
	free((void *)(uintptr_t)text.p);
}

/* Each sector of the one or of the other; the length of one of them. */
static void
write_mixture(const struct scratch *to, const char *name, struct slice before,
    struct slice after)
{
	struct buf mix;
	struct slice from;
	size_t n = rand() % 2 ? before.n : after.n, i;

	buf_init(&mix, after.n + before.n);
	for (i = 0; i < n; i += SECTOR) {
		from = i < before.n && (i >= after.n || rand() % 2) ? before
								    : after;
		buf_add_slice(&mix, slice_head(slice_from(from, i), SECTOR));
	}
	ck_assert(buf_is_ok(&mix));
	scratch_write(to, name, buf_slice(&mix));
	buf_fini(&mix);
}

static void
copy_logs(const struct scratch *from, const struct scratch *to)
{
	DIR *d = opendir(from->dir);
	struct dirent *e;
	struct slice text;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, "log.", 4) != 0)
			continue;
		text = read_file(from->dir, e->d_name);
		scratch_write(to, e->d_name, text);
		drop(text);
	}
	(void)closedir(d);
}

/*
 * Berkeley DB writes pages in place; the current goes while it does, before a
 * checkpoint has said that they are down. Any sector may be new or old.
 */
START_TEST(power_cut)
{
	struct slice data_before, data_after, last_before, last_after;
	struct scratch logs, cut;
	DB_ENV *e;
	unsigned k;
	int i;

	open_at(TABLE_BDB, scratch.dir);
	for (k = 1; k <= 2000; k++)
		ck_assert_int_eq(transaction(k, TABLE_LATER), 0);
	table_env_close(&env);
	data_before = read_file(scratch.dir, "data.db");
	last_before = read_file(scratch.dir, "last.db");
	open_at(TABLE_BDB, scratch.dir);
	for (; k <= 4000; k++)
		ck_assert_int_eq(transaction(k, TABLE_LATER), 0);
	ck_assert_int_eq(table_flush(env), 0);
	/* All pages out, without a checkpoint: state begins with DB_ENV. */
	e = *(DB_ENV **)env->state;
	ck_assert_int_eq(e->memp_sync(e, NULL), 0);
	data_after = read_file(scratch.dir, "data.db");
	last_after = read_file(scratch.dir, "last.db");
	ck_assert(!slice_eq(data_before, data_after));
	scratch_init(&logs);
	copy_logs(&scratch, &logs);
	table_env_close(&env);
	srand(1);
	for (i = 0; i < CUTS; i++) {
		scratch_init(&cut);
		copy_logs(&logs, &cut);
		write_mixture(&cut, "data.db", data_before, data_after);
		write_mixture(&cut, "last.db", last_before, last_after);
		open_at(TABLE_BDB, cut.dir);
		ck_assert_uint_eq(last_number(), 4000);
		check_state(4000);
		ck_assert_int_eq(transaction(4001, TABLE_DURABLE), 0);
		check_state(4001);
		table_env_close(&env);
		scratch_fini(&cut);
	}
	scratch_fini(&logs);
	drop(data_before);
	drop(data_after);
	drop(last_before);
	drop(last_after);
}
END_TEST

UNIT_SUITE(table_crash, {
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, kill_nine, FROM, TO);
	tcase_add_loop_test(tc, kill_nine_later, FROM, TO);
	tcase_add_loop_test(tc, full_disk, FROM, TO);
	tcase_add_test(tc, power_cut);
})
