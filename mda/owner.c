/* SPDX-License-Identifier: ISC */
/*
 * The owner process as a whole: it opens the account, says "ready", takes
 * introductions, tells the broker when nothing is in work, and ends when asked,
 * when the broker or master is gone, or when the map has failed: then the next
 * one builds it anew.
 */
#include "mda/owner.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mda/deliver.h"
#include "mda/session.h"
#include "sys/log.h"
#include "sys/loop.h"

enum {
	TRIM_AFTER_MS = 1000,
	STARTING_MS = 1000,
	BROKEN_MS = 10000 /* for the last words of sessions */
};

static struct {
	struct loop *loop;
	struct ipc_link *broker;
	const struct owner_identity *who;
	struct account *account;
	char *address, *hostname, *delimiter;
	int64_t poll_ms;
	uint32_t busy;
	bool stopping;
	int stream; /* of the session whose control link comes next */
	uint64_t stream_serial;
	uint64_t files;     /* read while opening */
	int64_t next_word;
	struct loop_later report;
	struct loop_timer trim;
	struct loop_later broken;
	struct loop_timer give_up;
} self = { .stream = -1 };

struct loop *
owner_loop(void)
{
	return self.loop;
}

struct account *
owner_account(void)
{
	return self.account;
}

const char *
owner_address(void)
{
	return self.address;
}

const char *
owner_hostname(void)
{
	return self.hostname;
}

const char *
owner_delimiter(void)
{
	return self.delimiter;
}

int64_t
owner_poll_ms(void)
{
	return self.poll_ms;
}

bool
owner_is_stopping(void)
{
	return self.stopping;
}

void
owner_busy(void)
{
	self.busy++;
	loop_later_ask(&self.report);
}

void
owner_idle(void)
{
	if (self.busy == 0)
		BUG("idle more often than busy");
	self.busy--;
	loop_later_ask(&self.report);
}

void
owner_report(void)
{
	loop_later_ask(&self.report);
}

static void
end(void)
{
	account_close(&self.account);
	_exit(0);
}

static void
on_report(void *arg)
{
	uint64_t bytes = 0, messages = 0;

	(void)arg;
	if (self.account != NULL)
		account_usage(self.account, &bytes, &messages);
	if (self.broker != NULL)
		ipc_send(self.broker, OWNER_STATE, -1, .busy = self.busy,
		    .bytes = bytes, .messages = messages);
	if (self.busy > 0)
		return;
	if (self.stopping)
		end();
	/* The largest saving an idle process can make. */
	loop_timer_set(&self.trim, clock_boot_ms() + TRIM_AFTER_MS);
}

static void
on_trim(void *arg)
{
	(void)arg;
	if (self.busy == 0)
		(void)malloc_trim(0);
}

/* It may take long as long as it gets on. */
static void
on_progress(void *arg)
{
	int64_t now = clock_boot_ms();

	(void)arg;
	self.files++;
	if (self.broker == NULL || now < self.next_word)
		return;
	self.next_word = now + STARTING_MS;
	ipc_send(self.broker, OWNER_STARTING, -1, .files = self.files);
}

static void
on_opened(void *arg, struct account *a, const char *why)
{
	(void)arg;
	if (a == NULL)
		fatal("event=account_not_opened account=%llu why=%s",
		    (unsigned long long)self.who->account, LOG_S(why));
	self.account = a;
	ipc_send(self.broker, OWNER_READY, -1, .held = 0);
}

static void
stop(void)
{
	self.stopping = true;
	imap_sessions_stop();
	pop3_sessions_stop();
	loop_later_ask(&self.report);
}

static void
on_broken(void *arg)
{
	(void)arg;
	loop_later_ask(&self.broken);
}

/* All that could be done here is to refuse, as long as one client idles. */
static void
end_broken(void *arg)
{
	(void)arg;
	if (self.account == NULL)
		return; /* on_opened() hears why */
	loop_timer_set(&self.give_up, clock_boot_ms() + BROKEN_MS);
	stop();
}

static void
on_give_up(void *arg)
{
	(void)arg;
	end();
}

static void
on_start(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_OWNER_START *s = &m->OWNER_START;
	struct account_options o = { .quota_bytes = s->quota_bytes,
		.quota_messages = s->quota_messages,
		.utc_offset = (int)s->utc_offset, .strict = s->strict != 0,
		.progress = on_progress, .broken = on_broken };

	(void)l;
	(void)fd;
	if (self.address != NULL)
		return;
	clock_set_utc_offset((int)s->utc_offset);
	self.poll_ms = s->poll_ms;
	self.address = strndup(s->address.p, s->address.n);
	self.hostname = strndup(s->hostname.p, s->hostname.n);
	self.delimiter = strndup(s->delimiter.p, s->delimiter.n);
	if (self.address == NULL || self.hostname == NULL ||
	    self.delimiter == NULL)
		fatal("event=no_memory for=owner");
	account_open(self.loop, self.who->home, &o, on_opened, NULL);
}

static void
on_peer(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	if (self.stopping) {
		(void)close(fd); /* another one will take it */
		owner_report();
		return;
	}
	deliver_peer(fd, (enum role_id)m->OWNER_PEER.role,
	    m->OWNER_PEER.instance);
}

static void
on_stream(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	if (self.stream >= 0)
		(void)close(self.stream);
	self.stream = fd;
	self.stream_serial = m->OWNER_STREAM.serial;
}

static void
on_session(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_OWNER_SESSION *o = &m->OWNER_SESSION;
	struct session_start s = { .stream = self.stream, .control = fd,
		.tls = o->tls != 0, .tag = o->tag, .client = o->client,
		.id = o->session };

	(void)l;
	if (self.stream < 0 || self.stream_serial != o->serial) {
		(void)close(fd);
		return;
	}
	if (self.stopping) {
		(void)close(self.stream);
		(void)close(fd);
		self.stream = -1;
		owner_report();
		return;
	}
	self.stream = -1;
	if (slice_eq_str(o->service, "pop3"))
		pop3_session_start(&s);
	else
		imap_session_start(&s);
}

static void
on_stop(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)m;
	(void)fd;
	stop();
}

/* Without the broker nobody vouches for us any more. */
static void
on_lost(struct ipc_link *l)
{
	(void)l;
	self.broker = NULL;
	if (self.account != NULL)
		end();
	_exit(0);
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_OWNER_START] = on_start, [IPC_OWNER_PEER] = on_peer,
	    [IPC_OWNER_STREAM] = on_stream, [IPC_OWNER_SESSION] = on_session,
	    [IPC_OWNER_STOP] = on_stop,
	},
	.lost = on_lost,
};

void
owner_run(const struct owner_identity *who)
{
	char name[48];

	(void)snprintf(name, sizeof name, "owner[%llu]",
	    (unsigned long long)who->account);
	log_init(name);
	self.who = who;
	self.loop = loop_new();
	if (self.loop == NULL)
		fatal("event=no_loop");
	loop_later_init(&self.report, self.loop, on_report, NULL);
	loop_timer_init(&self.trim, self.loop, on_trim, NULL);
	loop_later_init(&self.broken, self.loop, end_broken, NULL);
	loop_timer_init(&self.give_up, self.loop, on_give_up, NULL);
	self.broker = ipc_link_new(self.loop, who->link, ROLE_OWNER,
	    ROLE_BROKER, 0, &handlers);
	if (self.broker == NULL)
		fatal("event=no_memory for=link");
	loop_run(self.loop);
	_exit(0);
}
