/* SPDX-License-Identifier: ISC */
/*
 * The processes of the roles: started, told, introduced to each other,
 * restarted when they die, stopped in order.
 */
#ifndef MASTER_CHILD_H
#define MASTER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "master/config.h"
#include "master/places.h"
#include "master/roles.h"
#include "sys/ipc.h"
#include "sys/loop.h"

/* Processes of all roles, with server.processes at its bound. */
enum { CHILD_COUNT_MAX = 384 };

enum child_state {
	CHILD_DOWN,     /* waits for its restart time */
	CHILD_STARTING, /* exec'd, not in its jail yet */
	CHILD_READY,    /* in its jail, introduced */
	CHILD_LOST      /* its link is gone, its end not seen yet */
};

struct child {
	const struct role_row *row;
	uint32_t instance;
	enum child_state state;
	pid_t pid;
	struct ipc_link *link;
	struct loop_timer restart;
	struct loop_timer slow;   /* start-up took too long */
	int64_t started_ms;
	uint32_t failures;        /* in a row, for the back-off */
	uint32_t restarts;
	char *held;               /* what its jail holds, from READY */
};

/* What children need of master. */
struct children_setup {
	struct loop *loop;
	const struct config *config;
	const struct conf_server *server;
	const struct places *places;
	const char *libexec;      /* folder of the programs */
	int log_fd;
	uint8_t log_format;
	bool best_effort;
	unsigned only;            /* RS_*: which roles to start; 0 for all */
	/* All are ready, or one cannot be started at all. */
	void (*settled)(bool ok, const char *why);
	/* A front came up: hand over certificates. */
	void (*front_up)(struct child *c);
	/* keys came up: hand over keys. */
	void (*keys_up)(struct child *c);
};

/* Opens the programs, so that one server is one build, and starts all. 0, or
 * -1 with a sentence. */
int children_start(const struct children_setup *setup, struct buf *why)
    __attribute__((warn_unused_result));
/* After a reload: the new configuration, log and level go to all. `done` per
 * child with its answer (text: what it refused, or what needs a restart). */
void children_reload(const struct children_setup *setup,
    void (*done)(const struct child *c, bool ok, struct slice text, bool last));
/* Stops in order; `stopped` when none is left. */
void children_stop(uint32_t grace_ms, void (*stopped)(void));
/* Reaps what has ended. */
void children_reap(void);
bool children_are_ready(void);
/* Steps through all: NULL starts, NULL ends. */
struct child *children_next(struct child *last);

#endif
