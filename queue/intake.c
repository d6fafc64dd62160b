/* SPDX-License-Identifier: ISC */
/*
 * A transaction gathers envelope and body in one live part; at TX_COMMIT the
 * spool makes it durable, only then TX_DONE says so, and the message is worked
 * on from memory. Bodies above IPC_BODY_MAX are files that the client writes.
 */
#include "queue/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "base/queue_id.h"
#include "conf/conf_queue.h"
#include "proto/status.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "sys/log.h"

enum { TXS_PER_LINK = 20000, RCPTS_MAX = 100000, KEY = 16 };

enum tx_state { TX_GATHERING, TX_COMMITTING };

/* Who gives us mail: one for each link that has transactions open. */
struct submitter {
	uint64_t serial;
	struct list txs; /* that are gathering */
	size_t n;        /* of all its transactions */
};

struct tx {
	struct list link; /* in its submitter's */
	struct submitter *from; /* NULL: our own */
	uint64_t serial, tx, req;
	enum tx_state state;
	struct live *live;
	struct spool_body *body;
	bool broken; /* something did not fit: the commit will be refused */
	struct slice session, client;
	void (*own_done)(void *arg, bool ok);
	void *own_arg;
};

static struct map gathering;  /* of tx, by link and number */
static struct map submitters; /* by the link's serial */
static size_t n_txs;

static struct slice
key_of(uint64_t serial, uint64_t number, char key[KEY])
{
	memcpy(key, &serial, sizeof serial);
	memcpy(key + sizeof serial, &number, sizeof number);
	return (struct slice){ key, KEY };
}

static struct tx *
find(struct ipc_link *l, uint64_t number)
{
	char key[KEY];

	return map_get(&gathering, key_of(ipc_link_serial(l), number, key));
}

static void
leave_submitter(struct tx *t)
{
	struct submitter *s = t->from;

	if (s == NULL || --s->n > 0)
		return;
	(void)map_remove(&submitters, map_u64(&s->serial));
	free(s);
}

/* It can no longer be named: another may have its number. */
static void
stop_gathering(struct tx *t)
{
	char key[KEY];

	if (t->state != TX_GATHERING)
		return;
	t->state = TX_COMMITTING;
	list_remove(&t->link);
	if (t->from != NULL)
		(void)map_remove(&gathering, key_of(t->serial, t->tx, key));
}

static void
tx_free(struct tx *t)
{
	stop_gathering(t);
	leave_submitter(t);
	n_txs--;
	if (t->body != NULL)
		spool_body_discard(&t->body);
	live_free(&t->live);
	free(t);
	queue_check_stop();
}

size_t
intake_open_count(void)
{
	return n_txs;
}

static struct tx *
tx_new(struct live *live)
{
	struct tx *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->live = live;
	n_txs++;
	return t;
}

/* The one of this link, made if new; NULL: no memory. */
static struct submitter *
submitter_of(uint64_t serial)
{
	struct submitter *s = map_get(&submitters, map_u64(&serial));

	if (s != NULL)
		return s;
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->serial = serial;
	list_init(&s->txs);
	if (map_put(&submitters, map_u64(&serial), s, NULL) == 0)
		return s;
	free(s);
	return NULL;
}

static bool
has_too_many(struct ipc_link *l)
{
	uint64_t serial = ipc_link_serial(l);
	const struct submitter *s = map_get(&submitters, map_u64(&serial));

	return s != NULL && s->n >= TXS_PER_LINK;
}

/* Opens it under its number. 0, or -1: no memory. */
static int
tx_open(struct tx *t, struct ipc_link *l, uint64_t number)
{
	uint64_t serial = ipc_link_serial(l);
	struct submitter *s = submitter_of(serial);
	char key[KEY];

	if (s == NULL)
		return -1;
	t->from = s;
	t->serial = serial;
	t->tx = number;
	s->n++;
	list_add(&s->txs, &t->link);
	return map_put(&gathering, key_of(serial, number, key), t, NULL);
}

static void
refuse_open(struct ipc_link *l, uint64_t req, enum outcome outcome,
    const char *text)
{
	ipc_send(l, TX_OPENED, -1, .req = req, .outcome = (uint8_t)outcome,
	    .text = slice_str(text));
}

static uint8_t
origin_of(const struct ipc_link *l)
{
	return ipc_link_peer(l) == ROLE_SMTPD ? 0
	    : ipc_link_peer(l) == ROLE_SUBMISSION ? 1 : 2;
}

