/* SPDX-License-Identifier: ISC */
/* One slot: kinds, sizes, names. Pure. */
#ifndef QUEUE_SLOT_H
#define QUEUE_SLOT_H

#include <stdint.h>

#include "base/slice.h"
#include "queue/slot_format.h"

enum slot_kind { SLOT_8, SLOT_40, SLOT_ONE, SLOT_KINDS };

/* A slot that holds no message. */
struct slot {
	uint64_t generation, sequence; /* of the state sector that counts */
	uint32_t number;
	uint8_t kind; /* enum slot_kind */
	uint8_t at;   /* which sector counts: 0 or 1 */
};

/* Room for any path of the queue. */
enum { SLOT_PATH = 64 };

/* Bytes of the file; 0 for SLOT_ONE. */
uint64_t slot_size(enum slot_kind kind);
/* The smallest kind for a record of `n` bytes. */
enum slot_kind slot_kind_for(uint64_t n);
/* "cur/HH/N.8", and "tmp/N.8". */
void slot_path(enum slot_kind kind, uint32_t number, char path[SLOT_PATH]);
void slot_tmp_path(enum slot_kind kind, uint32_t number, char path[SLOT_PATH]);
/* "cur/HH". */
void slot_dir(uint32_t number, char path[SLOT_PATH]);
/* "body/HH/ID" and "body/HH"; "journal" likewise. */
void slot_id_path(const char *folder, uint64_t id, char path[SLOT_PATH]);
void slot_id_dir(const char *folder, uint64_t id, char path[SLOT_PATH]);
/* "corrupt/NAME.TIME" for the last part of `path`, with `kind` ("body") when
 * not empty. */
void slot_aside_path(const char *path, const char *kind, int64_t now,
    char aside[SLOT_PATH]);
/* The file names back. 0; -1 when it is no such name. */
int slot_name_parse(struct slice name, enum slot_kind *kind_r,
    uint32_t *number_r) __attribute__((warn_unused_result));
int slot_id_parse(struct slice name, uint64_t *id_r)
    __attribute__((warn_unused_result));

#endif
