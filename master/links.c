/* SPDX-License-Identifier: ISC */
/*
 * Each link has a number of its own, so that both ends may report its loss,
 * and late, without costing the two the one that came after it.
 */
#include "master/links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	PAUSE_MS = 100,     /* before the first repeat, then twice as long … */
	PAUSE_MAX_MS = 10000,
	STEADY_MS = 60000   /* a link that lasted: the pauses begin anew */
};

struct pair {
	uint64_t key;
	struct child *a, *b;
	uint64_t link; /* the one they have; 0 for none */
	uint32_t losses;
	int64_t since_ms;
	struct loop_timer again;
};

static struct {
	struct loop *loop;
	struct map pairs;
	uint64_t last;
	bool is_over;
} self;

void
links_init(struct loop *l)
{
	self.loop = l;
	map_init(&self.pairs);
}

void
links_end(void)
{
	self.is_over = true;
}

static void
pause_then_again(struct pair *p)
{
	int64_t now = clock_boot_ms(), wait = PAUSE_MS;
	uint32_t i;

	if (now - p->since_ms >= STEADY_MS)
		p->losses = 0;
	for (i = 0; i < p->losses && wait < PAUSE_MAX_MS; i++)
		wait *= 2;
	if (wait > PAUSE_MAX_MS)
		wait = PAUSE_MAX_MS;
	p->losses++;
	loop_timer_set(&p->again, now + wait);
}

static void
tell(const struct pair *p, const struct child *c, const struct child *peer,
    int fd)
{
	ipc_send(c->link, PEER_FD, fd, .role = (uint8_t)peer->row->id,
	    .instance = peer->instance, .link = p->link);
}

static void
introduce(struct pair *p)
{
	int fds[2];

	loop_timer_clear(&p->again);
	if (ipc_pair(fds) < 0) {
		log_error("event=no_link between=%s and=%s why=%s",
		    ipc_link_name(p->a->link), ipc_link_name(p->b->link),
		    LOG_S(strerror(errno)));
		p->link = 0;
		pause_then_again(p);
		return;
	}
	p->link = ++self.last;
	p->since_ms = clock_boot_ms();
	tell(p, p->a, p->b, fds[0]);
	tell(p, p->b, p->a, fds[1]);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static bool
are_ready(const struct pair *p)
{
	return p->a->state == CHILD_READY && p->b->state == CHILD_READY;
}

/* Who is not ready meets the other when it is. */
static void
on_again(void *arg)
{
	struct pair *p = arg;

	if (!self.is_over && are_ready(p))
		introduce(p);
}

static uint64_t
key_of(const struct child *a, const struct child *b)
{
	const struct child *first = children_next(NULL);

	if (a > b)
		return key_of(b, a);
	return (uint64_t)(a - first) << 32 | (uint64_t)(b - first);
}

static struct pair *
pair_find(const struct child *a, const struct child *b)
{
	uint64_t key = key_of(a, b);

	return map_get(&self.pairs, map_u64(&key));
}

static struct pair *
pair_of(struct child *a, struct child *b)
{
	struct pair *p = pair_find(a, b);

	if (p != NULL)
		return p;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		fatal("event=no_memory for=link");
	p->key = key_of(a, b);
	p->a = a;
	p->b = b;
	loop_timer_init(&p->again, self.loop, on_again, p);
	if (map_put(&self.pairs, map_u64(&p->key), p, NULL) < 0)
		fatal("event=no_memory for=link");
	return p;
}

void
links_introduce(struct child *c)
{
	struct child *peer = NULL;

	while ((peer = children_next(peer)) != NULL)
		if (peer != c && peer->state == CHILD_READY &&
		    (c->row->peers & 1U << peer->row->id) != 0)
			introduce(pair_of(c, peer));
}

void
links_lost(struct child *c, enum role_id role, uint32_t instance,
    uint64_t link)
{
	struct child *peer = NULL;
	struct pair *p = NULL;

	while (p == NULL && (peer = children_next(peer)) != NULL)
		if (peer->row->id == role && peer->instance == instance)
			p = pair_find(c, peer);
	if (p == NULL || link == 0 || p->link != link)
		return;
	p->link = 0;
	if (self.is_over || !are_ready(p))
		return;
	log_warn("event=link_lost between=%s and=%s losses=%u",
	    ipc_link_name(p->a->link), ipc_link_name(p->b->link), p->losses);
	pause_then_again(p);
}
