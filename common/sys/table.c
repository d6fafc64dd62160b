/* SPDX-License-Identifier: ISC */
/* The interface of tables: checks, the owner's lock, and on to the driver. */
#include "sys/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sys/table_driver.h"

enum { ERROR_MAX = 1024 };

static const struct table_ops *const drivers[] = {
	[TABLE_BDB] = &table_bdb,
	[TABLE_LMDB] = &table_lmdb,
	[TABLE_TEXT] = &table_text,
};

int
table_driver_find(struct slice name, enum table_driver *driver_r)
{
	size_t i;

	for (i = 0; i < sizeof drivers / sizeof *drivers; i++) {
		if (slice_eq_str(name, drivers[i]->name)) {
			*driver_r = (enum table_driver)i;
			return 0;
		}
	}
	return -1;
}

void
table_say(struct table_env *env, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!pthread_equal(pthread_self(), env->thread))
		return;
	buf_reset(&env->error);
	va_start(ap, fmt);
	buf_addv(&env->error, fmt, ap);
	va_end(ap);
	errno = saved;
}

const char *
table_error(const struct table_env *env)
{
	return env->error.p;
}

static int
fail(int error)
{
	errno = error;
	return -1;
}

/* "in use by process 12" is worth more than "in use". */
static void
say_owner(struct table_env *env)
{
	char text[24];
	ssize_t n = pread(env->lock_fd, text, sizeof text - 1, 0);

	while (n > 0 && !ascii_is_digit(text[n - 1]))
		n--;
	if (n < 0)
		n = 0;
	text[n] = '\0';
	table_say(env, "%s: in use by another process%s%s", env->dir,
	    n > 0 ? ", " : "", text);
}

