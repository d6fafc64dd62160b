/* SPDX-License-Identifier: ISC */
/*
 * What the files of the spool share: the spool itself, a live message, a
 * change that is not on the disk yet. Everything here belongs to the loop's
 * thread, except what a job's own struct hands to its thread.
 */
#ifndef QUEUE_SPOOL_PRIV_H
#define QUEUE_SPOOL_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "queue/bodies.h"
#include "queue/ids.h"
#include "queue/jobs.h"
#include "queue/slot_fds.h"
#include "queue/slot_format.h"
#include "queue/slots.h"
#include "queue/spool.h"
#include "queue/tail.h"
#include "sys/loop.h"

struct scan;
struct group;
struct ref_slab;

enum {
	REF_OUTSIDE = 1, /* the body is a file of its own */
	REF_JOURNAL = 2, /* there is a journal file */
	REF_EXPANDED = 4,
	REF_STUCK = 8 /* the journal takes no more records */
};

/* One live message: a million of them must fit into memory. */
struct spool_ref {
	uint64_t id;
	void *data; /* the caller's; the next free one in a slab */
	struct change *change; /* the latest that is not durable, or NULL */
	uint64_t generation, sequence;
	uint32_t number; /* of the slot */
	uint32_t n_rcpts; /* with the targets of expansions */
	uint8_t kind, at, flags;
	struct tail tail;
};
_Static_assert(sizeof(struct spool_ref) <= 64, "a live message is too large");

enum change_kind { CHANGE_STATE, CHANGE_FREE, CHANGE_ASIDE };

/* Somebody who is told when everything up to change number `upto` is done. */
struct waiter {
	struct list link;
	uint64_t upto;
	int error;
	uint32_t targets; /* of an expansion */
	void (*done)(void *arg, int error);
	void *arg;
};

/* What is to be written of one message with the next group. */
struct change {
	struct list link; /* in the flusher's pending or failed, or in a group */
	struct spool_ref *ref;
	struct change *older; /* of the same message, in the running group */
	uint64_t number;
	enum change_kind kind;
	bool running, readable;
	bool has_status; /* recorded since; marks are told by not being 0 */
	bool failed;     /* in the flusher's `failed` */
	struct format_state st; /* as it is to be; only what was recorded since
				 * when not readable */
	struct buf journal;	/* records to append */
	struct list expansions; /* struct waiter */
	/* For the thread. */
	struct slot_fd *pin;
	int fd, error, journal_error;
	bool own_fd, usable;
	bool in_tail; /* the records went into the slot's tail */
};

struct flusher {
	struct list pending; /* struct change, in the order of their numbers */
	size_t n_pending;
	struct list failed; /* struct change, to be written once more */
	struct loop_timer retry;
	int64_t retry_ms; /* the next wait; 0: none failed lately */
	uint64_t numbered, done; /* last number given, last one finished */
	struct list waiters;	 /* struct waiter, by upto */
	struct loop_timer timer;
	struct loop_later later;
	struct group *running;
	bool hurry;
};

struct spool {
	struct loop *loop;
	int dir, lock;
	struct spool_options options;
	const struct spool_events *events;
	void *arg;
	struct jobs jobs;
	struct ids ids;
	struct slots slots;
	struct slot_fds fds;
	struct flusher flusher;
	struct list waiting; /* struct commit, for a slot */
	struct loop_timer trim;
	struct scan *scan;
	struct ref_slab *slabs;
	struct spool_ref *free_refs;
	struct spool_counts counts;
	int64_t room, room_asked_ms;
	bool started, numbers_known, scanned, closing;
};

/* spool.c */

/* NULL out of memory. */
struct spool_ref *spool_ref_new(struct spool *s);
void spool_ref_free(struct spool *s, struct spool_ref *ref);
/* A view of the state's text, valid as long as *st. */
void spool_status_of(const struct format_state *st,
    struct spool_status *status_r);
/* scan.c */
int scan_start(struct spool *s) __attribute__((warn_unused_result));
void scan_free(struct spool *s);

/* commit.c */

/* Commits that wait for a slot may go on; with an error those that wait for
 * this kind fail. */
void commit_slots_changed(struct spool *s, enum slot_kind kind, int error);

/* flusher.c */
void flusher_init(struct spool *s);
void flusher_fini(struct spool *s);
/* Begins a group now when something is pending. */
void flusher_kick(struct spool *s);
/* Something to write with the next group. */
void flusher_add(struct spool *s, struct change *c);
/* The next group begins at the end of this turn. */
void flusher_hurry(struct spool *s);
/* A change that failed goes with the next group. */
void flusher_again(struct spool *s, struct change *c);
/* All of them do. */
void flusher_retry(struct spool *s);
/* Tells *w when everything up to w->upto is done. */
void flusher_wait(struct spool *s, struct waiter *w);

/* changes.c */

/* The state that a live message has, with what is pending. 0; -1 when the
 * disk does not give it. */
int change_state(struct spool *s, struct spool_ref *ref,
    struct format_state *st_r) __attribute__((warn_unused_result));
/* Marks on their way to tail or journal, appended as records. */
void change_pending_marks(const struct spool_ref *ref, struct buf *out);
/* The marks among records, appended: expansions do not exist before they are
 * durable. */
void change_copy_marks(struct slice records, struct buf *out);
/* Reads the sector that could not be read when the change was made, and puts
 * what was recorded since over it. */
void change_read_again(struct spool *s, struct change *c);

#endif
