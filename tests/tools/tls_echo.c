/* SPDX-License-Identifier: ISC */
/*
 * A server for tests/system/test_tls.py: a keys process, some front processes
 * on one listening socket, TLS at once or by STARTTLS of a very small SMTP. It
 * says hello with what it knows of the connection and then echoes.
 *
 *	tls_echo [-p fronts] [-s] [-t] cert.pem:key.pem[:name,name] ...
 *
 * One line on standard output: "port keys-pid front-pid ...". SIGHUP changes
 * the ticket keys (-t), SIGTERM ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "sys/conn.h"
#include "sys/ipc.h"
#include "sys/loop.h"
#include "sys/sandbox.h"
#include "sys/tls.h"
#include "sys/tls_tickets.h"
#include "tests/tools/keys_child.h"

enum { CHAIN_MAX = 60000, PATH_BYTES = 1024 };

struct client {
	struct conn *c;
};

static struct {
	struct loop *loop;
	struct loop_io listener;
	struct ipc_link *keys;
	struct tls_server *server;
	bool starttls;
} self;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- a front ---- */

static struct ipc_link *
sign_link(void)
{
	return self.keys;
}

static void
on_lost(struct ipc_link *l)
{
	(void)l;
	self.keys = NULL;
}

static void
client_end(struct client *cl)
{
	conn_finish(&cl->c, 2000);
	free(cl);
}

static void
on_secured(void *arg)
{
	struct client *cl = arg;
	unsigned char binding[32];
	int i, has = conn_tls_exporter(cl->c, binding) == 0;

	conn_set_deadline(cl->c, 0);
	if (self.starttls)
		return;
	conn_writef(cl->c, "hello pid=%d peer=%s version=%s cipher=%s "
			   "sni=%s resumed=%d binding=",
	    (int)getpid(), conn_peer(cl->c), conn_tls_version(cl->c),
	    conn_tls_cipher(cl->c), conn_tls_sni(cl->c),
	    conn_tls_is_resumed(cl->c));
	for (i = 0; has && i < 32; i++)
		conn_writef(cl->c, "%02x", binding[i]);
	conn_write_str(cl->c, "\r\n");
}

/* As much of SMTP as smtplib and s_client need to get to TLS. False when the
 * client is gone. */
static bool
smtp_line(struct client *cl, struct slice line)
{
	if (slice_ieq_str(line, "STARTTLS") && !conn_is_tls(cl->c)) {
		conn_write_str(cl->c, "220 go\r\n");
		conn_start_tls_server(cl->c, self.server);
	} else if (slice_has_iprefix(line, SLICE("EHLO")))
		conn_writef(cl->c, "250-echo\r\n250 %s\r\n",
		    conn_is_tls(cl->c) ? conn_tls_version(cl->c) : "STARTTLS");
	else if (slice_ieq_str(line, "QUIT")) {
		conn_write_str(cl->c, "221 bye\r\n");
		client_end(cl);
		return false;
	} else
		conn_write_str(cl->c, "500 what\r\n");
	return true;
}

static void
smtp_input(struct client *cl)
{
	struct slice in;
	ptrdiff_t end;

	for (;;) {
		in = conn_input(cl->c);
		end = slice_find(in, SLICE("\r\n"));
		if (end < 0)
			return;
		in = slice_head(in, (size_t)end);
		if (!smtp_line(cl, in))
			return;
		/* After STARTTLS there is no input left to take. */
		conn_took(cl->c, (size_t)end + 2);
	}
}

static void
on_input(void *arg)
{
	struct client *cl = arg;
	struct slice in = conn_input(cl->c);

	if (self.starttls) {
		smtp_input(cl);
		return;
	}
	if (conn_is_full(cl->c)) {
		conn_pause(cl->c);
		return;
	}
	conn_write(cl->c, in);
	conn_took(cl->c, in.n);
}

static void
on_drained(void *arg)
{
	conn_resume(((struct client *)arg)->c);
}

static void
on_ended(void *arg, enum conn_end why)
{
	struct client *cl = arg;

	if (why != CONN_EOF)
		(void)fprintf(stderr, "ended %d: %s\n", (int)why,
		    conn_error_text(cl->c));
	client_end(cl);
}

static void
on_accept(void *arg, unsigned what)
{
	static const struct conn_limits limits = { 65536, 65536, 16384 };
	static const struct conn_events events = { on_input, on_drained,
		on_secured, on_ended };
	int fd = accept4(self.listener.fd, NULL, NULL,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *cl;

	(void)arg;
	(void)what;
	if (fd < 0)
		return;
	cl = calloc(1, sizeof *cl);
	cl->c = conn_new(self.loop, fd, &limits, &events, cl);
	conn_set_deadline(cl->c, clock_boot_ms() + 10000);
	if (self.starttls)
		conn_write_str(cl->c, "220 echo ESMTP\r\n");
	else
		conn_start_tls_server(cl->c, self.server);
}

static size_t
read_file(const char *path, char *p, size_t max)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0)
		die(path);
	n = read(fd, p, max);
	(void)close(fd);
	return n < 0 ? 0 : (size_t)n;
}

