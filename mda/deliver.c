/* SPDX-License-Identifier: ISC */
/*
 * One delivery: DLV_OPEN, DLV_RCPT, the body in messages or as a file, DLV_END.
 * Return-Path (RFC 5321 4.4) and Delivered-To are written in front. Whatever
 * goes wrong is an answer for each recipient, never silence.
 */
#include "mda/deliver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/queue_id.h"
#include "mda/owner.h"
#include "proto/received.h"
#include "proto/status.h"
#include "sys/log.h"

enum { RCPTS_MAX = 1000, FILE_PIECE = 65536, PREFIX_MAX = 4096 };

struct delivery {
	struct list link;
	struct ipc_link *from;
	uint64_t serial; /* of `from`, which may be gone when we are done */
	uint64_t req, dlv, id;
	uint32_t group;
	uint64_t size;
	int64_t arrival;
	bool sync, started, ended;
	char *sender, *recipient;
	uint32_t *rcpts; /* indexes */
	size_t n_rcpts;
	struct append_writer *writer;
	enum mbox_result result;
};

/* What a result means to the sender, by enum mbox_result. */
static const struct {
	enum outcome outcome;
	uint16_t code;
	const char *enhanced, *text;
} words[] = {
	[MBOX_OK] = { OUTCOME_DONE, 250, "2.1.5", "delivered" },
	[MBOX_NONEXISTENT] = { OUTCOME_LATER, 450, "4.2.0",
	    "the mailbox is not there just now" },
	[MBOX_EXISTS] = { OUTCOME_LATER, 450, "4.3.0", "try again later" },
	[MBOX_BAD_NAME] = { OUTCOME_FAILED, 550, "5.1.1", "no such mailbox" },
	[MBOX_OVER_QUOTA] = { OUTCOME_LATER, 452, "4.2.2",
	    "the mailbox is full" },
	[MBOX_FULL] = { OUTCOME_LATER, 452, "4.3.1",
	    "the disk of the mailbox is full" },
	[MBOX_LATER] = { OUTCOME_LATER, 451, "4.3.0",
	    "the mailbox cannot be written just now" },
	[MBOX_HAS_CHILDREN] = { OUTCOME_LATER, 451, "4.3.0",
	    "try again later" },
	[MBOX_NOT_ALLOWED] = { OUTCOME_FAILED, 550, "5.7.1",
	    "this mailbox takes no mail" },
};

static struct list deliveries = { &deliveries, &deliveries };

static struct delivery *
find(struct ipc_link *l, uint64_t dlv)
{
	struct list *it, *tmp;
	struct delivery *d;

	LIST_EACH(it, tmp, &deliveries) {
		d = LIST_OF(it, struct delivery, link);
		if (d->from == l && d->dlv == dlv)
			return d;
	}
	return NULL;
}

static void
delivery_free(struct delivery *d)
{
	list_remove(&d->link);
	if (d->writer != NULL)
		append_abort(&d->writer);
	free(d->sender);
	free(d->recipient);
	free(d->rcpts);
	free(d);
	owner_idle();
}

static void
answer(struct delivery *d, enum mbox_result r)
{
	struct ipc_link *l = ipc_link_find(d->serial);
	size_t i;

	log_info("event=%s id=%s group=%u to=%s result=%s",
	    r == MBOX_OK ? "placed" : "not_placed",
	    queue_id_text(d->id), d->group,
	    LOG_S(d->recipient == NULL ? "" : d->recipient),
	    LOG_S(words[r].text));
	for (i = 0; i < d->n_rcpts && l != NULL; i++)
		ipc_send(l, DLV_RESULT, -1, .req = d->req,
		    .index = d->rcpts[i],
		    .outcome = (uint8_t)words[r].outcome,
		    .code = words[r].code,
		    .enhanced = slice_str(words[r].enhanced),
		    .text = slice_str(words[r].text));
	if (l != NULL)
		ipc_send(l, DLV_DONE, -1, .req = d->req,
		    .placed = r == MBOX_OK && !d->sync);
	delivery_free(d);
}

static void
on_appended(void *arg, enum mbox_result r, uint32_t uidvalidity, uint32_t uid)
{
	(void)uidvalidity;
	(void)uid;
	answer(arg, r);
}

/* The writer, begun when the recipient is known: with the first body bytes. */
static void
begin(struct delivery *d)
{
	struct append what = { .internaldate = d->arrival,
		.delivery_id = d->id, .delivery_group = d->group,
		.sync = d->sync, .batch = true };
	struct address sender = { 0 }, to;
	struct buf prefix;

	d->started = true;
	d->writer = append_begin(owner_account(), SLICE("INBOX"), &what,
	    d->size, &d->result);
	if (d->writer == NULL)
		return;
	buf_init(&prefix, PREFIX_MAX);
	if (d->sender[0] != 0 &&
	    address_parse_lenient(slice_str(d->sender), &sender) < 0)
		sender = (struct address){ 0 };
	received_add_return_path(&prefix, &sender);
	if (d->recipient != NULL &&
	    address_parse_lenient(slice_str(d->recipient), &to) == 0)
		received_add_delivered_to(&prefix, &to);
	append_write(d->writer, buf_slice(&prefix));
	buf_fini(&prefix);
}

