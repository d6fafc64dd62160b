/* SPDX-License-Identifier: ISC */
/*
 * One LMDB file, "tables.mdb", with a named database per table. The owner's
 * lock stands in for LMDB's (MDB_NOLOCK), so no lock file and no stale
 * readers. A commit writes new pages, flushes, then flips a meta page of one
 * sector: never torn. All descriptors are opened at the start.
 */
#include "sys/table_driver.h"

#include <errno.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

/* Address space only; a file that would outgrow it answers ENOSPC. */
#define MAP_SIZE (sizeof(void *) > 4 ? (size_t)64 << 30 : (size_t)1 << 30)

struct lmdb {
	MDB_env *env;
	MDB_txn *reader; /* kept, renewed for each use */
	unsigned reads;	 /* users of it now: a get within a walk */
};

struct lmdb_table {
	MDB_dbi dbi;
};

static int
fail(struct table_env *env, int rc)
{
	if (rc == MDB_NOTFOUND) {
		errno = ENOENT;
		return -1;
	}
	table_say(env, "%s: LMDB: %s", env->dir, mdb_strerror(rc));
	if (rc > 0)
		errno = rc;
	else
		errno = rc == MDB_MAP_FULL ? ENOSPC : EIO;
	return -1;
}

static MDB_val
val(struct slice s)
{
	return (MDB_val){ s.n, (void *)(uintptr_t)s.p };
}

static struct slice
slice(MDB_val v)
{
	return (struct slice){ v.mv_data, v.mv_size };
}

static int
open_env(struct table_env *env, struct lmdb *l)
{
	struct buf path;
	int rc;

	rc = mdb_env_create(&l->env);
	if (rc != 0)
		return rc;
	buf_init(&path, 4096);
	buf_addf(&path, "%s/tables.mdb", env->dir);
	rc = buf_is_ok(&path) ? 0 : path.err;
	if (rc == 0)
		rc = mdb_env_set_maxdbs(l->env, TABLE_TABLES_MAX);
	if (rc == 0)
		rc = mdb_env_set_mapsize(l->env, MAP_SIZE);
	if (rc == 0)
		rc = mdb_env_open(l->env, path.p,
		    MDB_NOSUBDIR | MDB_NOLOCK | MDB_NOTLS, 0600);
	/* LMDB flushes its file, but not the name of a new one. */
	if (rc == 0 && fsync(env->dir_fd) < 0)
		rc = errno;
	if (rc == 0)
		rc = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &l->reader);
	if (rc == 0)
		mdb_txn_reset(l->reader);
	buf_fini(&path);
	return rc;
}

static int
lmdb_env_open(struct table_env *env)
{
	struct lmdb *l = calloc(1, sizeof *l);
	int rc;

	if (l == NULL)
		return fail(env, ENOMEM);
	rc = open_env(env, l);
	if (rc == 0) {
		env->state = l;
		return 0;
	}
	if (l->env != NULL)
		mdb_env_close(l->env);
	free(l);
	return fail(env, rc);
}

static void
lmdb_env_close(struct table_env *env)
{
	struct lmdb *l = env->state;

	mdb_txn_abort(l->reader);
	mdb_env_close(l->env);
	free(l);
}

static int
lmdb_open(struct table *t)
{
	struct lmdb *l = t->env->state;
	struct lmdb_table *lt = calloc(1, sizeof *lt);
	MDB_txn *txn = NULL;
	int rc;

	if (lt == NULL)
		return fail(t->env, ENOMEM);
	rc = mdb_txn_begin(l->env, NULL, 0, &txn);
	if (rc == 0)
		rc = mdb_dbi_open(txn, t->name, MDB_CREATE, &lt->dbi);
	if (rc == 0) {
		rc = mdb_txn_commit(txn);
		txn = NULL;
	}
	if (txn != NULL)
		mdb_txn_abort(txn);
	if (rc != 0) {
		free(lt);
		return fail(t->env, rc);
	}
	t->state = lt;
	return 0;
}

static void
lmdb_close(struct table *t)
{
	/* The handle goes with the environment. */
	free(t->state);
}

