/* SPDX-License-Identifier: ISC */
/*
 * A transfer talks to one host at a time. What a host says of itself or of a
 * recipient goes into that recipient's word (outcome.h); only "done" and
 * "never" from the host's own mouth end it at once.
 */
#include "mta/transfer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/queue_id.h"
#include "mta/relay.h"
#include "mta/transfer_priv.h"
#include "sys/ipc.h"
#include "sys/log.h"

enum { MEMORY_MAX = 16 << 20, RCPTS_MAX = 100000 };

static void on_more(void *arg);

/* ---- results ---- */

void
transfer_tell(struct transfer *t, struct transfer_rcpt *r)
{
	struct transfer_result result = {
		.index = r->index,
		.status = { r->word.outcome, r->word.code, r->word.enhanced,
		    buf_slice(&r->word.text) },
		.remote = buf_slice(&r->word.remote),
		.is_dsn_passed = r->is_dsn_passed
	};

	r->is_over = true;
	t->n_left--;
	t->events->result(t->arg, &result);
	outcome_fini(&r->word);
}

void
transfer_note(struct transfer *t, enum outcome_source source,
    const struct status *s)
{
	/* Without a code it is our judgement, not the host's word. */
	struct slice remote = s->code == 0 ? SLICE_NONE
					   : slice_str(t->host.host);
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!t->rcpts[i].is_over)
			outcome_add(&t->rcpts[i].word, source, s, remote);
}

void
transfer_note_ours(struct transfer *t, enum outcome outcome, struct enhanced e,
    const char *text)
{
	struct status s = { outcome, 0, e, slice_str(text) };

	transfer_note(t, OUTCOME_OURS, &s);
}

void
transfer_finish(struct transfer *t)
{
	const struct status untried = { OUTCOME_LATER, 0, { 4, 4, 0 },
		SLICE("no host could be tried") };
	bool is_later = false;
	struct transfer_rcpt *r;
	size_t i;

	for (i = 0; i < t->n; i++) {
		r = &t->rcpts[i];
		if (r->is_over)
			continue;
		if (r->word.source == OUTCOME_NOBODY)
			outcome_add(&r->word, OUTCOME_OURS, &untried,
			    SLICE_NONE);
		is_later |= r->word.outcome == OUTCOME_LATER;
		transfer_tell(t, r);
	}
	t->events->done(t->arg, is_later && !t->was_reached);
}

/* ---- one host after the other ---- */

static int
try_address(struct transfer *t)
{
	struct connection *kept;
	size_t i;

	for (i = 0; i < t->n; i++)
		t->rcpts[i].is_tried = false;
	t->n_tried++;
	t->is_clear = false;
	kept = connections_take_host(&t->host, t->nexthop.kind);
	if (kept == NULL)
		return transfer_open_host(t);
	transfer_adopt(t, kept);
	return 0;
}

static int
make_hosts(struct transfer *t)
{
	const struct conf_relay *conf = relay_conf();
	struct hosts_conf c = { .port = (uint16_t)conf->port,
		.self = slice_str(relay_hostname()),
		.random = arc4random_uniform };

	if (t->hosts != NULL)
		return 0;
	if (strcmp(conf->ip, "ipv4") != 0)
		c.families |= HOSTS_IPV6;
	if (strcmp(conf->ip, "ipv6") != 0)
		c.families |= HOSTS_IPV4;
	t->hosts = hosts_new(&t->nexthop, &c, on_more, t);
	if (t->hosts != NULL)
		return 0;
	transfer_note_ours(t, OUTCOME_LATER, (struct enhanced){ 4, 3, 0 },
	    "out of memory");
	return -1;
}

/* The next address of the next hop. 0: events follow. -1: there is none. */
static int
next_host(struct transfer *t)
{
	struct status s;

	while (t->n_tried < relay_conf()->addresses &&
	    clock_boot_ms() < t->deadline) {
		switch (hosts_next(t->hosts, &t->host)) {
		case HOSTS_WAIT:
			return 0;
		case HOSTS_ADDRESS:
			if (try_address(t) == 0)
				return 0;
			break;
		case HOSTS_END:
			if (hosts_trouble(t->hosts, &s))
				transfer_note(t, OUTCOME_OURS, &s);
			return -1;
		}
	}
	return -1;
}

void
transfer_go_on(struct transfer *t)
{
	bool is_again = t->is_again;

	t->is_again = false;
	if (t->n_left == 0) {
		transfer_finish(t);
		return;
	}
	if (is_again && transfer_open_host(t) == 0)
		return;
	if (make_hosts(t) < 0 || next_host(t) < 0)
		transfer_finish(t);
}

