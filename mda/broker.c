/* SPDX-License-Identifier: ISC */
/*
 * The broker starts one process per mailbox owner and introduces deliverers
 * and sessions to it. It sees no byte of mail and no password: `access` can
 * only show a ticket that `auth` announced, and uid and home come from
 * `directory` alone.
 */
#include "mda/broker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "conf/conf_mailbox.h"
#include "conf/conf_server.h"
#include "mda/homes.h"
#include "mda/tickets.h"
#include "proto/status.h"
#include "sys/daemon.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"

enum {
	LOOKUP_MS = 10000,
	STOP_MS = 5000,
	LINE_MS = 60000,     /* in line to be started, at most */
	STARTS_MAX = 32,     /* at a time: more would only wait for the disk,
			      * each as long as all of them */
	SESSIONS_MAX = 1500, /* of one owner, two descriptors each of the 4,096
			      * that its row in master/roles.c gives it */
	WAITING_MAX = 10000,
	ENDED = 256
};

enum owner_state {
	OWNER_IN_LINE,  /* until others have been started */
	OWNER_LOOKUP,   /* asking directory for uid and home */
	OWNER_SPAWNING, /* asking the template */
	OWNER_OPENING,  /* it reads its account map */
	OWNER_READY,
	OWNER_STOPPING  /* told to end, or thrown out */
};

/* One owner process, and what waits for it. */
struct owner {
	uint64_t account;
	enum owner_state state;
	struct ipc_link *link;
	struct ipc_call *call; /* the question that is open, if any */
	int pidfd;
	pid_t pid;
	struct loop_io gone;
	struct loop_timer deadline;
	struct list waiting;  /* of errand */
	struct list lru;
	struct list line;     /* of those in line */
	bool is_starting;     /* one of STARTS_MAX */
	bool respawned;       /* a template was lost on it already */
	uint64_t files, files_before; /* read while opening; at the deadline */
	bool is_open;         /* said so, perhaps before the template spoke */
	bool again;           /* requests came while it was stopping */
	uint32_t busy;
	int64_t idle_since;
	struct ipc_ACCOUNT_ANSWER who; /* strings in `strings` */
	char *address;
	int home;
};

/* Somebody waits for an introduction. */
struct errand {
	struct list link;
	uint64_t serial, req; /* whom to answer */
	bool session, tls;
	char *service, *tag, *client, *id;
};

static struct {
	struct map owners; /* by account number */
	struct map by_pid;
	struct list lru;   /* of ready owners, least recently used first */
	struct list line, mail_line; /* those somebody sits waiting for first */
	struct loop_later next;
	size_t n_in_line, n_starting;
	size_t n_owners, n_waiting;
	struct conf_mailbox conf;
	struct loop_timer sweep;
	struct ended {
		pid_t pid;
		uint64_t account;
	} ended[ENDED]; /* a ring: master's word of how comes later */
	unsigned next_ended;
	uint64_t started, refused, session_serial;
	bool stopping;
} self;

static void spawn_waiting(void);
static void open_owner(struct owner *o);
static void on_deadline(void *arg);

/* ---- answers ---- */

static void
errand_free(struct errand *e)
{
	list_remove(&e->link);
	self.n_waiting--;
	free(e->service);
	free(e->tag);
	free(e->client);
	free(e->id);
	free(e);
}

static void
refuse(struct errand *e, enum outcome outcome, const char *text)
{
	struct ipc_link *l = ipc_link_find(e->serial);

	self.refused++;
	if (l != NULL && e->session)
		ipc_send(l, SESSION_REFUSED, -1, .req = e->req,
		    .outcome = (uint8_t)outcome, .text = slice_str(text));
	else if (l != NULL)
		ipc_send(l, OWNER_REFUSED, -1, .req = e->req,
		    .outcome = (uint8_t)outcome, .text = slice_str(text));
	errand_free(e);
}

