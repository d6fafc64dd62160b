/* SPDX-License-Identifier: ISC */
/* A map of live tickets; the key is compared in constant time only in so far
 * as the map's keyed hash hides where a guess went. */
#include "mda/tickets.h"

#include <stdlib.h>

#include "base/map.h"

struct ticket {
	uint64_t account;
	uint32_t instance;
	int64_t until;
};

static struct map tickets;

int
tickets_add(struct slice bytes, uint64_t account, uint32_t instance,
    int64_t valid_until_ms)
{
	struct ticket *t;

	if (bytes.n != TICKET_SIZE || tickets.n >= TICKETS_MAX ||
	    map_get(&tickets, bytes) != NULL)
		return -1;
	t = malloc(sizeof *t);
	if (t == NULL)
		return -1;
	*t = (struct ticket){ account, instance, valid_until_ms };
	if (map_put(&tickets, bytes, t, NULL) < 0) {
		free(t);
		return -1;
	}
	return 0;
}

int
tickets_use(struct slice bytes, uint32_t instance, int64_t now_ms,
    uint64_t *account_r)
{
	struct ticket *t, found;

	if (bytes.n != TICKET_SIZE)
		return -1;
	t = map_remove(&tickets, bytes);
	if (t == NULL)
		return -1;
	found = *t;
	free(t);
	if (found.instance != instance || now_ms > found.until)
		return -1;
	*account_r = found.account;
	return 0;
}

void
tickets_expire(int64_t now_ms)
{
	struct ticket *t;
	struct slice key;
	size_t pos = 0;

	while ((t = map_next(&tickets, &pos, &key)) != NULL) {
		if (t->until >= now_ms)
			continue;
		(void)map_remove(&tickets, key);
		map_back(&pos);
		free(t);
	}
}
