/* SPDX-License-Identifier: ISC */
/*
 * LMDB as we use it: NOMETASYNC (a commit has one flush and leaves the map
 * whole; the next flush makes it durable), never NOSYNC, WRITEMAP or MAPASYNC;
 * NOLOCK, since the store's own lock makes us the only one. With NOLOCK no
 * reader may be open while something is committed: readers live only within
 * one call here. The version is kept in row 'V' by this file alone.
 */
#include "mda/store_map.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mda/rows.h"
#include "sys/log.h"

#define MAP_SIZE ((size_t)16 << 30) /* costs nothing until it is used */
enum {
	RESERVE_MIN = 256 << 10, /* bytes of reserve: an eighth of the map */
	RESERVE_MAX = 8 << 20
};

struct store_map {
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *read;  /* reset between uses */
	bool reading;
	MDB_txn *write;
	uint64_t version, next; /* committed; within the transaction */
	bool broken;
};

static MDB_val
val(struct slice s)
{
	/* LMDB takes keys and values as non-const and does not write. */
	union {
		const char *in;
		void *out;
	} p = { .in = s.p };

	return (MDB_val){ s.n, p.out };
}

static struct slice
slice_of(const MDB_val *v)
{
	return (struct slice){ v->mv_data, v->mv_size };
}

static enum store_result
result_of(struct store_map *m, int rc, const char *what)
{
	switch (rc) {
	case 0:
		return STORE_OK;
	case MDB_NOTFOUND:
		return STORE_NONE;
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return STORE_FULL;
	case ENOMEM:
		fatal("event=fatal what=%s error=\"out of memory\"", what);
	}
	log_error("event=map_failed what=%s error=%s", what,
	    LOG_S(mdb_strerror(rc)));
	m->broken = true;
	return STORE_FAILED;
}

/* ---- opening ---- */

/* Where LMDB would rather abort than say that a map is damaged. */
static jmp_buf damaged;

static void
on_assert(MDB_env *env, const char *what)
{
	(void)env;
	(void)what;
	longjmp(damaged, 1);
}

/* How many pages from `first` on are said to be free. */
static uint64_t
count_free(MDB_txn *txn, size_t first)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	uint64_t found = 0;
	size_t n, i, page;

	/* Database 0 is that of free pages: a number of them, and they. */
	if (mdb_cursor_open(txn, 0, &cursor) != 0)
		return 0;
	while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
		n = v.mv_size / sizeof page;
		for (i = 1; i < n; i++) {
			memcpy(&page, (const char *)v.mv_data +
				i * sizeof page, sizeof page);
			found += page >= first;
		}
	}
	mdb_cursor_close(cursor);
	return found;
}

static bool
are_free(MDB_env *env, size_t first, uint64_t n)
{
	MDB_txn *txn;
	bool yes;

	if (setjmp(damaged) != 0)
		return false; /* the transaction goes with the environment */
	(void)mdb_env_set_assert(env, on_assert);
	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
		return false;
	yes = count_free(txn, first) == n;
	mdb_txn_abort(txn);
	(void)mdb_env_set_assert(env, NULL);
	return yes;
}

/*
 * Reading a map that was cut short would be a SIGBUS. But pages at its end that
 * a commit took and gave back at once are counted, and were never written: if
 * all that is missing is free, nothing is. The file gets its length, so that
 * this can be read, and so that it need not be done again.
 */
static int
check_length(MDB_env *env)
{
	uint64_t has, wants;
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;
	int fd;

	if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &st) != 0 ||
	    mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &file) < 0)
		return MDB_CORRUPTED;
	/* A new one has its two meta pages only. */
	has = (uint64_t)file.st_size / st.ms_psize;
	wants = (uint64_t)info.me_last_pgno + 1;
	if (has >= wants)
		return 0;
	if (has < 2 || wants > info.me_mapsize / st.ms_psize)
		return MDB_CORRUPTED;
	if (ftruncate(fd, (off_t)(wants * st.ms_psize)) < 0)
		return errno;
	if (are_free(env, (size_t)has, wants - has))
		return 0;
	/* As it was found. */
	return ftruncate(fd, file.st_size) < 0 ? errno : MDB_CORRUPTED;
}

static int
begin_read(struct store_map *m)
{
	if (m->read == NULL)
		return mdb_txn_begin(m->env, NULL, MDB_RDONLY, &m->read);
	return mdb_txn_renew(m->read);
}

