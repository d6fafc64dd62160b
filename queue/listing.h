/* SPDX-License-Identifier: ISC */
/* The names in cur/, body/ and journal/, read at start. Blocking. */
#ifndef QUEUE_LISTING_H
#define QUEUE_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "queue/slot.h"

struct listed_slot {
	uint32_t number;
	uint8_t kind; /* enum slot_kind */
};

/* Ids of files in one folder, sorted, and which of them a slot names. */
struct listed_ids {
	uint64_t *ids;
	bool *named;
	size_t n, cap;
};

struct listing {
	struct listed_slot *slots;
	size_t n, cap;
	struct listed_ids bodies, journals;
	struct buf foreign; /* other names, each ended by a NUL */
};

/* 0, or -1 with errno; free it in both cases. */
int listing_read(struct listing *l, int dir)
    __attribute__((warn_unused_result));
void listing_free(struct listing *l);
/* Where `id` stands, or -1. */
ptrdiff_t listing_find(const struct listed_ids *l, uint64_t id);

#endif
