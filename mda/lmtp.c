/* SPDX-License-Identifier: ISC */
/*
 * The role lmtp: how the process begins and takes connections. What happens
 * within a session is decided in lmtp_session.c.
 */
#include "mda/lmtp.h"

#include "conf/conf_server.h"
#include "conf/conf_lmtp.h"
#include "mda/lmtp_session.h"
#include "session/recipients.h"
#include "session/smtp_session.h"
#include "session/tls_front.h"
#include "sys/row.h"
#include "sys/sandbox.h"

static const struct front_role front = {
	.id = ROLE_LMTP,
	.accept = lmtp_session_new,
	.stop = smtp_session_stop,
	.abort = smtp_session_abort,
};

static int
configure(const void *values, struct buf *why)
{
	const struct conf_lmtp *conf = values;

	front_init(daemon_loop(), &front);
	tls_front_init();
	if (lmtp_sessions_configure(conf, daemon_server(), why) < 0)
		return -1;
	front_set_limit((uint64_t)conf->connections);
	return 0;
}

static void
status(struct buf *row)
{
	row_pair_u64(row, "connections", front_count());
	lmtp_sessions_status(row);
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_GENERATION] = recipients_on_generation,
	    [IPC_CERT] = tls_front_on_cert,
	    [IPC_CERT_END] = tls_front_on_cert_end,
	},
};

const struct role lmtp_role = {
	.id = ROLE_LMTP,
	.section = &conf_lmtp_section,
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