static void
refuse_all(struct owner *o, enum outcome outcome, const char *text)
{
	struct list *it, *tmp;

	LIST_EACH(it, tmp, &o->waiting)
		refuse(LIST_OF(it, struct errand, link), outcome, text);
}

/* A session's stream of bytes, and its control link, one end to each side. */
static int
introduce_session(struct owner *o, const struct errand *e, struct ipc_link *l)
{
	int stream[2], control[2];
	uint64_t serial = ++self.session_serial;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		stream) < 0)
		return -1;
	if (ipc_pair(control) < 0) {
		(void)close(stream[0]);
		(void)close(stream[1]);
		return -1;
	}
	ipc_send(o->link, OWNER_STREAM, stream[0], .serial = serial);
	ipc_send(o->link, OWNER_SESSION, control[0], .serial = serial,
	    .tls = e->tls, .service = slice_str(e->service),
	    .tag = slice_str(e->tag), .client = slice_str(e->client),
	    .session = slice_str(e->id));
	ipc_send(l, SESSION_STREAM, stream[1], .req = e->req);
	ipc_send(l, SESSION_LINK, control[1], .req = e->req);
	(void)close(stream[0]);
	(void)close(stream[1]);
	(void)close(control[0]);
	(void)close(control[1]);
	return 0;
}

static int
introduce_deliverer(struct owner *o, const struct errand *e,
    struct ipc_link *l)
{
	int fds[2];

	if (ipc_pair(fds) < 0)
		return -1;
	ipc_send(o->link, OWNER_PEER, fds[0],
	    .role = (uint8_t)ipc_link_peer(l),
	    .instance = ipc_link_instance(l));
	ipc_send(l, OWNER_LINK, fds[1], .req = e->req);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return 0;
}

static void
introduce(struct owner *o, struct errand *e)
{
	struct ipc_link *l = ipc_link_find(e->serial);
	int result = 0;

	list_remove(&o->lru);
	list_add(&self.lru, &o->lru);
	o->idle_since = clock_boot_ms();
	if (l == NULL) { /* the asker is gone: nobody came */
		errand_free(e);
		return;
	}
	if (e->session && o->busy >= SESSIONS_MAX) {
		log_warn("event=too_many_sessions account=%llu sessions=%u",
		    (unsigned long long)o->account, o->busy);
		refuse(e, OUTCOME_LATER,
		    "too many sessions are open in this mailbox");
		return;
	}
	result = e->session ? introduce_session(o, e, l)
				    : introduce_deliverer(o, e, l);
	if (result < 0) {
		log_error("event=no_link account=%llu why=%s",
		    (unsigned long long)o->account, LOG_S(strerror(errno)));
		refuse(e, OUTCOME_LATER, "out of descriptors");
		return;
	}
	/* Until it says otherwise, whoever was just introduced keeps it. */
	o->busy++;
	errand_free(e);
}

/* ---- the line of those to be started ---- */

static void
get_in_line(struct owner *o)
{
	struct list *first = list_first(&o->waiting);
	bool for_session = first != NULL &&
	    LIST_OF(first, struct errand, link)->session;

	o->state = OWNER_IN_LINE;
	list_add(for_session ? &self.line : &self.mail_line, &o->line);
	self.n_in_line++;
	loop_timer_set(&o->deadline, clock_boot_ms() + LINE_MS);
	loop_later_ask(&self.next);
}

static void
leave_line(struct owner *o)
{
	if (!list_is_in(&o->line))
		return;
	list_remove(&o->line);
	self.n_in_line--;
}

static void
on_next(void *arg)
{
	struct list *first;
	struct owner *o;

	(void)arg;
	while (self.n_starting < STARTS_MAX &&
	    ((first = list_first(&self.line)) != NULL ||
		(first = list_first(&self.mail_line)) != NULL)) {
		o = LIST_OF(first, struct owner, line);
		leave_line(o);
		o->is_starting = true;
		self.n_starting++;
		open_owner(o);
	}
}

