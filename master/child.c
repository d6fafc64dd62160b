/* SPDX-License-Identifier: ISC */
/*
 * A child is forked and exec'd from a binary that was opened at start, with
 * one socket on descriptor 3 and nothing else.
 */
#include "master/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf_relay.h"
#include "conf/conf_server.h"
#include "master/links.h"
#include "master/listeners.h"
#include "sys/daemon.h"
#include "sys/log.h"

enum {
	START_MS = 30000,       /* a start that takes longer is broken */
	STEADY_MS = 60000,      /* up for so long: the back-off begins anew */
	BACKOFF_MAX_MS = 10000,
	/* Starts in vain before the server gives up at its own start. More
	 * than one, for what a killed server's roles hold (the queue's lock)
	 * is let go only when they have ended too. */
	START_TRIES = 5,
	CONF_ANSWER_MS = 10000,
	PHASES = 5
};

static struct {
	struct children_setup setup;
	struct child all[CHILD_COUNT_MAX];
	size_t n;
	int programs[ROLE_COUNT];
	bool settled, stopping;
	unsigned phase;
	uint32_t grace_ms;
	struct loop_timer phase_timer;
	void (*stopped)(void);
	void (*reloaded)(const struct child *c, bool ok, struct slice text,
	    bool last);
	size_t reloads;
} self;

static void start(struct child *c);
static void schedule_restart(struct child *c);

struct child *
children_next(struct child *last)
{
	struct child *c = last == NULL ? self.all : last + 1;

	return c < self.all + self.n ? c : NULL;
}

bool
children_are_ready(void)
{
	size_t i;

	for (i = 0; i < self.n; i++)
		if (self.all[i].state != CHILD_READY)
			return false;
	return self.n > 0;
}

static bool
is_front(const struct child *c)
{
	return (RS_FRONTS & 1U << c->row->id) != 0;
}

/* ---- telling a child what it needs ---- */

static void
tell_section(struct child *c, const struct conf_section *s)
{
	const struct config_item *i;

	for (i = self.setup.config->items; i != NULL; i = i->next)
		if (i->section == s)
			ipc_send(c->link, CONF_ITEM, -1,
			    .section = slice_str(s->name),
			    .title = slice_str(i->title),
			    .name = slice_str(i->name), .value = i->value);
}

static void
on_conf_result(void *arg, int type, const union ipc_any *m, int fd)
{
	struct child *c = arg;

	(void)type;
	(void)fd;
	if (m != NULL && !m->CONF_RESULT.ok)
		log_error("event=configuration_refused role=%s why=%s",
		    role_name(c->row->id), LOG_V(m->CONF_RESULT.text));
}

static void
on_reload_result(void *arg, int type, const union ipc_any *m, int fd)
{
	struct child *c = arg;

	on_conf_result(arg, type, m, fd);
	self.reloads--;
	self.reloaded(c, m != NULL && m->CONF_RESULT.ok,
	    m != NULL ? m->CONF_RESULT.text : SLICE("no answer"),
	    self.reloads == 0);
}

static void
tell_configuration(struct child *c, ipc_done *done)
{
	tell_section(c, &conf_server_section);
	if (c->row->section != NULL)
		tell_section(c, c->row->section);
	(void)ipc_ask(c->link, CONF_END, -1, CONF_ANSWER_MS, done, c,
	    .generation = 0);
}

static void
tell_listeners(struct child *c)
{
	const struct listener *l;
	size_t n, i;

	l = listeners_get(&n);
	for (i = 0; i < n; i++)
		if (l[i].role == c->row->id)
			ipc_send(c->link, LISTEN_FD, l[i].fd,
			    .service = slice_str(l[i].service),
			    .address = slice_str(l[i].address));
}

static void
tell_file(struct child *c, const char *name, int fd)
{
	if (fd < 0)
		return;
	ipc_send(c->link, FILE_FD, fd, .name = slice_str(name));
}

static void
tell_path(struct child *c, const char *name, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	tell_file(c, name, fd);
	(void)close(fd);
}

/* Each mail file system: a folder for those that open homes, an empty regular
 * file for the one that flushes it. */
