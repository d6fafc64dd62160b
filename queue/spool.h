/* SPDX-License-Identifier: ISC */
/*
 * The queue's disk: slots, bodies, journals, ids, as queue/FORMAT says. All
 * slow work runs in worker threads; completions come from the loop. This is
 * the only part of the queue that touches files (through queue/fsio.h).
 */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"

struct loop;
struct spool;
struct spool_ref; /* one live message on disk */
struct spool_body; /* a large body being written */

enum spool_mark { SPOOL_WAITING, SPOOL_DONE, SPOOL_FAILED, SPOOL_EXPANDED };
enum spool_state { SPOOL_FREE, SPOOL_NEW, SPOOL_TRIED, SPOOL_HELD };
enum { SPOOL_DELAY_TOLD = 1, SPOOL_HAS_EXPANSION = 2, SPOOL_HAS_JOURNAL = 4,
	SPOOL_ALONE = 8 };
enum { SPOOL_TEXT_MAX = 190 };

struct spool_rcpt {
	struct slice address, orcpt;
	uint8_t notify;
	uint8_t kind;   /* enum addr_kind for targets of an expansion, else 0 */
	uint8_t mark;   /* enum spool_mark */
	uint32_t group; /* index of its sender group */
	uint32_t parent; /* of the targets of an expansion: whose they are */
};

struct spool_group {
	struct slice sender;
	uint32_t first, n;
};

/* What a message is: written once. Views; the region of whoever made it. */
struct spool_envelope {
	uint64_t id, account;
	int64_t arrival_us, deadline_s, hold_until_s;
	uint64_t body_size;
	uint8_t body_type, utf8, ret, origin;
	int8_t priority;
	struct slice envid, session, client;
	struct spool_group *groups;
	uint32_t n_groups;
	struct spool_rcpt *rcpts; /* those of expansions behind the others */
	uint32_t n_rcpts, n_first; /* n_first: as received */
};

/* What changes while it waits. */
struct spool_status {
	uint8_t state, flags;
	uint32_t attempts, crashes;
	int64_t next_s, last_s;
	struct slice text; /* at most SPOOL_TEXT_MAX bytes */
};

struct spool_options {
	bool strict;      /* the durability model */
	uint32_t threads; /* that flush at once */
	int64_t min_free; /* bytes that must stay free on the file system */
	int64_t min_free_bounces; /* the lower floor for the queue's own mail */
};

struct spool_events {
	/* Found at start, in the background: a live message. Called from the
	 * loop. The view `s` is valid during the call. */
	void (*found)(void *arg, struct spool_ref *ref, uint64_t id,
	    const struct spool_status *s);
	/* All slots have been read. */
	void (*scanned)(void *arg, uint64_t live);
};

/*
 * Opens the queue in folder `dirfd` (made if empty), before the jail: takes
 * the lock, makes folders, reserves the first ids. Blocks. What root makes is
 * given to the folder's owner. `e` must stay; `dirfd` is the caller's. NULL
 * with a sentence in `why`.
 */
struct spool *spool_open(struct loop *l, int dirfd,
    const struct spool_options *o, const struct spool_events *e, void *arg,
    struct buf *why);
/* Starts threads and the background scan; in the jail. 0, or -1. */
int spool_start(struct spool *s) __attribute__((warn_unused_result));
/* Writes what is pending, flushes, closes. Waits; callbacks of what is under
 * way come during the call (commits without a slot: ESHUTDOWN). All references
 * are gone afterwards. */
void spool_close(struct spool **s);

/* A fresh id, never given before; 0 when no id can be reserved (disk). */
uint64_t spool_new_id(struct spool *s);
/*
 * Is there room for `size` more bytes of mail? A small message needs only a
 * free slot, others what the floor leaves of the disk. own: the queue's own
 * bounces, which may use the last slots and have the lower floor.
 */
bool spool_has_room(struct spool *s, uint64_t size, bool own);
/* Has the disk less than that free? Nothing is booked. */
bool spool_is_below(struct spool *s, uint64_t floor);

