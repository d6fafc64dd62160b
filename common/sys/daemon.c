/* SPDX-License-Identifier: ISC */
/*
 * daemon_main(): what every role does before and beside its own work. The
 * order is: close and clear what was inherited; hello; log; configuration;
 * sockets and files; before_jail; the jail; after_jail; "ready"; peers; loop.
 */
#include "sys/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/region.h"
#include "conf/conf_server.h"
#include "sys/jail.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"

enum { CONTROL_FD = 3, DIRS_MAX = 16, CONF_MEMORY = 1 << 20,
	STOP_GRACE_MS = 10000 };

/* One section as it is being told, and as it holds. */
struct section {
	const struct conf_section *def;
	struct region mem[2]; /* the one that holds, the one being told */
	void *conf[2];
	int now;
	bool told;
};

static struct {
	const struct role *role;
	struct loop *loop;
	struct ipc_link *master;
	struct ipc_handlers control;
	struct ipc_handlers peers;
	struct {
		struct ipc_link *link;
		uint64_t number; /* as master counts links */
	} links[DAEMON_PEERS_MAX];
	size_t n_links;
	size_t turn[ROLE_COUNT];
	uint32_t instance, uid, gid, flags, held;
	uint64_t caps;
	int jail_fd;
	int dirs[DIRS_MAX];
	size_t n_dirs;
	bool started, stopping;
	struct section server, own;
	struct buf conf_why;
	char name[64];
} self = { .jail_fd = -1 };

/* ---- what the role asks ---- */

struct loop *
daemon_loop(void)
{
	return self.loop;
}

uint32_t
daemon_instance(void)
{
	return self.instance;
}

bool
daemon_is_privileged(void)
{
	return (self.flags & DAEMON_PRIVILEGED) != 0;
}

int
daemon_jail_fd(void)
{
	return self.role->has_folder ? self.jail_fd : -1;
}

void
daemon_allow_dir(int fd)
{
	if (self.n_dirs == DIRS_MAX)
		fatal("event=too_many_folders");
	self.dirs[self.n_dirs++] = fd;
}

const struct conf_server *
daemon_server(void)
{
	return self.server.conf[self.server.now];
}

struct ipc_link *
daemon_master(void)
{
	return self.master;
}

bool
daemon_is_stopping(void)
{
	return self.stopping;
}

void
daemon_stopped(void)
{
	loop_stop(self.loop);
}

struct ipc_link *
daemon_peer_instance(enum role_id role, uint32_t instance)
{
	size_t i;

	for (i = 0; i < self.n_links; i++)
		if (ipc_link_peer(self.links[i].link) == role &&
		    ipc_link_instance(self.links[i].link) == instance)
			return self.links[i].link;
	return NULL;
}

struct ipc_link *
daemon_peer(enum role_id role)
{
	size_t i, at, n = self.n_links;

	for (i = 0; i < n; i++) {
		at = (self.turn[role] + i) % n;
		if (ipc_link_peer(self.links[at].link) == role) {
			self.turn[role] = at + 1;
			return self.links[at].link;
		}
	}
	return NULL;
}

struct ipc_link *
daemon_peer_next(enum role_id role, struct ipc_link *last)
{
	bool after = last == NULL;
	size_t i;

	for (i = 0; i < self.n_links; i++) {
		if (after && ipc_link_peer(self.links[i].link) == role)
			return self.links[i].link;
		if (self.links[i].link == last)
			after = true;
	}
	return NULL;
}

void
daemon_row(struct ipc_link *l, uint64_t req, const struct buf *row)
{
	ipc_send(l, ADMIN_ROW, -1, .req = req, .row = buf_slice(row));
}

void
daemon_done(struct ipc_link *l, uint64_t req, uint8_t exit_code,
    const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	buf_init(&text, 32768);
	va_start(ap, fmt);
	buf_addv(&text, fmt, ap);
	va_end(ap);
	ipc_send(l, ADMIN_DONE, -1, .req = req, .exit = exit_code,
	    .text = buf_slice(&text));
	buf_fini(&text);
}

/* ---- configuration ---- */

static void
section_init(struct section *s, const struct conf_section *def)
{
	int i;

	s->def = def;
	for (i = 0; i < 2; i++) {
		region_init(&s->mem[i], CONF_MEMORY);
		s->conf[i] = calloc(1, def->size);
		if (s->conf[i] == NULL)
			fatal("event=no_memory for=configuration");
	}
	conf_defaults(def, s->conf[0], &s->mem[0]);
}

static void
section_begin(struct section *s)
{
	int other = 1 - s->now;

	if (s->told)
		return;
	region_reset(&s->mem[other]);
	conf_defaults(s->def, s->conf[other], &s->mem[other]);
	s->told = true;
}

