/* SPDX-License-Identifier: ISC */
/*
 * What a process may still ask of the kernel once it is in its jail: a list of
 * allowed system calls (seccomp, by libseccomp) and the folder it may reach
 * (Landlock). Both only ever narrow.
 */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include "base/buf.h"

/* Profiles: what a role needs beyond computing, waiting, and reading and
 * writing the descriptors it holds. */
enum {
	SANDBOX_ACCEPT = 1,   /* accept() on listening sockets it was handed */
	SANDBOX_CONNECT = 2,  /* TCP and UDP sockets of its own */
	SANDBOX_FILES = 4,    /* open, make, rename, remove below its jail */
	SANDBOX_THREADS = 8,
	SANDBOX_SPAWN = 16,   /* template: processes, identities, jails */
	SANDBOX_LOCK_MEMORY = 32, /* mlock, for keys */
	SANDBOX_HOMES = 64    /* broker: open and make owners' folders, pairs */
};

/* What holds, as told to master in READY. */
enum {
	SANDBOX_HELD_CHROOT = 1,
	SANDBOX_HELD_UID = 2,
	SANDBOX_HELD_NO_NEW_PRIVS = 4,
	SANDBOX_HELD_LANDLOCK = 8,
	SANDBOX_HELD_SECCOMP = 16,
	SANDBOX_HELD_BOUNDING = 32
};

/* 0, or -1 with errno. Cannot be undone; needed by the two below. */
int sandbox_no_new_privs(void) __attribute__((warn_unused_result));
/*
 * File access only below the `n` folders `dirs`, and no TCP of its own unless the profile has SANDBOX_CONNECT (where the kernel can). 0; -1
 * with errno: ENOSYS or EOPNOTSUPP where the kernel has no Landlock.
 */
int sandbox_landlock(unsigned profile, const int *dirs, size_t n)
    __attribute__((warn_unused_result));
/*
 * Only the profile's system calls from here on. Others fail with ENOSYS;
 * dangerous ones end the process with a log line naming the call. 0, or -1.
 */
int sandbox_seccomp(unsigned profile) __attribute__((warn_unused_result));
/*
 * A small filter for the children of a SANDBOX_SPAWN process: it takes back
 * what only making them needed. Built once (it is slow), applied in each child.
 * NULL or -1 with errno; with sanitizers an empty filter.
 */
struct sandbox_filter;
struct sandbox_filter *sandbox_deny_spawn(void);
int sandbox_apply(const struct sandbox_filter *f)
    __attribute__((warn_unused_result));
/* "chroot uid no-new-privs landlock seccomp", or with "without …" behind. */
void sandbox_describe(unsigned held, struct buf *out);

#endif