/* The lock ends with the process, so a dead owner leaves none behind. */
static int
take_lock(struct table_env *env)
{
	char text[24];
	int n;

	env->lock_fd = openat(env->dir_fd, "lock",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (env->lock_fd < 0) {
		table_say(env, "%s/lock: %s", env->dir, strerror(errno));
		return -1;
	}
	if (flock(env->lock_fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK) {
			say_owner(env);
			return fail(EBUSY);
		}
		table_say(env, "%s/lock: %s", env->dir, strerror(errno));
		return -1;
	}
	/* For people; that it fails (a full disk) is no reason to stop. */
	n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (ftruncate(env->lock_fd, 0) == 0)
		(void)!pwrite(env->lock_fd, text, (size_t)n, 0);
	return 0;
}

static int
open_dir(struct table_env *env, const char *dir)
{
	env->dir = strdup(dir);
	if (env->dir == NULL) {
		table_say(env, "out of memory");
		return -1;
	}
	env->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (env->dir_fd >= 0)
		return 0;
	table_say(env, "%s: %s", dir, strerror(errno));
	return -1;
}

static void
env_free(struct table_env *env)
{
	if (env->lock_fd >= 0)
		(void)close(env->lock_fd);
	if (env->dir_fd >= 0)
		(void)close(env->dir_fd);
	buf_fini(&env->error);
	free(env->dir);
	free(env);
}

int
table_env_open(enum table_driver driver, const char *dir, struct buf *error,
    struct table_env **env_r)
{
	struct table_env *env = calloc(1, sizeof *env);
	int saved;

	if (env == NULL) {
		buf_add_str(error, "out of memory");
		return -1;
	}
	env->ops = drivers[driver];
	env->dir_fd = env->lock_fd = -1;
	env->thread = pthread_self();
	list_init(&env->tables);
	buf_init(&env->error, ERROR_MAX);
	if (open_dir(env, dir) == 0 &&
	    (!env->ops->is_owned || take_lock(env) == 0) &&
	    env->ops->env_open(env) == 0) {
		*env_r = env;
		return 0;
	}
	saved = errno;
	buf_add_slice(error, buf_slice(&env->error));
	env_free(env);
	return fail(saved);
}

static void
table_free(struct table *t)
{
	list_remove(&t->link);
	free(t->name);
	free(t);
}

void
table_env_close(struct table_env **envp)
{
	struct table_env *env = *envp;
	struct list *it, *next;
	struct table *t;

	if (env == NULL)
		return;
	LIST_EACH(it, next, &env->tables) {
		t = LIST_OF(it, struct table, link);
		env->ops->close(t);
		table_free(t);
	}
	env->ops->env_close(env);
	env_free(env);
	*envp = NULL;
}

static bool
is_name(const struct table_env *env, const char *name)
{
	size_t i;

	if (name[0] == '\0' || name[0] == '.' || strlen(name) > TABLE_NAME_MAX)
		return false;
	if (!env->ops->is_owned)
		return strchr(name, '/') == NULL;
	for (i = 0; name[i] != '\0'; i++)
		if (!(name[i] >= 'a' && name[i] <= 'z') &&
		    !ascii_is_digit(name[i]) && name[i] != '-' &&
		    name[i] != '_')
			return false;
	return true;
}

int
table_open(struct table_env *env, const char *name, struct buf *error,
    struct table **table_r)
{
	struct table *t;
	int saved;

	if (!is_name(env, name) || env->n == TABLE_TABLES_MAX) {
		buf_addf(error, "%s: %s", name,
		    env->n == TABLE_TABLES_MAX ? "too many tables"
					       : "not a name for a table");
		return fail(EINVAL);
	}
	t = calloc(1, sizeof *t);
	if (t != NULL) {
		t->env = env;
		t->name = strdup(name);
	}
	if (t == NULL || t->name == NULL) {
		free(t);
		buf_add_str(error, "out of memory");
		return fail(ENOMEM);
	}
	if (env->ops->open(t) < 0) {
		saved = errno;
		buf_add_slice(error, buf_slice(&env->error));
		table_free(t);
		return fail(saved);
	}
	list_add(&env->tables, &t->link);
	env->n++;
	*table_r = t;
	return 0;
}

static bool
is_key(struct slice key)
{
	return key.n > 0 && key.n <= TABLE_KEY_MAX;
}

int
table_get(struct table *t, struct slice key, struct buf *value)
{
	if (!is_key(key))
		return fail(ENOENT);
	if (!buf_is_ok(value))
		return fail(value->err);
	return t->env->ops->get(t, key, value);
}

int
table_apply(struct table_env *env, const struct table_change *changes,
    size_t n, enum table_durability how)
{
	size_t i;

	if (env->walks > 0)
		return fail(EDEADLK);
	for (i = 0; i < n; i++)
		if (!is_key(changes[i].key) || changes[i].table->env != env ||
		    (!changes[i].is_delete &&
			changes[i].value.n > TABLE_VALUE_MAX))
			return fail(EINVAL);
	if (n == 0 && how == TABLE_LATER)
		return 0;
	return env->ops->apply(env, changes, n, how);
}

int
table_put(struct table *t, struct slice key, struct slice value)
{
	struct table_change change = { .table = t, .key = key,
		.value = value };

	return table_apply(t->env, &change, 1, TABLE_DURABLE);
}

int
table_delete(struct table *t, struct slice key)
{
	struct table_change change = { .table = t, .key = key,
		.is_delete = true };

	return table_apply(t->env, &change, 1, TABLE_DURABLE);
}

int
table_flush(struct table_env *env)
{
	return env->ops->flush(env);
}

int
table_walk(struct table *t, struct slice prefix, struct slice after,
    table_each_fn *each, void *arg)
{
	int rc;

	if (prefix.n > TABLE_KEY_MAX || after.n > TABLE_KEY_MAX)
		return fail(EINVAL);
	/* Nothing before the prefix matters. */
	if (after.n > 0 && slice_cmp(after, prefix) < 0)
		after = SLICE_NONE;
	t->env->walks++;
	rc = t->env->ops->walk(t, prefix, after, each, arg);
	t->env->walks--;
	return rc;
}
