/* SPDX-License-Identifier: ISC */
/*
 * The life of veredusd. It parses its configuration and command line, and
 * nothing else: no byte from the network comes here, and what children say is
 * taken as hostile (sys/ipc.h).
 */
#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf_server.h"
#include "master/certs.h"
#include "master/child.h"
#include "master/config.h"
#include "master/config_value.h"
#include "master/control.h"
#include "master/listeners.h"
#include "master/notify.h"
#include "master/places.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"

enum { STOP_GRACE_MS = 10000, EXIT_CONFIG = 78, EXIT_TEMPORARY = 75 };

static struct {
	struct loop *loop;
	const char *file, *libexec;
	unsigned only;
	struct config *config;
	struct conf_server server;
	struct region server_mem;
	struct places places;
	struct children_setup setup;
	bool has_tls; /* it serves TLS, so it has certificates */
	int log_fd;
	int ready_fd; /* told one byte when all is up, for -d */
	int status;
	/* a reload in work */
	uint64_t reload_serial, reload_req;
	bool reloading;
	struct buf notes;
} self = { .log_fd = -1, .ready_fd = -1 };

/* ---- log and server section ---- */

static int
open_syslog(struct buf *why)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof un) == 0)
		return fd;
	buf_addf(why, "cannot reach the system's log at /dev/log: %s\n",
	    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int
open_log(const struct conf_server *s, struct buf *why)
{
	const char *path = s->log_file;
	int fd;

	if (path[0] == 0 || strcmp(path, "stderr") == 0)
		return fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (strcmp(path, "syslog") == 0)
		return open_syslog(why);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
	    0640);
	if (fd < 0)
		buf_addf(why, "cannot open the log %s: %s\n", path,
		    strerror(errno));
	return fd;
}

static uint8_t
log_format_of(const struct conf_server *s)
{
	if (strcmp(s->log_file, "syslog") == 0)
		return LOG_FORMAT_SYSLOG;
	return strcmp(s->log_format, "json") == 0 ? LOG_FORMAT_JSON
						  : LOG_FORMAT_TEXT;
}

static int
use_log(struct buf *why)
{
	int fd = open_log(&self.server, why);

	if (fd < 0)
		return -1;
	if (self.log_fd >= 0)
		(void)close(self.log_fd);
	self.log_fd = fd;
	self.setup.log_fd = fd;
	self.setup.log_format = log_format_of(&self.server);
	log_set_fd(fcntl(fd, F_DUPFD_CLOEXEC, 3),
	    (enum log_format)self.setup.log_format);
	return 0;
}

/* Roles cannot ask in their jails: the machine's name and the numbers of the
 * shared user become part of the configuration. */
static void
complete(struct config *c)
{
	const struct passwd *pw = NULL;
	struct conf_server s;
	struct region mem;
	char text[256];

	region_init(&mem, 1 << 20);
	config_fill(c, &conf_server_section, "", &s, &mem);
	if (s.hostname[0] == 0 && gethostname(text, sizeof text) == 0) {
		text[sizeof text - 1] = 0;
		config_add(c, &conf_server_section, "hostname",
		    slice_str(text));
	}
	if (s.shared_uid[0] != 0)
		pw = getpwnam(s.shared_uid);
	if (pw != NULL) {
		(void)snprintf(text, sizeof text, "%u:%u",
		    (unsigned)pw->pw_uid, (unsigned)pw->pw_gid);
		config_add(c, &conf_server_section, "shared_uid",
		    slice_str(text));
	}
	region_fini(&mem);
}

static void
use_config(struct config *c)
{
	config_free(&self.config);
	self.config = c;
	region_reset(&self.server_mem);
	config_fill(c, &conf_server_section, "", &self.server,
	    &self.server_mem);
}

/* ---- events ---- */

static void
on_stopped(void)
{
	loop_stop(self.loop);
}

static void
stop(void)
{
	notify("STOPPING=1", "stopping");
	log_info("event=stopping");
	children_stop(STOP_GRACE_MS, on_stopped);
}

static void
on_term(void *arg)
{
	(void)arg;
	stop();
}

static void
on_child(void *arg)
{
	(void)arg;
	children_reap();
}

static void
on_settled(bool ok, const char *why)
{
	ssize_t n;

	if (!ok) {
		(void)fprintf(stderr, "veredusd: %s\n", why);
		self.status = EXIT_TEMPORARY;
		stop();
		return;
	}
	log_info("event=started");
	notify("READY=1", "all roles are ready");
	if (self.ready_fd >= 0) {
		n = write(self.ready_fd, "r", 1);
		(void)n;
		(void)close(self.ready_fd);
		self.ready_fd = -1;
	}
}

/* ---- reload ---- */

