/* SPDX-License-Identifier: ISC */
/* The queue role: sole owner of the queue directory; no network. */
#include "queue/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/conf_queue.h"
#include "conf/conf_server.h"
#include "queue/admin.h"
#include "queue/deliver.h"
#include "queue/destination.h"
#include "queue/fsio.h"
#include "queue/intake.h"
#include "queue/message.h"
#include "queue/owners.h"
#include "queue/schedule.h"
#include "queue/spool.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/row.h"
#include "sys/sandbox.h"

enum { ROOTS_MAX = 16 };

static struct {
	struct spool *spool;
	struct conf_queue conf;
	int roots[ROOTS_MAX]; /* an empty file on each mail file system */
	size_t n_roots;
	bool stopping, strict;
	struct loop_timer stop_late;
	int64_t started;
} self;

struct spool *
queue_spool(void)
{
	return self.spool;
}

const struct conf_queue *
queue_conf(void)
{
	return &self.conf;
}

bool
queue_is_stopping(void)
{
	return self.stopping;
}

bool
queue_is_strict(void)
{
	return self.strict;
}

/* ---- flushing mailboxes ---- */

struct mail_sync {
	size_t waiting;
	int error;
	void (*done)(void *arg, int error);
	void *arg;
};

static void
on_root_synced(void *arg, int error)
{
	struct mail_sync *s = arg;

	if (error != 0)
		s->error = error;
	if (--s->waiting > 0)
		return;
	s->done(s->arg, s->error);
	free(s);
}

void
queue_sync_mail(void (*done)(void *arg, int error), void *arg)
{
	struct mail_sync *s = calloc(1, sizeof *s);
	size_t i;

	if (s == NULL)
		fatal("event=no_memory for=sync");
	s->done = done;
	s->arg = arg;
	s->waiting = self.n_roots;
	if (self.n_roots == 0)
		BUG("placed a delivery without a mail root");
	for (i = 0; i < self.n_roots; i++)
		spool_syncfs(self.spool, self.roots[i], on_root_synced, s);
}

/* ---- the role ---- */

static void
on_found(void *arg, struct spool_ref *ref, uint64_t id,
    const struct spool_status *s)
{
	(void)arg;
	schedule_found(message_new(ref, id, s, NULL));
}

static void
on_scanned(void *arg, uint64_t live)
{
	(void)arg;
	log_info("event=queue_read messages=%llu ms=%lld",
	    (unsigned long long)live,
	    (long long)(clock_boot_ms() - self.started));
}

static int
configure(const void *conf, struct buf *why)
{
	const struct conf_queue *c = conf;

	if (c->retry_max < c->retry_min) {
		buf_add_str(why, "queue.retry_max is below queue.retry_min");
		return -1;
	}
	self.conf = *c;
	return 0;
}

static void
open_spool(void)
{
	struct spool_options o = { .threads = (uint32_t)self.conf.flush_threads,
		.min_free = self.conf.min_free,
		.min_free_bounces = self.conf.min_free / 2 };
	static const struct spool_events events = { on_found, on_scanned };
	struct buf why;

	o.strict = self.strict;
	buf_init(&why, 1024);
	self.started = clock_boot_ms();
	self.spool = spool_open(daemon_loop(), daemon_jail_fd(), &o, &events,
	    NULL, &why);
	if (self.spool == NULL)
		fatal("event=queue_not_opened why=%s",
		    LOG_V(buf_slice(&why)));
	buf_fini(&why);
}

/* What a flush covers here: /proc says, which a jail does not have. */
static void
before_jail(void)
{
	const char *setting = daemon_server()->durability, *fs = "?";
	enum fsio_model model = fsio_model_of(daemon_jail_fd(), &fs);

	self.strict = strcmp(setting, "strict") == 0 ||
	    (strcmp(setting, "auto") == 0 && model == FSIO_STRICT);
	log_info("event=durability model=%s file_system=%s",
	    self.strict ? "strict" : "ordered", LOG_S(fs));
}