/* It was started, or never will be, or may take long. */
static void
start_over(struct owner *o)
{
	leave_line(o);
	if (!o->is_starting)
		return;
	o->is_starting = false;
	self.n_starting--;
	loop_later_ask(&self.next);
}

/* ---- life of an owner ---- */

static struct owner *
owner_new(uint64_t account)
{
	struct owner *o = calloc(1, sizeof *o);

	if (o == NULL || map_put(&self.owners, map_u64(&account), o, NULL) < 0)
		fatal("event=no_memory for=owner");
	o->account = account;
	o->pidfd = o->home = -1;
	list_init(&o->waiting);
	loop_timer_init(&o->deadline, daemon_loop(), on_deadline, o);
	self.n_owners++;
	return o;
}

static void
owner_free(struct owner *o)
{
	uint64_t pid = (uint64_t)o->pid;

	refuse_all(o, OUTCOME_LATER, "the mailbox cannot be opened now");
	(void)map_remove(&self.owners, map_u64(&o->account));
	if (o->pid > 0) {
		(void)map_remove(&self.by_pid, map_u64(&pid));
		self.ended[self.next_ended++ % ENDED] =
		    (struct ended){ o->pid, o->account };
	}
	start_over(o);
	list_remove(&o->lru);
	loop_timer_clear(&o->deadline);
	loop_io_remove(&o->gone);
	/* A process that is being made for it finds its link closed, and ends. */
	ipc_call_cancel(&o->call);
	ipc_link_free(&o->link);
	if (o->pidfd >= 0)
		(void)close(o->pidfd);
	if (o->home >= 0)
		(void)close(o->home);
	free(o->address);
	free(o);
	self.n_owners--;
}

/* It is certain that no process holds this account (any more). */
static void
owner_over(struct owner *o)
{
	uint64_t account = o->account;
	struct owner *next;
	struct list todo, *e;

	/* The requests that came meanwhile go to a fresh one. */
	list_init(&todo);
	while (o->again && !self.stopping &&
	    (e = list_first(&o->waiting)) != NULL) {
		list_remove(e);
		list_add(&todo, e);
	}
	owner_free(o);
	if (!list_is_empty(&todo)) {
		next = owner_new(account);
		while ((e = list_first(&todo)) != NULL) {
			list_remove(e);
			list_add(&next->waiting, e);
		}
		get_in_line(next);
	}
	spawn_waiting();
	if (self.stopping && self.n_owners == 0)
		daemon_stopped();
}

static void
owner_stop(struct owner *o)
{
	if (o->state == OWNER_STOPPING)
		return;
	o->state = OWNER_STOPPING;
	list_remove(&o->lru);
	if (o->link != NULL)
		ipc_send(o->link, OWNER_STOP, -1, .grace_ms = STOP_MS);
	loop_timer_set(&o->deadline, clock_boot_ms() + STOP_MS);
}

static void
owner_kill(struct owner *o)
{
	o->state = OWNER_STOPPING;
	list_remove(&o->lru);
	if (o->pidfd >= 0)
		homes_kill(o->pidfd);
	else if (o->pid == 0)
		owner_over(o); /* it never was */
}

static void
set_start_deadline(struct owner *o)
{
	loop_timer_set(&o->deadline,
	    clock_boot_ms() + self.conf.start_timeout + LOOKUP_MS);
}

/* Whoever waits is told in time; the process goes on as long as it gets on:
 * one that reads every file anew would else never come to its end. */
