/* SPDX-License-Identifier: ISC */
/* Taking over certificates and ticket keys from master. */
#include "session/tls_front.h"

#include <unistd.h>

#include "base/buf.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/tls.h"

static struct tls_server *server;

static struct ipc_link *
sign_link(void)
{
	return daemon_peer(ROLE_KEYS);
}

void
tls_front_init(void)
{
	if (server != NULL)
		return;
	tls_init();
	server = tls_server_new(sign_link);
	if (server == NULL)
		fatal("event=no_memory for=tls");
}

struct tls_server *
tls_front_server(void)
{
	return server != NULL && tls_server_is_usable(server) ? server : NULL;
}

void
tls_front_on_cert(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_CERT *c = &m->CERT;
	struct buf why;

	(void)l;
	(void)fd;
	tls_front_init();
	buf_init(&why, 1024);
	if (tls_server_add(server, c->key, c->names, c->chain, &why) < 0)
		log_error("event=certificate_refused key=%u why=%s", c->key,
		    LOG_V(buf_slice(&why)));
	buf_fini(&why);
}

void
tls_front_on_cert_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
	tls_front_init();
	tls_server_use(server);
}

void
tls_front_file(struct slice name, int fd)
{
	if (slice_eq_str(name, "tls-tickets")) {
		tls_front_init();
		tls_server_tickets(server, fd);
	}
	(void)close(fd);
}
