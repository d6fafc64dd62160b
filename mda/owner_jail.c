/* SPDX-License-Identifier: ISC */
/*
 * The order is fixed: close what is not ours, go to the folder, chroot, give up
 * groups and uid and prove it, tie our life to master's, Landlock, filter.
 */
#include "mda/owner_jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/sandbox.h"

static struct sandbox_filter *filter;

void
owner_jail_prepare(void)
{
	filter = sandbox_deny_spawn();
	if (filter == NULL)
		fatal("event=no_filter why=%s", LOG_S(strerror(errno)));
}

static void
die(const struct owner_identity *who, const char *what)
{
	log_error("event=owner_jail account=%llu step=%s why=%s",
	    (unsigned long long)who->account, what, LOG_S(strerror(errno)));
	_exit(75);
}

/* Descriptors: 0 to 2, the log, the link, the folder. Everything else of the
 * template (its loop, its own links) is not for us. */
static void
keep_descriptors(struct owner_identity *who)
{
	int log = log_fd(), link, home;

	/* Up, out of the way of the places they go to. */
	link = fcntl(who->link, F_DUPFD_CLOEXEC, 64);
	home = fcntl(who->home, F_DUPFD_CLOEXEC, 64);
	log = log < 0 ? -1 : fcntl(log, F_DUPFD_CLOEXEC, 64);
	if (link < 0 || home < 0 || dup2(link, 3) < 0 || dup2(home, 4) < 0 ||
	    (log >= 0 && dup2(log, 5) < 0))
		die(who, "descriptors");
	if (close_range(log >= 0 ? 6 : 5, ~0U, 0) < 0)
		die(who, "close_range");
	who->link = 3;
	who->home = 4;
	log_move_fd(log >= 0 ? 5 : -1);
}

static void
become(const struct owner_identity *who)
{
	if (chroot(".") < 0)
		die(who, "chroot");
	if (setgroups(0, NULL) < 0)
		die(who, "setgroups");
	if (setresgid(who->gid, who->gid, who->gid) < 0)
		die(who, "setresgid");
	if (setresuid(who->uid, who->uid, who->uid) < 0)
		die(who, "setresuid");
	if (setresuid(0, 0, 0) == 0 || chroot(".") == 0) {
		errno = EPERM;
		die(who, "root could be regained");
	}
}

void
owner_jail_enter(struct owner_identity *who)
{
	pid_t parent = getppid();
	int fd;

	keep_descriptors(who);
	/* The folder is closed to others, and our capabilities do not open it:
	 * as the owner, for files only, we may go in. */
	if (who->privileged) {
		(void)setfsgid(who->gid);
		(void)setfsuid(who->uid);
	}
	if (fchdir(who->home) < 0)
		die(who, "fchdir");
	if (who->privileged)
		become(who);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    getppid() != parent)
		die(who, "parent");
	fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(who, "open");
	(void)close(who->home);
	who->home = fd;
	if (sandbox_landlock(SANDBOX_FILES, &who->home, 1) < 0 &&
	    errno != ENOSYS && errno != EOPNOTSUPP)
		die(who, "landlock");
	if (sandbox_apply(filter) < 0)
		die(who, "seccomp");
}
