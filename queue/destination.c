/* SPDX-License-Identifier: ISC */
/* A map of the next hops in use. */
#include "queue/destination.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "conf/conf_queue.h"
#include "queue/queue.h"
#include "sys/log.h"

static struct map all;

struct destination *
destination_take(struct slice name, bool is_owner, uint64_t account)
{
	struct destination *d = map_get(&all, name);

	if (d == NULL) {
		d = calloc(1, sizeof *d);
		if (d == NULL || map_put(&all, name, d, NULL) < 0)
			fatal("event=no_memory for=destination");
		d->name = strndup(name.p, name.n);
		if (d->name == NULL)
			fatal("event=no_memory for=destination");
		d->is_owner = is_owner;
		d->account = account;
		list_init(&d->waiting);
	}
	d->users++;
	return d;
}

void
destination_drop(struct destination **dp)
{
	struct destination *d = *dp;

	if (d == NULL)
		return;
	*dp = NULL;
	if (--d->users > 0 || d->active > 0)
		return;
	(void)map_remove(&all, slice_str(d->name));
	free(d->name);
	free(d);
}

bool
destination_has_room(const struct destination *d)
{
	return d->active < (size_t)queue_conf()->per_destination;
}

size_t
destination_count(void)
{
	return all.n;
}

struct destination *
destination_next(size_t *pos)
{
	return map_next(&all, pos, NULL);
}
