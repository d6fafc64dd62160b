/* SPDX-License-Identifier: ISC */
/*
 * Open descriptors of slots, the least recently used closed first. Opening a
 * slot costs as much as writing it, and the slot freed last is used next. For
 * the loop's thread only; a thread is given the number of a pinned one.
 */
#ifndef QUEUE_SLOT_FDS_H
#define QUEUE_SLOT_FDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/map.h"
#include "queue/slot.h"

struct slot_fd {
	struct list link; /* of those that are not pinned */
	uint64_t key;
	int fd;
	unsigned pins;
};

struct slot_fds {
	struct map map;
	struct list idle; /* the oldest first */
	size_t max;
	int dir;
};

void slot_fds_init(struct slot_fds *c, int dir, size_t max);
void slot_fds_fini(struct slot_fds *c);
/* The open descriptor of this slot, pinned, or NULL when it is not open. */
struct slot_fd *slot_fds_find(struct slot_fds *c, enum slot_kind kind,
    uint32_t number);
/* The same, opened when need be; NULL with errno. */
struct slot_fd *slot_fds_open(struct slot_fds *c, enum slot_kind kind,
    uint32_t number);
/* Takes over a descriptor that somebody else opened. It is not pinned. */
void slot_fds_give(struct slot_fds *c, enum slot_kind kind, uint32_t number,
    int fd);
/* Unpins; *f becomes NULL. Harmless for NULL. */
void slot_fds_release(struct slot_fds *c, struct slot_fd **f);
/* Closes it, when nobody has it pinned: the file is gone or not trusted. */
void slot_fds_forget(struct slot_fds *c, enum slot_kind kind,
    uint32_t number);

#endif