static void
on_conf_item(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_CONF_ITEM *item = &m->CONF_ITEM;
	struct section *s = NULL;
	int other;

	(void)l;
	(void)fd;
	if (slice_eq_str(item->section, self.server.def->name))
		s = &self.server;
	else if (self.own.def != NULL &&
	    slice_eq_str(item->section, self.own.def->name))
		s = &self.own;
	if (s == NULL) {
		buf_addf(&self.conf_why, "section %.*s is not ours",
		    SLICE_FMT(item->section));
		return;
	}
	section_begin(s);
	other = 1 - s->now;
	/* The reason of a failure stays in conf_why until CONF_END. */
	if (conf_set(s->def, s->conf[other], &s->mem[other], item->name,
		item->value, &self.conf_why) < 0)
		buf_add_str(&self.conf_why, "; ");
}

/* Options that only a restart changes keep their value; says which. */
static void
keep_restart_options(struct section *s, struct buf *notes)
{
	int other = 1 - s->now;
	struct buf value;
	size_t i;

	buf_init(&value, 65536);
	for (i = 0; i < s->def->n && s->told; i++) {
		if (s->def->defs[i].when != CONF_RESTART ||
		    conf_is_same(&s->def->defs[i], s->conf[0], s->conf[1]))
			continue;
		buf_addf(notes, "%s.%s needs a restart; ", s->def->name,
		    s->def->defs[i].name);
		buf_reset(&value);
		conf_format(&s->def->defs[i], s->conf[s->now], &value);
		if (conf_set(s->def, s->conf[other], &s->mem[other],
			slice_str(s->def->defs[i].name), buf_slice(&value),
			notes) < 0)
			BUG("option %s", s->def->defs[i].name);
	}
	buf_fini(&value);
}

static void
section_take(struct section *s)
{
	if (s->told)
		s->now = 1 - s->now;
	s->told = false;
}

static void
apply_server(void)
{
	static const char *const levels[] = { "error", "warn", "info",
		"debug" };
	const struct conf_server *c = daemon_server();
	size_t i;

	for (i = 0; i < 4; i++)
		if (strcmp(c->log_level, levels[i]) == 0)
			log_set_level((enum log_level)i);
}

static void
on_conf_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct buf *why = &self.conf_why, notes;
	bool ok = why->n == 0 && buf_is_ok(why);
	int next;

	(void)fd;
	buf_init(&notes, 4096);
	/* A set is whole: a section of which nothing was told is one whose
	 * last option was taken out of the file. */
	if (ok)
		section_begin(&self.server);
	if (ok && self.own.def != NULL)
		section_begin(&self.own);
	if (ok && self.started) {
		keep_restart_options(&self.server, &notes);
		if (self.own.def != NULL)
			keep_restart_options(&self.own, &notes);
	}
	if (ok && self.role->configure != NULL) {
		next = self.own.told ? 1 - self.own.now : self.own.now;
		/* The role sees the new values of `server` too; if it refuses
		 * they are taken back. */
		if (self.server.told)
			self.server.now = 1 - self.server.now;
		ok = self.role->configure(self.own.conf[next], why) == 0;
		if (self.server.told)
			self.server.now = 1 - self.server.now;
	}
	if (ok) {
		section_take(&self.server);
		section_take(&self.own);
		apply_server();
	}
	/* A start ends here: the master may see our end before the answer. */
	if (!ok && !self.started)
		log_error("event=configuration_refused why=%s",
		    LOG_V(buf_slice(why)));
	self.server.told = self.own.told = false;
	ipc_send(l, CONF_RESULT, -1, .req = m->CONF_END.req, .ok = ok,
	    .text = buf_slice(ok ? &notes : why));
	buf_reset(why);
	buf_fini(&notes);
}

/* ---- links ---- */

/* The number that master knows the link by; 0 when it was not known here. */
static uint64_t
forget_peer(struct ipc_link *l)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < self.n_links; i++)
		if (self.links[i].link == l)
			break;
	if (i == self.n_links)
		return 0;
	number = self.links[i].number;
	self.links[i] = self.links[--self.n_links];
	if (self.role->peer_down != NULL)
		self.role->peer_down(l);
	return number;
}

static void
on_peer_lost(struct ipc_link *l)
{
	uint64_t number = forget_peer(l);

	if (number != 0 && self.master != NULL && !self.stopping)
		ipc_send(self.master, PEER_LOST, -1,
		    .role = (uint8_t)ipc_link_peer(l),
		    .instance = ipc_link_instance(l), .link = number);
}