static void
on_deadline(void *arg)
{
	struct owner *o = arg;

	if (o->state == OWNER_OPENING && o->files > o->files_before) {
		log_warn("event=owner_slow account=%llu pid=%ld files=%llu",
		    (unsigned long long)o->account, (long)o->pid,
		    (unsigned long long)o->files);
		o->files_before = o->files;
		refuse_all(o, OUTCOME_LATER,
		    "the mailbox is being read anew, try again later");
		set_start_deadline(o);
		return;
	}
	log_error("event=owner_timeout account=%llu pid=%ld state=%s",
	    (unsigned long long)o->account, (long)o->pid,
	    o->state == OWNER_STOPPING ? "stopping" : "starting");
	refuse_all(o, OUTCOME_LATER, "the mailbox takes too long to open");
	owner_kill(o);
}

/* Its pidfd became readable: the process has ended. */
static void
on_gone(void *arg, unsigned what)
{
	(void)what;
	owner_over(arg);
}

static void
on_owner_lost(struct ipc_link *l)
{
	struct owner *o = ipc_link_data(l);

	o->link = NULL;
	if (o->state == OWNER_STOPPING)
		return;
	log_error("event=owner_lost account=%llu pid=%ld",
	    (unsigned long long)o->account, (long)o->pid);
	/* What waited for it was not begun: a fresh process may do it, but not
	 * for ever in turn. */
	if (o->state == OWNER_READY)
		o->again = !list_is_empty(&o->waiting);
	else
		refuse_all(o, OUTCOME_LATER, "the mailbox cannot be opened");
	owner_kill(o);
}

/* How far it has come: the deadline looks whether it gets on. */
static void
on_owner_starting(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct owner *o = ipc_link_data(l);

	(void)fd;
	if (o->state != OWNER_OPENING)
		return;
	o->files = m->OWNER_STARTING.files;
	start_over(o); /* others need not wait until all is read anew */
}

/* It is open, and we know which process it is. */
static void
become_ready(struct owner *o)
{
	struct list *it, *tmp;

	loop_timer_clear(&o->deadline);
	start_over(o);
	o->state = OWNER_READY;
	o->idle_since = clock_boot_ms();
	list_add(&self.lru, &o->lru);
	LIST_EACH(it, tmp, &o->waiting)
		introduce(o, LIST_OF(it, struct errand, link));
}

static void
on_owner_ready(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct owner *o = ipc_link_data(l);

	(void)fd;
	if (o->is_open || (o->state != OWNER_SPAWNING &&
		o->state != OWNER_OPENING))
		return;
	if (m->OWNER_READY.text.n > 0)
		log_warn("event=owner_sandbox account=%llu text=%s",
		    (unsigned long long)o->account,
		    LOG_V(m->OWNER_READY.text));
	o->is_open = true;
	if (o->state == OWNER_OPENING)
		become_ready(o);
}

static void
on_owner_state(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct owner *o = ipc_link_data(l);
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);

	(void)fd;
	o->busy = m->OWNER_STATE.busy;
	if (o->busy == 0)
		o->idle_since = clock_boot_ms();
	if (directory != NULL)
		ipc_send(directory, USAGE, -1, .account = o->account,
		    .bytes = m->OWNER_STATE.bytes,
		    .messages = m->OWNER_STATE.messages);
}

static const struct ipc_handlers owner_handlers = {
	.by_type = { [IPC_OWNER_STARTING] = on_owner_starting,
	    [IPC_OWNER_READY] = on_owner_ready,
	    [IPC_OWNER_STATE] = on_owner_state },
	.lost = on_owner_lost,
};

/* ---- starting one ---- */

static void
fail_start(struct owner *o, enum outcome outcome, const char *text)
{
	log_error("event=owner_not_started account=%llu why=%s",
	    (unsigned long long)o->account, LOG_S(text));
	refuse_all(o, outcome, text);
	owner_over(o);
}

