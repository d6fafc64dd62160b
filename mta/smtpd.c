/* SPDX-License-Identifier: ISC */
/*
 * The role smtpd: who may connect, and how the process begins and ends. What
 * happens within a session is decided in session.c.
 */
#include "mta/smtpd.h"

#include "conf/conf_server.h"
#include "conf/conf_smtpd.h"
#include "mta/client.h"
#include "mta/lists.h"
#include "session/recipients.h"
#include "mta/session.h"
#include "session/front.h"
#include "session/tls_front.h"
#include "sys/log.h"
#include "sys/row.h"
#include "sys/sandbox.h"

static const struct front_role front = {
	.id = ROLE_SMTPD,
	.accept = session_new,
	.stop = session_stop,
	.abort = session_abort,
};

static int
configure(const void *values, struct buf *why)
{
	const struct conf_smtpd *conf = values;

	front_init(daemon_loop(), &front);
	tls_front_init();
	if (client_configure(conf, why) < 0 || lists_configure(conf, why) < 0)
		return -1;
	front_set_limit((uint64_t)conf->connections);
	sessions_configure(conf, daemon_server());
	return 0;
}

static void
peer_changed(struct ipc_link *l)
{
	if (ipc_link_peer(l) == ROLE_DIRECTORY)
		recipients_forget();
}

static void
status(struct buf *row)
{
	row_pair_u64(row, "connections", front_count());
	sessions_status(row);
	row_pair_u64(row, "addresses_cached", recipients_cached());
	row_pair_u64(row, "address_cache_hits", recipients_hits());
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_GENERATION] = recipients_on_generation,
	    [IPC_CERT] = tls_front_on_cert,
	    [IPC_CERT_END] = tls_front_on_cert_end,
	},
};

const struct role smtpd_role = {
	.id = ROLE_SMTPD,
	.section = &conf_smtpd_section,
	.handlers = &handlers,
	.sandbox = SANDBOX_ACCEPT,
	.configure = configure,
	.listen = front_listen,
	.unlisten = front_unlisten,
	.file = tls_front_file,
	.peer_up = peer_changed,
	.peer_down = peer_changed,
	.stop = front_stop,
	.status = status,
};