static void
tell_mail_roots(struct child *c)
{
	const struct places *p = self.setup.places;
	char name[32];
	size_t i;
	int fd;

	for (i = 0; i < p->n_roots; i++) {
		(void)snprintf(name, sizeof name, "mail-root:%zu", i);
		if (c->row->id != ROLE_QUEUE) {
			tell_file(c, name, p->roots[i]);
			continue;
		}
		fd = openat(p->roots[i], ".veredus-sync",
		    O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		tell_file(c, name, fd);
		if (fd >= 0)
			(void)close(fd);
	}
}

/* The logins for smarthosts: read by root, held by the relays alone. */
static void
tell_secrets(struct child *c)
{
	struct conf_relay conf;
	struct region mem;

	region_init(&mem, 1 << 20);
	config_fill(self.setup.config, &conf_relay_section, "", &conf, &mem);
	if (conf.secrets_file[0] != 0)
		tell_path(c, "smarthost-secrets", conf.secrets_file);
	region_fini(&mem);
}

static void
tell_files(struct child *c)
{
	const struct conf_server *s = self.setup.server;
	size_t i;

	switch (c->row->id) {
	case ROLE_RESOLVER:
		tell_path(c, "resolv.conf", "/etc/resolv.conf");
		break;
	case ROLE_DIRECTORY:
		/* For directory.system_users. */
		tell_path(c, "passwd", "/etc/passwd");
		break;
	case ROLE_RELAY:
		if (s->ca_file.n == 0)
			tell_path(c, "ca-file",
			    "/etc/ssl/certs/ca-certificates.crt");
		for (i = 0; i < s->ca_file.n; i++)
			tell_path(c, "ca-file", s->ca_file.v[i]);
		tell_secrets(c);
		break;
	case ROLE_BROKER:
	case ROLE_TEMPLATE:
	case ROLE_QUEUE:
		tell_mail_roots(c);
		break;
	default:
		break;
	}
}

static int64_t
utc_offset_minutes(void)
{
	time_t now = time(NULL);
	struct tm tm;

	return localtime_r(&now, &tm) == NULL ? 0 : tm.tm_gmtoff / 60;
}

/* Everything up to START, in one go; answers come later. 0, -1. */
static int
tell_all(struct child *c, struct buf *why)
{
	const struct children_setup *s = &self.setup;
	uint32_t flags = 0;
	uid_t uid;
	gid_t gid;
	char name[48];
	int folder;

	if (places_user(s->places, s->server, c->row, &uid, &gid, why) < 0)
		return -1;
	folder = places_folder(s->places, s->server, c->row, why);
	if (folder < 0)
		return -1;
	if (s->places->privileged)
		flags |= DAEMON_PRIVILEGED;
	if (s->best_effort)
		flags |= DAEMON_BEST_EFFORT;
	(void)snprintf(name, sizeof name, c->row->many ? "%s[%u]" : "%s",
	    role_name(c->row->id), c->instance);
	ipc_send(c->link, HELLO, -1, .table = ipc_table_hash(),
	    .role = (uint8_t)c->row->id, .instance = c->instance, .uid = uid,
	    .gid = gid, .flags = flags, .sandbox = c->row->sandbox,
	    .caps = s->places->privileged ? c->row->caps : 0,
	    .utc_offset = utc_offset_minutes(), .name = slice_str(name));
	if (s->log_fd >= 0)
		ipc_send(c->link, LOG_FD, s->log_fd, .format = s->log_format);
	ipc_send(c->link, JAIL_FD, folder,
	    .what = slice_str(c->row->folder == NULL ? "" : c->row->folder));
	(void)close(folder);
	tell_configuration(c, on_conf_result);
	tell_listeners(c);
	tell_files(c);
	ipc_send(c->link, START, -1, .generation = 0);
	return 0;
}

/* ---- starting ---- */

static void
run(const struct child *c, int fd)
{
	static char *const envp[] = { NULL };
	char *argv[] = { strdup(c->row->program), NULL };
	struct rlimit files = { c->row->descriptors, c->row->descriptors };
	struct rlimit has;
	sigset_t none;
	int null;

	/* One's own descriptors only: 0 to 2, the socket, the program. */
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		_exit(75);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 &&
	    getrlimit(RLIMIT_NOFILE, &has) == 0) {
		has.rlim_cur = has.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &has);
	}
	(void)setsid();
	if (dup2(fd, 3) < 0)
		_exit(75);
	(void)syscall(SYS_execveat, self.programs[c->row->id], "", argv, envp,
	    0x1000 /* AT_EMPTY_PATH */);
	(void)dprintf(STDERR_FILENO, "veredusd: cannot run %s: %s\n",
	    c->row->program, strerror(errno));
	_exit(75);
}

