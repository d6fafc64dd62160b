/* SPDX-License-Identifier: ISC */
/* One announcement, and how many have not answered yet. */
#include "auth/announce.h"

#include <stdlib.h>

#include "sys/daemon.h"
#include "sys/log.h"

struct announcement {
	size_t waiting;
	announce_done *done;
	void *arg;
};

static void
heard(struct announcement *n)
{
	if (--n->waiting > 0)
		return;
	if (n->done != NULL)
		n->done(n->arg);
	free(n);
}

/* A front that is lost has forgotten everything; one that is silent forgets
 * by itself after a while. */
static void
on_generation_ok(void *arg, int type, const union ipc_any *m, int fd)
{
	(void)type;
	(void)fd;
	if (m == NULL)
		log_warn("event=generation_not_heard");
	heard(arg);
}

void
announce_generation(uint64_t generation, announce_done *done, void *arg)
{
	static const enum role_id fronts[] = { ROLE_SMTPD, ROLE_SUBMISSION,
		ROLE_LMTP };
	struct announcement *n = calloc(1, sizeof *n);
	struct ipc_link *l;
	size_t i;

	if (n == NULL)
		fatal("event=no_memory for=announcement");
	*n = (struct announcement){ 1, done, arg };
	for (i = 0; i < sizeof fronts / sizeof *fronts; i++) {
		l = NULL;
		while ((l = daemon_peer_next(fronts[i], l)) != NULL) {
			n->waiting++;
			(void)ipc_ask(l, GENERATION, -1, ANNOUNCE_MS,
			    on_generation_ok, n, .generation = generation);
		}
	}
	heard(n);
}
