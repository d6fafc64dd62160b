/* SPDX-License-Identifier: ISC */
/*
 * The role submission: how the process begins, takes connections and ends.
 * What happens within a session is decided in session.c.
 */
#include "msa/submission.h"

#include "conf/conf_server.h"
#include "conf/conf_submission.h"
#include "msa/session.h"
#include "session/front.h"
#include "session/recipients.h"
#include "session/tls_front.h"
#include "sys/row.h"
#include "sys/sandbox.h"

static const struct front_role front = {
	.id = ROLE_SUBMISSION,
	.accept = session_new,
	.stop = session_stop,
	.abort = session_abort,
};

static int
configure(const void *values, struct buf *why)
{
	const struct conf_submission *conf = values;

	(void)why;
	front_init(daemon_loop(), &front);
	tls_front_init();
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
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_GENERATION] = recipients_on_generation,
	    [IPC_CERT] = tls_front_on_cert,
	    [IPC_CERT_END] = tls_front_on_cert_end,
	},
};

const struct role submission_role = {
	.id = ROLE_SUBMISSION,
	.section = &conf_submission_section,
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
