/* SPDX-License-Identifier: ISC */
/* Messages in memory, and their large part, which comes and goes. */
#include "queue/message.h"

#include <stdlib.h>
#include <string.h>

#include "queue/destination.h"
#include "sys/ipc_messages.h"
#include "sys/log.h"

enum { LIVE_MEMORY = 64 << 20 };

struct live *
live_new(void)
{
	struct live *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	region_init(&l->mem, LIVE_MEMORY);
	buf_init(&l->body, IPC_BODY_MAX);
	list_init(&l->recording);
	return l;
}

void
live_free(struct live **lp)
{
	struct live *l = *lp;

	if (l == NULL)
		return;
	destination_drop(&l->busy);
	region_fini(&l->mem);
	buf_fini(&l->body);
	free(l->work);
	free(l);
	*lp = NULL;
}

int
live_grow(struct live *l, uint32_t n)
{
	size_t want = (size_t)l->env.n_rcpts + n, cap = l->cap;
	struct spool_rcpt *rcpts;
	struct rcpt_work *work;

	if (want > l->cap || l->work == NULL) {
		cap = cap < 4 ? 4 : cap;
		while (cap < want)
			cap *= 2;
		rcpts = region_alloc(&l->mem, cap * sizeof *rcpts);
		work = realloc(l->work, cap * sizeof *work);
		if (work != NULL)
			l->work = work;
		if (rcpts == NULL || work == NULL)
			return -1;
		if (l->env.n_rcpts > 0)
			memcpy(rcpts, l->env.rcpts,
			    l->env.n_rcpts * sizeof *rcpts);
		l->env.rcpts = rcpts;
		memset(l->work + l->cap, 0, (cap - l->cap) * sizeof *work);
		for (; l->cap < cap; l->cap++)
			l->work[l->cap].parent = UINT32_MAX;
	}
	return 0;
}

void
live_result(struct live *l, uint32_t rcpt, enum outcome outcome, int code,
    struct enhanced enhanced, struct slice text, struct slice remote)
{
	struct rcpt_work *w = &l->work[rcpt];

	w->step = STEP_OVER;
	w->result = (struct status){ outcome, code, enhanced,
		region_slice(&l->mem, text) };
	w->remote = region_slice(&l->mem, remote);
}

struct message *
message_new(struct spool_ref *ref, uint64_t id, const struct spool_status *st,
    struct live *live)
{
	struct message *m = calloc(1, sizeof *m);

	if (m == NULL)
		fatal("event=no_memory for=message");
	m->ref = ref;
	m->id = id;
	m->st = *st;
	m->st.text = SLICE_NONE;
	message_set_text(m, st->text);
	m->live = live;
	spool_ref_set_data(ref, m);
	return m;
}

void
message_free(struct message **mp)
{
	struct message *m = *mp;

	if (m == NULL)
		return;
	message_leave_line(m);
	live_free(&m->live);
	free(m->respite);
	free(m->text);
	free(m);
	*mp = NULL;
}

int
message_load(struct spool *s, struct message *m)
{
	struct live *l;
	struct spool_rcpt *rcpts;
	uint32_t i, n;

	if (m->live != NULL)
		return 0;
	l = live_new();
	if (l == NULL)
		return -1;
	if (spool_read_envelope(s, m->ref, &l->mem, &l->env) < 0)
		goto failed;
	/* live_grow copies what was read into arrays that can grow. */
	rcpts = l->env.rcpts;
	n = l->env.n_rcpts;
	l->env.n_rcpts = 0;
	if (live_grow(l, n) < 0)
		goto failed;
	memcpy(l->env.rcpts, rcpts, n * sizeof *rcpts);
	l->env.n_rcpts = n;
	for (i = l->env.n_first; i < n; i++)
		l->work[i].parent = rcpts[i].parent;
	if (l->env.body_size <= IPC_BODY_MAX &&
	    spool_read_body(s, m->ref, 0, l->env.body_size, &l->body) < 0)
		goto failed;
	if (m->arrival_s == 0)
		m->arrival_s = l->env.arrival_us / 1000000;
	m->live = l;
	return 0;
failed:
	live_free(&l);
	return -1;
}

void
message_unload(struct message *m)
{
	live_free(&m->live);
}

void
message_leave_line(struct message *m)
{
	list_remove(&m->waiting);
	destination_forget(m);
}

bool
message_is_suspect(const struct message *m)
{
	return (m->st.flags & SPOOL_ALONE) != 0;
}

void
message_set_text(struct message *m, struct slice text)
{
	free(m->text);
	m->text = NULL;
	text = slice_head(text, SPOOL_TEXT_MAX);
	if (text.n > 0)
		m->text = strndup(text.p, text.n);
	m->st.text = slice_str(m->text);
}

struct slice
message_sender(const struct spool_envelope *e, uint32_t rcpt)
{
	uint32_t g = e->rcpts[rcpt].group;

	return g < e->n_groups ? e->groups[g].sender : SLICE_NONE;
}