static void on_lost(struct ipc_link *l);

static void
on_ready(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct child *c = ipc_link_data(l);

	(void)fd;
	if (c->state != CHILD_STARTING)
		return;
	c->state = CHILD_READY;
	loop_timer_clear(&c->slow);
	free(c->held);
	c->held = strndup(m->READY.text.p, m->READY.text.n);
	log_info("event=ready role=%s pid=%ld sandbox=%s", ipc_link_name(l),
	    (long)c->pid, LOG_V(m->READY.text));
	/* Before the introductions: on the same link, so a process of keys has
	 * its keys before anybody can ask it for a signature. */
	if (is_front(c) && self.setup.front_up != NULL)
		self.setup.front_up(c);
	if (c->row->id == ROLE_KEYS && self.setup.keys_up != NULL)
		self.setup.keys_up(c);
	links_introduce(c);
	if (!self.settled && children_are_ready()) {
		self.settled = true;
		self.setup.settled(true, "");
	}
}

/* Also of a link whose other end has died: that one's successor is introduced
 * when it is ready. */
static void
on_peer_lost(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)fd;
	links_lost(ipc_link_data(l), (enum role_id)m->PEER_LOST.role,
	    m->PEER_LOST.instance, m->PEER_LOST.link);
}

static void
on_slow(void *arg)
{
	struct child *c = arg;

	log_error("event=start_timeout role=%s pid=%ld",
	    role_name(c->row->id), (long)c->pid);
	(void)kill(c->pid, SIGKILL);
}

static void
on_hello_ok(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)fd;
	if (m->HELLO_OK.table != ipc_table_hash())
		log_error("event=wrong_build role=%s", ipc_link_name(l));
}

static const struct ipc_handlers handlers = {
	.by_type = { [IPC_READY] = on_ready, [IPC_HELLO_OK] = on_hello_ok,
	    [IPC_PEER_LOST] = on_peer_lost },
	.lost = on_lost,
};

static void
give_up(const struct child *c, const char *why)
{
	log_error("event=start_failed role=%s why=%s", role_name(c->row->id),
	    LOG_S(why));
	if (!self.settled) {
		self.settled = true;
		self.setup.settled(false, why);
	}
}

/* Not even a process could be made: tried again like one that died. */
static void
not_forked(struct child *c, const char *why)
{
	bool first = !self.settled;

	c->pid = 0;
	c->state = CHILD_DOWN;
	give_up(c, why);
	if (!first) {
		c->started_ms = clock_boot_ms();
		schedule_restart(c);
	}
}

static void
start(struct child *c)
{
	struct buf why;
	int fds[2];

	if (ipc_pair(fds) < 0) {
		not_forked(c, strerror(errno));
		return;
	}
	c->pid = fork();
	if (c->pid == 0)
		run(c, fds[1]);
	(void)close(fds[1]);
	if (c->pid < 0) {
		(void)close(fds[0]);
		not_forked(c, strerror(errno));
		return;
	}
	c->link = ipc_link_new(self.setup.loop, fds[0], ROLE_MASTER,
	    c->row->id, c->instance, &handlers);
	if (c->link == NULL)
		fatal("event=no_memory for=link");
	ipc_link_set_data(c->link, c);
	c->state = CHILD_STARTING;
	c->started_ms = clock_boot_ms();
	loop_timer_set(&c->slow, c->started_ms + START_MS);
	buf_init(&why, 4096);
	if (tell_all(c, &why) < 0)
		give_up(c, why.p);
	buf_fini(&why);
}