static void
on_spawned(void *arg, int type, const union ipc_any *m, int fd)
{
	struct owner *o = arg;
	uint64_t pid;

	o->call = NULL;
	if (m == NULL && !o->respawned) {
		/* The template was replaced with this in its socket: the next
		 * one will do it. */
		o->respawned = true;
		o->is_open = false;
		ipc_link_free(&o->link);
		open_owner(o);
		return;
	}
	if (type != IPC_SPAWNED) {
		ipc_link_free(&o->link);
		fail_start(o, OUTCOME_LATER, "no process for the mailbox");
		return;
	}
	o->pid = (pid_t)m->SPAWNED.pid;
	o->pidfd = fd;
	pid = (uint64_t)o->pid;
	if (map_put(&self.by_pid, map_u64(&pid), o, NULL) < 0)
		fatal("event=no_memory for=owner");
	self.started++;
	loop_io_init(&o->gone, daemon_loop(), fd, on_gone, o);
	loop_io_want(&o->gone, LOOP_READ);
	o->state = OWNER_OPENING;
	if (o->is_open)
		become_ready(o);
}

static void
tell_owner(struct owner *o)
{
	const struct conf_server *s = daemon_server();

	ipc_send(o->link, OWNER_START, -1, .account = o->account,
	    .quota_bytes = o->who.quota_bytes,
	    .quota_messages = o->who.quota_messages,
	    .utc_offset = clock_utc_offset(), .poll_ms = self.conf.poll,
	    .strict = strcmp(s->durability, "strict") == 0,
	    .address = slice_str(o->address),
	    .hostname = slice_str(s->hostname),
	    .delimiter = slice_str(s->recipient_delimiter));
}

static void
spawn(struct owner *o)
{
	struct ipc_link *template = daemon_peer(ROLE_TEMPLATE);
	int fds[2];

	if (template == NULL)
		return; /* spawn_waiting() comes when there is one */
	if (ipc_pair(fds) < 0) {
		fail_start(o, OUTCOME_LATER, strerror(errno));
		return;
	}
	o->link = ipc_link_new(daemon_loop(), fds[0], ROLE_BROKER, ROLE_OWNER,
	    (uint32_t)o->account, &owner_handlers);
	if (o->link == NULL)
		fatal("event=no_memory for=link");
	ipc_link_set_data(o->link, o);
	tell_owner(o);
	ipc_send(template, SPAWN_HOME, o->home, .account = o->account);
	o->call = ipc_ask(template, SPAWN, fds[1], 0, on_spawned, o,
	    .account = o->account, .uid = o->who.uid, .gid = o->who.gid);
	(void)close(fds[1]);
	(void)close(o->home);
	o->home = -1;
}

/* A template came, or room for another process. */
static void
spawn_waiting(void)
{
	struct owner *o;
	size_t pos = 0;

	while ((o = map_next(&self.owners, &pos, NULL)) != NULL)
		if (o->state == OWNER_SPAWNING && o->home >= 0)
			spawn(o);
}

static void
on_account(void *arg, int type, const union ipc_any *m, int fd)
{
	const struct ipc_ACCOUNT_ANSWER *a = &m->ACCOUNT_ANSWER;
	struct owner *o = arg;
	struct buf why;

	(void)type;
	(void)fd;
	o->call = NULL;
	if (m == NULL) {
		fail_start(o, OUTCOME_LATER, "directory does not answer");
		return;
	}
	if (!a->found || !a->enabled) {
		fail_start(o, OUTCOME_FAILED, a->found
			? "the account is switched off" : "no such account");
		return;
	}
	o->who = *a;
	o->who.home = o->who.address = SLICE_NONE;
	o->address = strndup(a->address.p, a->address.n);
	buf_init(&why, 1024);
	o->home = homes_open(a->root, a->home, &o->who.uid, &o->who.gid, &why);
	if (o->home < 0) {
		fail_start(o, OUTCOME_LATER, why.p);
	} else {
		o->state = OWNER_SPAWNING;
		spawn(o);
	}
	buf_fini(&why);
}

static void
make_room(void)
{
	struct list *it, *tmp;
	struct owner *o;

	LIST_EACH(it, tmp, &self.lru) {
		if (self.n_owners - self.n_in_line <=
		    (size_t)self.conf.owners)
			return;
		o = LIST_OF(it, struct owner, lru);
		if (o->busy == 0)
			owner_stop(o);
	}
}

