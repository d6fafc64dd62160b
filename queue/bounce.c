/* SPDX-License-Identifier: ISC */
/*
 * One notice per sender group. The null sender is never answered: a bounce
 * that cannot be delivered goes to the postmaster, once, and if that fails
 * too it is logged and over (RFC 5321 4.5.5, 6.1).
 */
#include "queue/bounce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/utf8.h"
#include "base/queue_id.h"
#include "conf/conf_queue.h"
#include "conf/conf_server.h"
#include "proto/dsn.h"
#include "proto/header.h"
#include "proto/smtp_cmd.h"
#include "queue/intake.h"
#include "queue/queue.h"
#include "sys/log.h"
#include "sys/loop.h"
#include "sys/ipc_messages.h"

enum {
	RETURN_MAX = 65536,  /* of the message, at most */
	NOTICE_MAX = 1 << 20,
	NOTICE_RCPTS_MAX = 100 /* in one notice; more make another */
};

/* Several notices of one message; `done` after the last. */
struct batch {
	size_t waiting;
	bool ok;
	void (*done)(void *arg, bool ok);
	void *arg;
	struct loop_later later;
};

static void
batch_over(void *arg)
{
	struct batch *b = arg;

	b->done(b->arg, b->ok);
	free(b);
}

static void
on_notice(void *arg, bool ok)
{
	struct batch *b = arg;

	b->ok = b->ok && ok;
	if (--b->waiting == 0)
		loop_later_ask(&b->later);
}

static void
ignore(void *arg, bool ok)
{
	(void)arg;
	if (!ok)
		log_warn("event=notice_not_queued");
}

/* Does this recipient's NOTIFY ask for such a notice? None given: failures
 * and delays (RFC 3461 4.1). */
static bool
wants(const struct spool_rcpt *r, enum dsn_action action)
{
	if (r->notify == 0)
		return action == DSN_FAILED || action == DSN_DELAYED;
	if ((r->notify & SMTP_NOTIFY_NEVER) != 0)
		return false;
	switch (action) {
	case DSN_FAILED:
		return (r->notify & SMTP_NOTIFY_FAILURE) != 0;
	case DSN_DELAYED:
		return (r->notify & SMTP_NOTIFY_DELAY) != 0;
	case DSN_DELIVERED:
	case DSN_RELAYED:
	case DSN_EXPANDED:
		break;
	}
	return (r->notify & SMTP_NOTIFY_SUCCESS) != 0;
}

/* What this attempt has to say of a recipient; false when nothing. */
static bool
action_of(const struct message *m, uint32_t i, enum dsn_action *action_r)
{
	const struct rcpt_work *w = &m->live->work[i];

	if (w->step != STEP_OVER)
		return false;
	switch (w->result.outcome) {
	case OUTCOME_FAILED:
		*action_r = DSN_FAILED;
		return true;
	case OUTCOME_LATER:
		*action_r = DSN_DELAYED;
		return true;
	case OUTCOME_DONE:
		*action_r = w->account != 0 ? DSN_DELIVERED : DSN_RELAYED;
		/* A next hop that took the wish over answers it itself. */
		return !w->dsn_passed;
	}
	return false;
}

static void
fill_recipient(const struct message *m, uint32_t i, enum dsn_action action,
    struct dsn_recipient *r)
{
	const struct spool_rcpt *rcpt = &m->live->env.rcpts[i];
	const struct rcpt_work *w = &m->live->work[i];
	struct slice orcpt = rcpt->orcpt, type;
	int64_t age = queue_conf()->max_age / 1000;

	*r = (struct dsn_recipient){ .address = rcpt->address,
		.action = action, .status = w->result,
		.remote_host = w->remote,
		.last_attempt = clock_wall() };
	if (orcpt.n > 0 && slice_split(&orcpt, ';', &type)) {
		r->orcpt_type = type;
		r->orcpt = orcpt;
	}
	if (action == DSN_DELAYED)
		r->retry_until = m->live->env.arrival_us / 1000000 + age;
}

