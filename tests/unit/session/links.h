/* SPDX-License-Identifier: ISC */
/*
 * A role and one peer of it in one process, with scripted time: linked instead
 * of sys/daemon.c and sys/loop.c.
 */
#ifndef TESTS_UNIT_SESSION_LINKS_H
#define TESTS_UNIT_SESSION_LINKS_H

#include "sys/ipc.h"

struct links {
	struct loop *loop;
	/* Theirs is what we speak through, ours the peer's end. */
	struct ipc_link *to_peer, *of_peer;
	int fds[2];
};
extern struct links links;

/* Links `self`, whose parts are tested, with `peer`, which has handlers. */
void links_up(enum role_id self, enum role_id peer,
    const struct ipc_handlers *h);
void links_down(void);
/* Lets everything arrive that was sent. */
void links_run(void);
/* Only what the role gets: the peer does not read. */
void links_run_deaf(void);
void links_wait(int64_t ms);

#endif
