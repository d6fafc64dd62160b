/* SPDX-License-Identifier: ISC */
/* The role: what master hands over, and how the process begins. */
#include "mda/access.h"

#include "conf/conf_access.h"
#include "mda/access_client.h"
#include "session/front.h"
#include "session/tls_front.h"
#include "sys/log.h"
#include "sys/sandbox.h"

static struct {
	bool is_jailed;
} self;

static const struct front_role front = {
	.id = ROLE_ACCESS,
	.accept = access_accept,
	.stop = access_client_stop,
	.abort = access_client_abort,
};

/* Nobody is let in before the jail. */
static void
set_limit(void)
{
	if (self.is_jailed)
		front_set_limit((uint64_t)access_conf()->connections);
}

static int
configure(const void *values, struct buf *why)
{
	(void)why;
	front_init(daemon_loop(), &front);
	tls_front_init();
	access_set_conf(values);
	set_limit();
	return 0;
}

static void
after_jail(void)
{
	self.is_jailed = true;
	set_limit();
}

/* They come on links that are made here, from owners; the start-up check wants
 * every message of ours named. */
static void
on_stray(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)m;
	(void)fd;
	log_error("event=stray_message peer=%s", ipc_link_name(l));
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_CERT] = tls_front_on_cert,
	    [IPC_CERT_END] = tls_front_on_cert_end,
	    [IPC_SES_COMPRESS] = on_stray,
	    [IPC_SES_END] = on_stray,
	},
};

const struct role access_role = {
	.id = ROLE_ACCESS,
	.section = &conf_access_section,
	.handlers = &handlers,
	.sandbox = SANDBOX_ACCEPT,
	.configure = configure,
	.after_jail = after_jail,
	.listen = front_listen,
	.unlisten = front_unlisten,
	.file = tls_front_file,
	.stop = front_stop,
	.status = access_clients_status,
};