/* The header of the message, or all of it when asked for and small enough.
 * Also finds its Message-ID. */
static struct slice
returned_bytes(struct message *m, struct dsn *d, struct buf *file)
{
	struct live *l = m->live;
	struct slice all = buf_slice(&l->body);
	struct header_field f;
	size_t limit = (size_t)queue_conf()->bounce_size;

	if (l->env.body_size > IPC_BODY_MAX) {
		if (spool_read_body(queue_spool(), m->ref, 0, 65536, file) < 0)
			return SLICE_NONE;
		all = buf_slice(file);
	}
	if (header_find(all, SLICE("Message-ID"), &f))
		d->message_id = slice_trim(f.value);
	d->returned = l->env.ret == SMTP_RET_FULL &&
		l->env.body_size <= RETURN_MAX && l->env.body_size <= limit
	    ? DSN_RETURN_MESSAGE : DSN_RETURN_HEADER;
	d->returned = dsn_returned(d);
	if (d->returned == DSN_RETURN_HEADER)
		all = slice_head(all, header_length(all));
	return slice_head(all, RETURN_MAX);
}

static void
add_base64(struct buf *out, struct slice in)
{
	while (in.n > 0) {
		base64_encode(out, slice_head(in, 57));
		buf_add_str(out, "\r\n");
		in = slice_from(in, in.n < 57 ? in.n : 57);
	}
}

static struct live *
new_notice(struct slice to)
{
	struct live *n = live_new();

	if (n == NULL)
		fatal("event=no_memory for=notice");
	n->env.groups = region_alloc(&n->mem, sizeof *n->env.groups);
	if (n->env.groups == NULL || live_grow(n, 1) < 0)
		fatal("event=no_memory for=notice");
	buf_init(&n->body, NOTICE_MAX);
	n->env.n_groups = 1;
	n->env.groups[0] = (struct spool_group){ SLICE(""), 0, 1 };
	n->env.rcpts[0] = (struct spool_rcpt){
		.address = region_slice(&n->mem, to),
		.notify = SMTP_NOTIFY_NEVER };
	n->env.n_rcpts = 1;
	n->env.session = region_slice(&n->mem, SLICE("bounce"));
	return n;
}

/* Builds the notice and gives it to the queue. */
static void
send_notice(struct message *m, struct dsn *d,
    void (*done)(void *arg, bool ok), void *arg)
{
	const struct conf_server *s = daemon_server();
	struct live *n = new_notice(d->to);
	struct slice returned;
	struct buf file;
	char id[40];

	buf_init(&file, 65536);
	/* Unguessable: the boundary of the notice is made from it. */
	(void)snprintf(id, sizeof id, "%s%016llx", queue_id_text(m->id),
	    (unsigned long long)map_hash(slice_str(queue_id_text(
		m->id + (uint64_t)clock_boot_us()))));
	d->host = slice_str(s->hostname);
	d->id = slice_str(id);
	d->date = (struct date){ clock_wall(), clock_utc_offset() };
	d->queue_id = slice_str(queue_id_text(m->id));
	d->envid = m->live->env.envid;
	d->arrival = m->live->env.arrival_us / 1000000;
	d->is_utf8 = m->live->env.utf8 != 0;
	returned = returned_bytes(m, d, &file);
	if (utf8_has_8bit(returned))
		d->encoding = DSN_BASE64;
	dsn_add_head(&n->body, d);
	if (d->encoding == DSN_BASE64)
		add_base64(&n->body, returned);
	else
		buf_add_slice(&n->body, returned);
	dsn_add_tail(&n->body, d);
	n->env.utf8 = dsn_is_smtputf8(d);
	n->env.body_type = dsn_is_8bit(d) ? SMTP_BODY_8BITMIME
					  : SMTP_BODY_7BIT;
	buf_fini(&file);
	log_info("event=notice about=%s to=%s recipients=%zu action=%s",
	    queue_id_text(m->id), LOG_V(d->to), d->n,
	    d->recipients[0].action == DSN_FAILED ? "failed"
		: d->recipients[0].action == DSN_DELAYED ? "delayed"
							 : "delivered");
	intake_own(n, done, arg);
}

