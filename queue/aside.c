/* SPDX-License-Identifier: ISC */
/* The slot is moved last: until then its message is found at each start. */
#include "queue/aside.h"

#include <errno.h>

#include "queue/fsio.h"

int
aside_move_id(int dir, const char *folder, uint64_t id, int64_t now)
{
	char from[SLOT_PATH], to[SLOT_PATH];

	slot_id_path(folder, id, from);
	slot_aside_path(from, folder, now, to);
	if (fsio_rename(dir, from, to) < 0 && errno != ENOENT)
		return -1;
	return 0;
}

int
aside_move(int dir, enum slot_kind kind, uint32_t number, uint64_t id,
    int64_t now, bool strict)
{
	char from[SLOT_PATH], to[SLOT_PATH], folder[SLOT_PATH];

	if (id != 0 && (aside_move_id(dir, "body", id, now) < 0 ||
	    aside_move_id(dir, "journal", id, now) < 0))
		return -1;
	slot_path(kind, number, from);
	slot_aside_path(from, "", now, to);
	slot_dir(number, folder);
	if (fsio_rename(dir, from, to) < 0 ||
	    fsio_fsync_dir(dir, "corrupt") < 0)
		return -1;
	return strict ? fsio_fsync_dir(dir, folder) : 0;
}
