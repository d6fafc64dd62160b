/* SPDX-License-Identifier: ISC */
/*
 * What a file system promises about a power cut. The magic number of ext4 is
 * that of ext2 and ext3 too, and an ext4 may lack a journal: then nothing is
 * ordered. So the mount table names the type and /sys says whether there is a
 * journal; whoever cannot be asked is strict.
 */
#include "queue/fsio.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/slice.h"

enum { TABLE_MAX = 4 << 20 };

static const struct {
	const char *type;
	enum fsio_model model;
} known[] = {
	{ "ext4", FSIO_ORDERED },
	{ "ext3", FSIO_ORDERED },
	{ "xfs", FSIO_ORDERED },
	{ "btrfs", FSIO_STRICT },
	{ "ext2", FSIO_STRICT },
	{ "f2fs", FSIO_STRICT },
	{ "tmpfs", FSIO_STRICT },
	{ "zfs", FSIO_STRICT },
};

static void
read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char piece[4096];
	ssize_t n;

	if (fd < 0)
		return;
	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_add(out, piece, (size_t)n);
	(void)close(fd);
}

/*
 * The type in one line of mountinfo when it is about device `dev`: "27 1
 * 254:0 / / rw,relatime - ext4 /dev/vda rw" (proc_pid_mountinfo(5)).
 */
static bool
type_in_line(struct slice line, const char *dev, struct slice *type_r)
{
	struct slice field;
	int i;

	for (i = 0; i < 3; i++)
		if (!slice_split(&line, ' ', &field))
			return false;
	if (!slice_eq_str(field, dev))
		return false;
	while (slice_split(&line, ' ', &field))
		if (slice_eq_str(field, "-"))
			return slice_split(&line, ' ', type_r);
	return false;
}

/* The row of known[] for the device, or -1. */
static int
find_type(const char *dev)
{
	struct slice table, line, type = SLICE_NONE;
	int found = -1;
	struct buf b;
	size_t i;

	buf_init(&b, TABLE_MAX);
	read_file("/proc/self/mountinfo", &b);
	table = buf_slice(&b);
	while (slice_split(&table, '\n', &line))
		if (type_in_line(line, dev, &type))
			break;
	for (i = 0; i < sizeof known / sizeof *known; i++)
		if (slice_eq_str(type, known[i].type))
			found = (int)i;
	buf_fini(&b);
	return found;
}

/* /sys names an ext file system by its device and holds the id of the thread
 * that writes the journal, or "<none>". */
static bool
has_journal(const char *dev)
{
	struct slice target, said;
	char path[128], link[512];
	bool has;
	struct buf b;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/sys/dev/block/%s", dev);
	n = readlink(path, link, sizeof link);
	if (n <= 0)
		return false;
	target = (struct slice){ link, (size_t)n };
	target = slice_from(target, (size_t)(slice_rchr(target, '/') + 1));
	(void)snprintf(path, sizeof path, "/sys/fs/ext4/%.*s/journal_task",
	    SLICE_FMT(target));
	buf_init(&b, 256);
	read_file(path, &b);
	said = buf_slice(&b);
	has = said.n > 0 && ascii_is_digit(said.p[0]);
	buf_fini(&b);
	return has;
}

enum fsio_model
fsio_model_of(int fd, const char **name_r)
{
	struct stat st;
	char dev[32];
	int i;

	*name_r = "unknown";
	if (fstat(fd, &st) < 0)
		return FSIO_STRICT;
	(void)snprintf(dev, sizeof dev, "%u:%u", major(st.st_dev),
	    minor(st.st_dev));
	i = find_type(dev);
	if (i < 0)
		return FSIO_STRICT;
	*name_r = known[i].type;
	if (strncmp(known[i].type, "ext", 3) == 0 && !has_journal(dev))
		return FSIO_STRICT;
	return known[i].model;
}
