/* SPDX-License-Identifier: ISC */
#include "tests/unit/auth/fake_daemon.h"

#include <stdarg.h>
#include <stdio.h>

#include "conf/conf_server.h"
#include "sys/daemon.h"
#include "tests/unit/unit.h"

struct fake_answer fake_answer;
struct conf_server fake_server = { .hostname = "mail.example.org",
	.postmaster = "postmaster", .recipient_delimiter = "+",
	.uid_base = 200000, .uid_count = 1000000 };

const struct conf_server *
daemon_server(void)
{
	return &fake_server;
}

struct loop *
daemon_loop(void)
{
	return NULL;
}

struct ipc_link *
daemon_peer(enum role_id role)
{
	(void)role;
	return NULL;
}

struct ipc_link *
daemon_peer_next(enum role_id role, struct ipc_link *last)
{
	(void)role;
	(void)last;
	return NULL;
}

bool
daemon_is_stopping(void)
{
	return false;
}

void
daemon_stopped(void)
{
}

void
daemon_row(struct ipc_link *l, uint64_t req, const struct buf *row)
{
	(void)l;
	(void)req;
	ck_assert(buf_is_ok(row));
	fake_answer.rows++;
}

void
daemon_done(struct ipc_link *l, uint64_t req, uint8_t exit_code,
    const char *fmt, ...)
{
	va_list ap;

	(void)l;
	(void)req;
	fake_answer.done++;
	fake_answer.exit = exit_code;
	va_start(ap, fmt);
	(void)vsnprintf(fake_answer.text, sizeof fake_answer.text, fmt, ap);
	va_end(ap);
}
