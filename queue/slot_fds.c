/* SPDX-License-Identifier: ISC */
/* A map for finding and a list for age. */
#include "queue/slot_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "queue/fsio.h"

static uint64_t
key_of(enum slot_kind kind, uint32_t number)
{
	return (uint64_t)number << 8 | (uint64_t)kind;
}

void
slot_fds_init(struct slot_fds *c, int dir, size_t max)
{
	*c = (struct slot_fds){ .dir = dir, .max = max };
	map_init(&c->map);
	list_init(&c->idle);
}

static void
drop(struct slot_fds *c, struct slot_fd *f)
{
	(void)map_remove(&c->map, map_u64(&f->key));
	list_remove(&f->link);
	(void)close(f->fd);
	free(f);
}

void
slot_fds_fini(struct slot_fds *c)
{
	struct slot_fd *f;
	size_t pos = 0;

	while ((f = map_next(&c->map, &pos, NULL)) != NULL) {
		drop(c, f);
		map_back(&pos);
	}
	map_fini(&c->map);
}

static void
shrink(struct slot_fds *c)
{
	struct list *first;

	while (c->map.n > c->max && (first = list_first(&c->idle)) != NULL)
		drop(c, LIST_OF(first, struct slot_fd, link));
}

static struct slot_fd *
add(struct slot_fds *c, uint64_t key, int fd)
{
	struct slot_fd *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->key = key;
	f->fd = fd;
	if (map_put(&c->map, map_u64(&f->key), f, NULL) < 0) {
		free(f);
		return NULL;
	}
	return f;
}

struct slot_fd *
slot_fds_find(struct slot_fds *c, enum slot_kind kind, uint32_t number)
{
	uint64_t key = key_of(kind, number);
	struct slot_fd *f = map_get(&c->map, map_u64(&key));

	if (f == NULL)
		return NULL;
	list_remove(&f->link);
	f->pins++;
	return f;
}

struct slot_fd *
slot_fds_open(struct slot_fds *c, enum slot_kind kind, uint32_t number)
{
	struct slot_fd *f = slot_fds_find(c, kind, number);
	char path[SLOT_PATH];
	int fd;

	if (f != NULL)
		return f;
	slot_path(kind, number, path);
	fd = fsio_open(c->dir, path, O_RDWR);
	if (fd < 0)
		return NULL;
	f = add(c, key_of(kind, number), fd);
	if (f == NULL) {
		(void)close(fd);
		errno = ENOMEM;
		return NULL;
	}
	f->pins = 1;
	shrink(c);
	return f;
}

void
slot_fds_give(struct slot_fds *c, enum slot_kind kind, uint32_t number, int fd)
{
	uint64_t key = key_of(kind, number);
	struct slot_fd *f = NULL;

	if (map_get(&c->map, map_u64(&key)) == NULL)
		f = add(c, key, fd);
	if (f == NULL) {
		(void)close(fd);
		return;
	}
	list_add(&c->idle, &f->link);
	shrink(c);
}

void
slot_fds_release(struct slot_fds *c, struct slot_fd **fp)
{
	struct slot_fd *f = *fp;

	*fp = NULL;
	if (f == NULL || --f->pins > 0)
		return;
	list_add(&c->idle, &f->link);
	shrink(c);
}

void
slot_fds_forget(struct slot_fds *c, enum slot_kind kind, uint32_t number)
{
	uint64_t key = key_of(kind, number);
	struct slot_fd *f = map_get(&c->map, map_u64(&key));

	if (f != NULL && f->pins == 0)
		drop(c, f);
}
