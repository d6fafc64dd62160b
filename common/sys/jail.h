/* SPDX-License-Identifier: ISC */
/*
 * Giving up rights, in one order for every role: check the folder, chroot,
 * groups, uid, prove that they do not come back, no new privileges, Landlock,
 * seccomp.
 */
#ifndef SYS_JAIL_H
#define SYS_JAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

struct jail {
	bool privileged;  /* started as root: chroot and identity too */
	bool best_effort; /* go on without Landlock or seccomp */
	int folder;       /* the folder to live in, or -1 (unprivileged only) */
	bool has_folder;  /* it holds files of the role: it may reach them */
	const int *dirs;  /* further folders it may reach, n_dirs of them */
	size_t n_dirs;
	uint64_t caps;    /* stay root with only these (a mask); 0: become uid */
	uid_t uid;
	gid_t gid;
	unsigned sandbox; /* profile of sys/sandbox.h */
};

/*
 * Goes in. *held_r gets SANDBOX_HELD_* bits. 0, or -1 with a sentence in
 * `why`: the process must then end, for it may be half inside.
 */
int jail_enter(const struct jail *j, unsigned *held_r, struct buf *why)
    __attribute__((warn_unused_result));

/*
 * For `ROLE --probe`: goes through the real set-up in a temporary folder,
 * tries forbidden acts one after another, prints what held. The exit status:
 * 0 when all that the profile forbids was refused.
 */
int jail_probe(const char *role, unsigned sandbox, bool has_folder);

#endif
