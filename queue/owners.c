/* SPDX-License-Identifier: ISC */
/* One entry per account that is open or being opened. */
#include "queue/owners.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/map.h"
#include "sys/daemon.h"
#include "sys/log.h"

enum { OPEN_MS = 60000 };

struct waiter {
	struct list link;
	owners_done *done;
	void *arg;
};

struct owner {
	uint64_t account;
	struct ipc_link *link;
	struct list waiters;
};

static struct map owners;

size_t
owners_count(void)
{
	return owners.n;
}

static void
answer(struct owner *o, enum outcome outcome, struct slice text)
{
	struct list todo, *first;
	struct waiter *w;

	list_init(&todo);
	while ((first = list_first(&o->waiters)) != NULL) {
		list_remove(first);
		list_add(&todo, first);
	}
	while ((first = list_first(&todo)) != NULL) {
		list_remove(first);
		w = LIST_OF(first, struct waiter, link);
		w->done(w->arg, o->link, outcome, text);
		free(w);
	}
}

static void
forget(struct owner *o)
{
	(void)map_remove(&owners, map_u64(&o->account));
	free(o);
}

static void
on_lost(struct ipc_link *l)
{
	struct owner *o = ipc_link_data(l);

	o->link = NULL;
	forget(o);
}

static const struct ipc_handlers handlers = { .lost = on_lost };

static void
on_opened(void *arg, int type, const union ipc_any *m, int fd)
{
	struct owner *o = arg;

	if (type != IPC_OWNER_LINK) {
		/* Whatever it says, nothing was delivered. */
		if (type != IPC_OWNER_REFUSED)
			m = NULL;
		answer(o, m != NULL &&
			m->OWNER_REFUSED.outcome == OUTCOME_FAILED
			? OUTCOME_FAILED : OUTCOME_LATER,
		    m == NULL ? SLICE("the broker does not answer")
			      : m->OWNER_REFUSED.text);
		forget(o);
		return;
	}
	o->link = ipc_link_new(daemon_loop(), fd, ROLE_QUEUE, ROLE_OWNER,
	    (uint32_t)o->account, &handlers);
	if (o->link == NULL)
		fatal("event=no_memory for=link");
	ipc_link_set_data(o->link, o);
	answer(o, OUTCOME_DONE, SLICE_NONE);
}

static struct owner *
owner_new(uint64_t account)
{
	struct owner *o = calloc(1, sizeof *o);

	if (o == NULL || map_put(&owners, map_u64(&account), o, NULL) < 0)
		fatal("event=no_memory for=owner");
	o->account = account;
	list_init(&o->waiters);
	return o;
}

void
owners_open(uint64_t account, owners_done *done, void *arg)
{
	struct owner *o = map_get(&owners, map_u64(&account));
	struct ipc_link *broker;
	struct waiter *w;
	bool fresh = o == NULL;

	if (o != NULL && o->link != NULL) {
		done(arg, o->link, OUTCOME_DONE, SLICE_NONE);
		return;
	}
	broker = daemon_peer(ROLE_BROKER);
	if (fresh && broker == NULL) {
		done(arg, NULL, OUTCOME_LATER, SLICE("the broker is away"));
		return;
	}
	if (fresh)
		o = owner_new(account);
	w = calloc(1, sizeof *w);
	if (w == NULL)
		fatal("event=no_memory for=owner");
	w->done = done;
	w->arg = arg;
	list_add(&o->waiters, &w->link);
	if (fresh)
		(void)ipc_ask(broker, OWNER_OPEN, -1, OPEN_MS, on_opened, o,
		    .account = account);
}

void
owners_released(uint64_t account, uint64_t id, uint32_t group)
{
	struct owner *o = map_get(&owners, map_u64(&account));
	char ids[12];

	if (o == NULL || o->link == NULL)
		return;
	memcpy(ids, &id, 8);
	memcpy(ids + 8, &group, 4);
	ipc_send(o->link, DLV_RELEASED, -1,
	    .ids = (struct slice){ ids, sizeof ids });
}