static void
reload_over(void)
{
	struct slice notes = buf_slice(&self.notes);

	if (slice_has_suffix(notes, SLICE("\n")))
		notes = slice_head(notes, notes.n - 1);
	self.reloading = false;
	log_info("event=reloaded notes=%s", LOG_V(notes));
	notify("READY=1", "reloaded");
	control_done(self.reload_serial, self.reload_req, notes.n > 0,
	    notes.n == 0 ? SLICE("reloaded") : notes);
	buf_reset(&self.notes);
}

static void
on_certs(const char *problems)
{
	buf_add_str(&self.notes, problems);
	reload_over();
}

static void
on_role_reloaded(const struct child *c, bool ok, struct slice text, bool last)
{
	if (text.n > 0)
		buf_addf(&self.notes, "%s%s: %.*s\n", role_name(c->row->id),
		    ok ? "" : " keeps its old configuration",
		    SLICE_FMT(text));
	if (last && self.has_tls)
		certs_distribute(on_certs);
	else if (last)
		reload_over();
}

static void
reload(uint64_t serial, uint64_t req)
{
	struct buf why;
	struct config *fresh;

	if (self.reloading) {
		control_done(serial, req, EXIT_TEMPORARY,
		    SLICE("a reload is in work already"));
		return;
	}
	buf_init(&why, 65536);
	fresh = config_read(self.file, &why);
	if (fresh == NULL) {
		log_error("event=reload_refused why=%s",
		    LOG_V(buf_slice(&why)));
		control_done(serial, req, EXIT_CONFIG, buf_slice(&why));
		buf_fini(&why);
		return;
	}
	notify("RELOADING=1", "reloading");
	self.reloading = true;
	self.reload_serial = serial;
	self.reload_req = req;
	complete(fresh);
	config_keep(fresh, self.config, &self.notes);
	use_config(fresh);
	self.setup.config = fresh;
	if (use_log(&self.notes) < 0)
		log_error("event=log_not_reopened why=%s",
		    LOG_V(buf_slice(&self.notes)));
	if (self.has_tls && certs_load(self.config, &self.notes) < 0)
		log_error("event=certificates why=%s",
		    LOG_V(buf_slice(&self.notes)));
	children_reload(&self.setup, on_role_reloaded);
	buf_fini(&why);
}

static void
on_hup(void *arg)
{
	(void)arg;
	reload(0, 0);
}

static void
add_status(struct buf *row)
{
	row_pair_str(row, "version", PACKAGE_VERSION);
	row_pair_str(row, "hostname", self.server.hostname);
	row_pair_str(row, "configuration", self.file);
	row_pair_str(row, "log", self.server.log_file);
	row_pair_str(row, "form", self.places.privileged
		? "separated: a user for each role"
		: "one user: no chroot, no separate users; a break-in into a "
		  "role reaches what that user may");
}

/* ---- start ---- */

static int
usage(FILE *out, int status)
{
	(void)fprintf(out,
	    "usage: veredusd [-c FILE] [-L DIR] [-o ROLE,...] [-d] [-t] [-V]\n"
	    "  -c FILE  the configuration (default %s/veredus.conf)\n"
	    "  -L DIR   where the programs of the roles are (default %s)\n"
	    "  -o ROLES start only these, for maintenance\n"
	    "  -d       return when all roles are ready, and go on running\n"
	    "  -t       check the configuration and end\n"
	    "  -V       print the version\n", VD_SYSCONFDIR, VD_LIBEXECDIR);
	return status;
}

/* The parent returns when the server is ready, or with its failure. */
static void
detach(void)
{
	int fds[2];
	char byte;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		fatal("event=pipe why=%s", LOG_S(strerror(errno)));
	pid = fork();
	if (pid < 0)
		fatal("event=fork why=%s", LOG_S(strerror(errno)));
	if (pid > 0) {
		(void)close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 1 ? 0 : EXIT_TEMPORARY);
	}
	(void)close(fds[0]);
	(void)setsid();
	self.ready_fd = fds[1];
}

