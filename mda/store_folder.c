/* SPDX-License-Identifier: ISC */
/*
 * Folders of the Maildir: making, deleting, renaming, listing, scanning. A
 * folder on its way out is first renamed into our own folder, so that it is
 * gone for everybody in one step.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "mda/rows.h"
#include "mda/store_priv.h"
#include "sys/log.h"

enum {
	DEPTH_MAX = 4,      /* of what is deleted: a Maildir has two levels */
	TMP_S = 36 * 3600   /* age of what is left over, by convention */
};

struct folder_job {
	struct store_job job;
	char *from, *to;
	bool sync;
	store_done *done;
	void *arg;
};

static struct folder_job *
add_folder_job(struct store *s,
    void (*run)(struct store *, struct store_job *), const char *from,
    const char *to, store_done *done, void *arg)
{
	struct folder_job *j = store_alloc(sizeof *j);

	j->job.run = run;
	j->from = store_dup(slice_str(from));
	j->to = store_dup(slice_str(to));
	j->done = done;
	j->arg = arg;
	store_add_job(s, &j->job);
	return j;
}

static void
end_folder_job(struct folder_job *j, enum store_result r)
{
	j->done(j->arg, r);
	free(j->from);
	free(j->to);
	free(j);
}

int
store_flush_path(struct store *s, const char *path)
{
	int fd = openat(s->root, path[0] == 0 ? "." : path,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	(void)close(fd);
	return rc;
}

/* ---- making, renaming ---- */

static int
make_folder(struct store *s, const char *folder, bool sync)
{
	/* The last is what marks a Maildir++ folder for other programs. */
	static const char *const subs[] = { "tmp", "new", "cur" };
	size_t i;
	int fd;

	if (folder[0] != 0 && mkdirat(s->root, folder, 0700) < 0 &&
	    errno != EEXIST)
		return -1;
	for (i = 0; i < sizeof subs / sizeof *subs; i++)
		if (mkdirat(s->root, store_path_in(folder, subs[i]), 0700) <
		    0 && errno != EEXIST)
			return -1;
	if (folder[0] == 0)
		return 0;
	fd = openat(s->root, store_path_in(folder, "maildirfolder"),
	    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		(void)close(fd);
	if ((sync || s->o.strict) && store_flush_path(s, folder) < 0)
		return -1;
	return s->o.strict ? store_flush_path(s, "") : 0;
}

static void
run_create(struct store *s, struct store_job *job)
{
	struct folder_job *j = LIST_OF(job, struct folder_job, job);

	end_folder_job(j, make_folder(s, j->from, j->sync) == 0 ? STORE_OK :
		store_errno("create", j->from));
}

void
store_folder_create(struct store *s, const char *folder, bool sync,
    store_done *done, void *arg)
{
	struct folder_job *j = add_folder_job(s, run_create, folder, "", done,
	    arg);

	j->sync = sync;
}

static void
run_rename(struct store *s, struct store_job *job)
{
	struct folder_job *j = LIST_OF(job, struct folder_job, job);
	enum store_result r = STORE_OK;
	int rc;

	rc = renameat2(s->root, j->from, s->root, j->to, RENAME_NOREPLACE);
	if (rc < 0 && errno == EINVAL)
		rc = renameat(s->root, j->from, s->root, j->to);
	if (rc == 0) {
		(void)renameat(s->root, store_list_path(j->from), s->root,
		    store_list_path(j->to));
		stamp_rename(s, j->from, j->to);
		store_put_renamed(s, j->from, j->to);
		/* Before the row that says it is to be done may go. */
		if (store_flush_path(s, "") < 0)
			r = store_errno("rename", j->from);
	} else if (errno != ENOENT) {
		r = store_errno("rename", j->from);
	}
	end_folder_job(j, r);
}

void
store_folder_rename(struct store *s, const char *from, const char *to,
    store_done *done, void *arg)
{
	(void)add_folder_job(s, run_rename, from, to, done, arg);
}

struct flush_job {
	struct store_job job;
	char *folder;
	enum body_place place;
	store_done *done;
	void *arg;
};

static void
run_flush(struct store *s, struct store_job *job)
{
	static const char *const names[] = { [BODY_NEW] = "new",
		[BODY_CUR] = "cur", [BODY_TMP] = "tmp" };
	struct flush_job *j = LIST_OF(job, struct flush_job, job);
	enum store_result r = STORE_OK;

	if (store_flush_path(s, store_path_in(j->folder, names[j->place])) < 0)
		r = store_errno("flush", j->folder);
	j->done(j->arg, r);
	free(j->folder);
	free(j);
}

void
store_flush_folder(struct store *s, const char *folder,
    enum body_place place, store_done *done, void *arg)
{
	struct flush_job *j = store_alloc(sizeof *j);

	j->job.run = run_flush;
	j->folder = store_dup(slice_str(folder));
	j->place = place;
	j->done = done;
	j->arg = arg;
	store_add_job(s, &j->job);
}

/* ---- deleting ---- */

static int
remove_tree(int at, const char *name, int depth)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (dir == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return errno == ENOTDIR || errno == ELOOP ?
		    unlinkat(at, name, 0) : -1;
	}
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, d->d_name, 0) < 0 && depth > 0)
			(void)remove_tree(fd, d->d_name, depth - 1);
	}
	(void)closedir(dir);
	return unlinkat(at, name, AT_REMOVEDIR);
}

