/* SPDX-License-Identifier: ISC */
/*
 * Berkeley DB 5.3: a btree file per table (NAME.db), all under one
 * transaction log (log.0000000001 ...) in the environment's folder.
 *
 * Regions live in the owner's heap (DB_PRIVATE): a shared environment does not
 * survive a killed process, a private one dies whole and is recovered from the
 * log at each open. There is no lock subsystem: one thread changes and reads,
 * and a lock table that fills up would refuse large batches; table_flush()
 * touches only the log, which has its own mutexes (DB_THREAD).
 *
 * Pages are 512 bytes, the size of a sector. Recovery redoes changes on pages
 * that are old or new, but a power cut may leave a larger page half written,
 * and that no log repairs.
 */
#include "sys/table_driver.h"

#include <db.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PAGE = 512,
	/* The kernel keeps the files in memory as well, and each page here
	 * costs a mutex that is touched at the start: 16 MB of cache were
	 * 12 MB resident in a process at rest. */
	CACHE = 2 << 20,
	LOG_FILE = 8 << 20,
	/* Work of a recovery: this much log since the last checkpoint. */
	CHECKPOINT_MB = 4,
	VALUE_GUESS = 256
};

struct bdb {
	DB_ENV *env;
	u_int32_t log_file; /* whose name is known to be on disk */
};

static void
on_message(const DB_ENV *dbenv, const char *prefix, const char *text)
{
	struct table_env *env = dbenv->app_private;

	/* The first is the cause; what follows is that all is lost. */
	if (env->error.n == 0)
		table_say(env, "%s: Berkeley DB: %s", env->dir, text);
}

/* No words: for any thread. */
static int
fail_quietly(int rc)
{
	if (rc == DB_NOTFOUND)
		errno = ENOENT;
	else
		errno = rc > 0 ? rc : EIO;
	return -1;
}

static int
fail(struct table_env *env, int rc)
{
	/* What on_message said is more exact. */
	if (rc != DB_NOTFOUND && env->error.n == 0)
		table_say(env, "%s: Berkeley DB: %s", env->dir,
		    db_strerror(rc));
	return fail_quietly(rc);
}

static DBT
dbt(struct slice s)
{
	DBT d;

	memset(&d, 0, sizeof d);
	d.data = (void *)(uintptr_t)s.p;
	d.size = (u_int32_t)s.n;
	return d;
}

static struct slice
slice(const DBT *d)
{
	return (struct slice){ d->data, d->size };
}

static int
configure(struct table_env *env, DB_ENV *e)
{
	int rc;

	e->app_private = env;
	e->set_errcall(e, on_message);
	rc = e->set_cachesize(e, 0, CACHE, 1);
	/* It decides how many mutexes, one a page, there are. */
	if (rc == 0)
		rc = e->set_mp_pagesize(e, PAGE);
	if (rc == 0)
		rc = e->set_lg_max(e, LOG_FILE);
	if (rc == 0)
		rc = e->log_set_config(e, DB_LOG_AUTO_REMOVE, 1);
	return rc;
}

static int
bdb_env_open(struct table_env *env)
{
	struct bdb *b = calloc(1, sizeof *b);
	int rc;

	if (b == NULL)
		return fail(env, ENOMEM);
	rc = db_env_create(&b->env, 0);
	if (rc == 0)
		rc = configure(env, b->env);
	if (rc == 0)
		rc = b->env->open(b->env, env->dir,
		    DB_CREATE | DB_PRIVATE | DB_THREAD | DB_INIT_MPOOL |
		    DB_INIT_LOG | DB_INIT_TXN | DB_RECOVER, 0600);
	if (rc == 0 && fsync(env->dir_fd) < 0)
		rc = errno;
	if (rc == 0) {
		env->state = b;
		return 0;
	}
	if (b->env != NULL)
		(void)b->env->close(b->env, 0);
	free(b);
	return fail(env, rc);
}

static void
bdb_env_close(struct table_env *env)
{
	struct bdb *b = env->state;

	/* The next open then has nothing to recover. */
	(void)b->env->txn_checkpoint(b->env, 0, 0, DB_FORCE);
	(void)b->env->close(b->env, 0);
	free(b);
}

static int
open_file(struct table *t, DB *db)
{
	struct buf name;
	int rc;

	/* Checksums: a bad sector is an error, never a wrong answer. */
	rc = db->set_flags(db, DB_CHKSUM);
	if (rc == 0)
		rc = db->set_pagesize(db, PAGE);
	if (rc != 0)
		return rc;
	buf_init(&name, TABLE_NAME_MAX + sizeof ".db");
	buf_addf(&name, "%s.db", t->name);
	rc = buf_is_ok(&name) ? 0 : name.err;
	if (rc == 0)
		rc = db->open(db, NULL, name.p, NULL, DB_BTREE,
		    DB_AUTO_COMMIT | DB_THREAD | DB_CREATE, 0600);
	if (rc == 0 && fsync(t->env->dir_fd) < 0)
		rc = errno;
	buf_fini(&name);
	return rc;
}

static int
bdb_open(struct table *t)
{
	struct bdb *b = t->env->state;
	DB *db;
	int rc;

	buf_reset(&t->env->error);
	rc = db_create(&db, b->env, 0);
	if (rc != 0)
		return fail(t->env, rc);
	rc = open_file(t, db);
	if (rc != 0) {
		(void)db->close(db, 0);
		return fail(t->env, rc);
	}
	t->state = db;
	return 0;
}

static void
bdb_close(struct table *t)
{
	DB *db = t->state;

	(void)db->close(db, 0);
}

