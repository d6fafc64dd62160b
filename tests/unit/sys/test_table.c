/* SPDX-License-Identifier: ISC */
/* What every driver that can be written to must do; _i is the driver. */
#include "sys/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/sys/scratch.h"
#include "tests/unit/unit.h"

enum { FROM = TABLE_BDB, TO = TABLE_LMDB + 1 }; /* drivers */

static struct scratch scratch;
static struct table_env *env;
static struct table *a, *b;
static struct buf error, value;

static void
open_all(int driver)
{
	ck_assert_msg(table_env_open((enum table_driver)driver, scratch.dir,
	    &error, &env) == 0, "%s", error.p);
	ck_assert_msg(table_open(env, "alpha", &error, &a) == 0, "%s",
	    error.p);
	ck_assert_msg(table_open(env, "beta-2", &error, &b) == 0, "%s",
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

static struct slice
get(struct table *t, const char *key)
{
	buf_reset(&value);
	if (table_get(t, guard_copy(slice_str(key)), &value) < 0) {
		ck_assert_int_eq(errno, ENOENT);
		return SLICE("(none)");
	}
	return buf_slice(&value);
}

START_TEST(put_get_delete)
{
	open_all(_i);
	ck_slice_str(get(a, "k"), "(none)");
	ck_assert_int_eq(table_put(a, SLICE("k"), SLICE("v")), 0);
	ck_slice_str(get(a, "k"), "v");
	ck_slice_str(get(b, "k"), "(none)");
	ck_assert_int_eq(table_put(a, SLICE("k"), SLICE("other")), 0);
	ck_slice_str(get(a, "k"), "other");
	ck_assert_int_eq(table_put(a, SLICE("empty"), SLICE("")), 0);
	ck_slice_str(get(a, "empty"), "");
	ck_assert_int_eq(table_put(a, SLICE("e2"), SLICE_NONE), 0);
	ck_slice_str(get(a, "e2"), "");
	ck_assert_int_eq(table_delete(a, SLICE("k")), 0);
	ck_slice_str(get(a, "k"), "(none)");
	ck_assert_int_eq(table_delete(a, SLICE("k")), 0);
	/* Bytes are bytes. */
	ck_assert_int_eq(table_put(a, SLICE("x\0y"), SLICE("\0\xff")), 0);
	ck_slice_str(get(a, "x"), "(none)");
	buf_reset(&value);
	ck_assert_int_eq(table_get(a, SLICE("x\0y"), &value), 0);
	ck_slice_eq(buf_slice(&value), SLICE("\0\xff"));
	/* A value is added, not replaced. */
	ck_assert_int_eq(table_get(a, SLICE("x\0y"), &value), 0);
	ck_assert_uint_eq(value.n, 4);
}
END_TEST

START_TEST(reopen)
{
	open_all(_i);
	ck_assert_int_eq(table_put(b, SLICE("k"), SLICE("v")), 0);
	table_env_close(&env);
	ck_assert_ptr_null(env);
	open_all(_i);
	ck_slice_str(get(b, "k"), "v");
}
END_TEST

START_TEST(sizes)
{
	static const size_t lengths[] = { 100, 255, 256, 257, 511, 4096,
		100000, TABLE_VALUE_MAX };
	char key[TABLE_KEY_MAX + 1];
	char *big = malloc(TABLE_VALUE_MAX + 1);
	struct buf small;
	size_t i;

	ck_assert_ptr_nonnull(big);
	memset(key, 'k', sizeof key);
	memset(big, 'v', TABLE_VALUE_MAX + 1);
	open_all(_i);
	for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		big[lengths[i] - 1] = 'e';
		ck_assert_int_eq(table_put(a, (struct slice){ key,
		    TABLE_KEY_MAX - i }, (struct slice){ big, lengths[i] }),
		    0);
		buf_reset(&value);
		ck_assert_int_eq(table_get(a, (struct slice){ key,
		    TABLE_KEY_MAX - i }, &value), 0);
		ck_slice_eq(buf_slice(&value),
		    ((struct slice){ big, lengths[i] }));
		big[lengths[i] - 1] = 'v';
	}
	ck_assert_int_eq(table_put(a, (struct slice){ key, sizeof key },
	    SLICE("v")), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_int_eq(table_put(a, SLICE(""), SLICE("v")), -1);
	ck_assert_int_eq(table_put(a, SLICE("k"), (struct slice){ big,
	    TABLE_VALUE_MAX + 1 }), -1);
	ck_slice_str(get(a, ""), "(none)");
	/* The caller's limit. */
	buf_init(&small, 99);
	ck_assert_int_eq(table_get(a, (struct slice){ key, TABLE_KEY_MAX },
	    &small), -1);
	ck_assert_int_eq(errno, ENOBUFS);
	buf_fini(&small);
	free(big);
}
END_TEST

START_TEST(batch)
{
	struct table_change c[] = {
		{ NULL, SLICE("1"), SLICE("one"), false },
		{ NULL, SLICE("1"), SLICE("eins"), false },
		{ NULL, SLICE("gone"), SLICE_NONE, true },
		{ NULL, SLICE("2"), SLICE("two"), false },
		{ NULL, SLICE("2"), SLICE_NONE, true },
		{ NULL, SLICE("3"), SLICE("x"), false },
		{ NULL, SLICE("3"), SLICE("three"), false },
	};
	size_t n = sizeof c / sizeof *c, i;

	open_all(_i);
	for (i = 0; i < n; i++)
		c[i].table = i == 1 ? b : a;
	ck_assert_int_eq(table_put(a, SLICE("gone"), SLICE("x")), 0);
	ck_assert_int_eq(table_apply(env, c, n, TABLE_DURABLE), 0);
	ck_slice_str(get(a, "1"), "one");
	ck_slice_str(get(b, "1"), "eins");
	ck_slice_str(get(a, "gone"), "(none)");
	ck_slice_str(get(a, "2"), "(none)");
	ck_slice_str(get(a, "3"), "three");
	/* One bad change, and none happens. */
	c[0].value = SLICE("uno");
	c[6].key = SLICE("");
	ck_assert_int_eq(table_apply(env, c, n, TABLE_DURABLE), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_slice_str(get(a, "1"), "one");
	ck_assert_int_eq(table_apply(env, NULL, 0, TABLE_DURABLE), 0);
	ck_assert_int_eq(table_apply(env, NULL, 0, TABLE_LATER), 0);
	ck_assert_str_eq(table_error(env), "");
}
END_TEST

START_TEST(large_batch)
{
	enum { N = 20000 };
	struct table_change *c = calloc(N, sizeof *c);
	char(*keys)[16] = calloc(N, sizeof *keys);
	int i;

	ck_assert(c != NULL && keys != NULL);
	open_all(_i);
	for (i = 0; i < N; i++) {
		(void)snprintf(keys[i], sizeof keys[i], "%07d",
		    i * 7919 % N);
		c[i] = (struct table_change){ .table = a,
			.key = slice_str(keys[i]),
			.value = slice_str(keys[i]) };
	}
	ck_assert_int_eq(table_apply(env, c, N, TABLE_LATER), 0);
	ck_assert_int_eq(table_flush(env), 0);
	ck_slice_str(get(a, "0012345"), "0012345");
	for (i = 0; i < N; i++)
		c[i].is_delete = i % 2 == 0;
	ck_assert_int_eq(table_apply(env, c, N, TABLE_LATER), 0);
	table_env_close(&env);
	open_all(_i);
	for (i = 0; i < N; i++)
		ck_slice_str(get(a, keys[i]),
		    i % 2 == 0 ? "(none)" : keys[i]);
	free(keys);
	free(c);
}
END_TEST

struct seen {
	struct buf keys;
	int limit;
	struct table *put, *look;
	int put_errno;
	bool found;
};

static bool
see(void *arg, struct slice key, struct slice val)
{
	struct seen *s = arg;

	buf_add_slice(&s->keys, key);
	buf_add_char(&s->keys, '=');
	buf_add_slice(&s->keys, val);
	buf_add_char(&s->keys, ' ');
	if (s->put != NULL)
		s->put_errno = table_put(s->put, key, val) == 0 ? 0 : errno;
	if (s->look != NULL) {
		buf_reset(&value);
		s->found = table_get(s->look, SLICE("ab"), &value) == 0;
	}
	return --s->limit > 0;
}

static void
walk_is(struct table *t, const char *prefix, const char *after, int limit,
    const char *want)
{
	struct seen s = { .limit = limit };

	buf_init(&s.keys, 4096);
	ck_assert_int_eq(table_walk(t, slice_str(prefix), slice_str(after),
	    see, &s), 0);
	ck_slice_str(buf_slice(&s.keys), want);
	buf_fini(&s.keys);
}

START_TEST(walks)
{
	static const char *const keys[] = { "b", "ab", "a", "abc", "ab\xff",
		"ac", "B" };
	struct seen s = { .limit = 9 };
	size_t i;

	open_all(_i);
	walk_is(a, "", "", 9, "");
	for (i = 0; i < sizeof keys / sizeof *keys; i++)
		ck_assert_int_eq(table_put(a, slice_str(keys[i]),
		    slice_str(i % 2 ? "1" : "0")), 0);
	walk_is(a, "", "", 9, "B=0 a=0 ab=1 abc=1 ab\xff=0 ac=1 b=0 ");
	walk_is(a, "ab", "", 9, "ab=1 abc=1 ab\xff=0 ");
	walk_is(a, "ab", "ab", 9, "abc=1 ab\xff=0 ");
	walk_is(a, "ab", "abb", 9, "abc=1 ab\xff=0 ");
	walk_is(a, "ab", "ab\xff", 9, "");
	walk_is(a, "ab", "a", 9, "ab=1 abc=1 ab\xff=0 ");
	walk_is(a, "ab", "c", 9, "");
	walk_is(a, "", "ac", 9, "b=0 ");
	walk_is(a, "", "zz", 9, "");
	walk_is(a, "x", "", 9, "");
	walk_is(a, "", "", 2, "B=0 a=0 ");
	/* From within: reading yes, changing no. */
	buf_init(&s.keys, 4096);
	s.put = s.look = a;
	ck_assert_int_eq(table_walk(a, SLICE("a"), SLICE_NONE, see, &s), 0);
	ck_assert_int_eq(s.put_errno, EDEADLK);
	ck_assert(s.found);
	ck_slice_str(buf_slice(&s.keys), "a=0 ab=1 abc=1 ab\xff=0 ac=1 ");
	buf_fini(&s.keys);
	ck_assert_int_eq(table_put(a, SLICE("after"), SLICE("walk")), 0);
}
END_TEST

START_TEST(one_owner)
{
	struct table_env *second;
	int status;
	pid_t pid;

	open_all(_i);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (table_env_open((enum table_driver)_i, scratch.dir,
			&error, &second) == 0)
			_exit(1);
		if (errno != EBUSY || strstr(error.p, "in use") == NULL)
			_exit(2);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	/* The same process is no exception. */
	ck_assert_int_eq(table_env_open((enum table_driver)_i, scratch.dir,
	    &error, &second), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(table_put(a, SLICE("still"), SLICE("mine")), 0);
	table_env_close(&env);
	open_all(_i);
}
END_TEST

START_TEST(no_folder)
{
	struct table_env *none;

	ck_assert_int_eq(table_env_open((enum table_driver)_i,
	    "/nonexistent/folder", &error, &none), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_uint_gt(error.n, 0);
}
END_TEST

#define LONG "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklm"

START_TEST(names)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "A", "a b",
		"a.db", LONG };
	struct table *t;
	size_t i;

	open_all(_i);
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_int_eq(table_open(env, bad[i], &error, &t), -1);
		ck_assert_int_eq(errno, EINVAL);
	}
}
END_TEST

START_TEST(drivers)
{
	enum table_driver d;

	ck_assert_int_eq(table_driver_find(SLICE("lmdb"), &d), 0);
	ck_assert_int_eq(d, TABLE_LMDB);
	ck_assert_int_eq(table_driver_find(SLICE("bdb"), &d), 0);
	ck_assert_int_eq(d, TABLE_BDB);
	ck_assert_int_eq(table_driver_find(SLICE("text"), &d), 0);
	ck_assert_int_eq(d, TABLE_TEXT);
	ck_assert_int_eq(table_driver_find(SLICE("mysql"), &d), -1);
}
END_TEST

UNIT_SUITE(table, {
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, put_get_delete, FROM, TO);
	tcase_add_loop_test(tc, reopen, FROM, TO);
	tcase_add_loop_test(tc, sizes, FROM, TO);
	tcase_add_loop_test(tc, batch, FROM, TO);
	tcase_add_loop_test(tc, large_batch, FROM, TO);
	tcase_add_loop_test(tc, walks, FROM, TO);
	tcase_add_loop_test(tc, one_owner, FROM, TO);
	tcase_add_loop_test(tc, no_folder, FROM, TO);
	tcase_add_loop_test(tc, names, FROM, TO);
	tcase_add_test(tc, drivers);
})
