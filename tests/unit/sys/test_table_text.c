/* SPDX-License-Identifier: ISC */
#include "sys/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/sys/scratch.h"
#include "tests/unit/unit.h"

static struct scratch scratch;
static struct table_env *env;
static struct table *t;
static struct buf error, value;

static void
set_up(void)
{
	scratch_init(&scratch);
	buf_init(&error, 4096);
	buf_init(&value, TABLE_VALUE_MAX);
	ck_assert_int_eq(table_env_open(TABLE_TEXT, scratch.dir, &error,
	    &env), 0);
}

static void
tear_down(void)
{
	table_env_close(&env);
	scratch_fini(&scratch);
	buf_fini(&error);
	buf_fini(&value);
}

static void
write_it(const char *text)
{
	scratch_write(&scratch, "aliases", slice_str(text));
}

/* As a careful editor does it. */
static void
replace_it(const char *text)
{
	char from[2 * SCRATCH_PATH], to[2 * SCRATCH_PATH];

	scratch_write(&scratch, "aliases.new", slice_str(text));
	(void)snprintf(from, sizeof from, "%s/aliases.new", scratch.dir);
	(void)snprintf(to, sizeof to, "%s/aliases", scratch.dir);
	ck_assert_int_eq(rename(from, to), 0);
}

static int
open_it(void)
{
	buf_reset(&error);
	return table_open(env, "aliases", &error, &t);
}

static struct slice
get(const char *key)
{
	buf_reset(&value);
	if (table_get(t, slice_str(key), &value) < 0) {
		ck_assert_int_eq(errno, ENOENT);
		return SLICE("(none)");
	}
	return buf_slice(&value);
}

static bool
see(void *arg, struct slice key, struct slice val)
{
	struct buf *keys = arg;

	/* A change now must not pull the content from under the walk. */
	if (keys->n == 0)
		replace_it("z new\n");
	buf_reset(&value);
	ck_assert_int_eq(table_get(t, key, &value), 0);
	ck_slice_eq(buf_slice(&value), val);
	buf_add_slice(keys, key);
	buf_add_char(keys, ' ');
	return true;
}

START_TEST(reads)
{
	struct buf keys;

	write_it("# aliases\npostmaster root\nroot anna,\n  bert\n"
		 "abuse postmaster\nab x\n");
	ck_assert_msg(open_it() == 0, "%s", error.p);
	ck_slice_str(get("root"), "anna, bert");
	ck_slice_str(get("abuse"), "postmaster");
	ck_slice_str(get("abus"), "(none)");
	ck_slice_str(get("zz"), "(none)");
	buf_init(&keys, 100);
	ck_assert_int_eq(table_walk(t, SLICE("ab"), SLICE("ab"), see, &keys),
	    0);
	ck_slice_str(buf_slice(&keys), "abuse ");
	ck_slice_str(get("root"), "(none)");
	ck_slice_str(get("z"), "new");
	buf_fini(&keys);
}
END_TEST

START_TEST(changes)
{
	write_it("a 1\n");
	ck_assert_int_eq(open_it(), 0);
	replace_it("a 2\n"); /* another file, same size */
	ck_slice_str(get("a"), "2");
	write_it("a 33\n"); /* the same file, another size */
	ck_slice_str(get("a"), "33");
	/* Broken: the old serves on, and it is said. */
	replace_it("a 4\na 5\n");
	ck_slice_str(get("a"), "33");
	ck_assert_ptr_nonnull(strstr(table_error(env),
	    "aliases:2: \"a\" stands already in line 1"));
	ck_slice_str(get("a"), "33");
	replace_it("a 6\n");
	ck_slice_str(get("a"), "6");
	ck_assert_str_eq(table_error(env), "");
}
END_TEST

START_TEST(vanishes)
{
	char path[2 * SCRATCH_PATH];

	write_it("a 1\n");
	ck_assert_int_eq(open_it(), 0);
	(void)snprintf(path, sizeof path, "%s/aliases", scratch.dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_slice_str(get("a"), "1");
	ck_assert_str_ne(table_error(env), "");
	write_it("a 2\n");
	ck_slice_str(get("a"), "2");
	ck_assert_str_eq(table_error(env), "");
}
END_TEST

START_TEST(refusals)
{
	ck_assert_int_eq(open_it(), -1);
	ck_assert_int_eq(errno, ENOENT);
	write_it("a 1\nb 2\na 3\n");
	ck_assert_int_eq(open_it(), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_nonnull(strstr(error.p, "aliases:3:"));
	write_it(" a 1\n");
	ck_assert_int_eq(open_it(), -1);
	buf_reset(&error);
	ck_assert_int_eq(table_open(env, "..", &error, &t), -1);
	ck_assert_int_eq(table_open(env, "x/y", &error, &t), -1);
	write_it("");
	ck_assert_int_eq(open_it(), 0);
	ck_slice_str(get("a"), "(none)");
	ck_assert_int_eq(table_put(t, SLICE("a"), SLICE("b")), -1);
	ck_assert_int_eq(errno, EROFS);
	ck_assert_int_eq(table_delete(t, SLICE("a")), -1);
	ck_assert_int_eq(errno, EROFS);
	ck_assert_int_eq(table_flush(env), 0);
}
END_TEST

UNIT_SUITE(table_text, {
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, reads);
	tcase_add_test(tc, changes);
	tcase_add_test(tc, vanishes);
	tcase_add_test(tc, refusals);
})