static void
on_more(void *arg)
{
	transfer_go_on(arg);
}

/* ---- beginning and end ---- */

static int
prepare(struct transfer *t)
{
	t->batch_rcpts = calloc(t->n + 1, sizeof *t->batch_rcpts);
	t->batch_of = calloc(t->n + 1, sizeof *t->batch_of);
	if (t->batch_rcpts == NULL || t->batch_of == NULL) {
		transfer_note_ours(t, OUTCOME_LATER,
		    (struct enhanced){ 4, 3, 0 }, "out of memory");
		return -1;
	}
	if (nexthop_parse(t->mail.nexthop, &t->nexthop) < 0) {
		log_error("event=bad_nexthop id=%s nexthop=%s",
		    queue_id_text(t->mail.id), LOG_V(t->mail.nexthop));
		transfer_note_ours(t, OUTCOME_LATER,
		    (struct enhanced){ 4, 3, 5 },
		    "our own route for this recipient makes no sense");
		return -1;
	}
	return 0;
}

static void
start(void *arg)
{
	struct transfer *t = arg;
	struct connection *kept;

	t->deadline = clock_boot_ms() + relay_conf()->attempt_timeout;
	if (prepare(t) < 0) {
		transfer_finish(t);
		return;
	}
	kept = connections_take(t->mail.nexthop);
	if (kept == NULL) {
		transfer_go_on(t);
		return;
	}
	t->host = (struct host_address){ .ip = kept->ip, .port = kept->port,
		.host = region_str(&t->mem, slice_str(kept->host)) };
	if (t->host.host == NULL)
		t->host.host = "";
	transfer_adopt(t, kept);
}

struct transfer *
transfer_new(const struct transfer_mail *mail,
    const struct transfer_events *events, void *arg)
{
	struct transfer *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	region_init(&t->mem, MEMORY_MAX);
	t->mail = *mail;
	t->mail.nexthop = region_slice(&t->mem, mail->nexthop);
	t->mail.sender = region_slice(&t->mem, mail->sender);
	t->mail.envid = region_slice(&t->mem, mail->envid);
	t->events = events;
	t->arg = arg;
	t->fd = -1;
	buf_init(&t->body, IPC_BODY_MAX);
	loop_later_init(&t->later, daemon_loop(), start, t);
	if (t->mem.failed)
		transfer_free(&t);
	return t;
}

void
transfer_free(struct transfer **tp)
{
	struct transfer *t = *tp;
	size_t i;

	*tp = NULL;
	if (t == NULL)
		return;
	loop_later_remove(&t->later);
	connection_free(&t->c);
	hosts_free(&t->hosts);
	for (i = 0; i < t->n; i++)
		outcome_fini(&t->rcpts[i].word);
	if (t->fd >= 0)
		(void)close(t->fd);
	buf_fini(&t->body);
	free(t->rcpts);
	free(t->batch_rcpts);
	free(t->batch_of);
	region_fini(&t->mem);
	free(t);
}

static int
grow(struct transfer *t)
{
	size_t cap = t->cap == 0 ? 4 : 2 * t->cap;
	struct transfer_rcpt *bigger;

	if (t->n < t->cap)
		return 0;
	if (cap > RCPTS_MAX)
		return -1;
	bigger = realloc(t->rcpts, cap * sizeof *bigger);
	if (bigger == NULL)
		return -1;
	t->rcpts = bigger;
	t->cap = cap;
	return 0;
}

int
transfer_add_rcpt(struct transfer *t, uint32_t index, struct slice address,
    unsigned notify, struct slice orcpt)
{
	if (grow(t) < 0)
		return -1;
	t->rcpts[t->n] = (struct transfer_rcpt){ .index = index, .smtp = {
		.address = region_slice(&t->mem, address), .notify = notify,
		.orcpt = region_slice(&t->mem, orcpt) } };
	if (t->mem.failed)
		return -1;
	t->n++;
	t->n_left++;
	return 0;
}

int
transfer_add_body(struct transfer *t, struct slice bytes)
{
	buf_add_slice(&t->body, bytes);
	return buf_is_ok(&t->body) ? 0 : -1;
}

void
transfer_set_file(struct transfer *t, int fd, uint64_t size)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = fd;
	t->file_size = size;
}

void
transfer_begin(struct transfer *t)
{
	loop_later_ask(&t->later);
}