static void
fill_envelope(struct live *live, const struct ipc_TX_OPEN *o, uint8_t origin)
{
	struct spool_envelope *e = &live->env;

	e->arrival_us = clock_wall_us();
	e->account = o->account;
	e->body_type = o->body;
	e->utf8 = o->utf8;
	e->ret = o->ret;
	e->origin = origin;
	e->envid = region_slice(&live->mem, o->envid);
	e->session = region_slice(&live->mem, o->session);
	e->client = region_slice(&live->mem, o->client);
	e->groups = region_alloc(&live->mem, sizeof *e->groups);
	if (e->groups == NULL)
		return;
	e->n_groups = 1;
	e->groups[0].sender = region_slice(&live->mem, o->sender);
}

void
intake_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_OPEN *o = &m->TX_OPEN;
	struct live *live;
	struct tx *t;
	uint64_t id;

	(void)fd;
	if (queue_is_stopping() || has_too_many(l)) {
		refuse_open(l, o->req, OUTCOME_LATER, "try again later");
		return;
	}
	if (find(l, o->tx) != NULL) {
		refuse_open(l, o->req, OUTCOME_LATER, "transaction is open");
		return;
	}
	if (spool_is_below(queue_spool(), o->floor) ||
	    !spool_has_room(queue_spool(), o->size, false)) {
		refuse_open(l, o->req, OUTCOME_LATER,
		    "insufficient system storage");
		return;
	}
	id = spool_new_id(queue_spool());
	live = id == 0 ? NULL : live_new();
	t = live == NULL ? NULL : tx_new(live);
	if (t == NULL)
		live_free(&live);
	if (t == NULL || tx_open(t, l, o->tx) < 0) {
		if (t != NULL)
			tx_free(t);
		refuse_open(l, o->req, OUTCOME_LATER, "out of resources");
		return;
	}
	live->env.id = id;
	fill_envelope(live, o, origin_of(l));
	ipc_send(l, TX_OPENED, -1, .req = o->req, .outcome = OUTCOME_DONE,
	    .id = id);
}

void
intake_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = find(l, m->TX_RCPT.tx);
	struct spool_envelope *e;
	struct spool_rcpt *r;

	(void)fd;
	if (t == NULL || t->broken)
		return;
	e = &t->live->env;
	if (e->n_rcpts >= RCPTS_MAX || live_grow(t->live, 1) < 0) {
		t->broken = true;
		return;
	}
	r = &e->rcpts[e->n_rcpts++];
	*r = (struct spool_rcpt){ .notify = m->TX_RCPT.notify,
		.address = region_slice(&t->live->mem, m->TX_RCPT.address),
		.orcpt = region_slice(&t->live->mem, m->TX_RCPT.orcpt) };
}

void
intake_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = find(l, m->TX_BODY.tx);

	(void)fd;
	if (t == NULL || t->broken)
		return;
	buf_add_slice(&t->live->body, m->TX_BODY.bytes);
	if (!buf_is_ok(&t->live->body))
		t->broken = true;
}

/* The body outgrew a message: from here on it is a file, beginning anew. That
 * takes room on the disk, whatever size was said before. */
void
intake_file(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = find(l, m->TX_FILE.tx);

	(void)fd;
	if (t != NULL && t->body == NULL &&
	    spool_has_room(queue_spool(), IPC_BODY_MAX + 1, false))
		t->body = spool_body_open(queue_spool(), t->live->env.id);
	if (t == NULL || t->body == NULL) {
		ipc_send(l, TX_FILE_NO, -1, .req = m->TX_FILE.req,
		    .text = SLICE("no room for the message"));
		return;
	}
	buf_release(&t->live->body);
	ipc_send(l, TX_FILE_FD, spool_body_writer(t->body),
	    .req = m->TX_FILE.req);
}

static void
tell_done(struct tx *t, enum outcome outcome, int code, const char *enhanced,
    const char *text)
{
	struct ipc_link *l = ipc_link_find(t->serial);

	if (t->own_done != NULL)
		t->own_done(t->own_arg, outcome == OUTCOME_DONE);
	else if (l != NULL)
		ipc_send(l, TX_DONE, -1, .req = t->req,
		    .outcome = (uint8_t)outcome, .code = (uint16_t)code,
		    .enhanced = slice_str(enhanced), .text = slice_str(text));
}