static void
on_peer_fd(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_PEER_FD *p = &m->PEER_FD;
	enum role_id role = (enum role_id)p->role;
	struct ipc_link *old, *fresh;

	(void)l;
	old = role < ROLE_COUNT ? daemon_peer_instance(role, p->instance)
				: NULL;
	if (old != NULL) {
		(void)forget_peer(old);
		ipc_link_free(&old);
	}
	if (role >= ROLE_COUNT || self.n_links == DAEMON_PEERS_MAX) {
		log_error("event=too_many_peers peer=%s links=%zu",
		    role_name(role), self.n_links);
		(void)close(fd);
		return;
	}
	fresh = ipc_link_new(self.loop, fd, self.role->id, role, p->instance,
	    &self.peers);
	if (fresh == NULL)
		fatal("event=no_memory for=link");
	self.links[self.n_links].link = fresh;
	self.links[self.n_links++].number = p->link;
	if (self.role->peer_up != NULL)
		self.role->peer_up(fresh);
}

/* ---- what master hands over ---- */

static void
on_hello(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_HELLO *h = &m->HELLO;

	(void)fd;
	if (h->table != ipc_table_hash())
		fatal("event=wrong_build text=\"master is of another build\"");
	if (h->role != self.role->id)
		fatal("event=wrong_role told=%s", role_name(h->role));
	self.instance = h->instance;
	self.uid = h->uid;
	self.gid = h->gid;
	self.flags = h->flags;
	self.caps = h->caps;
	if (h->sandbox != self.role->sandbox)
		fatal("event=wrong_profile told=%u own=%u", h->sandbox,
		    self.role->sandbox);
	clock_set_utc_offset((int)h->utc_offset);
	(void)snprintf(self.name, sizeof self.name, "%.*s",
	    SLICE_FMT(h->name));
	log_init(self.name);
	ipc_send(l, HELLO_OK, -1, .table = ipc_table_hash());
}

static void
on_log_fd(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	log_set_fd(fd, (enum log_format)m->LOG_FD.format);
}

static void
on_jail_fd(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	if (self.jail_fd >= 0)
		(void)close(self.jail_fd);
	self.jail_fd = fd;
}

static void
on_listen_fd(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	if (self.role->listen == NULL)
		(void)close(fd);
	else
		self.role->listen(m->LISTEN_FD.service, m->LISTEN_FD.address,
		    fd);
}

static void
on_listen_drop(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	if (self.role->unlisten != NULL)
		self.role->unlisten(m->LISTEN_DROP.service,
		    m->LISTEN_DROP.address);
}

static void
on_file_fd(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	if (self.role->file == NULL)
		(void)close(fd);
	else
		self.role->file(m->FILE_FD.name, fd);
}

static void
on_start(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct jail j = { 0 };
	struct buf why, text;

	(void)m;
	(void)fd;
	if (self.started)
		return;
	if (self.role->before_jail != NULL)
		self.role->before_jail();
	j.privileged = daemon_is_privileged();
	j.best_effort = (self.flags & DAEMON_BEST_EFFORT) != 0;
	j.folder = self.jail_fd;
	j.has_folder = self.role->has_folder;
	j.uid = self.uid;
	j.gid = self.gid;
	j.dirs = self.dirs;
	j.n_dirs = self.n_dirs;
	j.caps = self.caps;
	j.sandbox = self.role->sandbox;
	buf_init(&why, 1024);
	if (jail_enter(&j, &self.held, &why) < 0)
		fatal("event=no_jail why=%s", LOG_V(buf_slice(&why)));
	if (!self.role->has_folder && self.jail_fd >= 0) {
		(void)close(self.jail_fd);
		self.jail_fd = -1;
	}
	self.started = true;
	if (self.role->after_jail != NULL)
		self.role->after_jail();
	buf_init(&text, 256);
	sandbox_describe(self.held, &text);
	ipc_send(l, READY, -1, .held = self.held, .text = buf_slice(&text));
	buf_fini(&text);
	buf_fini(&why);
}

static void
begin_stop(uint32_t grace_ms)
{
	if (self.stopping)
		return;
	self.stopping = true;
	if (self.role->stop != NULL && self.started)
		self.role->stop(grace_ms);
	else
		daemon_stopped();
}

static void
on_stop(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	begin_stop(m->STOP.grace_ms);
}

static void
on_sigterm(void *arg)
{
	(void)arg;
	begin_stop(STOP_GRACE_MS);
}

/* Master is gone: without it nobody restarts or stops us. Everything that was
 * promised is on disk; what is in work is tried again by the next server. */
