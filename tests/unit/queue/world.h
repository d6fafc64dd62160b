/* SPDX-License-Identifier: ISC */
/*
 * A spool in a temporary folder with a real loop, and messages that can be told
 * from their key alone: envelope, body and size follow from it.
 */
#ifndef TESTS_UNIT_QUEUE_WORLD_H
#define TESTS_UNIT_QUEUE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/region.h"
#include "queue/spool.h"
#include "sys/loop.h"

enum { WORLD_MESSAGES = 2048 };

struct world_message {
	struct spool_ref *ref;
	uint64_t id;
	uint8_t state, flags;
	uint32_t attempts, crashes;
	int64_t next_s, last_s;
	char text[SPOOL_TEXT_MAX + 1];
};

struct world {
	char path[64];
	int dir;
	struct spool_options options;
	struct loop *loop;
	struct spool *spool;
	struct buf why;
	bool scanned;
	int log; /* what the spool says goes here */
	bool keep_loop; /* `loop` is there before and after */
	struct world_message found[WORLD_MESSAGES];
	size_t n_found;
};

/* What a message is made of. */
struct world_letter {
	uint64_t key, id;
	size_t size;
	uint32_t n_rcpts;
	struct spool_envelope envelope;
	struct spool_group group[2];
	struct spool_rcpt *rcpts;
	struct region mem;
	struct buf body;
	struct spool_body *file;
};

/* The result of an asynchronous call. */
struct world_result {
	bool done;
	int error;
	struct spool_ref *ref;
};

void world_init(struct world *w);
/* Has this been logged since world_init? */
bool world_logged(struct world *w, const char *text);
void world_fini(struct world *w);
/* Opens, starts and waits for the scan. False with w->why set. */
bool world_open(struct world *w);
/* Opens and starts only. */
bool world_begin(struct world *w);
void world_close(struct world *w);
/* Removes all slots of a closed spool: it has to make new ones. */
void world_drop_slots(struct world *w);
/* Waits until nothing is under way in the background. */
void world_settle(struct world *w);
/* Runs the loop until *done. */
void world_run(struct world *w, const bool *done);
struct world_message *world_find(struct world *w, uint64_t id);

void letter_init(struct world_letter *l, uint64_t key, uint64_t id,
    size_t size, uint32_t n_rcpts);
void letter_fini(struct world_letter *l);
/* Opens and writes a body file when it is above 32 KiB. */
void letter_write(struct world *w, struct world_letter *l);
void letter_commit(struct world *w, struct world_letter *l,
    struct world_result *r);
/* All of it: a new id, commit, wait. NULL with *error_r. */
struct spool_ref *world_send(struct world *w, uint64_t key, size_t size,
    uint32_t n_rcpts, int *error_r);
/* Reads it back and compares everything with what its key says; returns the
 * key. Fails the test when it differs. */
uint64_t world_check(struct world *w, struct spool_ref *ref);
/* The same without failing: 0 when it is not as it should be. */
uint64_t world_verify(struct world *w, struct spool_ref *ref);
/* Waits for a flush; its error. */
int world_flush(struct world *w);
/* Waits for the expansion; its error. */
int world_expand(struct world *w, struct spool_ref *ref, uint32_t rcpt,
    const struct spool_rcpt *targets, uint32_t n);

#endif