static enum store_map_open
read_version(struct store_map *m)
{
	struct row_key key = row_key_kind('V');
	MDB_val k = val(row_key_slice(&key)), v;
	enum store_map_open r = STORE_MAP_OPENED;
	struct row_version row;
	int rc;

	if (begin_read(m) != 0)
		return STORE_MAP_DAMAGED;
	rc = mdb_get(m->read, m->dbi, &k, &v);
	if (rc == 0 && v.mv_size > 0 &&
	    *(const uint8_t *)v.mv_data > ROW_FORMAT)
		r = STORE_MAP_NEWER;
	else if (rc == 0 && row_get_version(slice_of(&v), &row) == 0)
		m->version = row.version;
	else if (rc != MDB_NOTFOUND)
		r = STORE_MAP_DAMAGED;
	mdb_txn_reset(m->read);
	return r;
}

static int
open_env(struct store_map *m, const char *path)
{
	MDB_txn *txn;
	int rc;

	rc = mdb_env_create(&m->env);
	if (rc != 0)
		return rc;
	rc = mdb_env_set_mapsize(m->env, MAP_SIZE);
	if (rc == 0)
		rc = mdb_env_open(m->env, path, MDB_NOSUBDIR | MDB_NOMETASYNC |
			MDB_NOLOCK | MDB_NOTLS, 0600);
	if (rc != 0)
		return rc;
	rc = check_length(m->env);
	if (rc != 0)
		return rc;
	rc = mdb_txn_begin(m->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return rc;
	/* The unnamed database; commit keeps the handle. */
	rc = mdb_dbi_open(txn, NULL, 0, &m->dbi);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

enum store_map_open
store_map_open(const char *path, struct store_map **m_r)
{
	struct store_map *m = calloc(1, sizeof *m);
	enum store_map_open r;
	int rc;

	if (m == NULL)
		return STORE_MAP_FAILED;
	rc = open_env(m, path);
	if (rc == 0)
		r = read_version(m);
	else
		r = rc < 0 || rc == EINVAL ? STORE_MAP_DAMAGED :
		    STORE_MAP_FAILED;
	if (r != STORE_MAP_OPENED) {
		store_map_close(&m);
		errno = rc > 0 ? rc : 0;
		return r;
	}
	*m_r = m;
	return STORE_MAP_OPENED;
}

void
store_map_close(struct store_map **mp)
{
	struct store_map *m = *mp;

	if (m == NULL)
		return;
	if (m->read != NULL)
		mdb_txn_abort(m->read);
	if (m->write != NULL)
		mdb_txn_abort(m->write);
	if (m->env != NULL)
		mdb_env_close(m->env);
	free(m);
	*mp = NULL;
}

uint64_t
store_map_version(const struct store_map *m)
{
	return m->version;
}

/* ---- reading ---- */

enum store_result
store_map_each(struct store_map *m, struct slice from, struct slice to,
    store_row *row, void *arg)
{
	MDB_val k = val(from), v;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc;

	if (m->broken)
		return STORE_FAILED;
	/* A transaction of its own: `row` may call store_map_get. */
	rc = mdb_txn_begin(m->env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return result_of(m, rc, "read");
	rc = mdb_cursor_open(txn, m->dbi, &cursor);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return result_of(m, rc, "read");
	}
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	while (rc == 0 && slice_cmp(slice_of(&k), to) < 0) {
		if (!row(arg, slice_of(&k), slice_of(&v)))
			break;
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return rc == MDB_NOTFOUND ? STORE_OK : result_of(m, rc, "read");
}

enum store_result
store_map_get(struct store_map *m, struct slice key, struct buf *out)
{
	MDB_val k = val(key), v;
	int rc;

	if (m->broken)
		return STORE_FAILED;
	rc = begin_read(m);
	if (rc != 0)
		return result_of(m, rc, "get");
	rc = mdb_get(m->read, m->dbi, &k, &v);
	if (rc == 0)
		buf_add(out, v.mv_data, v.mv_size);
	mdb_txn_reset(m->read);
	return result_of(m, rc, "get");
}

/* ---- writing ---- */

enum store_result
store_map_begin(struct store_map *m)
{
	if (m->broken)
		return STORE_FAILED;
	m->next = m->version;
	return result_of(m, mdb_txn_begin(m->env, NULL, 0, &m->write),
	    "begin");
}

/* Row 'V' with what the caller put there, or was there, and the new version. */
static int
put_version(struct store_map *m, struct slice given)
{
	struct row_key key = row_key_kind('V');
	MDB_val k = val(row_key_slice(&key)), v;
	struct row_version row = { 0 };
	struct buf b;
	int rc;

	if (given.p == NULL) {
		rc = mdb_get(m->write, m->dbi, &k, &v);
		if (rc != 0 && rc != MDB_NOTFOUND)
			return rc;
		given = rc == 0 ? slice_of(&v) : SLICE_NONE;
	}
	if (given.p != NULL && row_get_version(given, &row) < 0)
		return EINVAL;
	/* After a loss of the map the caller begins above all that was. */
	m->next++;
	if (row.version > m->next)
		m->next = row.version;
	row.version = m->next;
	buf_init(&b, 64);
	row_put_version(&b, &row);
	v = val(buf_slice(&b));
	rc = mdb_put(m->write, m->dbi, &k, &v, 0);
	buf_fini(&b);
	return rc;
}

enum store_result
store_map_apply(struct store_map *m, uint64_t expected,
    const struct store_change *changes, size_t n, uint64_t *version_r)
{
	struct slice given = SLICE_NONE;
	MDB_val k, v;
	int rc = 0;
	size_t i;

	if (expected != m->next)
		return STORE_STALE;
	for (i = 0; i < n && rc == 0; i++) {
		k = val(changes[i].key);
		v = val(changes[i].value);
		if (slice_eq_str(changes[i].key, "V")) {
			given = changes[i].value;
		} else if (changes[i].value.p != NULL) {
			rc = mdb_put(m->write, m->dbi, &k, &v, 0);
		} else {
			rc = mdb_del(m->write, m->dbi, &k, NULL);
			rc = rc == MDB_NOTFOUND ? 0 : rc;
		}
	}
	if (rc == 0)
		rc = put_version(m, given);
	*version_r = m->next;
	return result_of(m, rc, "apply");
}

enum store_result
store_map_commit(struct store_map *m)
{
	MDB_txn *txn = m->write;
	enum store_result r;
	int rc;

	m->write = NULL;
	rc = mdb_txn_commit(txn);
	/* LMDB calls a short write so, which is what a full disk gives. */
	if (rc == EIO && !store_map_reserve(m))
		rc = ENOSPC;
	r = result_of(m, rc, "commit");
	if (r == STORE_OK)
		m->version = m->next;
	return r;
}

void
store_map_abort(struct store_map *m)
{
	if (m->write != NULL)
		mdb_txn_abort(m->write);
	m->write = NULL;
}

enum store_result
store_map_sync(struct store_map *m)
{
	int rc;

	if (m->broken)
		return STORE_FAILED;
	rc = mdb_env_sync(m->env, 1);
	if (rc == 0)
		return STORE_OK;
	/* What a failed flush left behind cannot be known, and asking again
	 * might say yes without having written it. */
	m->broken = true;
	log_error("event=map_failed what=sync error=%s",
	    LOG_S(mdb_strerror(rc)));
	return STORE_UNKNOWN;
}

/* ---- the reserve ---- */

/*
 * Blocks allocated beyond the end of the file: LMDB grows into them when
 * nothing else is to be had. Kept at an eighth of the map, so that a commit
 * that frees can copy the pages it touches.
 */
bool
store_map_reserve(struct store_map *m)
{
	uint64_t end, want, have;
	MDB_envinfo info;
	MDB_stat st;
	struct stat file;
	int fd;

	if (m->broken || mdb_env_info(m->env, &info) != 0 ||
	    mdb_env_stat(m->env, &st) != 0 ||
	    mdb_env_get_fd(m->env, &fd) != 0 || fstat(fd, &file) < 0)
		return false;
	end = ((uint64_t)info.me_last_pgno + 1) * st.ms_psize;
	want = end / 8;
	want = want < RESERVE_MIN ? RESERVE_MIN :
	    want > RESERVE_MAX ? RESERVE_MAX : want;
	have = (uint64_t)file.st_blocks * 512;
	if (have >= end + want * 3 / 4)
		return true;
	/* Where it cannot be done there is no reserve, and no reason to
	 * refuse anything. */
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)end, (off_t)want) ==
	    0 || (errno != ENOSPC && errno != EDQUOT && errno != EFBIG);
}
