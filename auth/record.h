/* SPDX-License-Identifier: ISC */
/*
 * Values of the tables: a version byte, then fields of a tag byte, a length of
 * two bytes and that many bytes; numbers are little-endian, so that a table
 * can move to another machine. Unknown tags are passed over: an older binary
 * reads what a newer one wrote under the same version.
 */
#ifndef AUTH_RECORD_H
#define AUTH_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

enum { RECORD_VERSION = 1, RECORD_KEY = 8 };

/* Empties *b and begins a record in it. */
void record_begin(struct buf *b);
/* A field of at most 65,535 bytes; more is an error of b's. */
void record_add(struct buf *b, unsigned char tag, struct slice value);
void record_add_u64(struct buf *b, unsigned char tag, uint64_t value);

/* Of our version and whole? Ask before the others. */
bool record_is_valid(struct slice record);
/* The next field at *at (0 at first); false at the end. Views. */
bool record_next(struct slice record, size_t *at, unsigned char *tag_r,
    struct slice *value_r);
/* The first field of that tag, or SLICE_NONE. A view. */
struct slice record_get(struct slice record, unsigned char tag);
/* The same as a number, or `missing`. */
uint64_t record_get_u64(struct slice record, unsigned char tag,
    uint64_t missing);

/* A number as a key: big-endian, so that tables are in numeric order. */
struct slice record_key(unsigned char key[RECORD_KEY], uint64_t number);
/* And back; 0 when it is none. */
uint64_t record_key_number(struct slice key);

#endif
