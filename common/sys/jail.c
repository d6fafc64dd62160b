/* SPDX-License-Identifier: ISC */
/* The way into the jail, and nothing else. */
#include "sys/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/sandbox.h"

enum { JAIL_DIRS_MAX = 32 };

static int
failed(struct buf *why, const char *what)
{
	buf_addf(why, "%s: %s", what, strerror(errno));
	return -1;
}

/* A folder that others may write is no jail. */
static int
check_folder(const struct jail *j, struct buf *why)
{
	struct stat st;

	if (fstat(j->folder, &st) < 0)
		return failed(why, "cannot look at the jail's folder");
	if (!S_ISDIR(st.st_mode)) {
		buf_add_str(why, "the jail is not a folder");
		return -1;
	}
	if (st.st_uid != (j->has_folder && j->privileged ? j->uid : geteuid()) ||
	    (st.st_mode & 022) != 0) {
		buf_addf(why, "the jail's folder has owner %u and mode %03o: "
		    "expected owner %u and nobody else to write",
		    (unsigned)st.st_uid, (unsigned)st.st_mode & 0777,
		    (unsigned)(j->has_folder ? j->uid : geteuid()));
		return -1;
	}
	return 0;
}

/* Keeps only j->caps, here and for whatever would be exec'd. */
static int
keep_caps(const struct jail *j, struct buf *why)
{
	struct __user_cap_header_struct header = {
		_LINUX_CAPABILITY_VERSION_3, 0
	};
	struct __user_cap_data_struct data[2] = { { 0 }, { 0 } };
	int i;

	for (i = 0; i < 2; i++)
		data[i].effective = data[i].permitted =
		    (uint32_t)(j->caps >> (32 * i));
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0)
		return failed(why, "cannot drop groups");
	if (syscall(SYS_capset, &header, data) < 0)
		return failed(why, "cannot drop capabilities");
	return 0;
}

static int
drop_identity(const struct jail *j, struct buf *why)
{
	int cap;

	/* Capabilities no exec could ever bring back. */
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if ((j->caps >> cap & 1) == 0 &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return failed(why, "cannot drop the bounding set");
	if (j->caps != 0)
		return keep_caps(j, why);
	if (setgroups(0, NULL) < 0)
		return failed(why, "cannot drop supplementary groups");
	if (setresgid(j->gid, j->gid, j->gid) < 0)
		return failed(why, "cannot change the group");
	if (setresuid(j->uid, j->uid, j->uid) < 0)
		return failed(why, "cannot change the user");
	if (setuid(0) == 0 || setgid(0) == 0 || seteuid(0) == 0) {
		buf_add_str(why, "root could be regained");
		return -1;
	}
	return 0;
}

static int
landlock(const struct jail *j)
{
	int dirs[JAIL_DIRS_MAX];
	size_t n = 0;

	if (j->has_folder)
		dirs[n++] = j->folder;
	while (n < JAIL_DIRS_MAX && n - j->has_folder < j->n_dirs) {
		dirs[n] = j->dirs[n - j->has_folder];
		n++;
	}
	return sandbox_landlock(j->sandbox, dirs, n);
}

int
jail_enter(const struct jail *j, unsigned *held_r, struct buf *why)
{
	pid_t parent = getppid();
	unsigned held = 0;

	if (j->folder >= 0) {
		if (check_folder(j, why) < 0)
			return -1;
		if (fchdir(j->folder) < 0)
			return failed(why, "cannot enter the jail's folder");
	}
	if (j->privileged) {
		if (chroot(".") < 0)
			return failed(why, "cannot chroot");
		held |= SANDBOX_HELD_CHROOT;
		if (drop_identity(j, why) < 0)
			return -1;
		held |= SANDBOX_HELD_BOUNDING;
		if (j->caps == 0)
			held |= SANDBOX_HELD_UID;
	}
	/* After the change of identity, which would clear it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return failed(why, "cannot tie our life to master's");
#ifndef WITH_SANITIZERS /* the leak checker traces its own process */
	/* No core, also to a pipe; no tracing, by nobody but root. The kernel
	 * may have set it otherwise when the uid changed. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return failed(why, "cannot forbid core files");
#endif
	if (getppid() != parent) {
		buf_add_str(why, "master is gone");
		return -1;
	}
	if (sandbox_no_new_privs() < 0)
		return failed(why, "cannot set no_new_privs");
	held |= SANDBOX_HELD_NO_NEW_PRIVS;
	if (landlock(j) == 0)
		held |= SANDBOX_HELD_LANDLOCK;
	else if (!j->best_effort)
		return failed(why, "Landlock is not to be had (server.sandbox "
		    "= best-effort goes on without)");
#ifdef WITH_SANITIZERS
	/* The sanitizers' run-time needs calls that no profile allows. */
	*held_r = held;
	return 0;
#endif
	if (sandbox_seccomp(j->sandbox) == 0)
		held |= SANDBOX_HELD_SECCOMP;
	else if (!j->best_effort)
		return failed(why, "seccomp is not to be had (server.sandbox "
		    "= best-effort goes on without)");
	*held_r = held;
	return 0;
}