static void
refuse_commit(struct tx *t, int error)
{
	bool full = error == ENOSPC || error == EDQUOT;

	log_error("event=not_queued id=%s session=%s why=%s",
	    queue_id_text(t->live->env.id), LOG_V(t->live->env.session),
	    LOG_S(strerror(error)));
	tell_done(t, OUTCOME_LATER, full ? 452 : 451,
	    full ? "4.3.1" : "4.3.0",
	    full ? "insufficient system storage"
		 : "the message could not be stored, try again later");
	tx_free(t);
}

static void
on_committed(void *arg, struct spool_ref *ref, int error)
{
	struct tx *t = arg;
	struct spool_status st = { .state = SPOOL_NEW };
	struct live *live = t->live;
	struct message *m;

	t->body = NULL; /* the spool's, or discarded by it */
	if (ref == NULL) {
		refuse_commit(t, error);
		return;
	}
	log_info("event=queued id=%s session=%s from=%s size=%llu nrcpt=%u",
	    queue_id_text(live->env.id), LOG_V(live->env.session),
	    LOG_V(live->env.groups[0].sender),
	    (unsigned long long)live->env.body_size, live->env.n_rcpts);
	tell_done(t, OUTCOME_DONE, 250, "2.0.0", queue_id_text(live->env.id));
	t->live = NULL;
	tx_free(t);
	m = message_new(ref, live->env.id, &st, live);
	schedule_fresh(m);
}

static void
commit(struct tx *t)
{
	struct spool_envelope *e = &t->live->env;

	e->n_first = e->n_rcpts;
	e->groups[0].n = e->n_rcpts;
	stop_gathering(t);
	spool_commit(queue_spool(), e,
	    t->body == NULL ? buf_slice(&t->live->body) : SLICE_NONE, t->body,
	    on_committed, t);
}

void
intake_commit(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_TX_COMMIT *c = &m->TX_COMMIT;
	struct tx *t = find(l, c->tx);
	struct spool_envelope *e;

	(void)fd;
	if (t == NULL) {
		ipc_send(l, TX_DONE, -1, .req = c->req,
		    .outcome = OUTCOME_LATER, .code = 451,
		    .enhanced = SLICE("4.3.0"),
		    .text = SLICE("the transaction is lost, try again"));
		return;
	}
	t->req = c->req;
	e = &t->live->env;
	e->body_size = c->size;
	if (t->broken || e->n_rcpts == 0 || e->n_groups == 0 ||
	    t->live->mem.failed ||
	    (t->body == NULL && t->live->body.n != c->size)) {
		refuse_commit(t, t->live->mem.failed ? ENOMEM : EMSGSIZE);
		return;
	}
	commit(t);
}

void
intake_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct tx *t = find(l, m->TX_ABORT.tx);

	(void)fd;
	if (t != NULL)
		tx_free(t);
}

void
intake_peer_lost(struct ipc_link *l)
{
	uint64_t serial = ipc_link_serial(l);
	struct submitter *s = map_get(&submitters, map_u64(&serial));
	struct list *it;

	if (s == NULL)
		return;
	s->n++; /* while we look at it */
	while ((it = list_first(&s->txs)) != NULL)
		tx_free(LIST_OF(it, struct tx, link));
	leave_submitter(&(struct tx){ .from = s });
}

/* Too large to travel in messages: its body becomes a file. */
static int
own_to_file(struct tx *t)
{
	struct live *live = t->live;

	t->body = spool_body_open(queue_spool(), live->env.id);
	if (t->body == NULL ||
	    spool_body_write(t->body, buf_slice(&live->body)) < 0)
		return -1;
	buf_release(&live->body);
	return 0;
}

void
intake_own(struct live *live, void (*done)(void *arg, bool ok), void *arg)
{
	struct tx *t;

	live->env.id = spool_new_id(queue_spool());
	live->env.arrival_us = clock_wall_us();
	live->env.origin = 3;
	live->env.body_size = live->body.n;
	t = live->env.id == 0 || live->mem.failed ||
		!buf_is_ok(&live->body) ||
		!spool_has_room(queue_spool(), live->body.n, true)
	    ? NULL : tx_new(live);
	if (t == NULL) {
		live_free(&live);
		done(arg, false);
		return;
	}
	t->own_done = done;
	t->own_arg = arg;
	if (live->body.n > IPC_BODY_MAX && own_to_file(t) < 0)
		refuse_commit(t, errno);
	else
		commit(t);
}
