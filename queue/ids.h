/* SPDX-License-Identifier: ISC */
/*
 * Message ids, never given twice: reserved on disk in blocks before any of a
 * block is given. See queue/FORMAT, "Ids".
 */
#ifndef QUEUE_IDS_H
#define QUEUE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/jobs.h"
#include "queue/slot_format.h"

enum { IDS_BLOCK = 1 << 20 };

struct ids {
	struct job job;
	struct jobs *jobs;
	int fd;
	struct format_ids disk; /* what is durable */
	struct format_ids ask;  /* what the job writes */
	unsigned at;            /* the sector that holds `disk` */
	uint64_t next;
	int error;
	bool busy;
};

/*
 * Opens or makes the file `ids` in the folder and reserves the first block;
 * blocks. *found_r: what was there; when it was FORMAT_ZERO or FORMAT_BAD, ids
 * begin at the wall time alone. 0; -1 with errno (EPROTO for FORMAT_NEWER).
 */
int ids_open(struct ids *i, int dir, enum format_sector *found_r)
    __attribute__((warn_unused_result));
/* From now on blocks are reserved by these threads. */
void ids_start(struct ids *i, struct jobs *jobs);
void ids_close(struct ids *i);
/* 0 when none is reserved: the disk does not answer, or refuses. */
uint64_t ids_next(struct ids *i);
/* This id exists: give only higher ones. */
void ids_saw(struct ids *i, uint64_t id);

#endif