static void
after_jail(void)
{
	schedule_init(daemon_loop());
	deliver_init(daemon_loop());
	open_spool();
	if (spool_start(self.spool) < 0)
		fatal("event=queue_not_started why=%s",
		    LOG_S(strerror(errno)));
}

static void
take_file(struct slice name, int fd)
{
	if (slice_has_prefix(name, SLICE("mail-root:")) &&
	    self.n_roots < ROOTS_MAX)
		self.roots[self.n_roots++] = fd;
	else
		(void)close(fd);
}

static void
peer_down(struct ipc_link *l)
{
	if ((RS_SUBMITTERS & 1U << ipc_link_peer(l)) != 0)
		intake_peer_lost(l);
}

static void
on_child_died(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	if (m->CHILD_DIED.role == ROLE_RELAY)
		deliver_relay_died(m->CHILD_DIED.instance,
		    m->CHILD_DIED.crashed != 0);
}

static void
on_owner_crashed(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	deliver_owner_crashed(m->OWNER_CRASHED.account);
}

static void
add_status(struct buf *row)
{
	struct spool_counts c;

	spool_counts(self.spool, &c);
	row_pair_u64(row, "messages", schedule_count());
	row_pair_u64(row, "in_work", schedule_in_work());
	row_pair_u64(row, "deliveries", deliver_active());
	row_pair_u64(row, "destinations", destination_count());
	row_pair_u64(row, "transactions", intake_open_count());
	row_pair_u64(row, "owners", owners_count());
	row_pair_u64(row, "slots_8k", c.slots_8);
	row_pair_u64(row, "slots_40k", c.slots_40);
	row_pair_u64(row, "large_bodies", c.bodies);
	row_pair_u64(row, "torn", c.torn);
	row_pair_u64(row, "corrupt", c.corrupt);
	if (c.scanned < c.to_scan) {
		row_pair_u64(row, "read_at_start", c.scanned);
		row_pair_u64(row, "to_read", c.to_scan);
	}
	row_pair_str(row, "durability", self.strict ? "strict" : "ordered");
}

/* ---- stopping: nothing new, what is out may come back ---- */

static void
end(void *arg)
{
	(void)arg;
	spool_close(&self.spool);
	daemon_stopped();
}

void
queue_check_stop(void)
{
	if (self.stopping && self.spool != NULL &&
	    schedule_in_work() == 0 && intake_open_count() == 0)
		loop_timer_set(&self.stop_late, clock_boot_ms());
}

static void
stop(uint32_t grace_ms)
{
	self.stopping = true;
	schedule_stop();
	loop_timer_init(&self.stop_late, daemon_loop(), end, NULL);
	/* What is still out then is tried again by the next server. */
	loop_timer_set(&self.stop_late,
	    clock_boot_ms() + (grace_ms > 1000 ? grace_ms / 2 : grace_ms));
	queue_check_stop();
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_TX_OPEN] = intake_open, [IPC_TX_RCPT] = intake_rcpt,
	    [IPC_TX_BODY] = intake_body, [IPC_TX_FILE] = intake_file,
	    [IPC_TX_COMMIT] = intake_commit, [IPC_TX_ABORT] = intake_abort,
	    [IPC_CHILD_DIED] = on_child_died,
	    [IPC_OWNER_CRASHED] = on_owner_crashed,
	},
};

const struct role queue_role = {
	.id = ROLE_QUEUE,
	.section = &conf_queue_section,
	.has_folder = true,
	.handlers = &handlers,
	.sandbox = SANDBOX_FILES | SANDBOX_THREADS,
	.before_jail = before_jail,
	.after_jail = after_jail,
	.configure = configure,
	.file = take_file,
	.peer_down = peer_down,
	.stop = stop,
	.admin = admin_run,
	.status = add_status,
};
