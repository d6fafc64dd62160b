/* SPDX-License-Identifier: ISC */
/* Questions to the resolver, which has its own time limits: ours is only for a
 * resolver that does not answer at all. */
#include "mta/lookup.h"

#include "sys/daemon.h"
#include "sys/ipc.h"

enum { ASK_MS = 60000 };

static void
on_answer(void *arg, int type, const union ipc_any *m, int fd)
{
	struct lookup *q = arg;

	(void)type;
	(void)fd;
	q->call = NULL;
	if (m == NULL)
		q->done(q, DNS_BUSY, SLICE_NONE);
	else
		q->done(q, (enum dns_status)m->DNS_ANSWER.status,
		    m->DNS_ANSWER.records);
}

static void
on_no_resolver(void *arg)
{
	struct lookup *q = arg;

	q->done(q, DNS_BUSY, SLICE_NONE);
}

void
lookup_start(struct lookup *q, enum dns_type type, struct slice name)
{
	struct ipc_link *l = daemon_peer(ROLE_RESOLVER);

	q->call = NULL;
	loop_later_init(&q->later, daemon_loop(), on_no_resolver, q);
	if (l == NULL)
		loop_later_ask(&q->later);
	else
		q->call = ipc_ask(l, DNS_ASK, -1, ASK_MS, on_answer, q,
		    .type = (uint16_t)type, .name = name);
}

void
lookup_cancel(struct lookup *q)
{
	ipc_call_cancel(&q->call);
	if (q->later.loop != NULL)
		loop_later_remove(&q->later);
}