static void
on_restart(void *arg)
{
	struct child *c = arg;

	if (self.stopping || c->state != CHILD_DOWN)
		return;
	c->restarts++;
	start(c);
}

/* At once, then 0.1, 0.2 … 10 s. */
static void
schedule_restart(struct child *c)
{
	int64_t now = clock_boot_ms(), wait = 0;
	uint32_t i;

	if (now - c->started_ms >= STEADY_MS)
		c->failures = 0;
	if (c->failures > 0) {
		wait = 100;
		for (i = 1; i < c->failures && wait < BACKOFF_MAX_MS; i++)
			wait *= 2;
		if (wait > BACKOFF_MAX_MS)
			wait = BACKOFF_MAX_MS;
	}
	c->failures++;
	loop_timer_set(&c->restart, now + wait);
}

/* The link is gone: what still runs behind it is ended, the reaper does the
 * rest. */
static void
on_lost(struct ipc_link *l)
{
	struct child *c = ipc_link_data(l);

	c->link = NULL;
	/* Nobody is to be told anything by a link that is not there. */
	if (c->state == CHILD_READY)
		c->state = CHILD_LOST;
	if (c->pid > 0 && !self.stopping)
		(void)kill(c->pid, SIGTERM);
}

static bool
is_crash(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL &&
	    WTERMSIG(status) != SIGTERM;
}

static void
tell_died(enum role_id to, enum role_id who, uint32_t instance, pid_t pid,
    bool crashed)
{
	size_t i;

	for (i = 0; i < self.n; i++)
		if (self.all[i].row->id == to && self.all[i].link != NULL &&
		    self.all[i].state == CHILD_READY)
			ipc_send(self.all[i].link, CHILD_DIED, -1,
			    .role = (uint8_t)who, .instance = instance,
			    .pid = pid, .crashed = crashed);
}

static void check_phase(void);

static void
ended(struct child *c, int status)
{
	bool was_ready = c->state == CHILD_READY || c->state == CHILD_LOST;

	if (WIFSIGNALED(status))
		log_error("event=died role=%s pid=%ld signal=%d",
		    role_name(c->row->id), (long)c->pid, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0 || !self.stopping)
		log_warn("event=ended role=%s pid=%ld status=%d",
		    role_name(c->row->id), (long)c->pid, WEXITSTATUS(status));
	if (c->row->id == ROLE_RELAY)
		tell_died(ROLE_QUEUE, ROLE_RELAY, c->instance, c->pid,
		    is_crash(status));
	c->pid = 0;
	c->state = CHILD_DOWN;
	loop_timer_clear(&c->slow);
	ipc_link_free(&c->link);
	if (self.stopping) {
		check_phase();
		return;
	}
	if (!self.settled && !was_ready && c->failures + 1 >= START_TRIES) {
		give_up(c, "it ends before it is ready; the log says why");
		return;
	}
	/* A template is replaced on purpose after so many owners. */
	if (c->row->id == ROLE_TEMPLATE && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0)
		c->failures = 0;
	schedule_restart(c);
}

void
children_reap(void)
{
	int status;
	pid_t pid;
	size_t i;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < self.n; i++)
			if (self.all[i].pid == pid)
				break;
		if (i < self.n)
			ended(&self.all[i], status);
		else /* an owner: the template makes them our children */
			tell_died(ROLE_BROKER, ROLE_OWNER, 0, pid,
			    is_crash(status));
	}
}

static int
open_program(const struct role_row *row, struct buf *why)
{
	char path[1024];

	(void)snprintf(path, sizeof path, "%s/%s", self.setup.libexec,
	    row->program);
	self.programs[row->id] = open(path, O_RDONLY | O_CLOEXEC);
	if (self.programs[row->id] >= 0)
		return 0;
	buf_addf(why, "cannot open %s: %s", path, strerror(errno));
	return -1;
}

