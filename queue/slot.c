/* SPDX-License-Identifier: ISC */
/* Names are lower-case hexadecimal of fixed width, so that each file has
 * exactly one. */
#include "queue/slot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

static const struct {
	const char *suffix;
	uint64_t size;
} kinds[SLOT_KINDS] = {
	[SLOT_8] = { ".8", 8192 },
	[SLOT_40] = { ".40", 40960 },
	[SLOT_ONE] = { ".one", 0 },
};

uint64_t
slot_size(enum slot_kind kind)
{
	return kinds[kind].size;
}

enum slot_kind
slot_kind_for(uint64_t n)
{
	if (n + FORMAT_RECORD <= kinds[SLOT_8].size)
		return SLOT_8;
	return n + FORMAT_RECORD <= kinds[SLOT_40].size ? SLOT_40 : SLOT_ONE;
}

void
slot_path(enum slot_kind kind, uint32_t number, char path[SLOT_PATH])
{
	(void)snprintf(path, SLOT_PATH, "cur/%02x/%08" PRIx32 "%s",
	    (unsigned)(number & 0xff), number, kinds[kind].suffix);
}

void
slot_tmp_path(enum slot_kind kind, uint32_t number, char path[SLOT_PATH])
{
	(void)snprintf(path, SLOT_PATH, "tmp/%08" PRIx32 "%s", number,
	    kinds[kind].suffix);
}

void
slot_dir(uint32_t number, char path[SLOT_PATH])
{
	(void)snprintf(path, SLOT_PATH, "cur/%02x", (unsigned)(number & 0xff));
}

void
slot_id_path(const char *folder, uint64_t id, char path[SLOT_PATH])
{
	(void)snprintf(path, SLOT_PATH, "%s/%02x/%016" PRIx64, folder,
	    (unsigned)(id & 0xff), id);
}

void
slot_id_dir(const char *folder, uint64_t id, char path[SLOT_PATH])
{
	(void)snprintf(path, SLOT_PATH, "%s/%02x", folder,
	    (unsigned)(id & 0xff));
}

void
slot_aside_path(const char *path, const char *kind, int64_t now,
    char aside[SLOT_PATH])
{
	const char *name = strrchr(path, '/');

	(void)snprintf(aside, SLOT_PATH, "corrupt/%.24s%s%s.%" PRId64,
	    name == NULL ? path : name + 1, *kind == '\0' ? "" : ".", kind,
	    now);
}

/* `n` lower-case hexadecimal digits and nothing else. */
static int
parse_hex(struct slice s, size_t n, uint64_t *value_r)
{
	size_t i;

	if (s.n != n)
		return -1;
	for (i = 0; i < n; i++)
		if (s.p[i] >= 'A' && s.p[i] <= 'F')
			return -1;
	return num_parse_hex(s, value_r);
}

int
slot_name_parse(struct slice name, enum slot_kind *kind_r, uint32_t *number_r)
{
	uint64_t number;
	int k;

	if (parse_hex(slice_head(name, 8), 8, &number) < 0)
		return -1;
	for (k = 0; k < SLOT_KINDS; k++) {
		if (!slice_eq_str(slice_from(name, 8), kinds[k].suffix))
			continue;
		*kind_r = (enum slot_kind)k;
		*number_r = (uint32_t)number;
		return 0;
	}
	return -1;
}

int
slot_id_parse(struct slice name, uint64_t *id_r)
{
	return parse_hex(name, 16, id_r);
}