static void
open_owner(struct owner *o)
{
	struct ipc_link *directory = daemon_peer(ROLE_DIRECTORY);

	make_room();
	o->state = OWNER_LOOKUP;
	if (directory == NULL) {
		fail_start(o, OUTCOME_LATER, "directory is away");
		return;
	}
	set_start_deadline(o);
	o->call = ipc_ask(directory, ACCOUNT_ASK, -1, LOOKUP_MS, on_account, o,
	    .account = o->account);
}

static void
want_owner(uint64_t account, struct errand *e)
{
	struct owner *o = map_get(&self.owners, map_u64(&account));

	if (self.n_waiting > WAITING_MAX || self.stopping) {
		list_init(&e->link);
		refuse(e, OUTCOME_LATER, "too much is waiting");
		return;
	}
	if (o != NULL) {
		list_add(&o->waiting, &e->link);
		if (o->state == OWNER_READY) {
			introduce(o, e);
		} else if (o->state == OWNER_IN_LINE && e->session) {
			list_remove(&o->line);
			list_add(&self.line, &o->line);
		} else if (o->state == OWNER_STOPPING) {
			o->again = true;
		}
		return;
	}
	o = owner_new(account);
	list_add(&o->waiting, &e->link);
	get_in_line(o);
}

/* ---- what peers ask ---- */

static struct errand *
errand_new(struct ipc_link *l, uint64_t req)
{
	struct errand *e = calloc(1, sizeof *e);

	if (e == NULL)
		fatal("event=no_memory for=errand");
	e->serial = ipc_link_serial(l);
	e->req = req;
	self.n_waiting++;
	return e;
}

static void
on_owner_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)fd;
	want_owner(m->OWNER_OPEN.account, errand_new(l, m->OWNER_OPEN.req));
}

static void
on_session_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_SESSION_OPEN *s = &m->SESSION_OPEN;
	struct errand *e = errand_new(l, s->req);
	uint64_t account;

	(void)fd;
	e->session = true;
	e->tls = s->tls != 0;
	e->service = strndup(s->service.p, s->service.n);
	e->tag = strndup(s->tag.p, s->tag.n);
	e->client = strndup(s->client.p, s->client.n);
	e->id = strndup(s->session.p, s->session.n);
	if (e->service == NULL || e->tag == NULL || e->client == NULL ||
	    e->id == NULL)
		fatal("event=no_memory for=errand");
	if (tickets_use(s->ticket, ipc_link_instance(l), clock_boot_ms(),
		&account) < 0) {
		log_error("event=bad_ticket peer=%s", ipc_link_name(l));
		list_init(&e->link);
		refuse(e, OUTCOME_FAILED, "not a valid ticket");
		return;
	}
	want_owner(account, e);
}

static void
on_ticket(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TICKET *t = &m->TICKET;

	(void)fd;
	if (tickets_add(t->ticket, t->account, t->instance,
		clock_boot_ms() + t->valid_ms) < 0)
		log_error("event=ticket_not_kept account=%llu",
		    (unsigned long long)t->account);
	ipc_send(l, TICKET_OK, -1, .req = t->req);
}

/* The account of an owner process, also when it was forgotten just now. */
static uint64_t
account_of(pid_t pid)
{
	uint64_t key = (uint64_t)pid;
	struct owner *o = map_get(&self.by_pid, map_u64(&key));
	unsigned i;

	if (o != NULL)
		return o->account;
	for (i = 0; i < ENDED; i++)
		if (self.ended[i].pid == pid)
			return self.ended[i].account;
	return 0;
}