static int
bdb_get(struct table *t, struct slice key, struct buf *value)
{
	DB *db = t->state;
	DBT k = dbt(key), v = dbt(SLICE_NONE);
	int rc = DB_BUFFER_SMALL;

	buf_reset(&t->env->error);
	v.flags = DB_DBT_USERMEM;
	v.ulen = value->max - value->n < VALUE_GUESS
	    ? (u_int32_t)(value->max - value->n) : VALUE_GUESS;
	while (rc == DB_BUFFER_SMALL) {
		v.data = buf_room(value, v.ulen);
		if (v.data == NULL) {
			errno = value->err;
			return -1;
		}
		rc = db->get(db, NULL, &k, &v, 0);
		v.ulen = v.size;
	}
	if (rc != 0)
		return fail(t->env, rc);
	buf_grew(value, v.size);
	return 0;
}

static int
change(DB_TXN *txn, const struct table_change *c)
{
	DB *db = c->table->state;
	DBT k = dbt(c->key), v = dbt(c->value);
	int rc;

	if (!c->is_delete)
		return db->put(db, txn, &k, &v, 0);
	rc = db->del(db, txn, &k, 0);
	return rc == DB_NOTFOUND ? 0 : rc;
}

/*
 * Berkeley DB flushes its log files but not the folder: where a flush of a
 * file is not one of its name, a new log file could vanish with what is in it.
 */
static int
keep_log_name(struct table_env *env, u_int32_t file)
{
	struct bdb *b = env->state;

	if (file == b->log_file)
		return 0;
	if (fsync(env->dir_fd) < 0)
		return errno;
	b->log_file = file;
	return 0;
}

/* txn_checkpoint() could count the log itself, but looks for log files to
 * remove at every call. */
static int
after_commit(struct table_env *env, bool now)
{
	struct bdb *b = env->state;
	DB_LOG_STAT *st;
	bool is_due;
	int rc = b->env->log_stat(b->env, &st, 0);

	if (rc != 0)
		return rc;
	if (now)
		rc = keep_log_name(env, st->st_cur_file);
	is_due = st->st_wc_mbytes >= CHECKPOINT_MB;
	free(st);
	/* It is committed; if this fails, the next call will say so. */
	if (rc == 0 && is_due)
		(void)b->env->txn_checkpoint(b->env, 0, 0, 0);
	return rc;
}

static int
bdb_apply(struct table_env *env, const struct table_change *changes,
    size_t n, enum table_durability how)
{
	bool now = how == TABLE_DURABLE;
	struct bdb *b = env->state;
	DB_TXN *txn;
	size_t i;
	int rc;

	buf_reset(&env->error);
	rc = b->env->txn_begin(b->env, NULL, &txn, 0);
	if (rc != 0)
		return fail(env, rc);
	for (i = 0; i < n && rc == 0; i++)
		rc = change(txn, &changes[i]);
	if (rc != 0) {
		(void)txn->abort(txn);
		return fail(env, rc);
	}
	rc = txn->commit(txn, now ? DB_TXN_SYNC : DB_TXN_NOSYNC);
	/* A transaction that wrote nothing flushes nothing. */
	if (rc == 0 && now && n == 0)
		rc = b->env->log_flush(b->env, NULL);
	if (rc == 0)
		rc = after_commit(env, now);
	return rc == 0 ? 0 : fail(env, rc);
}

static int
bdb_flush(struct table_env *env)
{
	struct bdb *b = env->state;
	int rc = b->env->log_flush(b->env, NULL);

	if (rc != 0)
		return fail_quietly(rc);
	return fsync(env->dir_fd);
}

/* With DB_THREAD memory for answers is ours; realloc'd from step to step. */
static int
walk(DBC *cursor, DBT *k, DBT *v, const struct slice bounds[2],
    table_each_fn *each, void *arg)
{
	struct slice prefix = bounds[0], after = bounds[1];
	struct slice from = after.n > 0 ? after : prefix;
	int rc;

	if (from.n > 0) {
		k->data = malloc(from.n);
		if (k->data == NULL)
			return ENOMEM;
		memcpy(k->data, from.p, from.n);
		k->size = (u_int32_t)from.n;
	}
	rc = cursor->get(cursor, k, v, from.n > 0 ? DB_SET_RANGE : DB_FIRST);
	if (rc == 0 && after.n > 0 && slice_eq(slice(k), after))
		rc = cursor->get(cursor, k, v, DB_NEXT);
	while (rc == 0 && slice_has_prefix(slice(k), prefix) &&
	    each(arg, slice(k), slice(v)))
		rc = cursor->get(cursor, k, v, DB_NEXT);
	return rc == DB_NOTFOUND ? 0 : rc;
}

static int
bdb_walk(struct table *t, struct slice prefix, struct slice after,
    table_each_fn *each, void *arg)
{
	const struct slice bounds[2] = { prefix, after };
	DBT k = dbt(SLICE_NONE), v = dbt(SLICE_NONE);
	DB *db = t->state;
	DBC *cursor;
	int rc;

	buf_reset(&t->env->error);
	k.flags = v.flags = DB_DBT_REALLOC;
	rc = db->cursor(db, NULL, &cursor, 0);
	if (rc != 0)
		return fail(t->env, rc);
	rc = walk(cursor, &k, &v, bounds, each, arg);
	(void)cursor->close(cursor);
	free(k.data);
	free(v.data);
	return rc == 0 ? 0 : fail(t->env, rc);
}

const struct table_ops table_bdb = {
	.name = "bdb",
	.is_owned = true,
	.env_open = bdb_env_open,
	.env_close = bdb_env_close,
	.open = bdb_open,
	.close = bdb_close,
	.get = bdb_get,
	.apply = bdb_apply,
	.flush = bdb_flush,
	.walk = bdb_walk,
};