/*
 * Makes the message durable: `body` holds the bytes, or is empty with `b` (from
 * spool_body_open for this id) holding them; e->body_size is their number.
 * Bodies above 32 KiB belong into files. `b` is the spool's from here on.
 * `done` comes from the loop with the reference, or with NULL and errno in
 * `error`: nothing was kept, the body is thrown away. EBUSY: somebody still
 * has it open for writing; EBADMSG: it has another size; EINVAL, EMSGSIZE: the
 * envelope cannot be written; ENOSPC; EIO. Everything else that is pointed to
 * must stay until then. The state begins as SPOOL_NEW, due at its arrival.
 */
typedef void spool_committed(void *arg, struct spool_ref *ref, int error);
void spool_commit(struct spool *s, const struct spool_envelope *e,
    struct slice body, struct spool_body *b, spool_committed *done, void *arg);

/* A body file for a large message. NULL with errno. */
struct spool_body *spool_body_open(struct spool *s, uint64_t id);
/* The write-only descriptor, ours until the commit: a duplicate travels to the
 * client, who goes on where we stopped and closes it before it asks for the
 * commit. */
int spool_body_writer(struct spool_body *b);
/* For the queue's own writing and for bytes that came before. 0, or -1. */
int spool_body_write(struct spool_body *b, struct slice bytes)
    __attribute__((warn_unused_result));
/* Throws it away, instead of a commit. Sets *b NULL. */
void spool_body_discard(struct spool_body **b);

uint64_t spool_ref_id(const struct spool_ref *r);
/* For the caller's own pointer. */
void spool_ref_set_data(struct spool_ref *r, void *data);
void *spool_ref_data(const struct spool_ref *r);

/*
 * Reads envelope (with expansions and marks) into the region, blocking on the
 * page cache or the disk. 0; -1 with errno: ENOMEM (the region is too small),
 * EIO, EBADMSG (damaged: the caller sets it aside).
 */
int spool_read_envelope(struct spool *s, struct spool_ref *r,
    struct region *mem, struct spool_envelope *e_r)
    __attribute__((warn_unused_result));
/* `n` body bytes from `offset`, appended to out; fewer at its end. 0, -1. */
int spool_read_body(struct spool *s, struct spool_ref *r, uint64_t offset,
    size_t n, struct buf *out) __attribute__((warn_unused_result));
/* A read-only descriptor of a large body (the caller closes it); -1 with
 * errno ENOENT when the body is inside the slot. */
int spool_body_fd(struct spool *s, struct spool_ref *r)
    __attribute__((warn_unused_result));

/*
 * Records marks and status; flushed with the next group flush (<= 100 ms). The
 * flags SPOOL_HAS_EXPANSION and SPOOL_HAS_JOURNAL are ours. SPOOL_EXPANDED is
 * implied by spool_expand and means nothing without it.
 */
void spool_mark(struct spool *s, struct spool_ref *r, uint32_t rcpt,
    enum spool_mark mark);
void spool_set_status(struct spool *s, struct spool_ref *r,
    const struct spool_status *st);
/*
 * Records the expansion of a recipient, once; `done` when durable (error 0),
 * or with errno: then it did not happen. The targets become the recipients
 * n_rcpts, n_rcpts + 1 …, in the order of the calls, when done says 0; they
 * are copied before this returns.
 */
void spool_expand(struct spool *s, struct spool_ref *r, uint32_t rcpt,
    const struct spool_rcpt *targets, uint32_t n,
    void (*done)(void *arg, int error), void *arg);
/* Everything is done: the slot becomes free. The reference is gone. */
void spool_finish(struct spool *s, struct spool_ref **r);
/* Moves slot, body and journal to corrupt/ and says so in the log. The
 * reference is gone. */
void spool_set_aside(struct spool *s, struct spool_ref **r, const char *why);
/* `done` when everything recorded before this call is durable, or with the
 * error that kept it from being so. For tests and measurements: the queue never
 * waits for marks. */
void spool_flush(struct spool *s, void (*done)(void *arg, int error),
    void *arg);

/* Flushes the file system that `fd` lies on (syncfs) in a worker thread. */
void spool_syncfs(struct spool *s, int fd,
    void (*done)(void *arg, int error), void *arg);

struct spool_counts {
	uint64_t live, slots_8, slots_40, free_8, free_40, bodies;
	uint64_t scanned, to_scan, torn, corrupt;
};
void spool_counts(const struct spool *s, struct spool_counts *out);

#endif