int
store_folder_remove(struct store *s, const char *path)
{
	return remove_tree(s->root, path, DEPTH_MAX);
}

static void
run_delete(struct store *s, struct store_job *job)
{
	struct folder_job *j = LIST_OF(job, struct folder_job, job);
	enum store_result r = STORE_OK;
	struct buf gone;
	int rc;

	buf_init(&gone, 64);
	do {
		buf_reset(&gone);
		buf_addf(&gone, STORE_DIR "/gone-%u", s->gone++);
		rc = renameat2(s->root, j->from, s->root, gone.p,
		    RENAME_NOREPLACE);
	} while (rc < 0 && errno == EEXIST);
	if (rc == 0) {
		if (store_flush_path(s, "") < 0)
			r = store_errno("delete", j->from);
		(void)store_folder_remove(s, gone.p);
	} else if (errno != ENOENT) {
		r = store_errno("delete", j->from);
	}
	(void)unlinkat(s->root, store_list_path(j->from), 0);
	stamp_forget(s, j->from);
	buf_fini(&gone);
	end_folder_job(j, r);
}

void
store_folder_delete(struct store *s, const char *folder, store_done *done,
    void *arg)
{
	(void)add_folder_job(s, run_delete, folder, "", done, arg);
}

void
store_folder_clean(struct store *s)
{
	int fd = openat(s->root, STORE_DIR,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL)
		if (strncmp(d->d_name, "gone-", 5) == 0)
			(void)store_folder_remove(s,
			    store_path_in(NULL, d->d_name));
	if (dir != NULL)
		(void)closedir(dir);
}

/* ---- scanning ---- */

struct scan_job {
	struct store_job job;
	char *folder;
	store_found *found;
	bool (*folder_found)(void *arg, const char *folder);
	store_loaded *done;
	void *arg;
};

static DIR *
open_dir(struct store *s, const char *path)
{
	int fd = openat(s->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL && fd >= 0)
		(void)close(fd);
	return dir;
}

static int
scan_place(struct store *s, const struct scan_job *j, enum body_place place)
{
	DIR *dir = open_dir(s, store_path_in(j->folder,
		place == BODY_NEW ? "new" : "cur"));
	struct store_entry e;
	struct dirent *d;

	if (dir == NULL)
		return -1;
	while ((d = readdir(dir)) != NULL)
		if (d->d_type != DT_DIR &&
		    store_path_parse(d->d_name, place, &e) &&
		    !j->found(j->arg, &e))
			break;
	(void)closedir(dir);
	return 0;
}

/* What a crash left in tmp/, once it is certain that nobody works on it. */
static void
scan_tmp(struct store *s, const struct scan_job *j)
{
	DIR *dir = open_dir(s, store_path_in(j->folder, "tmp"));
	struct store_entry e;
	struct dirent *d;
	struct stat st;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (strstr(d->d_name, ".veredus") == NULL ||
		    !store_path_parse(d->d_name, BODY_TMP, &e) ||
		    fstatat(dirfd(dir), d->d_name, &st,
			AT_SYMLINK_NOFOLLOW) < 0 ||
		    st.st_ctim.tv_sec > clock_wall() - TMP_S)
			continue;
		if (!j->found(j->arg, &e))
			break;
	}
	if (dir != NULL)
		(void)closedir(dir);
}

static void
end_scan(struct store *s, struct scan_job *j, enum store_result r)
{
	j->done(j->arg, r, store_map_version(s->map));
	free(j->folder);
	free(j);
}

static void
run_scan(struct store *s, struct store_job *job)
{
	struct scan_job *j = LIST_OF(job, struct scan_job, job);
	enum store_result r = STORE_OK;

	stamp_scan(s, j->folder);
	/* New ones first: a file moved on meanwhile is then seen twice
	 * rather than not at all. */
	if (scan_place(s, j, BODY_NEW) < 0 || scan_place(s, j, BODY_CUR) < 0)
		r = store_errno("scan", j->folder);
	else
		scan_tmp(s, j);
	end_scan(s, j, r);
}

void
store_folder_scan(struct store *s, const char *folder, store_found *found,
    store_loaded *done, void *arg)
{
	struct scan_job *j = store_alloc(sizeof *j);

	j->job.run = run_scan;
	j->folder = store_dup(slice_str(folder));
	j->found = found;
	j->done = done;
	j->arg = arg;
	store_add_job(s, &j->job);
}

static void
run_folders(struct store *s, struct store_job *job)
{
	struct scan_job *j = LIST_OF(job, struct scan_job, job);
	DIR *dir = open_dir(s, ".");
	struct dirent *d;
	struct stat st;

	if (dir == NULL) {
		end_scan(s, j, store_errno("list", "."));
		return;
	}
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] != '.' || d->d_name[1] == 0 ||
		    d->d_name[1] == '.' ||
		    strcmp(d->d_name, STORE_DIR) == 0 ||
		    fstatat(s->root, store_path_in(d->d_name, "cur"), &st,
			0) < 0 || !S_ISDIR(st.st_mode))
			continue;
		if (!j->folder_found(j->arg, d->d_name))
			break;
	}
	(void)closedir(dir);
	end_scan(s, j, STORE_OK);
}

void
store_folders(struct store *s, bool (*found)(void *arg, const char *folder),
    store_loaded *done, void *arg)
{
	struct scan_job *j = store_alloc(sizeof *j);

	j->job.run = run_folders;
	j->folder_found = found;
	j->done = done;
	j->arg = arg;
	store_add_job(s, &j->job);
}
