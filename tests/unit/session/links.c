/* SPDX-License-Identifier: ISC */
#include "tests/unit/session/links.h"

#include <poll.h>
#include <sys/socket.h>

#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "tests/fake/fake_clock.h"
#include "tests/fake/fake_loop.h"
#include "tests/unit/unit.h"

struct links links;

static void
on_lost(struct ipc_link *l)
{
	(void)l;
	links.to_peer = NULL;
}

static const struct ipc_handlers quiet = { .lost = on_lost };

struct ipc_link *
daemon_peer(enum role_id role)
{
	return links.to_peer != NULL && ipc_link_peer(links.to_peer) == role
	    ? links.to_peer : NULL;
}

uint32_t
daemon_instance(void)
{
	return 0;
}

struct loop *
daemon_loop(void)
{
	return links.loop;
}

void
daemon_stopped(void)
{
	BUG("nobody stops here");
}

void
links_up(enum role_id self, enum role_id peer, const struct ipc_handlers *h)
{
	int small = 65536; /* room for one body */

	log_set_level(LOG_LEVEL_ERROR);
	if (links.loop == NULL) {
		fake_clock_set(1000000);
		links.loop = loop_new();
	}
	ck_assert_int_eq(ipc_pair(links.fds), 0);
	ck_assert_int_eq(setsockopt(links.fds[0], SOL_SOCKET, SO_SNDBUF,
			     &small, sizeof small),
	    0);
	links.to_peer = ipc_link_new(links.loop, links.fds[0], self, peer, 0,
	    &quiet);
	links.of_peer = ipc_link_new(links.loop, links.fds[1], peer, self, 0,
	    h);
	ck_assert_ptr_nonnull(links.to_peer);
	ck_assert_ptr_nonnull(links.of_peer);
}

void
links_down(void)
{
	ipc_link_free(&links.of_peer);
	links_run_deaf();
}

void
links_run_deaf(void)
{
	int i;

	for (i = 0; i < 8 && links.to_peer != NULL; i++) {
		fake_loop_settle(links.loop);
		(void)fake_loop_ready(links.loop, links.fds[0],
		    LOOP_READ | LOOP_WRITE);
	}
	fake_loop_settle(links.loop);
}

static bool
something_came(void)
{
	struct pollfd p[2] = { { links.fds[0], POLLIN, 0 },
		{ links.fds[1], POLLIN, 0 } };

	return poll(p, 2, 0) > 0;
}

void
links_run(void)
{
	bool more = true;

	while (more && links.to_peer != NULL) {
		fake_loop_settle(links.loop);
		(void)fake_loop_ready(links.loop, links.fds[1],
		    LOOP_READ | LOOP_WRITE);
		fake_loop_settle(links.loop);
		if (links.to_peer != NULL)
			(void)fake_loop_ready(links.loop, links.fds[0],
			    LOOP_READ | LOOP_WRITE);
		fake_loop_settle(links.loop);
		more = links.to_peer != NULL && something_came();
	}
	fake_loop_settle(links.loop);
}

void
links_wait(int64_t ms)
{
	fake_loop_advance(links.loop, ms);
}