/* With -d nothing of the caller's terminal may stay open behind us. */
static void
let_go_of_terminal(void)
{
	int null;

	if (self.ready_fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	if (strcmp(self.server.log_file, "stderr") != 0)
		(void)dup2(null, STDERR_FILENO);
	(void)close(null);
}

static unsigned
parse_roles(const char *text)
{
	struct slice rest = slice_str(text), word;
	unsigned set = 0;
	char name[32];
	enum role_id id;

	while (slice_split(&rest, ',', &word)) {
		(void)snprintf(name, sizeof name, "%.*s", SLICE_FMT(word));
		id = role_by_name(name);
		if (role_row(id) == NULL) {
			(void)fprintf(stderr, "veredusd: no role \"%s\"\n",
			    name);
			exit(64);
		}
		set |= 1U << id;
	}
	return set;
}

static void
raise_limits(void)
{
	struct rlimit files;
	uint32_t want = 1024;
	size_t i;

	for (i = 0; i < n_roles; i++)
		if (roles[i].descriptors > want)
			want = roles[i].descriptors;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	if (files.rlim_max < want && geteuid() == 0)
		files.rlim_max = want;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

/* A user that is missing is the administrator's to make: said at once, not by
 * a role that cannot be started. */
static int
check_users(unsigned run, struct buf *why)
{
	uid_t uid;
	gid_t gid;
	size_t i;

	for (i = 0; i < n_roles; i++)
		if ((run & 1U << roles[i].id) != 0 &&
		    places_user(&self.places, &self.server, &roles[i], &uid,
			&gid, why) < 0)
			return -1;
	return 0;
}

static int
start(struct buf *why)
{
	static const struct control_verbs verbs = { stop, reload,
		add_status };
	unsigned run = self.only == 0 ? RS_CHILDREN : self.only;
	if (places_open(&self.places, &self.server, why) < 0 ||
	    check_users(run, why) < 0)
		return -1;
	self.has_tls = (run & (RS_FRONTS | RS_KEYS)) != 0;
	if (use_log(why) < 0)
		return -1;
	self.loop = loop_new();
	if (self.loop == NULL ||
	    loop_signal(self.loop, SIGCHLD, on_child, NULL) < 0 ||
	    loop_signal(self.loop, SIGTERM, on_term, NULL) < 0 ||
	    loop_signal(self.loop, SIGINT, on_term, NULL) < 0 ||
	    loop_signal(self.loop, SIGHUP, on_hup, NULL) < 0) {
		buf_add_str(why, "cannot make the event loop");
		return -1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (listeners_open(self.config, run, why) < 0 ||
	    (self.has_tls && certs_load(self.config, why) < 0))
		return -1;
	if (self.has_tls && certs_init(self.loop) < 0) {
		buf_addf(why, "cannot make ticket keys: %s", strerror(errno));
		return -1;
	}
	if (control_open(self.loop, self.places.run_dir, &verbs, why) < 0)
		return -1;
	self.setup.loop = self.loop;
	self.setup.config = self.config;
	self.setup.server = &self.server;
	self.setup.places = &self.places;
	self.setup.libexec = self.libexec;
	self.setup.best_effort =
	    strcmp(self.server.sandbox, "best-effort") == 0;
	self.setup.only = self.only;
	self.setup.settled = on_settled;
	self.setup.front_up = self.has_tls ? certs_front_up : NULL;
	self.setup.keys_up = self.has_tls ? certs_keys_up : NULL;
	raise_limits();
	return children_start(&self.setup, why);
}

static int
serve(void)
{
	struct buf why;

	buf_init(&why, 65536);
	let_go_of_terminal();
	if (start(&why) < 0) {
		(void)fprintf(stderr, "veredusd: %s\n", why.p);
		log_error("event=start_failed why=%s",
		    LOG_V(buf_slice(&why)));
		return EXIT_CONFIG;
	}
	buf_fini(&why);
	loop_run(self.loop);
	control_close(self.places.run_dir);
	listeners_close();
	log_info("event=stopped");
	places_close(&self.places);
	return self.status;
}

int
master_main(int argc, char **argv)
{
	bool check = false, daemonize = false;
	struct config *config;
	struct buf why;
	int c;

	self.file = VD_SYSCONFDIR "/veredus.conf";
	self.libexec = VD_LIBEXECDIR;
	log_init("master");
	while ((c = getopt(argc, argv, "c:L:o:dtVh")) != -1) {
		switch (c) {
		case 'c':
			self.file = optarg;
			break;
		case 'L':
			self.libexec = optarg;
			break;
		case 'o':
			self.only = parse_roles(optarg);
			break;
		case 'd':
			daemonize = true;
			break;
		case 't':
			check = true;
			break;
		case 'V':
			(void)puts("veredusd " PACKAGE_VERSION);
			return 0;
		case 'h':
			return usage(stdout, 0);
		default:
			return usage(stderr, 64);
		}
	}
	if (optind != argc)
		return usage(stderr, 64);
	(void)umask(022);
	buf_init(&why, 65536);
	buf_init(&self.notes, 65536);
	region_init(&self.server_mem, 1 << 20);
	config = config_read(self.file, &why);
	if (config == NULL) {
		(void)fputs(why.p, stderr);
		return EXIT_CONFIG;
	}
	complete(config);
	use_config(config);
	if (check && config_files_check(self.config, &why) < 0) {
		(void)fputs(why.p, stderr);
		return EXIT_CONFIG;
	}
	if (check) {
		(void)printf("%s: good\n", self.file);
		return 0;
	}
	if (daemonize)
		detach();
	return serve();
}
