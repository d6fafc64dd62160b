/* SPDX-License-Identifier: ISC */
/*
 * The writer's descriptor is write-only and shares its offset with ours, so
 * the client goes on where we stopped. Before the commit a lease proves that
 * no writer is left anywhere, in a message under way or a memory map either.
 */
#include "queue/bodies.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/fsio.h"
#include "queue/slot.h"
#include "queue/spool.h"

static void
tmp_path(uint64_t id, char path[SLOT_PATH])
{
	(void)snprintf(path, SLOT_PATH, "tmp/%016" PRIx64, id);
}

struct spool_body *
body_open(struct spool *s, int dir, uint64_t id)
{
	struct spool_body *b = calloc(1, sizeof *b);
	char path[SLOT_PATH];
	int error;

	if (b == NULL)
		return NULL;
	tmp_path(id, path);
	*b = (struct spool_body){ .spool = s, .id = id, .dir = dir,
		.fd = fsio_create(dir, path, O_WRONLY) };
	if (b->fd >= 0)
		return b;
	error = errno;
	free(b);
	errno = error;
	return NULL;
}

void
body_free(struct spool_body **bp)
{
	if (*bp != NULL && (*bp)->fd >= 0)
		(void)close((*bp)->fd);
	free(*bp);
	*bp = NULL;
}

void
body_discard(struct spool_body **bp)
{
	struct spool_body *b = *bp;
	char path[SLOT_PATH];

	if (b != NULL && !b->keep) {
		if (b->settled)
			slot_id_path("body", b->id, path);
		else
			tmp_path(b->id, path);
		/* One that stays is removed at the next start. */
		(void)!fsio_unlink(b->dir, path);
	}
	body_free(bp);
}

int
spool_body_writer(struct spool_body *b)
{
	return b->fd;
}

int
spool_body_write(struct spool_body *b, struct slice bytes)
{
	return fsio_write(b->fd, bytes.p, bytes.n);
}

/* Of what a writer said it wrote. */
static int
check_size(int fd, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	errno = EBADMSG;
	return (uint64_t)st.st_size == size ? 0 : -1;
}

/*
 * The name first, then the flush: under the ordered model the file's flush
 * then carries the name, which a flush of the slot alone would not.
 */
static int
name_it(struct spool_body *b, int fd, bool strict)
{
	char from[SLOT_PATH], to[SLOT_PATH], folder[SLOT_PATH];

	tmp_path(b->id, from);
	slot_id_path("body", b->id, to);
	slot_id_dir("body", b->id, folder);
	if (fsio_rename(b->dir, from, to) < 0)
		return -1;
	b->settled = true;
	if (fsio_fsync(fd) < 0)
		return -1;
	return strict ? fsio_fsync_dir(b->dir, folder) : 0;
}

int
body_settle(struct spool_body *b, uint64_t size, bool strict)
{
	char path[SLOT_PATH];
	int fd, error, result = -1;

	tmp_path(b->id, path);
	fd = fsio_open(b->dir, path, O_RDONLY);
	if (fd < 0)
		return -1;
	if (fsio_no_writer(fd) < 0) {
		error = errno == EAGAIN ? EBUSY : errno;
	} else {
		if (check_size(fd, size) == 0)
			result = name_it(b, fd, strict);
		error = errno;
	}
	(void)close(fd);
	errno = error;
	return result;
}

int
body_read_fd(int dir, uint64_t id)
{
	char path[SLOT_PATH];

	slot_id_path("body", id, path);
	return fsio_open(dir, path, O_RDONLY);
}

int
body_probe(int dir)
{
	struct spool_body *b = body_open(NULL, dir, 0);
	int fd, error, result = -1;
	char path[SLOT_PATH];

	if (b == NULL)
		return -1;
	tmp_path(0, path);
	(void)close(b->fd);
	b->fd = -1;
	fd = fsio_open(dir, path, O_RDONLY);
	if (fd >= 0)
		result = fsio_no_writer(fd);
	error = errno;
	if (fd >= 0)
		(void)close(fd);
	body_discard(&b);
	errno = error;
	return result;
}