static int
read_begin(struct lmdb *l)
{
	int rc = 0;

	if (l->reads == 0)
		rc = mdb_txn_renew(l->reader);
	if (rc == 0)
		l->reads++;
	return rc;
}

static void
read_end(struct lmdb *l)
{
	if (--l->reads == 0)
		mdb_txn_reset(l->reader);
}

static int
lmdb_get(struct table *t, struct slice key, struct buf *value)
{
	struct lmdb *l = t->env->state;
	struct lmdb_table *lt = t->state;
	MDB_val k = val(key), v;
	int rc = read_begin(l);

	if (rc != 0)
		return fail(t->env, rc);
	rc = mdb_get(l->reader, lt->dbi, &k, &v);
	if (rc == 0)
		buf_add_slice(value, slice(v));
	read_end(l);
	if (rc != 0)
		return fail(t->env, rc);
	errno = value->err;
	return buf_is_ok(value) ? 0 : -1;
}

static int
change(MDB_txn *txn, const struct table_change *c)
{
	struct lmdb_table *lt = c->table->state;
	MDB_val k = val(c->key), v = val(c->value);
	int rc;

	if (!c->is_delete)
		return mdb_put(txn, lt->dbi, &k, &v, 0);
	rc = mdb_del(txn, lt->dbi, &k, NULL);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
lmdb_apply(struct table_env *env, const struct table_change *changes,
    size_t n, enum table_durability how)
{
	struct lmdb *l = env->state;
	MDB_txn *txn;
	size_t i;
	int rc;

	/* A commit without changes writes nothing, so it flushes nothing. */
	if (n == 0) {
		rc = mdb_env_sync(l->env, 1);
		return rc == 0 ? 0 : fail(env, rc);
	}
	/* Not MDB_NOSYNC: then a power cut may take the whole file. */
	rc = mdb_txn_begin(l->env, NULL,
	    how == TABLE_LATER ? MDB_NOMETASYNC : 0, &txn);
	if (rc != 0)
		return fail(env, rc);
	for (i = 0; i < n && rc == 0; i++)
		rc = change(txn, &changes[i]);
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	else
		mdb_txn_abort(txn);
	return rc == 0 ? 0 : fail(env, rc);
}

static int
lmdb_flush(struct table_env *env)
{
	struct lmdb *l = env->state;
	int rc = mdb_env_sync(l->env, 1);

	/* No words: this may be another thread. */
	if (rc == 0)
		return 0;
	errno = rc > 0 ? rc : EIO;
	return -1;
}

static int
walk(MDB_cursor *cursor, struct slice prefix, struct slice after,
    table_each_fn *each, void *arg)
{
	struct slice from = after.n > 0 ? after : prefix;
	MDB_val k = val(from), v;
	int rc;

	rc = mdb_cursor_get(cursor, &k, &v,
	    from.n > 0 ? MDB_SET_RANGE : MDB_FIRST);
	if (rc == 0 && after.n > 0 && slice_eq(slice(k), after))
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	while (rc == 0 && slice_has_prefix(slice(k), prefix) &&
	    each(arg, slice(k), slice(v)))
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
lmdb_walk(struct table *t, struct slice prefix, struct slice after,
    table_each_fn *each, void *arg)
{
	struct lmdb *l = t->env->state;
	struct lmdb_table *lt = t->state;
	MDB_cursor *cursor;
	int rc = read_begin(l);

	if (rc != 0)
		return fail(t->env, rc);
	rc = mdb_cursor_open(l->reader, lt->dbi, &cursor);
	if (rc == 0) {
		rc = walk(cursor, prefix, after, each, arg);
		mdb_cursor_close(cursor);
	}
	read_end(l);
	return rc == 0 ? 0 : fail(t->env, rc);
}

const struct table_ops table_lmdb = {
	.name = "lmdb",
	.is_owned = true,
	.env_open = lmdb_env_open,
	.env_close = lmdb_env_close,
	.open = lmdb_open,
	.close = lmdb_close,
	.get = lmdb_get,
	.apply = lmdb_apply,
	.flush = lmdb_flush,
	.walk = lmdb_walk,
};
