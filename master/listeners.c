/* SPDX-License-Identifier: ISC */
/* Which options name addresses of which service, and binding them. */
#include "master/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "conf/conf_sections.h"
#include "sys/log.h"
#include "sys/sockaddr.h"

enum {
	LISTENERS_MAX = 128,
	BACKLOG = 1024,
	BUSY_MS = 2000, /* for all addresses together */
	BUSY_STEP_MS = 20
};

static const struct {
	enum role_id role;
	const char *section, *option, *service;
} sources[] = {
	{ ROLE_SMTPD, "smtpd", "listen", "smtp" },
	{ ROLE_SUBMISSION, "submission", "listen", "submission" },
	{ ROLE_SUBMISSION, "submission", "listen_tls", "submissions" },
	{ ROLE_LMTP, "lmtp", "listen", "lmtp" },
	{ ROLE_ACCESS, "access", "imap", "imap" },
	{ ROLE_ACCESS, "access", "imaps", "imaps" },
	{ ROLE_ACCESS, "access", "pop3", "pop3" },
	{ ROLE_ACCESS, "access", "pop3s", "pop3s" },
};

static struct listener listeners[LISTENERS_MAX];
static size_t n_listeners;

const struct listener *
listeners_get(size_t *n_r)
{
	*n_r = n_listeners;
	return listeners;
}

void
listeners_close(void)
{
	while (n_listeners > 0)
		(void)close(listeners[--n_listeners].fd);
}

/* A socket from systemd (LISTEN_FDS, from descriptor 3 on) with this very
 * address; -1 when there is none. */
static int
activated(const struct sockaddr_storage *sa, socklen_t len)
{
	const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
	struct sockaddr_storage has;
	uint64_t count, who;
	socklen_t has_len;
	int fd;

	if (pid == NULL || n == NULL ||
	    num_parse(slice_str(pid), 1, INT64_MAX, &who) < 0 ||
	    num_parse(slice_str(n), 0, 1024, &count) < 0 ||
	    (pid_t)who != getpid())
		return -1;
	for (fd = 3; fd < 3 + (int)count; fd++) {
		has_len = sizeof has;
		if (getsockname(fd, (struct sockaddr *)&has, &has_len) < 0 ||
		    has_len != len || memcmp(&has, sa, len) != 0)
			continue;
		/* One that blocks would stop the whole role in accept(). */
		if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
			return -1;
		return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	return -1;
}

/*
 * The roles of a master that was killed hold its sockets until they have
 * ended too: whoever starts it again at once meets an address in use.
 */
static int
bind_patiently(int fd, const struct sockaddr_storage *sa, socklen_t len)
{
	static const struct timespec step = { .tv_nsec =
	    BUSY_STEP_MS * 1000000L };
	static int64_t until;

	if (until == 0)
		until = clock_boot_ms() + BUSY_MS;
	for (;;) {
		if (bind(fd, (const struct sockaddr *)sa, len) == 0 &&
		    listen(fd, BACKLOG) == 0)
			return 0;
		if (errno != EADDRINUSE || clock_boot_ms() >= until)
			return -1;
		(void)nanosleep(&step, NULL);
	}
}

static int
bind_one(const struct sockaddr_storage *sa, socklen_t len, const char *text,
    struct buf *why)
{
	int fd = activated(sa, len), on = 1;

	if (fd < 0)
		fd = socket(sa->ss_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	else
		return fd;
	if (fd < 0) {
		buf_addf(why, "cannot make a socket for %s: %s", text,
		    strerror(errno));
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (sa->ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof on);
	if (bind_patiently(fd, sa, len) == 0)
		return fd;
	buf_addf(why, "cannot listen on %s: %s%s", text, strerror(errno),
	    errno == EADDRINUSE
		? " (veredus doctor names the process that has it)"
		: errno == EACCES ? " (ports below 1024 are root's)" : "");
	(void)close(fd);
	return -1;
}

static int
add(size_t source, int fd, const char *address, struct buf *why)
{
	struct listener *l;

	if (fd < 0)
		return -1;
	if (n_listeners == LISTENERS_MAX) {
		(void)close(fd);
		buf_addf(why, "more than %d addresses to listen on",
		    LISTENERS_MAX);
		return -1;
	}
	l = &listeners[n_listeners++];
	l->role = sources[source].role;
	l->service = sources[source].service;
	l->fd = fd;
	(void)snprintf(l->address, sizeof l->address, "%s", address);
	return 0;
}

static int
listen_inet(size_t source, const char *text, struct buf *why)
{
	struct sockaddr_storage sa;
	socklen_t len;

	if (sockaddr_parse(slice_str(text), 0, &sa, &len) < 0 ||
	    sockaddr_port((const struct sockaddr *)&sa, len) == 0) {
		buf_addf(why, "%s.%s: \"%s\" is not an address with a port, "
		    "such as *:25, 192.0.2.1:25 or [::1]:25",
		    sources[source].section, sources[source].option, text);
		return -1;
	}
	return add(source, bind_one(&sa, len, text, why), text, why);
}

/* "*:25" is every IPv4 and, where the machine has it, every IPv6 address. */
static int
listen_any(size_t source, const char *port, struct buf *why)
{
	char text[64];
	struct buf ignored;
	int result;

	(void)snprintf(text, sizeof text, "0.0.0.0:%s", port);
	if (listen_inet(source, text, why) < 0)
		return -1;
	(void)snprintf(text, sizeof text, "[::]:%s", port);
	buf_init(&ignored, 1024);
	result = listen_inet(source, text, &ignored);
	if (result < 0)
		log_warn("event=no_ipv6 address=%s why=%s", text,
		    LOG_V(buf_slice(&ignored)));
	buf_fini(&ignored);
	return 0;
}

static int
listen_unix(size_t source, const char *path, struct buf *why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_storage sa = { 0 };
	struct stat st;

	if (strlen(path) >= sizeof un.sun_path) {
		buf_addf(why, "%s is too long for a socket's path", path);
		return -1;
	}
	/* One left by an earlier run; whoever still listens there is noticed
	 * because a server holds the lock of its run_dir. */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	memcpy(un.sun_path, path, strlen(path));
	memcpy(&sa, &un, sizeof un);
	return add(source, bind_one(&sa, sizeof un, path, why), path, why);
}

static int
listen_text(size_t source, const char *text, struct buf *why)
{
	if (text[0] == '/')
		return listen_unix(source, text, why);
	if (strncmp(text, "*:", 2) == 0)
		return listen_any(source, text + 2, why);
	return listen_inet(source, text, why);
}

static int
open_source(size_t source, const struct config *c, struct buf *why)
{
	const struct conf_section *s =
	    conf_section_find(slice_str(sources[source].section));
	const struct conf_def *d =
	    conf_find(s, slice_str(sources[source].option));
	const struct conf_list *list;
	struct region mem;
	void *conf = calloc(1, s->size);
	int result = 0;
	size_t i;

	if (conf == NULL)
		abort();
	region_init(&mem, 1 << 20);
	config_fill(c, s, "", conf, &mem);
	list = (const void *)((const char *)conf + d->offset);
	for (i = 0; i < list->n && result == 0; i++)
		result = listen_text(source, list->v[i], why);
	region_fini(&mem);
	free(conf);
	return result;
}

int
listeners_open(const struct config *c, unsigned roles, struct buf *why)
{
	size_t i;

	for (i = 0; i < sizeof sources / sizeof *sources; i++) {
		if ((roles & 1U << sources[i].role) == 0)
			continue;
		if (open_source(i, c, why) < 0) {
			listeners_close();
			return -1;
		}
	}
	return 0;
}