/* "cert:key:names": the parts, NUL-terminated in `text`; names may be "". */
static void
split_spec(const char *spec, char text[PATH_BYTES], const char *parts[3])
{
	int i;
	char *p = text;

	(void)snprintf(text, PATH_BYTES, "%s", spec);
	for (i = 0; i < 3; i++) {
		parts[i] = p;
		p += strcspn(p, ":");
		if (*p == ':')
			*p++ = 0;
	}
}

static void
add_certificate(uint32_t number, const char *spec)
{
	char chain[CHAIN_MAX], text[PATH_BYTES], *c;
	const char *parts[3];
	struct buf why, names;
	size_t n;

	buf_init(&why, 1000);
	buf_init(&names, 1000);
	split_spec(spec, text, parts);
	n = read_file(parts[0], chain, sizeof chain);
	buf_add_str(&names, parts[2]);
	for (c = names.p; names.n > 0 && *c != 0; c++)
		if (*c == ',')
			*c = '\n';
	if (tls_server_add(self.server, number, buf_slice(&names),
		(struct slice){ chain, n }, &why) < 0) {
		(void)fprintf(stderr, "%s: %s\n", spec, why.p);
		exit(1);
	}
}

static void
front(int listener, int link, int tickets, char **specs)
{
	static const struct ipc_handlers handlers = { .lost = on_lost };
	uint32_t i;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	self.loop = loop_new();
	self.keys = ipc_link_new(self.loop, link, ROLE_SMTPD, ROLE_KEYS, 0,
	    &handlers);
	self.server = tls_server_new(sign_link);
	for (i = 0; specs[i] != NULL; i++)
		add_certificate(i + 1, specs[i]);
	tls_server_use(self.server);
	if (tickets >= 0)
		tls_server_tickets(self.server, tls_tickets_reader(tickets));
	loop_io_init(&self.listener, self.loop, listener, on_accept, NULL);
	loop_io_want(&self.listener, LOOP_READ);
	/* As a front has it: fibres and all must do with these calls. */
	if (sandbox_no_new_privs() < 0 || sandbox_seccomp(SANDBOX_ACCEPT) < 0)
		die("sandbox");
	loop_run(self.loop);
	_exit(0);
}

/* ---- the parent ---- */

static int
listen_anywhere(uint16_t *port_r)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
	    listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		die("listen");
	*port_r = ntohs(at.sin_port);
	return fd;
}

static void
load_keys(struct keys_child *keys, char **specs)
{
	char chain[CHAIN_MAX], text[PATH_BYTES];
	const char *parts[3];
	uint32_t i;
	size_t n;
	int fd;

	for (i = 0; specs[i] != NULL; i++) {
		split_spec(specs[i], text, parts);
		n = read_file(parts[0], chain, sizeof chain);
		fd = open(parts[1], O_RDONLY);
		if (fd < 0)
			die(parts[1]);
		if (keys_child_load(keys, i + 1, fd,
			(struct slice){ chain, n }) < 0)
			exit(1);
		(void)close(fd);
	}
	keys_child_use(keys);
}

static pid_t
start_front(const struct keys_child *keys, unsigned number, int listener,
    int tickets, char **specs)
{
	pid_t pid = fork();
	unsigned i;

	if (pid != 0)
		return pid;
	(void)close(keys->master);
	for (i = 0; i < KEYS_CHILD_FRONTS; i++)
		if (i != number)
			(void)close(keys->fronts[i]);
	front(listener, keys->fronts[number], tickets, specs);
	return 0;
}

static void
wait_for_signals(int tickets)
{
	sigset_t set;
	int got;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	while (sigwait(&set, &got) == 0 && got == SIGHUP)
		if (tickets < 0 || tls_tickets_rotate(tickets) < 0)
			die("rotate");
}

int
main(int argc, char **argv)
{
	uint64_t fronts = 1;
	struct keys_child keys;
	bool with_tickets = false;
	int o, listener, tickets;
	uint16_t port;
	sigset_t set;
	unsigned i;

	while ((o = getopt(argc, argv, "p:st")) != -1) {
		if (o == 's')
			self.starttls = true;
		else if (o == 't')
			with_tickets = true;
		else if (o != 'p' ||
		    num_parse(slice_str(optarg), 1, KEYS_CHILD_FRONTS,
			&fronts) < 0)
			return 64;
	}
	keys_child_start(&keys);
	load_keys(&keys, argv + optind);
	tickets = with_tickets ? tls_tickets_create() : -1;
	listener = listen_anywhere(&port);
	(void)printf("%u %d", port, (int)keys.pid);
	for (i = 0; i < fronts; i++)
		(void)printf(" %d",
		    (int)start_front(&keys, i, listener, tickets,
			argv + optind));
	(void)printf("\n");
	(void)fflush(stdout);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < KEYS_CHILD_FRONTS; i++)
		(void)close(keys.fronts[i]);
	wait_for_signals(tickets);
	keys_child_stop(&keys);
	return 0;
}