static void
on_master_lost(struct ipc_link *l)
{
	(void)l;
	self.master = NULL;
	log_error("event=master_lost");
	_exit(0);
}

/* ---- administration ---- */

static void
send_status(struct ipc_link *l, uint64_t req)
{
	struct buf row, text;

	buf_init(&row, 32768);
	buf_init(&text, 256);
	sandbox_describe(self.held, &text);
	row_pair_str(&row, "role", self.name);
	row_pair_u64(&row, "pid", (uint64_t)getpid());
	row_pair_u64(&row, "uid", geteuid());
	row_pair_str(&row, "jail",
	    daemon_is_privileged() ? self.role->has_folder ? "own folder"
							   : "empty folder"
				   : "none");
	row_pair_str(&row, "sandbox", text.p);
	if (self.role->status != NULL)
		self.role->status(&row);
	daemon_row(l, req, &row);
	daemon_done(l, req, 0, "%s", "");
	buf_fini(&row);
	buf_fini(&text);
}

static void
on_admin(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_ADMIN_RUN *run = &m->ADMIN_RUN;

	(void)fd;
	if (slice_eq_str(run->verb, "status"))
		send_status(l, run->req);
	else if (self.role->admin != NULL)
		self.role->admin(l, run->req, run->verb, run->args);
	else
		daemon_done(l, run->req, 64, "%s does not know \"%.*s\"",
		    self.name, SLICE_FMT(run->verb));
}

/* ---- start ---- */

static void
make_handlers(void)
{
	static ipc_handler *const ours[IPC_TYPE_COUNT] = {
		[IPC_HELLO] = on_hello, [IPC_LOG_FD] = on_log_fd,
		[IPC_JAIL_FD] = on_jail_fd, [IPC_CONF_ITEM] = on_conf_item,
		[IPC_CONF_END] = on_conf_end, [IPC_LISTEN_FD] = on_listen_fd,
		[IPC_LISTEN_DROP] = on_listen_drop,
		[IPC_PEER_FD] = on_peer_fd, [IPC_FILE_FD] = on_file_fd,
		[IPC_START] = on_start, [IPC_STOP] = on_stop,
		[IPC_ADMIN_RUN] = on_admin,
	};
	const struct ipc_info *info;
	int t;

	self.peers = *self.role->handlers;
	self.peers.lost = on_peer_lost;
	self.control.lost = on_master_lost;
	for (t = 0; t < IPC_TYPE_COUNT; t++) {
		info = &ipc_info[t];
		self.control.by_type[t] = ours[t] != NULL
		    ? ours[t] : self.role->handlers->by_type[t];
		if ((info->to & 1U << self.role->id) == 0 ||
		    info->kind == IPC_ANSWER || info->kind == IPC_PART)
			continue;
		if (self.control.by_type[t] == NULL)
			fatal("event=no_handler message=%s", info->name);
	}
}

static void
clean_process(void)
{
	struct rlimit no_core = { 0, 0 };

	if (close_range(CONTROL_FD + 1, ~0U, 0) < 0)
		fatal("event=close_range why=%s", LOG_S(strerror(errno)));
	(void)clearenv();
	(void)umask(077);
	/* Roles that hold secrets or letters write no core files. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
}

static int
usage(const struct role *role)
{
	(void)fprintf(stderr, "%s is a part of the Veredus mail server; "
	    "veredusd starts it.\nusage: %s --probe   (tries what its jail "
	    "must refuse)\n", role_name(role->id), role_name(role->id));
	return 64;
}

int
daemon_main(int argc, char **argv, const struct role *role)
{
	struct stat st;

	self.role = role;
	log_init(role_name(role->id));
	if (argc == 2 && strcmp(argv[1], "--probe") == 0)
		return jail_probe(role_name(role->id), role->sandbox,
		    role->has_folder);
	if (argc != 1 || fstat(CONTROL_FD, &st) < 0 || !S_ISSOCK(st.st_mode))
		return usage(role);
	clean_process();
	make_handlers();
	buf_init(&self.conf_why, 8192);
	section_init(&self.server, &conf_server_section);
	if (role->section != NULL)
		section_init(&self.own, role->section);
	self.loop = loop_new();
	if (self.loop == NULL)
		fatal("event=no_loop");
	if (loop_signal(self.loop, SIGTERM, on_sigterm, NULL) < 0)
		fatal("event=no_signal");
	self.master = ipc_link_new(self.loop, CONTROL_FD, role->id,
	    ROLE_MASTER, 0, &self.control);
	if (self.master == NULL)
		fatal("event=no_memory for=link");
	loop_run(self.loop);
	log_debug("event=stopped");
	return 0;
}
