/* SPDX-License-Identifier: ISC */
/*
 * The role: counts what the others ask it to count, in memory, and remembers
 * over a restart what was counted in windows. It knows nothing of what a key
 * means.
 */
#include "auth/state.h"

#include "auth/clients.h"
#include "auth/rates.h"
#include "auth/saved_rates.h"
#include "auth/state_admin.h"
#include "base/clock.h"
#include "conf/conf_state.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"

enum {
	SAVE_MS = 60000,
	SAVE_GO_ON_MS = 10, /* between the parts of a long one */
	EXPIRE_AT_ONCE = 1000
};

static struct {
	struct rates rates;
	struct clients clients;
	struct saved_rates *saved;
	enum table_driver driver;
	bool is_ready;
	struct loop_timer save;
	uint64_t asked, refused, opened, refused_clients;
} self;

static void
on_rate_ask(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_RATE_ASK *q = &m->RATE_ASK;
	struct rate_answer a;

	(void)fd;
	a = rates_ask(&self.rates, q->key, q->window_s, q->cost, q->limit,
	    clock_boot_ms());
	self.asked++;
	self.refused += !a.is_allowed;
	ipc_send(l, RATE_ANSWER, -1, .req = q->req, .allowed = a.is_allowed,
	    .count = a.count, .retry_s = a.retry_s);
}

static void
on_client_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_CLIENT_OPEN *q = &m->CLIENT_OPEN;
	uint32_t count;
	bool is_allowed;

	(void)fd;
	is_allowed = clients_open(&self.clients, ipc_link_serial(l), q->key,
	    q->limit, &count);
	self.opened++;
	self.refused_clients += !is_allowed;
	ipc_send(l, CLIENT_ANSWER, -1, .req = q->req, .allowed = is_allowed,
	    .count = count);
}

static void
on_client_close(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)fd;
	clients_close(&self.clients, ipc_link_serial(l), m->CLIENT_CLOSE.key);
}

static void
peer_down(struct ipc_link *l)
{
	clients_drop(&self.clients, ipc_link_serial(l));
}

/* ---- the role ---- */

static int
configure(const void *values, struct buf *why)
{
	const struct conf_state *conf = values;

	(void)why;
	if (!self.is_ready) {
		rates_init(&self.rates, (size_t)conf->entries);
		clients_init(&self.clients);
		self.is_ready = true;
	}
	if (table_driver_find(slice_str(conf->driver), &self.driver) < 0)
		BUG("driver %s", conf->driver);
	rates_set_max(&self.rates, (size_t)conf->entries);
	return 0;
}

static void
on_save(void *arg)
{
	bool has_more;

	(void)arg;
	rates_expire(&self.rates, EXPIRE_AT_ONCE, clock_boot_ms());
	has_more = saved_rates_write(self.saved);
	loop_timer_set(&self.save,
	    clock_boot_ms() + (has_more ? SAVE_GO_ON_MS : SAVE_MS));
}

static void
after_jail(void)
{
	struct buf why;

	buf_init(&why, 1024);
	if (!self.is_ready)
		fatal("event=no_configuration");
	if (saved_rates_open(self.driver, ".", &self.rates, &why,
		&self.saved) < 0)
		fatal("event=no_tables why=%s", LOG_V(buf_slice(&why)));
	buf_fini(&why);
	loop_timer_init(&self.save, daemon_loop(), on_save, NULL);
	loop_timer_set(&self.save, clock_boot_ms() + SAVE_MS);
}

static void
stop(uint32_t grace_ms)
{
	(void)grace_ms;
	loop_timer_clear(&self.save);
	saved_rates_close(&self.saved);
	daemon_stopped();
}

static void
admin(struct ipc_link *l, uint64_t req, struct slice verb, struct slice args)
{
	if (self.is_ready)
		state_admin_run(&self.rates, l, req, verb, args);
	else
		daemon_done(l, req, 75, "state is still starting");
}

static void
status(struct buf *row)
{
	row_pair_u64(row, "counters", self.rates.n);
	row_pair_u64(row, "asked", self.asked);
	row_pair_u64(row, "refused", self.refused);
	row_pair_u64(row, "clients", self.clients.counts.n);
	row_pair_u64(row, "connections", self.clients.open);
	row_pair_u64(row, "opened", self.opened);
	row_pair_u64(row, "refused_clients", self.refused_clients);
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_RATE_ASK] = on_rate_ask,
	    [IPC_CLIENT_OPEN] = on_client_open,
	    [IPC_CLIENT_CLOSE] = on_client_close,
	},
};

const struct role state_role = {
	.id = ROLE_STATE,
	.section = &conf_state_section,
	.has_folder = true,
	.handlers = &handlers,
	.sandbox = SANDBOX_FILES,
	.after_jail = after_jail,
	.configure = configure,
	.peer_down = peer_down,
	.stop = stop,
	.admin = admin,
	.status = status,
};
