/* SPDX-License-Identifier: ISC */
/*
 * The role smtpd: who may connect, and how the process begins. What happens
 * within a session is decided in session.c.
 */
#include "mta/smtpd.h"

#include "conf/conf_server.h"
#include "conf/conf_smtpd.h"
#include "mta/client.h"
#include "mta/lists.h"
#include "mta/session.h"
#include "session/recipients.h"
#include "session/smtp_session.h"
#include "session/tls_front.h"
#include "sys/row.h"
#include "sys/sandbox.h"

static const struct front_role front = {
	.id = ROLE_SMTPD,
	.accept = session_new,
	.stop = smtp_session_stop,
	.abort = smtp_session_abort,
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
	.peer_up = recipients_on_peer,
	.peer_down = recipients_on_peer,
	.stop = front_stop,
	.status = status,
};
