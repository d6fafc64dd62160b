/* SPDX-License-Identifier: ISC */
/*
 * The skeleton of every role: daemon_main() takes the hello on descriptor 3,
 * the log, the configuration, sockets and files from master, goes into the
 * jail in one visible order, says "ready" and runs the loop until master says
 * stop or disappears. A role supplies a struct role and its handlers.
 */
#ifndef SYS_DAEMON_H
#define SYS_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/conf.h"
#include "sys/ipc.h"
#include "sys/role.h"

struct loop;

/* Links of one role to others: the most that master/roles.c allows with
 * server.processes at its bound. */
enum { DAEMON_PEERS_MAX = 256 };

/* Flags of the hello. */
enum {
	DAEMON_PRIVILEGED = 1,  /* started as root: chroot, uid, groups */
	DAEMON_BEST_EFFORT = 2, /* go on without seccomp or Landlock */
	DAEMON_DEBUG = 4
};

struct role {
	enum role_id id;
	/* Its own section, or NULL; `server` comes to every role besides. */
	const struct conf_section *section;
	/* Has it a folder of its own (then daemon_jail_fd is open on it), or
	 * does it live in an empty one? */
	bool has_folder;
	const struct ipc_handlers *handlers;
	/* System-call profile of sys/sandbox.h. */
	unsigned sandbox;
	/* With everything handed over, still with the first rights: open what
	 * the jail will not let us open. May be NULL. */
	void (*before_jail)(void);
	/* In the jail, before "ready". May be NULL. */
	void (*after_jail)(void);
	/* A configuration was taken over (also the first, before before_jail).
	 * -1 refuses it, with the reason in `why`; then nothing has changed. */
	int (*configure)(const void *conf, struct buf *why);
	/* Master handed something over; each may be NULL. The descriptor
	 * belongs to the callee. */
	void (*listen)(struct slice service, struct slice address, int fd);
	void (*unlisten)(struct slice service, struct slice address);
	void (*file)(struct slice name, int fd);
	/* A link to a peer came up, or one is lost (l is then about to die). */
	void (*peer_up)(struct ipc_link *l);
	void (*peer_down)(struct ipc_link *l);
	/* Finish; call daemon_stopped() when nothing is left in work. NULL:
	 * stop at once. */
	void (*stop)(uint32_t grace_ms);
	/* An administrator's verb; answer with daemon_row, daemon_done. NULL:
	 * only "status" works. */
	void (*admin)(struct ipc_link *l, uint64_t req, struct slice verb,
	    struct slice args);
	/* Adds key/value pairs to this role's row of `veredus status`. */
	void (*status)(struct buf *row);
};

/* The whole of a role's main.c. Returns the exit status. */
int daemon_main(int argc, char **argv, const struct role *role);

/* ---- for the role's code, after daemon_main has begun ---- */

struct loop *daemon_loop(void);
uint32_t daemon_instance(void);
bool daemon_is_privileged(void);
/* The role's own folder, which is also its root and working directory where
 * we are privileged; -1 for roles without one. */
int daemon_jail_fd(void);
/* In before_jail: Landlock shall let us reach this folder too. */
void daemon_allow_dir(int fd);
/* The values of section `server`; valid until the next configuration. */
const struct conf_server *daemon_server(void);
/* A live link to that role: the only one, or the next in turn of several;
 * NULL when there is none just now. */
struct ipc_link *daemon_peer(enum role_id role);
/* The link to that very process, or NULL. */
struct ipc_link *daemon_peer_instance(enum role_id role, uint32_t instance);
/* Steps through all live links to a role: start with NULL; NULL at the end. */
struct ipc_link *daemon_peer_next(enum role_id role, struct ipc_link *last);
/* The link to master. */
struct ipc_link *daemon_master(void);
/* Has master asked us to stop? */
bool daemon_is_stopping(void);
/* Nothing is left in work: end the loop. */
void daemon_stopped(void);
/* Answers to an admin verb. */
void daemon_row(struct ipc_link *l, uint64_t req, const struct buf *row);
void daemon_done(struct ipc_link *l, uint64_t req, uint8_t exit_code,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
