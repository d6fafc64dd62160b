/* SPDX-License-Identifier: ISC */
/* openat2 with RESOLVE_BENEATH: the kernel itself refuses links and "..". */
#include "mda/homes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conf/conf_server.h"
#include "sys/daemon.h"
#include "sys/log.h"

enum {
	ROOTS_MAX = 16,
	HOME_MAX = 512,
	SYSTEM_UID_MIN = 1000,
	GROUP_USERS = 100, /* the one group below that people may have */
	/* Our own and sticky: a home that is made, but not given away yet. */
	UNFINISHED = 01700
};

static int roots[ROOTS_MAX];
static size_t n_roots;

void
homes_add_root(int fd)
{
	if (n_roots == ROOTS_MAX)
		fatal("event=too_many_mail_roots");
	roots[n_roots++] = fd;
}

int
homes_root(size_t i)
{
	return i < n_roots ? roots[i] : -1;
}

void
homes_kill(int pidfd)
{
	(void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

static int
open_beneath(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		    RESOLVE_NO_MAGICLINKS
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

static int
failed(struct buf *why, const char *what, const char *path)
{
	buf_addf(why, "%s %s: %s", what, path, strerror(errno));
	return -1;
}

/* The kernel would stay below the root with "..", but mkdirat knows no such
 * promise, and no home is called so. */
static bool
is_plain(struct slice path)
{
	struct slice name;

	if (slice_has_suffix(path, SLICE("/")))
		return false;
	while (slice_split(&path, '/', &name))
		if (name.n == 0 || slice_eq_str(name, ".") ||
		    slice_eq_str(name, ".."))
			return false;
	return true;
}

/*
 * Makes the last level, unfinished, and what is missing above it. What appears
 * under our hands is not ours to give away: the caller looks at it.
 */
static int
make_home(int root, char *path, struct buf *why)
{
	int dir = fcntl(root, F_DUPFD_CLOEXEC, 3), next;
	char *name = path, *slash;
	bool last;

	while (dir >= 0) {
		slash = strchr(name, '/');
		last = slash == NULL;
		if (!last)
			*slash = 0;
		if (mkdirat(dir, name, !last ? 0711
			: daemon_is_privileged() ? UNFINISHED : 0700) < 0 &&
		    errno != EEXIST) {
			(void)close(dir);
			return failed(why, "cannot make", name);
		}
		if (last) {
			(void)close(dir);
			return 0;
		}
		next = open_beneath(dir, name);
		(void)close(dir);
		dir = next;
		*slash = '/';
		name = slash + 1;
	}
	return failed(why, "cannot open a folder above", path);
}

/* Gives a new home to its owner, also one that a broker which was killed left
 * behind. Below a set-gid folder it has that bit too. */
static int
give_home(int fd, const char *path, uint32_t uid, uint32_t gid,
    struct buf *why)
{
	struct stat st;

	if (!daemon_is_privileged() || fstat(fd, &st) < 0 ||
	    st.st_uid != geteuid() ||
	    (st.st_mode & 07777 & ~(mode_t)S_ISGID) != UNFINISHED)
		return 0;
	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return failed(why, "cannot give away", path);
	return 0;
}

/* Among the numbers of people; not the one that means "no change" to the
 * calls that would take it. */
static bool
is_of_people(uint32_t id)
{
	const struct conf_server *s = daemon_server();
	int64_t base = s->uid_base, end = base + s->uid_count;

	return id != UINT32_MAX &&
	    (id >= SYSTEM_UID_MIN || (id >= base && id < end));
}

/* A group of the system may open a disk, or be as good as root. */
static int
check_ids(uint32_t uid, uint32_t gid, struct buf *why)
{
	if (!daemon_is_privileged())
		return 0;
	if (!is_of_people(uid)) {
		buf_addf(why, "uid %u may not own a mailbox", uid);
		return -1;
	}
	if (!is_of_people(gid) && gid != GROUP_USERS) {
		buf_addf(why, "group %u may not own a mailbox", gid);
		return -1;
	}
	return 0;
}

static int
check_home(int fd, const char *path, uint32_t uid, struct buf *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(why, "cannot look at", path);
	if (st.st_uid == uid && (st.st_mode & 022) == 0)
		return 0;
	buf_addf(why, "home %s has owner %u and mode %03o, but must belong to "
	    "uid %u and be writable by nobody else", path,
	    (unsigned)st.st_uid, (unsigned)st.st_mode & 0777, uid);
	return -1;
}

int
homes_open(uint32_t root, struct slice home, uint32_t *uid, uint32_t *gid,
    struct buf *why)
{
	char path[HOME_MAX];
	int fd;

	if (!daemon_is_privileged()) {
		*uid = geteuid();
		*gid = getegid();
	}
	if (root >= n_roots || home.n == 0 || home.n >= sizeof path ||
	    !is_plain(home) || memchr(home.p, 0, home.n) != NULL) {
		buf_addf(why, "home \"%.*s\" below root %u cannot be",
		    SLICE_FMT(home), root);
		return -1;
	}
	if (check_ids(*uid, *gid, why) < 0)
		return -1;
	memcpy(path, home.p, home.n);
	path[home.n] = 0;
	fd = open_beneath(roots[root], path);
	if (fd < 0 && errno == ENOENT) {
		if (make_home(roots[root], path, why) < 0)
			return -1;
		fd = open_beneath(roots[root], path);
	}
	if (fd < 0)
		return failed(why, "cannot open", path);
	if (give_home(fd, path, *uid, *gid, why) < 0 ||
	    check_home(fd, path, *uid, why) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}
