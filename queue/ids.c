/* SPDX-License-Identifier: ISC */
/*
 * The file `ids`: two sectors written in turn. The next block is reserved when
 * half of the last is used up, so that nobody waits for it.
 */
#include "queue/ids.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "queue/fsio.h"
#include "sys/log.h"

/* Writes `ask` over the sector that does not count. 0, or an errno. */
static int
write_ask(const struct ids *i)
{
	unsigned char sector[FORMAT_SECTOR];

	format_ids_put(&i->ask, sector);
	if (fsio_pwrite(i->fd, sector, sizeof sector,
	    (off_t)(1 - i->at) * FORMAT_SECTOR) < 0 ||
	    fsio_fdatasync(i->fd) < 0)
		return errno;
	return 0;
}

/* What the disk holds now. */
static void
take_over(struct ids *i)
{
	i->disk = i->ask;
	i->at = 1 - i->at;
}

static void
plan(struct ids *i)
{
	uint64_t from = i->next > i->disk.reserved ? i->next
						   : i->disk.reserved;

	i->ask = (struct format_ids){ i->disk.sequence + 1, from + IDS_BLOCK };
}

/* Reads both sectors: valid when one of them holds a number. */
static enum format_sector
load(struct ids *i)
{
	char both[2 * FORMAT_SECTOR] = { 0 };
	struct format_ids got[2] = { { 0 } };
	struct slice s = { both, sizeof both };
	enum format_sector v[2];

	if (fsio_pread(i->fd, both, sizeof both, 0) < 0)
		return FORMAT_BAD;
	v[0] = format_ids_get(slice_head(s, FORMAT_SECTOR), &got[0]);
	v[1] = format_ids_get(slice_from(s, FORMAT_SECTOR), &got[1]);
	if (v[0] == FORMAT_NEWER || v[1] == FORMAT_NEWER)
		return FORMAT_NEWER;
	i->at = v[1] == FORMAT_VALID &&
	    (v[0] != FORMAT_VALID || got[1].sequence > got[0].sequence);
	i->disk = got[i->at];
	if (v[0] == FORMAT_VALID || v[1] == FORMAT_VALID)
		return FORMAT_VALID;
	return v[0] == FORMAT_ZERO && v[1] == FORMAT_ZERO ? FORMAT_ZERO
							  : FORMAT_BAD;
}

/* The first block. A new file's name and size are made durable with it. */
static int
reserve_first(struct ids *i, int dir, bool is_new)
{
	plan(i);
	i->error = write_ask(i);
	if (i->error != 0) {
		errno = i->error;
		return -1;
	}
	take_over(i);
	if (fsio_fsync(i->fd) < 0)
		return -1;
	return is_new ? fsio_fsync_dir(dir, ".") : 0;
}

int
ids_open(struct ids *i, int dir, enum format_sector *found_r)
{
	uint64_t wall = (uint64_t)clock_wall_us();
	bool is_new = false;
	int error = EPROTO;

	*i = (struct ids){ .fd = fsio_open(dir, "ids", O_RDWR) };
	if (i->fd < 0 && errno == ENOENT) {
		i->fd = fsio_create(dir, "ids", O_RDWR);
		is_new = true;
	}
	if (i->fd < 0)
		return -1;
	*found_r = load(i);
	if (*found_r != FORMAT_NEWER) {
		i->next = i->disk.reserved > wall ? i->disk.reserved : wall;
		if (reserve_first(i, dir, is_new) == 0)
			return 0;
		error = errno;
	}
	ids_close(i);
	errno = error;
	return -1;
}

static void
reserve_run(struct job *j)
{
	struct ids *i = JOB_OF(j, struct ids);

	i->error = write_ask(i);
}

static void
reserve_done(struct job *j)
{
	struct ids *i = JOB_OF(j, struct ids);

	i->busy = false;
	if (i->error == 0) {
		take_over(i);
		return;
	}
	/* It may or may not be on the disk: the next try is a later one. */
	i->disk.sequence = i->ask.sequence;
	log_error("event=flush_failed file=ids error=%s",
	    LOG_S(strerror(i->error)));
}

static void
reserve(struct ids *i)
{
	if (i->busy || i->jobs == NULL)
		return;
	i->busy = true;
	plan(i);
	i->job.run = reserve_run;
	i->job.done = reserve_done;
	jobs_submit(i->jobs, &i->job);
}

void
ids_start(struct ids *i, struct jobs *jobs)
{
	i->jobs = jobs;
}

void
ids_close(struct ids *i)
{
	if (i->fd >= 0)
		(void)close(i->fd);
	i->fd = -1;
}

uint64_t
ids_next(struct ids *i)
{
	if (i->next + IDS_BLOCK / 2 >= i->disk.reserved)
		reserve(i);
	return i->next < i->disk.reserved ? i->next++ : 0;
}

void
ids_saw(struct ids *i, uint64_t id)
{
	if (id >= i->next && id < UINT64_MAX - 2 * (uint64_t)IDS_BLOCK)
		i->next = id + 1;
}