/* To whom a notice of this group goes; empty: to nobody. */
static struct slice
addressee(const struct message *m, struct slice sender, enum dsn_action action)
{
	const char *postmaster = daemon_server()->postmaster;
	uint32_t i;

	if (sender.n > 0)
		return sender;
	if (action != DSN_FAILED)
		return SLICE_NONE;
	/* A bounce that failed: the postmaster hears of it, unless it was for
	 * him. */
	for (i = 0; i < m->live->env.n_rcpts; i++)
		if (slice_ieq_str(m->live->env.rcpts[i].address, postmaster))
			return SLICE_NONE;
	return slice_str(postmaster);
}

/* What a round of notices is about. */
struct kinds {
	bool failed, delayed, done;
};

static size_t
gather(const struct message *m, uint32_t group, const struct kinds *k,
    uint32_t *next, struct dsn_recipient *rs)
{
	const struct spool_envelope *e = &m->live->env;
	bool is_bounce = e->groups[group].sender.n == 0;
	enum dsn_action action;
	size_t n = 0;
	uint32_t i;

	for (i = *next; i < e->n_rcpts && n < NOTICE_RCPTS_MAX; i++) {
		if (e->rcpts[i].group != group || !action_of(m, i, &action) ||
		    (action == DSN_FAILED && !k->failed) ||
		    (action == DSN_DELAYED && !k->delayed) ||
		    (action != DSN_FAILED && action != DSN_DELAYED &&
			!k->done))
			continue;
		if (!wants(&e->rcpts[i], action) && !is_bounce)
			continue;
		fill_recipient(m, i, action, &rs[n++]);
	}
	*next = i;
	return n;
}

static size_t
notify_group(struct message *m, uint32_t g, const struct kinds *k,
    struct batch *b)
{
	static struct dsn_recipient rs[NOTICE_RCPTS_MAX];
	struct slice sender = m->live->env.groups[g].sender;
	size_t n, sent = 0;
	uint32_t next = 0;
	struct dsn d;

	while ((n = gather(m, g, k, &next, rs)) > 0) {
		d = (struct dsn){ .recipients = rs, .n = n,
			.to = addressee(m, sender, rs[0].action) };
		if (d.to.n == 0) {
			if (k->failed)
				log_warn("event=bounce_dropped id=%s "
				    "text=\"the null sender is not "
				    "answered\"", queue_id_text(m->id));
			continue;
		}
		sent++;
		if (b != NULL)
			b->waiting++;
		send_notice(m, &d, b == NULL ? ignore : on_notice, b);
	}
	return sent;
}

static size_t
notify(struct message *m, const struct kinds *k, struct batch *b)
{
	size_t sent = 0;
	uint32_t g;

	for (g = 0; g < m->live->env.n_groups; g++)
		sent += notify_group(m, g, k, b);
	return sent;
}

void
bounce_failures(struct message *m, void (*done)(void *arg, bool ok),
    void *arg)
{
	struct batch *b = calloc(1, sizeof *b);

	if (b == NULL)
		fatal("event=no_memory for=notice");
	b->ok = true;
	b->done = done;
	b->arg = arg;
	b->waiting = 1;
	loop_later_init(&b->later, daemon_loop(), batch_over, b);
	(void)notify(m, &(struct kinds){ .failed = true }, b);
	on_notice(b, true);
}

void
bounce_successes(struct message *m)
{
	(void)notify(m, &(struct kinds){ .done = true }, NULL);
}

bool
bounce_delay(struct message *m)
{
	return notify(m, &(struct kinds){ .delayed = true }, NULL) > 0;
}
