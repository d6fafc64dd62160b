/* SPDX-License-Identifier: ISC */
/*
 * The administrator's connection to the running server: one request at a
 * time, rows as they come. Blocking, for a command-line program.
 */
#ifndef MASTER_CTL_H
#define MASTER_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct ctl;

/*
 * Connects to the control socket in run_dir. NULL with a sentence in `why`;
 * *stopped_r when nobody listens there.
 */
struct ctl *ctl_connect(const char *run_dir, bool *stopped_r, struct buf *why);
void ctl_close(struct ctl **c);
/*
 * Runs a verb with packed arguments. `row` (may be NULL) gets each row. The
 * exit code of the answer; its text is appended to `text`. 75 when the server
 * goes away.
 */
int ctl_run(struct ctl *c, const char *verb, struct slice args,
    void (*row)(void *arg, struct slice row), void *arg, struct buf *text);

#endif
