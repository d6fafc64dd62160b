/* SPDX-License-Identifier: ISC */
/* Listing and handling messages by id. A list is paged by position in the map,
 * so that a million messages cost no more than a page. */
#include "queue/admin.h"

#include <stdio.h>

#include "base/num.h"
#include "base/queue_id.h"
#include "queue/message.h"
#include "queue/queue.h"
#include "queue/schedule.h"
#include "sys/daemon.h"
#include "sys/row.h"

enum { PAGE_MAX = 1000, EX_USAGE = 64, EX_NOINPUT = 66 };

static const char *const state_names[] = { "free", "new", "waiting", "held" };
static const char *const mark_names[] = { "waiting", "done", "failed",
	"expanded" };

static void
add_number(struct buf *row, const char *key, int64_t v)
{
	row_pair_u64(row, key, v < 0 ? 0 : (uint64_t)v);
}

static void
add_message(struct buf *row, const struct message *m,
    const struct spool_envelope *e)
{
	row_pair_str(row, "id", queue_id_text(m->id));
	row_pair_str(row, "state", m->live != NULL ? "in work"
						   : state_names[m->st.state]);
	add_number(row, "size", (int64_t)e->body_size);
	add_number(row, "arrival", e->arrival_us / 1000000);
	add_number(row, "next", m->st.next_s);
	row_pair_u64(row, "attempts", m->st.attempts);
	row_pair(row, "sender", e->n_groups > 0 ? e->groups[0].sender
						: SLICE(""));
	row_pair_u64(row, "recipients", e->n_rcpts);
	if (e->n_rcpts > 0)
		row_pair(row, "recipient", e->rcpts[0].address);
	row_pair(row, "text", m->st.text);
}

/* The envelope of a message in work, or read for this. 0, -1. */
static int
envelope_of(struct message *m, struct region *mem, struct spool_envelope *e)
{
	if (m->live != NULL) {
		*e = m->live->env;
		return 0;
	}
	return spool_read_envelope(queue_spool(), m->ref, mem, e);
}

static void
run_list(struct ipc_link *l, uint64_t req, struct slice args)
{
	uint64_t limit = 100, cursor = 0, n;
	struct spool_envelope e;
	struct message *m = NULL;
	struct region mem;
	struct buf row;
	size_t pos;

	if (num_parse(row_get(args, "limit"), 1, PAGE_MAX, &limit) < 0)
		limit = 100;
	if (num_parse(row_get(args, "after"), 0, SIZE_MAX, &cursor) < 0)
		cursor = 0;
	pos = (size_t)cursor;
	buf_init(&row, 16384);
	for (n = 0; n < limit && (m = schedule_next(&pos)) != NULL; n++) {
		region_init(&mem, 64 << 20);
		buf_reset(&row);
		if (envelope_of(m, &mem, &e) == 0) {
			add_message(&row, m, &e);
			daemon_row(l, req, &row);
		}
		region_fini(&mem);
	}
	if (m != NULL) {
		buf_reset(&row);
		row_pair_u64(&row, "next", pos);
		daemon_row(l, req, &row);
	}
	buf_fini(&row);
	daemon_done(l, req, 0, "%s", "");
}

static void
run_show(struct ipc_link *l, uint64_t req, struct message *m)
{
	struct spool_envelope e;
	struct region mem;
	struct buf row;
	uint32_t i;

	region_init(&mem, 64 << 20);
	if (envelope_of(m, &mem, &e) < 0) {
		region_fini(&mem);
		daemon_done(l, req, 74, "its file cannot be read");
		return;
	}
	buf_init(&row, 16384);
	add_message(&row, m, &e);
	row_pair(&row, "session", e.session);
	row_pair(&row, "client", e.client);
	daemon_row(l, req, &row);
	for (i = 0; i < e.n_rcpts; i++) {
		buf_reset(&row);
		row_pair(&row, "recipient", e.rcpts[i].address);
		row_pair_str(&row, "state", mark_names[e.rcpts[i].mark & 3]);
		daemon_row(l, req, &row);
	}
	buf_fini(&row);
	region_fini(&mem);
	daemon_done(l, req, 0, "%s", "");
}

static void
run_flush_all(struct ipc_link *l, uint64_t req)
{
	struct message *m;
	size_t pos = 0;

	while ((m = schedule_next(&pos)) != NULL)
		schedule_flush(m);
	daemon_done(l, req, 0, "%zu messages are tried now",
	    schedule_count());
}

static const struct {
	const char *verb;
	void (*act)(struct message *m);
	const char *done;
} actions[] = {
	{ "queue flush", schedule_flush, "tried now" },
	{ "queue hold", schedule_hold, "held" },
	{ "queue release", schedule_release, "released" },
	{ "queue remove", schedule_remove, "removed" },
};

void
admin_run(struct ipc_link *l, uint64_t req, struct slice verb,
    struct slice args)
{
	struct slice text = row_get(args, "id");
	struct message *m;
	uint64_t id;
	size_t i;

	if (slice_eq_str(verb, "queue list")) {
		run_list(l, req, args);
		return;
	}
	if (slice_eq_str(verb, "queue flush") && text.n == 0) {
		run_flush_all(l, req);
		return;
	}
	if (queue_id_parse(text, &id) < 0) {
		daemon_done(l, req, EX_USAGE, "\"%.*s\" is not the id of a "
		    "message", SLICE_FMT(text));
		return;
	}
	m = schedule_find(id);
	if (m == NULL) {
		daemon_done(l, req, EX_NOINPUT, "no message %.*s is in the "
		    "queue", SLICE_FMT(text));
		return;
	}
	if (slice_eq_str(verb, "queue show")) {
		run_show(l, req, m);
		return;
	}
	for (i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (slice_eq_str(verb, actions[i].verb)) {
			actions[i].act(m);
			daemon_done(l, req, 0, "%.*s %s", SLICE_FMT(text),
			    actions[i].done);
			return;
		}
	}
	daemon_done(l, req, EX_USAGE, "the queue does not know \"%.*s\"",
	    SLICE_FMT(verb));
}
