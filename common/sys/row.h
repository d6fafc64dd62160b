/* SPDX-License-Identifier: ISC */
/*
 * Lists of strings packed into one field of a message: each item is its length
 * as 4 bytes, host order, and its bytes. A row of a listing is a list of key,
 * value, key, value ….
 */
#ifndef SYS_ROW_H
#define SYS_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

void row_add(struct buf *b, struct slice item);
void row_add_str(struct buf *b, const char *item);
/* A pair of a row. */
void row_pair(struct buf *b, const char *key, struct slice value);
void row_pair_str(struct buf *b, const char *key, const char *value);
void row_pair_u64(struct buf *b, const char *key, uint64_t value);
/* Takes the next item off *list (a view). False at the end or when what is
 * left is malformed. */
bool row_next(struct slice *list, struct slice *item_r);
/* The value under a key of a row; SLICE_NONE when it is not there. */
struct slice row_get(struct slice row, const char *key);

#endif
