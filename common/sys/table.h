/* SPDX-License-Identifier: ISC */
/*
 * Keyed tables: accounts, aliases, passwords, state. An environment is a
 * folder with any number of tables; a change may touch several of its tables
 * and happens as a whole or not at all, whatever dies when.
 *
 *	bdb   Berkeley DB btrees under one log of transactions
 *	lmdb  one LMDB file
 *	text  files of lines "key value...", which people edit; read-only
 *
 * A bdb or lmdb environment has exactly one owner process, shown by a lock on
 * the file "lock" in it for as long as it is open; a second one is refused.
 * All calls come from one thread, but for table_flush().
 *
 * Errors are -1 with errno: ENOENT, EINVAL (key or value out of bounds), EROFS,
 * EDEADLK (a change from within a walk), ENOSPC, ENOMEM; EIO means that the
 * environment cannot go on: nothing acknowledged is lost, the process ends
 * and the next one recovers. table_error() has the words.
 */
#ifndef SYS_TABLE_H
#define SYS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/slice.h"

enum table_driver { TABLE_BDB, TABLE_LMDB, TABLE_TEXT };

enum {
	TABLE_KEY_MAX = 511, /* 1 to this many octets; LMDB's own limit */
	TABLE_VALUE_MAX = 1 << 20, /* 0 to this many */
	TABLE_TABLES_MAX = 32,	   /* in an environment */
	TABLE_NAME_MAX = 64,
	TABLE_TEXT_MAX = 64 << 20 /* a text file */
};

struct table_env;
struct table;

/* "bdb", "lmdb", "text". -1: no such driver. */
int table_driver_find(struct slice name, enum table_driver *driver_r)
    __attribute__((warn_unused_result));

/*
 * Opens the environment in an existing folder, after a crash with recovery.
 * `dir` is relative to the working directory, and must name the same folder
 * as long as the environment is open (bdb opens log files by name): open it
 * when the jail is set up. 0; -1 with errno (EBUSY: another process has it)
 * and a sentence for the log in `error`.
 */
int table_env_open(enum table_driver driver, const char *dir,
    struct buf *error, struct table_env **env_r)
    __attribute__((warn_unused_result));
/* Closes it with its tables. *env becomes NULL. */
void table_env_close(struct table_env **env);

/*
 * Opens a table; it lives as long as its environment. bdb and lmdb make it if
 * it is missing; names are a-z, 0-9, '-', '_'. For text `name` is the file's
 * name, which must exist and be well-formed now.
 */
int table_open(struct table_env *env, const char *name, struct buf *error,
    struct table **table_r) __attribute__((warn_unused_result));

/*
 * Adds the value to `value`. -1 ENOENT: no such key; ENOBUFS: the value does
 * not fit. A text file that has changed is read again; if it is then broken
 * or gone, the old content goes on serving and table_error() says so.
 */
int table_get(struct table *t, struct slice key, struct buf *value)
    __attribute__((warn_unused_result));

/* One change of a batch. To delete what is not there is no error. */
struct table_change {
	struct table *table;
	struct slice key, value;
	bool is_delete; /* value does not count */
};
/* TABLE_LATER: may be lost, whole, in a crash before the next TABLE_DURABLE
 * or table_flush(); lmdb flushes its data all the same. */
enum table_durability { TABLE_DURABLE, TABLE_LATER };

/*
 * Applies the changes in their order as one transaction; the tables are of
 * this environment. 0: done, and durable before it returns if so asked. -1:
 * nothing was changed (after EIO the recovery decides, for all or none).
 */
int table_apply(struct table_env *env, const struct table_change *changes,
    size_t n, enum table_durability how) __attribute__((warn_unused_result));
/* One durable change. */
int table_put(struct table *t, struct slice key, struct slice value)
    __attribute__((warn_unused_result));
int table_delete(struct table *t, struct slice key)
    __attribute__((warn_unused_result));
/* Makes durable all that was applied before. May run in a worker thread,
 * beside any other call but table_env_close(). */
int table_flush(struct table_env *env) __attribute__((warn_unused_result));

/* Views valid until it returns; false ends the walk. It may table_get(). */
typedef bool table_each_fn(void *arg, struct slice key, struct slice value);
/*
 * Calls `each` for the keys that begin with `prefix` and come behind `after`
 * (both may be empty), in the order of their bytes. A long walk is cut up by
 * returning false and going on later from the last key.
 */
int table_walk(struct table *t, struct slice prefix, struct slice after,
    table_each_fn *each, void *arg) __attribute__((warn_unused_result));

/* The last trouble in words, "" if none. Valid until the next call. */
const char *table_error(const struct table_env *env);

#endif
