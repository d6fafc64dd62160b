/* SPDX-License-Identifier: ISC */
/*
 * The account map of the local store: one LMDB environment in one file, one
 * key space, one writer (this process, which holds the store's lock). All calls
 * do their work at once; store_local.c makes them asynchronous.
 */
#ifndef MDA_STORE_MAP_H
#define MDA_STORE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "mda/store.h"

struct store_map;

enum store_map_open {
	STORE_MAP_OPENED,
	STORE_MAP_DAMAGED, /* or made by a version that cannot be understood */
	STORE_MAP_NEWER,   /* made by a newer version of this program */
	STORE_MAP_FAILED   /* errno */
};
/* Opens or makes the file. */
enum store_map_open store_map_open(const char *path, struct store_map **m_r);
void store_map_close(struct store_map **m);
uint64_t store_map_version(const struct store_map *m);

/* The rows with from <= key < to in order, at one version, until `row` returns
 * false. Nothing may be committed meanwhile. */
enum store_result store_map_each(struct store_map *m, struct slice from,
    struct slice to, store_row *row, void *arg);
enum store_result store_map_get(struct store_map *m, struct slice key,
    struct buf *out);

/* A transaction: begin, any number of applies, commit or abort. */
enum store_result store_map_begin(struct store_map *m);
/* STORE_STALE (and nothing done) unless the version is `expected`; any other
 * failure leaves the transaction good only for abort. */
enum store_result store_map_apply(struct store_map *m, uint64_t expected,
    const struct store_change *changes, size_t n, uint64_t *version_r);
/* One flush: what was committed is whole after a power cut, the last commit
 * may be missing until store_map_sync. STORE_FAILED, STORE_UNKNOWN: the map is
 * not to be used any more. */
enum store_result store_map_commit(struct store_map *m);
void store_map_abort(struct store_map *m);
enum store_result store_map_sync(struct store_map *m);

/* Keeps room for a few more commits beyond the end of the file. False when the
 * disk has none to give and the reserve is in use. */
bool store_map_reserve(struct store_map *m);

#endif
