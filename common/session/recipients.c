/* SPDX-License-Identifier: ISC */
/*
 * The cache of addresses. An administrator who adds an address expects it to
 * work when the command returns, so `directory` tells each front the new
 * generation and waits for its answer; only then is he told "done".
 */
#include "session/recipients.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "sys/daemon.h"

enum {
	ASK_MS = 10000,
	ENTRIES_MAX = 10000,
	UNKNOWN_MS = 2000,
	/* Whether it is over quota changes without a new generation. */
	KNOWN_MS = 30000
};

struct entry {
	int64_t expires;
	uint8_t kind;
	bool is_over_quota;
	uint16_t n;
	uint64_t account;
	char address[];
};

struct recipient_ask {
	struct ipc_call *call;
	recipient_done *done;
	void *arg;
	size_t n;
	char key[];
};

static struct {
	struct map map;
	uint64_t generation, hits;
} self;

size_t
recipients_cached(void)
{
	return self.map.n;
}

uint64_t
recipients_hits(void)
{
	return self.hits;
}

static void
flush(void)
{
	struct entry *e;
	size_t pos = 0;

	while ((e = map_next(&self.map, &pos, NULL)) != NULL)
		free(e);
	map_fini(&self.map);
	map_init(&self.map);
}

/* A fresh directory counts anew. */
void
recipients_forget(void)
{
	self.generation = 0;
	flush();
}

static void
forget_one(struct slice key)
{
	free(map_remove(&self.map, key));
}

/* -1: not to be kept. */
static int64_t
keep_ms(enum addr_kind kind)
{
	switch (kind) {
	case ADDR_ACCOUNT:
	case ADDR_ALIAS:
	case ADDR_RELAY:
	case ADDR_REMOTE:
		return KNOWN_MS;
	case ADDR_UNKNOWN:
	case ADDR_DISABLED:
		return UNKNOWN_MS;
	case ADDR_INVALID:
	case ADDR_LATER:
	case ADDR_LOOP:
	case ADDR_KIND_COUNT:
		break;
	}
	return -1;
}

static void
remember(struct slice key, const struct recipient *r)
{
	int64_t ms = keep_ms(r->kind);
	struct entry *e;
	void *old = NULL;

	if (ms < 0 || r->address.n > UINT16_MAX)
		return;
	if (self.map.n >= ENTRIES_MAX)
		flush();
	e = malloc(sizeof *e + r->address.n);
	if (e == NULL)
		return;
	e->expires = clock_boot_ms() + ms;
	e->kind = (uint8_t)r->kind;
	e->is_over_quota = r->is_over_quota;
	e->account = r->account;
	e->n = (uint16_t)r->address.n;
	if (r->address.n > 0)
		memcpy(e->address, r->address.p, r->address.n);
	if (map_put(&self.map, key, e, &old) < 0)
		free(e);
	free(old);
}

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	const struct ipc_ADDR_ANSWER *a = NULL;
	struct recipient_ask *ask = arg;
	struct recipient r = { .kind = ADDR_LATER };

	(void)type;
	(void)fd;
	if (m != NULL)
		a = &m->ADDR_ANSWER;
	if (a != NULL && a->kind < ADDR_KIND_COUNT) {
		r.kind = (enum addr_kind)a->kind;
		r.is_over_quota = a->over_quota != 0;
		r.account = a->account;
		r.address = a->address;
		if (a->generation >= self.generation)
			remember((struct slice){ ask->key, ask->n }, &r);
	}
	if (ask->done != NULL)
		ask->done(ask->arg, &r);
	free(ask);
}

static bool
is_cached(struct slice address, struct recipient *r_r)
{
	struct entry *e = map_get(&self.map, address);

	if (e == NULL)
		return false;
	if (e->expires <= clock_boot_ms()) {
		forget_one(address);
		return false;
	}
	self.hits++;
	r_r->kind = (enum addr_kind)e->kind;
	r_r->is_over_quota = e->is_over_quota;
	r_r->account = e->account;
	r_r->address = (struct slice){ e->address, e->n };
	return true;
}

struct recipient_ask *
recipients_ask(struct slice address, recipient_done *done, void *arg)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);
	struct recipient r = { .kind = ADDR_LATER };
	struct recipient_ask *ask = NULL;

	if (directory != NULL && !is_cached(address, &r))
		ask = malloc(sizeof *ask + address.n);
	if (ask == NULL) {
		done(arg, &r);
		return NULL;
	}
	ask->done = done;
	ask->arg = arg;
	ask->n = address.n;
	memcpy(ask->key, address.p, address.n);
	ask->call = ipc_ask(directory, ADDR_ASK, -1, ASK_MS, on_answer, ask,
	    .address = address);
	return ask;
}

void
recipients_cancel(struct recipient_ask **askp)
{
	struct recipient_ask *ask = *askp;

	*askp = NULL;
	if (ask != NULL)
		ask->done = NULL; /* freed when the answer comes */
}

void
recipients_on_generation(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)fd;
	self.generation = m->GENERATION.generation;
	flush();
	ipc_send(l, GENERATION_OK, -1, .req = m->GENERATION.req);
}
