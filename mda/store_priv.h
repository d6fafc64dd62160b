/* SPDX-License-Identifier: ISC */
/*
 * What the files of the local store share: store_local.c owns the store, its
 * work list and its lock; store_body.c and store_folder.c do the work on the
 * Maildir; store_path.c knows where a body is.
 */
#ifndef MDA_STORE_PRIV_H
#define MDA_STORE_PRIV_H

#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "mda/store.h"
#include "mda/store_map.h"
#include "sys/loop.h"

#define STORE_DIR ".veredus"

struct store_job {
	struct list link;
	/* Does it, calls back, frees it. */
	void (*run)(struct store *s, struct store_job *job);
};

/* Where reading a body with bare LF stopped, for the next piece. */
struct store_lf_place {
	struct buf name; /* folder, '/', id */
	uint64_t stored, served;
	char last; /* the byte before */
};

struct store {
	struct loop *loop;
	struct loop_later later;
	struct loop_timer again; /* goes on after other work had its turn */
	struct list jobs, commits;
	bool running;
	int root, lock;
	struct store_options o;
	struct store_map *map;
	bool has_reserve;
	struct map folders; /* struct store_stamp by folder name */
	struct list puts;
	struct store_lf_place lf;
	bool fine, coarse; /* it keeps nanoseconds; only whole seconds */
	uint32_t gone; /* numbers folders on their way out */
};

/* The folder's stamp that is to be expected. */
struct store_stamp {
	uint64_t expected; /* 0: none */
	int64_t times[2];  /* of new/ and cur/ then, ns, when known */
	bool known;
	bool intact;       /* between stamp_begin and stamp_end */
};

/* ---- store_local.c ---- */

/* Zeroed, or the process ends: it is the owner's own and starts again. */
void *store_alloc(size_t n);
char *store_dup(struct slice s);
void store_add_job(struct store *s, struct store_job *job);
/* From errno; says in the log what is not ordinary. */
enum store_result store_errno(const char *what, const char *path);

/* ---- store_path.c ---- */

void store_body_copy(struct store_body *to, const struct store_body *from);
void store_body_fini(struct store_body *b);

/* The path of a name below the root, in one of 16 buffers used in turn. */
const char *store_path(const char *folder, enum body_place place,
    struct slice id, uint32_t letters);
/* folder, '/' and a file in it; folder NULL: below STORE_DIR. */
const char *store_path_in(const char *folder, const char *name);
/* Splits a file name; false for one that is no body. */
bool store_path_parse(const char *name, enum body_place place,
    struct store_entry *e_r);
/* The path of a body, wherever it is now; *found_r (may be NULL) tells its
 * place and letters. NULL with errno (ENOENT: it is gone). */
const char *store_path_find(struct store *s, const struct store_body *b,
    struct store_body *found_r);

/* ---- store_stamp.c ---- */

/* Around each change of our own in a folder; which of its two: bits. */
enum { STAMP_NEW = 1 << BODY_NEW, STAMP_CUR = 1 << BODY_CUR };
void stamp_begin(struct store *s, const char *folder, unsigned places);
void stamp_end(struct store *s, const char *folder, unsigned places);
/* A scan begins: what is there now is what it will have seen. */
void stamp_scan(struct store *s, const char *folder);
void stamp_forget(struct store *s, const char *folder);
void stamp_rename(struct store *s, const char *from, const char *to);
void stamp_fini(struct store *s);

/* ---- store_folder.c ---- */

/* Deletes what folder deletions before a crash left. */
void store_folder_clean(struct store *s);
/* A folder and all in it, by its path. 0, or -1 with errno. */
int store_folder_remove(struct store *s, const char *path);

/* fsync of a folder by its path ("" the root). 0, or -1 with errno. */
int store_flush_path(struct store *s, const char *path);

/* ---- store_list.c ---- */

/* The recovery list of a folder, as in store_write_list. */
const char *store_list_path(const char *folder);

/* ---- store_body.c ---- */

/* The folder of bodies being written was renamed. */
void store_put_renamed(struct store *s, const char *from, const char *to);

#endif