static void
on_child_died(struct ipc_link *l, const union ipc_any *m, int fd)
{
	pid_t pid = (pid_t)m->CHILD_DIED.pid;
	struct ipc_link *queue = daemon_peer(ROLE_QUEUE);
	uint64_t account = account_of(pid);

	(void)l;
	(void)fd;
	if (m->CHILD_DIED.role != ROLE_OWNER || !m->CHILD_DIED.crashed)
		return;
	log_error("event=owner_crashed pid=%ld account=%llu", (long)pid,
	    (unsigned long long)account);
	if (account != 0 && queue != NULL)
		ipc_send(queue, OWNER_CRASHED, -1, .account = account);
}

/* ---- the role ---- */

/* Ends owners that nobody used for `linger`. */
static void
on_sweep(void *arg)
{
	int64_t now = clock_boot_ms();
	struct list *it, *tmp;
	struct owner *o;

	(void)arg;
	LIST_EACH(it, tmp, &self.lru) {
		o = LIST_OF(it, struct owner, lru);
		if (o->busy == 0 && now - o->idle_since >= self.conf.linger)
			owner_stop(o);
	}
	tickets_expire(now);
	loop_timer_set(&self.sweep, now + 1000);
}

static int
configure(const void *conf, struct buf *why)
{
	(void)why;
	self.conf = *(const struct conf_mailbox *)conf;
	return 0;
}

static void
after_jail(void)
{
	map_init(&self.owners);
	map_init(&self.by_pid);
	list_init(&self.lru);
	list_init(&self.line);
	list_init(&self.mail_line);
	loop_later_init(&self.next, daemon_loop(), on_next, NULL);
	loop_timer_init(&self.sweep, daemon_loop(), on_sweep, NULL);
	loop_timer_set(&self.sweep, clock_boot_ms() + 1000);
}

static void
take_file(struct slice name, int fd)
{
	if (slice_has_prefix(name, SLICE("mail-root:")))
		homes_add_root(fd);
	else
		(void)close(fd);
}

static void
before_jail(void)
{
	size_t i;
	int fd;

	/* Folders above homes can be passed through by their owners. */
	(void)umask(022);
	for (i = 0; (fd = homes_root(i)) >= 0; i++)
		daemon_allow_dir(fd);
}

static void
peer_up(struct ipc_link *l)
{
	if (ipc_link_peer(l) == ROLE_TEMPLATE)
		spawn_waiting();
}

static void
add_status(struct buf *row)
{
	row_pair_u64(row, "owners", self.n_owners);
	row_pair_u64(row, "started", self.started);
	row_pair_u64(row, "waiting", self.n_waiting);
	row_pair_u64(row, "refused", self.refused);
}

static void
stop(uint32_t grace_ms)
{
	struct owner *o;
	size_t pos = 0;

	(void)grace_ms;
	self.stopping = true;
	while ((o = map_next(&self.owners, &pos, NULL)) != NULL) {
		if (o->pid == 0) { /* it never was */
			owner_free(o);
			map_back(&pos);
		} else {
			owner_stop(o);
		}
	}
	if (self.n_owners == 0)
		daemon_stopped();
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_OWNER_OPEN] = on_owner_open,
	    [IPC_SESSION_OPEN] = on_session_open,
	    [IPC_TICKET] = on_ticket,
	    [IPC_CHILD_DIED] = on_child_died,
	    /* Owners' own messages come on links made here; the start-up check
	     * wants every message of ours named. */
	    [IPC_OWNER_STARTING] = on_owner_starting,
	    [IPC_OWNER_READY] = on_owner_ready,
	    [IPC_OWNER_STATE] = on_owner_state,
	},
};

const struct role broker_role = {
	.id = ROLE_BROKER,
	.section = &conf_mailbox_section,
	.handlers = &handlers,
	.sandbox = SANDBOX_HOMES,
	.before_jail = before_jail,
	.after_jail = after_jail,
	.configure = configure,
	.file = take_file,
	.peer_up = peer_up,
	.stop = stop,
	.status = add_status,
};
