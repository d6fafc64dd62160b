/* SPDX-License-Identifier: ISC */
/* 768 folders, one after the other. A million names take some 8 MB while the
 * scan lasts. */
#include "queue/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/fsio.h"

enum { FOREIGN_MAX = 65536 };

static void
add_foreign(struct listing *l, const char *folder, const char *name)
{
	/* Beyond that many the rest goes unnamed. */
	buf_addf(&l->foreign, "%s/%s", folder, name);
	buf_add(&l->foreign, "", 1);
}

static void *
grow(void *p, size_t *cap, size_t size)
{
	*cap = *cap == 0 ? 256 : *cap * 2;
	return realloc(p, *cap * size);
}

static int
add_slot(struct listing *l, struct slice name, unsigned hash)
{
	struct listed_slot *grown;
	enum slot_kind kind;
	uint32_t number;

	errno = 0;
	if (slot_name_parse(name, &kind, &number) < 0 ||
	    (number & 0xff) != hash)
		return -1;
	if (l->n == l->cap) {
		grown = grow(l->slots, &l->cap, sizeof *grown);
		if (grown == NULL)
			return -1;
		l->slots = grown;
	}
	l->slots[l->n++] = (struct listed_slot){ number, (uint8_t)kind };
	return 0;
}

static int
add_id(struct listed_ids *l, struct slice name, unsigned hash)
{
	uint64_t *grown, id;

	errno = 0;
	if (slot_id_parse(name, &id) < 0 || (id & 0xff) != hash)
		return -1;
	if (l->n == l->cap) {
		grown = grow(l->ids, &l->cap, sizeof *grown);
		if (grown == NULL)
			return -1;
		l->ids = grown;
	}
	l->ids[l->n++] = id;
	return 0;
}

/* One subfolder; `ids` NULL for cur/. */
static int
read_folder(struct listing *l, int dir, const char *path, unsigned hash,
    struct listed_ids *ids)
{
	int fd = fsio_open(dir, path, O_RDONLY | O_DIRECTORY);
	int result = 0, error;
	struct dirent *e;
	struct slice name;
	DIR *d;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	while (result == 0 && (e = fsio_read_dir(d)) != NULL) {
		name = slice_str(e->d_name);
		if (slice_eq_str(name, ".") || slice_eq_str(name, ".."))
			continue;
		result = ids == NULL ? add_slot(l, name, hash)
				     : add_id(ids, name, hash);
		if (result == 0 || errno == ENOMEM)
			continue;
		add_foreign(l, path, e->d_name);
		result = 0;
	}
	/* A list that is cut short would say that live mail is not there. */
	error = errno;
	if (error != 0)
		result = -1;
	(void)closedir(d);
	errno = error;
	return result;
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int
sort(struct listed_ids *l)
{
	if (l->n == 0)
		return 0;
	qsort(l->ids, l->n, sizeof *l->ids, compare);
	l->named = calloc(l->n, sizeof *l->named);
	return l->named == NULL ? -1 : 0;
}

int
listing_read(struct listing *l, int dir)
{
	struct {
		const char *name;
		struct listed_ids *ids;
	} folders[] = {
		{ "cur", NULL },
		{ "body", &l->bodies },
		{ "journal", &l->journals },
	};
	char path[SLOT_PATH];
	unsigned i, k;

	*l = (struct listing){ 0 };
	buf_init(&l->foreign, FOREIGN_MAX);
	for (i = 0; i < sizeof folders / sizeof *folders; i++) {
		for (k = 0; k < 256; k++) {
			(void)snprintf(path, sizeof path, "%s/%02x",
			    folders[i].name, k);
			if (read_folder(l, dir, path, k, folders[i].ids) < 0)
				return -1;
		}
	}
	return sort(&l->bodies) < 0 || sort(&l->journals) < 0 ? -1 : 0;
}

void
listing_free(struct listing *l)
{
	free(l->slots);
	free(l->bodies.ids);
	free(l->bodies.named);
	free(l->journals.ids);
	free(l->journals.named);
	buf_fini(&l->foreign);
	*l = (struct listing){ 0 };
}

ptrdiff_t
listing_find(const struct listed_ids *l, uint64_t id)
{
	const uint64_t *at = l->n == 0 ? NULL
				       : bsearch(&id, l->ids, l->n,
					     sizeof id, compare);

	return at == NULL ? -1 : at - l->ids;
}
