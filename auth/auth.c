/* SPDX-License-Identifier: ISC */
/*
 * The role: it owns the table of passwords, knows nobody's name but by asking
 * `directory`, and lets nobody into a mailbox but by a ticket that the broker
 * has heard of first. It sees no mail and no network.
 */
#include "auth/auth.h"

#include <string.h>

#include "auth/auth_admin.h"
#include "auth/exchange.h"
#include "auth/hashing.h"
#include "auth/passwords.h"
#include "auth/recent.h"
#include "base/clock.h"
#include "conf/conf_auth.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/password.h"
#include "sys/row.h"
#include "sys/sandbox.h"
#include "sys/scram_keys.h"

enum { SWEEP_MS = 30000 };

static struct {
	struct passwords *passwords;
	enum table_driver driver;
	unsigned threads;
	bool is_ready, is_configured;
	struct loop_timer sweep;
} self;

/* The libraries read their files before the jail, and before the first dummy
 * is made. */
static int
prepare(struct buf *why)
{
	if (self.is_ready)
		return 0;
	if (password_init() < 0 || scram_keys_init() < 0 ||
	    recent_init() < 0) {
		buf_add_str(why, "the cryptographic libraries do not start");
		return -1;
	}
	self.is_ready = true;
	return 0;
}

static int
configure(const void *values, struct buf *why)
{
	const struct conf_auth *conf = values;
	struct password_policy policy = { .scheme = PASSWORD_YESCRYPT };

	if (strcmp(conf->hash, "argon2id") == 0)
		policy.scheme = PASSWORD_ARGON2ID;
	if (prepare(why) < 0)
		return -1;
	if (hashing_set_policy(&policy) < 0) {
		buf_add_str(why, "no password can be hashed: out of memory?");
		return -1;
	}
	if (table_driver_find(slice_str(conf->driver), &self.driver) < 0)
		BUG("driver %s", conf->driver);
	self.threads = (unsigned)conf->threads;
	self.is_configured = true;
	exchanges_configure(conf);
	return 0;
}

static void
on_sweep(void *arg)
{
	(void)arg;
	recent_expire(clock_boot_ms());
	loop_timer_set(&self.sweep, clock_boot_ms() + SWEEP_MS);
}

static void
after_jail(void)
{
	struct buf why;

	buf_init(&why, 1024);
	if (!self.is_configured)
		fatal("event=no_configuration");
	if (passwords_open(self.driver, ".", &why, &self.passwords) < 0)
		fatal("event=no_tables why=%s", LOG_V(buf_slice(&why)));
	buf_fini(&why);
	hashing_start(daemon_loop(), self.threads);
	exchanges_init(daemon_loop(), self.passwords);
	loop_timer_init(&self.sweep, daemon_loop(), on_sweep, NULL);
	loop_timer_set(&self.sweep, clock_boot_ms() + SWEEP_MS);
}

static void
peer_down(struct ipc_link *l)
{
	enum role_id role = ipc_link_peer(l);

	if (role == ROLE_SUBMISSION || role == ROLE_ACCESS)
		exchanges_drop(l);
}

static void
stop(uint32_t grace_ms)
{
	(void)grace_ms;
	loop_timer_clear(&self.sweep);
	exchanges_fini();
	hashing_stop();
	recent_fini();
	passwords_close(&self.passwords);
	daemon_stopped();
}

static void
admin(struct ipc_link *l, uint64_t req, struct slice verb, struct slice args)
{
	if (self.passwords == NULL)
		daemon_done(l, req, 75, "auth is not ready just now");
	else
		auth_admin_run(self.passwords, l, req, verb, args);
}

static void
status(struct buf *row)
{
	exchanges_status(row);
	row_pair_u64(row, "remembering", recent_count());
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_AUTH_START] = exchange_on_start,
	    [IPC_AUTH_MORE] = exchange_on_more,
	    [IPC_AUTH_ABORT] = exchange_on_abort,
	},
};

const struct role auth_role = {
	.id = ROLE_AUTH,
	.section = &conf_auth_section,
	.has_folder = true,
	.handlers = &handlers,
	.sandbox = SANDBOX_FILES | SANDBOX_THREADS,
	.after_jail = after_jail,
	.configure = configure,
	.peer_down = peer_down,
	.stop = stop,
	.admin = admin,
	.status = status,
};
