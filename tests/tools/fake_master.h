/* SPDX-License-Identifier: ISC */
/*
 * A minimal master for test programs: starts one role's real binary on
 * descriptor 3 as sys/daemon.h asks for, without root and without chroot but
 * with the role's sandbox, tells it a configuration and introduces
 * peers, whose ends the test program plays itself. What goes wrong ends the
 * program with a message.
 */
#ifndef TESTS_TOOLS_FAKE_MASTER_H
#define TESTS_TOOLS_FAKE_MASTER_H

#include "base/slice.h"
#include "sys/ipc.h"

struct fake_master;
struct loop;

/* Before the start, as root: the role enters its jail and keeps `caps`. */
void fake_master_privileged(uint64_t caps);
/* Forks, executes `program`, and says HELLO. One for each test program. */
struct fake_master *fake_master_start(struct loop *l, const char *program,
    enum role_id role, unsigned sandbox);
/* One option, "section.option=value", with `|` between the items of lists. */
void fake_master_conf(struct fake_master *m, struct slice option);
/* Ends a set of options; `done` gets the verdict. May be repeated. */
void fake_master_conf_end(struct fake_master *m,
    void (*done)(bool is_ok, struct slice text));
/* Hands over an open file (a duplicate). */
void fake_master_file(struct fake_master *m, const char *name, int fd);
/* The role's own folder, which it works in. */
void fake_master_jail(struct fake_master *m, const char *dir);
/* START; `ready` is called when the role says READY. */
void fake_master_go(struct fake_master *m, void (*ready)(void));
/* Introduces a peer after READY: our end of the link. */
struct ipc_link *fake_master_peer(struct fake_master *m, enum role_id peer,
    const struct ipc_handlers *handlers);
/* The same as one of several processes of its role. */
struct ipc_link *fake_master_instance(struct fake_master *m,
    enum role_id peer, uint32_t instance, const struct ipc_handlers *handlers);
/* The same with a bare end instead of a link: the caller's descriptor. */
int fake_master_bare(struct fake_master *m, enum role_id peer,
    uint32_t instance);
/* The same, but our end believes that it is an `as`, and so may say what the
 * peer that the role was told of may not. */
struct ipc_link *fake_master_impostor(struct fake_master *m,
    enum role_id peer, uint32_t instance, enum role_id as,
    const struct ipc_handlers *handlers);
/* The control link, for what only master may ask. */
struct ipc_link *fake_master_link(struct fake_master *m);
/* Tells the role to stop, waits, frees. The exit status, or 128 + signal. */
int fake_master_stop(struct fake_master **m);

#endif
