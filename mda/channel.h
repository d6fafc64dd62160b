/* SPDX-License-Identifier: ISC */
/*
 * What every session in the owner process has: the stream to its client by way
 * of `access`, the control link beside it, output gathered and bounded, work
 * cut into slices, and an end that `access` agrees to. The protocol on top
 * gives two functions: do one thing, and free yourself.
 */
#ifndef MDA_CHANNEL_H
#define MDA_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "sys/conn.h"
#include "sys/ipc.h"
#include "sys/loop.h"

struct session_start;

struct channel_ops {
	/* Does one thing; false when there is nothing to do now (no whole
	 * command, nothing to tell). Called until then, until the client
	 * reads too slowly, the slice is over, or something is waited for. */
	bool (*advance)(void *arg);
	/* The end: frees the session, after channel_fini(). */
	void (*free)(void *arg);
};

struct channel {
	struct conn *conn;
	struct ipc_link *control;
	struct loop_timer timer;  /* the next slice; at the end, its limit */
	char *id;                 /* for the log; never NULL once begun */
	struct buf out;           /* written, and from out_at on not yet given
	                           * to conn, which takes no more than it
	                           * has room for */
	size_t out_at;
	uint64_t received, sent;  /* bytes of the stream */
	uint64_t input_end;       /* no more than this will come */
	size_t unsent;            /* at the end: when the limit was set */
	int64_t slice_from;       /* when this slice began */
	bool is_waiting;          /* a callback of the model is due */
	bool is_pumping;
	bool is_ended;            /* the last byte was written */
	bool is_over;             /* to be freed when nothing is waited for */
	bool is_eof;
	const struct channel_ops *ops;
	void *arg;
};

/* Takes over both descriptors, also when it fails. -1: no memory; then only
 * channel_fini() may follow. */
int channel_init(struct channel *c, const struct session_start *start,
    size_t input_max, const struct channel_ops *ops, void *arg)
    __attribute__((warn_unused_result));
/* Sends what is left, closes. */
void channel_fini(struct channel *c);

/* Goes on with the session, in a slice of its own: from an event. */
void channel_go(struct channel *c);
/* The model was asked: nothing is done until channel_resume(), from its
 * callback. The session is not freed before that. */
void channel_wait(struct channel *c);
void channel_resume(struct channel *c);

/* The input not yet taken, and taking it. */
struct slice channel_input(const struct channel *c);
void channel_took(struct channel *c, size_t n);
/* What is there is all there will be. */
bool channel_is_last(const struct channel *c);

/* Work should stop here: the client has enough, or others wait. */
bool channel_must_pause(const struct channel *c);
/* Gives what was written to the connection if it is much; what has no room
 * there stays. Work that makes much should stop then: channel_must_pause(). */
void channel_flush(struct channel *c);
/* All is written. `why` is for the log of access. */
void channel_end(struct channel *c, const char *why);
/* Drops the session; output is lost when the connection has failed. */
void channel_drop(struct channel *c);

#endif