static void
write_body(struct delivery *d, struct slice bytes)
{
	if (!d->started)
		begin(d);
	if (d->writer != NULL)
		append_write(d->writer, bytes);
}

static void
on_open(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_DLV_OPEN *o = &m->DLV_OPEN;
	struct delivery *d = calloc(1, sizeof *d);

	(void)fd;
	if (d == NULL)
		fatal("event=no_memory for=delivery");
	d->from = l;
	d->serial = ipc_link_serial(l);
	d->req = o->req;
	d->dlv = o->dlv;
	d->id = o->id;
	d->group = o->group;
	d->size = o->body_size;
	d->arrival = o->arrival / 1000000;
	d->sync = o->sync != 0;
	d->sender = strndup(o->sender.p, o->sender.n);
	if (d->sender == NULL)
		fatal("event=no_memory for=delivery");
	list_add(&deliveries, &d->link);
	owner_busy();
}

static void
on_rcpt(struct ipc_link *l, const union ipc_any *m, int fd)
{
	const struct ipc_DLV_RCPT *r = &m->DLV_RCPT;
	struct delivery *d = find(l, r->dlv);
	uint32_t *rcpts;

	(void)fd;
	if (d == NULL || d->n_rcpts == RCPTS_MAX)
		return;
	rcpts = realloc(d->rcpts, (d->n_rcpts + 1) * sizeof *rcpts);
	if (rcpts == NULL)
		fatal("event=no_memory for=recipient");
	d->rcpts = rcpts;
	d->rcpts[d->n_rcpts++] = r->index;
	if (d->recipient == NULL)
		d->recipient = strndup(r->address.p, r->address.n);
}

static void
on_body(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find(l, m->DLV_BODY.dlv);

	(void)fd;
	if (d != NULL)
		write_body(d, m->DLV_BODY.bytes);
}

static void
on_file(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find(l, m->DLV_FILE.dlv);
	static char piece[FILE_PIECE];
	uint64_t at = 0;
	ssize_t n;

	while (d != NULL && at < m->DLV_FILE.size) {
		n = pread(fd, piece, sizeof piece, (off_t)at);
		if (n <= 0) {
			log_error("event=body_unreadable id=%s why=%s",
			    queue_id_text(d->id),
			    LOG_S(n == 0 ? "cut short" : strerror(errno)));
			d->started = true;
			if (d->writer != NULL)
				append_abort(&d->writer);
			d->result = MBOX_LATER;
			break;
		}
		write_body(d, (struct slice){ piece, (size_t)n });
		at += (uint64_t)n;
	}
	(void)close(fd);
}

static void
on_end(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find(l, m->DLV_END.dlv);

	(void)fd;
	if (d == NULL || d->ended)
		return;
	d->ended = true;
	if (!d->started)
		begin(d);
	if (d->writer == NULL)
		answer(d, d->result);
	else
		append_end(&d->writer, on_appended, d);
}

static void
on_abort(struct ipc_link *l, const union ipc_any *m, int fd)
{
	struct delivery *d = find(l, m->DLV_ABORT.dlv);

	(void)fd;
	if (d == NULL || d->ended)
		return;
	if (d->writer != NULL)
		append_abort(&d->writer);
	answer(d, MBOX_LATER);
}

static void
on_released(struct ipc_link *l, const union ipc_any *m, int fd)
{
	(void)l;
	(void)fd;
	account_released(owner_account(), m->DLV_RELEASED.ids);
}

/* Deliveries whose body was not complete are dropped; those that are being
 * made durable go on, their answer finds nobody. */
static void
on_lost(struct ipc_link *l)
{
	struct list *it, *tmp;
	struct delivery *d;

	LIST_EACH(it, tmp, &deliveries) {
		d = LIST_OF(it, struct delivery, link);
		if (d->from != l)
			continue;
		d->from = NULL;
		if (!d->ended)
			delivery_free(d);
	}
}

static const struct ipc_handlers handlers = {
	.by_type = {
	    [IPC_DLV_OPEN] = on_open, [IPC_DLV_RCPT] = on_rcpt,
	    [IPC_DLV_BODY] = on_body, [IPC_DLV_FILE] = on_file,
	    [IPC_DLV_END] = on_end, [IPC_DLV_ABORT] = on_abort,
	    [IPC_DLV_RELEASED] = on_released,
	},
	.lost = on_lost,
};

void
deliver_peer(int fd, enum role_id peer, uint32_t instance)
{
	if (ipc_link_new(owner_loop(), fd, ROLE_OWNER, peer, instance,
		&handlers) == NULL)
		fatal("event=no_memory for=link");
	/* The link may stay for long; only its deliveries keep us alive. */
	owner_report();
}
