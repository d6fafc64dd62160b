/* SPDX-License-Identifier: ISC */
/*
 * The pool of free slots: taken last in first out, made in the background in
 * growing steps, zero-filled and durable before anybody is given one. For the
 * loop's thread.
 */
#ifndef QUEUE_SLOTS_H
#define QUEUE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "queue/jobs.h"
#include "queue/slot.h"

/* How many one job makes, how many such jobs at once, how many one removes. */
enum { SLOTS_CHUNK = 8, SLOTS_MAKERS = 8, SLOTS_TRIM = 512 };

struct slot_maker {
	struct job job;
	struct slots *slots;
	enum slot_kind kind;
	uint32_t first; /* number */
	unsigned want, made;
	int error;
	bool busy;
};

struct slot_remover {
	struct job job;
	struct slots *slots;
	enum slot_kind kind;
	uint32_t numbers[SLOTS_TRIM];
	size_t n, removed;
};

struct slot_stack {
	struct slot *slots;
	size_t n, cap;
	uint64_t total; /* free and in use */
	size_t step;	/* how many are made at a time */
	size_t to_make; /* of this step, not yet begun */
	size_t making;	/* begun */
	struct slot_maker makers[SLOTS_MAKERS];
};

struct slots {
	struct slot_stack stacks[SLOT_ONE]; /* by kind */
	struct jobs *jobs;
	int dir;
	bool strict, stopped;
	uint64_t next; /* the lowest number never used */
	/* Slots have become free, or (error) could not be made. */
	void (*changed)(void *arg, enum slot_kind kind, int error);
	/* This slot's file is about to go. */
	void (*removing)(void *arg, enum slot_kind kind, uint32_t number);
	/* May `bytes` be taken from the disk for slots to come? */
	bool (*has_room)(void *arg, uint64_t bytes);
	void *arg;
};

void slots_init(struct slots *p, int dir, bool strict, struct jobs *jobs);
void slots_fini(struct slots *p);
/* A slot of this number exists. */
void slots_saw(struct slots *p, uint32_t number);
/* A free one. 0; -1 when there is none: slots_make and wait for `changed`. */
int slots_take(struct slots *p, enum slot_kind kind, struct slot *slot_r)
    __attribute__((warn_unused_result));
/* It is free (again), durably. */
void slots_put(struct slots *p, const struct slot *slot);
/* A slot in use, or found, that counts but is not free; or one less. */
void slots_count(struct slots *p, enum slot_kind kind, int by);
/* Starts to make some, unless under way. 0: `changed` will come; -1 with
 * errno: none can be made. */
int slots_make(struct slots *p, enum slot_kind kind)
    __attribute__((warn_unused_result));
/* Makes some where few are left and the disk has room. */
void slots_tend(struct slots *p, enum slot_kind kind);
/*
 * Gives the disk back what a great backlog left: when most slots of this kind
 * are free, removes some of those unused for longest. Slowly: making many files
 * right after removing many is slow on ext4.
 */
void slots_trim(struct slots *p, enum slot_kind kind);
/* A number for a one-off slot; 0 when all are used up. */
uint32_t slots_number(struct slots *p);

#endif
