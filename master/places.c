/* SPDX-License-Identifier: ISC */
/* Folders by descriptor, users by name; no role ever sees a path. */
#include "master/places.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int
failed(struct buf *why, const char *what, const char *path)
{
	buf_addf(why, "%s %s: %s", what, path, strerror(errno));
	return -1;
}

/* mkdir -p, each missing level with this mode. */
static int
make_path(const char *path, mode_t mode, struct buf *why)
{
	char copy[1024];
	char *p;

	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) {
		buf_addf(why, "%s is too long a path", path);
		return -1;
	}
	for (p = copy + 1; ; p++) {
		if (*p != '/' && *p != 0)
			continue;
		char was = *p;

		*p = 0;
		if (mkdir(copy, was == 0 ? mode : 0755) < 0 && errno != EEXIST)
			return failed(why, "cannot make", copy);
		*p = was;
		if (was == 0)
			return 0;
	}
}

static int
open_dir(const char *path, mode_t mode, struct buf *why)
{
	int fd;

	if (make_path(path, mode, why) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)failed(why, "cannot open", path);
	return fd;
}

/* A name below a folder that is ours and nobody else may change. */
static int
open_below(int dir, const char *name, mode_t mode, struct buf *why)
{
	int fd;

	if (mkdirat(dir, name, mode) < 0 && errno != EEXIST)
		return failed(why, "cannot make", name);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return failed(why, "cannot open", name);
	return fd;
}

static int
take_lock(struct places *p, struct buf *why)
{
	char pid[32];
	int n;

	p->lock = openat(p->run_dir, "veredusd.pid",
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (p->lock < 0)
		return failed(why, "cannot open", "veredusd.pid");
	if (flock(p->lock, LOCK_EX | LOCK_NB) < 0) {
		buf_add_str(why, "another veredusd runs with this run_dir");
		return -1;
	}
	n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	if (ftruncate(p->lock, 0) < 0 ||
	    pwrite(p->lock, pid, (size_t)n, 0) != n)
		return failed(why, "cannot write", "veredusd.pid");
	return 0;
}

/* Whoever could write here could put another folder in the place of a home
 * before it is given away. */
static int
check_root(const struct places *p, int fd, const char *path, struct buf *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(why, "cannot look at", path);
	if (!p->privileged || (st.st_uid == 0 && (st.st_mode & 022) == 0))
		return 0;
	buf_addf(why, "mail root %s has owner %u and mode %04o, but must "
	    "belong to root and be writable by nobody else: name a folder of "
	    "its own in server.mail_roots, or, if no other program uses this "
	    "one, chown root %s && chmod go-w %s", path, (unsigned)st.st_uid,
	    (unsigned)st.st_mode & 07777, path, path);
	return -1;
}

static int
open_root(struct places *p, const char *path, struct buf *why)
{
	int fd = open_dir(path, p->privileged ? 0711 : 0700, why);

	if (fd < 0)
		return -1;
	p->roots[p->n_roots++] = fd;
	return check_root(p, fd, path, why);
}

int
places_open(struct places *p, const struct conf_server *c, struct buf *why)
{
	size_t i;

	*p = (struct places){ .privileged = geteuid() == 0, .state_dir = -1,
		.run_dir = -1, .empty = -1, .lock = -1 };
	p->state_dir = open_dir(c->state_dir, 0755, why);
	p->run_dir = p->state_dir < 0 ? -1 : open_dir(c->run_dir, 0755, why);
	if (p->run_dir < 0 || take_lock(p, why) < 0)
		return -1;
	p->empty = open_below(p->state_dir, "empty", 0555, why);
	if (p->empty < 0)
		return -1;
	for (i = 0; i < c->mail_roots.n; i++)
		if (open_root(p, c->mail_roots.v[i], why) < 0)
			return -1;
	return 0;
}

void
places_close(struct places *p)
{
	size_t i;
	int fds[] = { p->state_dir, p->run_dir, p->empty, p->lock };

	for (i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	for (i = 0; i < p->n_roots; i++)
		(void)close(p->roots[i]);
	p->n_roots = 0;
}

int
places_user(const struct places *p, const struct conf_server *c,
    const struct role_row *row, uid_t *uid_r, gid_t *gid_r, struct buf *why)
{
	char name[80];
	struct passwd *pw;

	*uid_r = geteuid();
	*gid_r = getegid();
	if (!p->privileged || row->user == NULL)
		return 0;
	(void)snprintf(name, sizeof name, "%s-%s", c->user, row->user);
	pw = getpwnam(name);
	if (pw == NULL) {
		buf_addf(why, "role %s needs the system user %s, which does "
		    "not exist (useradd --system --no-create-home --shell "
		    "/usr/sbin/nologin %s)", role_name(row->id), name, name);
		return -1;
	}
	if (pw->pw_uid == 0) {
		buf_addf(why, "user %s has uid 0: a role must not be root",
		    name);
		return -1;
	}
	*uid_r = pw->pw_uid;
	*gid_r = pw->pw_gid;
	return 0;
}

/* The folder must be the role's own. One that we just made (root's, empty of
 * history) is given to it; anything else is somebody's mistake to look at. */
static int
settle_owner(const struct places *p, int fd, const struct role_row *row,
    uid_t uid, gid_t gid, struct buf *why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(why, "cannot look at", row->folder);
	if (!p->privileged || (st.st_uid == uid && (st.st_mode & 022) == 0))
		return 0;
	if (st.st_uid == 0) {
		if (fchown(fd, uid, gid) < 0 || fchmod(fd, 0700) < 0)
			return failed(why, "cannot give away", row->folder);
		return 0;
	}
	buf_addf(why, "folder %s in state_dir has owner %u and mode %03o, but "
	    "must belong to uid %u and be writable by nobody else",
	    row->folder, (unsigned)st.st_uid, (unsigned)st.st_mode & 0777,
	    (unsigned)uid);
	return -1;
}

int
places_folder(const struct places *p, const struct conf_server *c,
    const struct role_row *row, struct buf *why)
{
	uid_t uid;
	gid_t gid;
	int fd;

	if (row->folder == NULL) {
		fd = fcntl(p->empty, F_DUPFD_CLOEXEC, 3);
		return fd >= 0 ? fd : failed(why, "cannot use", "empty");
	}
	if (places_user(p, c, row, &uid, &gid, why) < 0)
		return -1;
	fd = open_below(p->state_dir, row->folder, 0700, why);
	if (fd >= 0 && settle_owner(p, fd, row, uid, gid, why) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}
