/* SPDX-License-Identifier: ISC */
/*
 * The control socket: `veredus` connects to it and sends ADMIN_RUN. Verbs of
 * master are answered here; others go to the role that knows them, whose
 * answers go back. Only root (or who runs the server) may connect.
 */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

#include "base/buf.h"
#include "sys/ipc.h"

struct loop;

struct control_verbs {
	void (*stop)(void);
	/* Reads the configuration anew; answers by control_done, later. */
	void (*reload)(uint64_t serial, uint64_t req);
	/* Adds pairs to master's own row of the status. */
	void (*status)(struct buf *row);
};

/* Listens on `control` in run_dir. 0; -1 with a sentence. */
int control_open(struct loop *l, int run_dir, const struct control_verbs *v,
    struct buf *why) __attribute__((warn_unused_result));
void control_close(int run_dir);
/* Ends an answer to the connection with this serial, if it is still there. */
void control_done(uint64_t serial, uint64_t req, uint8_t exit_code,
    struct slice text);

#endif
