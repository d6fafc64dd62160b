/* SPDX-License-Identifier: ISC */
/*
 * What table.c and its drivers share. table.c checks names, keys, values, the
 * lock and walks; a driver sees only what is well-formed.
 */
#ifndef SYS_TABLE_DRIVER_H
#define SYS_TABLE_DRIVER_H

#include <pthread.h>

#include "base/list.h"
#include "sys/table.h"

struct table_ops {
	const char *name;
	bool is_owned; /* one process at a time, names in a-z0-9-_ */
	/* env->dir, dir_fd are set; sets env->state. -1 with errno and
	 * env->error. */
	int (*env_open)(struct table_env *env);
	void (*env_close)(struct table_env *env);
	/* t->env, t->name are set; sets t->state. */
	int (*open)(struct table *t);
	void (*close)(struct table *t);
	int (*get)(struct table *t, struct slice key, struct buf *value);
	int (*apply)(struct table_env *env, const struct table_change *changes,
	    size_t n, enum table_durability how);
	int (*flush)(struct table_env *env);
	int (*walk)(struct table *t, struct slice prefix, struct slice after,
	    table_each_fn *each, void *arg);
};

struct table_env {
	const struct table_ops *ops;
	char *dir;
	int dir_fd, lock_fd;
	struct list tables;
	size_t n;
	unsigned walks; /* under way */
	pthread_t thread; /* whose calls may touch error */
	struct buf error;
	void *state;
};

struct table {
	struct list link;
	struct table_env *env;
	char *name;
	void *state;
};

extern const struct table_ops table_bdb, table_lmdb, table_text;

/* Sets the words of table_error(); does nothing in a flushing thread. */
void table_say(struct table_env *env, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