static uint32_t
processes_of(const struct role_row *row)
{
	int64_t n = self.setup.server->processes;

	if (!row->many)
		return 1;
	if (n == 0) {
		n = sysconf(_SC_NPROCESSORS_ONLN);
		n = n < 1 ? 1 : n > 4 ? 4 : n;
	}
	return (uint32_t)n;
}

int
children_start(const struct children_setup *setup, struct buf *why)
{
	const struct role_row *row;
	struct child *c;
	uint32_t k;
	size_t i;

	self.setup = *setup;
	links_init(setup->loop);
	for (i = 0; i < n_roles; i++) {
		row = &roles[i];
		if (setup->only != 0 && (setup->only & 1U << row->id) == 0)
			continue;
		if (open_program(row, why) < 0)
			return -1;
		for (k = 0; k < processes_of(row); k++) {
			if (self.n == CHILD_COUNT_MAX) {
				buf_addf(why, "more than %d processes",
				    CHILD_COUNT_MAX);
				return -1;
			}
			c = &self.all[self.n++];
			c->row = row;
			c->instance = k;
			loop_timer_init(&c->restart, setup->loop, on_restart,
			    c);
			loop_timer_init(&c->slow, setup->loop, on_slow, c);
		}
	}
	for (i = 0; i < self.n; i++)
		start(&self.all[i]);
	return 0;
}

void
children_reload(const struct children_setup *setup,
    void (*done)(const struct child *c, bool ok, struct slice text, bool last))
{
	struct child *c;
	bool none;
	size_t i;

	self.setup = *setup;
	self.reloaded = done;
	self.reloads = 0;
	for (i = 0; i < self.n; i++)
		self.reloads += self.all[i].state == CHILD_READY;
	none = self.reloads == 0;
	for (i = 0; i < self.n; i++) {
		c = &self.all[i];
		if (c->state != CHILD_READY)
			continue;
		if (setup->log_fd >= 0)
			ipc_send(c->link, LOG_FD, setup->log_fd,
			    .format = setup->log_format);
		tell_configuration(c, on_reload_result);
		if (c->row->id == ROLE_RESOLVER || c->row->id == ROLE_RELAY ||
		    c->row->id == ROLE_DIRECTORY)
			tell_files(c);
	}
	if (none)
		done(NULL, true, SLICE(""), true);
}

/* ---- stopping, phase by phase ---- */

static void
stop_phase(void)
{
	size_t i;

	for (i = 0; i < self.n; i++) {
		if (self.all[i].row->stop_phase != self.phase ||
		    self.all[i].pid <= 0)
			continue;
		if (self.all[i].link != NULL)
			ipc_send(self.all[i].link, STOP, -1,
			    .grace_ms = self.grace_ms);
		else
			(void)kill(self.all[i].pid, SIGTERM);
	}
	loop_timer_set(&self.phase_timer,
	    clock_boot_ms() + self.grace_ms + 2000);
	check_phase();
}

static void
check_phase(void)
{
	size_t i;

	for (i = 0; i < self.n; i++)
		if (self.all[i].row->stop_phase == self.phase &&
		    self.all[i].pid > 0)
			return;
	loop_timer_clear(&self.phase_timer);
	if (++self.phase < PHASES)
		stop_phase();
	else if (self.stopped != NULL) {
		self.stopped();
		self.stopped = NULL;
	}
}

/* Who does not end in time is ended: what it promised is on disk. */
static void
on_phase_late(void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < self.n; i++) {
		if (self.all[i].row->stop_phase == self.phase &&
		    self.all[i].pid > 0) {
			log_warn("event=stop_timeout role=%s pid=%ld",
			    role_name(self.all[i].row->id),
			    (long)self.all[i].pid);
			(void)kill(self.all[i].pid, SIGKILL);
		}
	}
}

void
children_stop(uint32_t grace_ms, void (*stopped)(void))
{
	if (self.stopping)
		return;
	self.stopping = true;
	links_end();
	self.stopped = stopped;
	self.grace_ms = grace_ms;
	loop_timer_init(&self.phase_timer, self.setup.loop, on_phase_late,
	    NULL);
	stop_phase();
}
