/* SPDX-License-Identifier: ISC */
/*
 * FETCH: RFC 9051 6.4.5, 7.5.2, 3501 for RECENT; CHANGEDSINCE and VANISHED of
 * RFC 7162 3.1.4, 3.2.6; PARTIAL of RFC 9394 3.3. One message after the other,
 * one item after the other, no longer than the client reads.
 */
#include "mda/imap_session.h"

#include "base/base64.h"
#include "base/clock.h"
#include "mda/imap_fetch_job.h"
#include "proto/date.h"
#include "proto/imap_body.h"
#include "proto/imap_envelope.h"

const struct imap_fetch_item *
fetch_item(const struct fetch_job *job)
{
	return LIST_OF((struct list *)(uintptr_t)job->item,
	    const struct imap_fetch_item, node);
}

void
fetch_item_done(struct fetch_job *job)
{
	job->phase = FETCH_ITEMS;
	job->item = job->item->next;
}

/* ---- plain items ---- */

static void
put_date(struct buf *out, int64_t time)
{
	if (time == 0)
		buf_add_str(out, "NIL");
	else
		date_add_imap(out, (struct date){ .time = time,
			.offset = clock_utc_offset() });
}

static void
put_object(struct buf *out, char letter, const uint8_t id[16])
{
	buf_add_char(out, '(');
	buf_add_char(out, letter);
	hex_encode(out, (struct slice){ (const char *)id, 16 });
	buf_add_char(out, ')');
}

static void
put_plain(struct imap_session *s, struct fetch_job *job,
    const struct message *msg)
{
	const struct imap_fetch_item *item = fetch_item(job);
	struct buf *out = &s->io.out;

	buf_add_slice(out, item->echo);
	buf_add_char(out, ' ');
	switch (item->kind) {
	case IMAP_FETCH_UID:
		imap_put_number(out, msg->uid);
		break;
	case IMAP_FETCH_FLAGS:
		imap_put_flags(out, s->mailbox, msg,
		    imap_is_recent(s, job->seq));
		break;
	case IMAP_FETCH_INTERNALDATE:
		date_add_imap(out, (struct date){ .time = msg->internaldate,
			.offset = clock_utc_offset() });
		break;
	case IMAP_FETCH_RFC822_SIZE:
		imap_put_number(out, msg->size);
		break;
	case IMAP_FETCH_MODSEQ:
		buf_add_char(out, '(');
		imap_put_number(out, msg->modseq);
		buf_add_char(out, ')');
		break;
	case IMAP_FETCH_SAVEDATE:
		put_date(out, msg->savedate);
		break;
	case IMAP_FETCH_EMAILID:
		put_object(out, 'M', msg->email_id);
		break;
	case IMAP_FETCH_THREADID:
		put_object(out, 'T', msg->thread_id);
		break;
	case IMAP_FETCH_ENVELOPE:
	case IMAP_FETCH_BODY:
	case IMAP_FETCH_BODYSTRUCTURE:
	case IMAP_FETCH_PREVIEW:
	case IMAP_FETCH_SECTION:
	case IMAP_FETCH_BINARY:
	case IMAP_FETCH_BINARY_SIZE:
		break;
	}
	fetch_item_done(job);
}

/* ---- cached texts ---- */

static void
put_field_fallback(struct imap_session *s, struct fetch_job *job)
{
	struct buf text;

	buf_init(&text, 256);
	if (fetch_item(job)->kind == IMAP_FETCH_ENVELOPE)
		imap_envelope_write(&s->io.out, NULL, &text);
	else
		imap_body_write_opaque(&s->io.out, job->message.size,
		    fetch_item(job)->kind == IMAP_FETCH_BODYSTRUCTURE ?
		    IMAP_BODY_EXTENDED : 0);
	buf_fini(&text);
}

static void
on_field(void *arg, enum mbox_result r, struct slice bytes)
{
	struct imap_session *s = arg;
	struct fetch_job *job = s->job;

	buf_add_slice(&s->io.out, fetch_item(job)->echo);
	buf_add_char(&s->io.out, ' ');
	if (r == MBOX_OK && bytes.n > 0) {
		buf_add_slice(&s->io.out, bytes);
	} else {
		s->expunge_seen = s->expunge_seen || r == MBOX_NONEXISTENT;
		put_field_fallback(s, job);
	}
	fetch_item_done(job);
	imap_resume(s);
}

static void
ask_field(struct imap_session *s, enum message_field field)
{
	struct fetch_job *job = s->job;

	imap_wait(s);
	mailbox_field(s->mailbox, job->uid, field, on_field, s);
}

/* ---- messages ---- */

static void
put_item(struct imap_session *s, struct fetch_job *job)
{
	const struct message *msg;
	enum imap_fetch_kind kind = fetch_item(job)->kind;

	if (job->item->prev != &s->cmd.u.fetch.fetch.items)
		buf_add_char(&s->io.out, ' ');
	switch (kind) {
	case IMAP_FETCH_ENVELOPE:
		ask_field(s, FIELD_ENVELOPE);
		return;
	case IMAP_FETCH_BODY:
		ask_field(s, FIELD_BODY);
		return;
	case IMAP_FETCH_BODYSTRUCTURE:
		ask_field(s, FIELD_BODYSTRUCTURE);
		return;
	case IMAP_FETCH_SECTION:
	case IMAP_FETCH_BINARY:
	case IMAP_FETCH_BINARY_SIZE:
	case IMAP_FETCH_PREVIEW:
		fetch_part_begin(s);
		return;
	case IMAP_FETCH_UID:
	case IMAP_FETCH_FLAGS:
	case IMAP_FETCH_INTERNALDATE:
	case IMAP_FETCH_RFC822_SIZE:
	case IMAP_FETCH_MODSEQ:
	case IMAP_FETCH_SAVEDATE:
	case IMAP_FETCH_EMAILID:
	case IMAP_FETCH_THREADID:
		break;
	}
	/* It may have been expunged while an item before was fetched: what
	 * was begun is told to the end, as it was. */
	msg = view_message(s->view, job->seq);
	if (msg == NULL) {
		s->expunge_seen = true;
		msg = &job->message;
	}
	put_plain(s, job, msg);
}

/* The next message that is to be told; false at the end. */
static bool
next_message(struct imap_session *s, struct fetch_job *job)
{
	const struct imap_fetch_cmd *c = &s->cmd.u.fetch;
	const struct message *msg;
	uint32_t seq;

	while (imap_seq_iter_next(&job->numbers, &seq)) {
		msg = view_message(s->view, seq);
		if (msg == NULL) {
			s->expunge_seen = true;
			continue;
		}
		if (c->has_changedsince && msg->modseq <= c->changedsince)
			continue;
		job->seq = seq;
		job->uid = msg->uid;
		job->message = *msg;
		job->item = c->fetch.items.next;
		imap_put(s, "* ");
		imap_put_number(&s->io.out, seq);
		imap_put(s, " FETCH (");
		return true;
	}
	return false;
}

static int
end_message(struct imap_session *s, struct fetch_job *job)
{
	const struct message *msg;
	int result = 0;

	imap_put(s, ")\r\n");
	imap_flush(s);
	if (s->cmd.u.fetch.fetch.sets_seen && !s->is_read_only) {
		msg = view_message(s->view, job->seq);
		if (msg != NULL && (msg->flags & FLAG_SEEN) == 0)
			result = imap_uids_add(s, job->uid);
	}
	job->seq = 0;
	return result;
}

static enum imap_progress
finished(struct imap_session *s)
{
	const struct fetch_job *job = s->job;

	if (job->has_unknown)
		return imap_no(s, "UNKNOWN-CTE",
		    "A part is in an encoding that is not known.");
	return imap_ok(s, NULL, "Fetched.");
}

static void
on_seen(void *arg, enum mbox_result r, const uint32_t *modified, size_t n)
{
	(void)modified;
	(void)n;
	imap_on_mailbox(arg, r);
}

/* What was served is \Seen now; the view tells it before the tagged OK. */
static enum imap_progress
set_seen(struct imap_session *s)
{
	static const struct flag_change seen = { .op = FLAGS_ADD,
		.flags = FLAG_SEEN };
	const uint32_t *uids;
	size_t n;

	uids = imap_uid_array(s, &n);
	s->step = finished;
	if (n == 0)
		return IMAP_GOES_ON;
	imap_wait(s);
	mailbox_store(s->mailbox, uids, n, &seen, on_seen, s);
	return IMAP_GOES_ON;
}

static enum imap_progress
fetch_on(struct imap_session *s)
{
	struct fetch_job *job = s->job;

	for (;;) {
		if (s->io.is_waiting)
			return IMAP_GOES_ON;
		if (job->seq == 0) {
			if (imap_must_pause(s))
				return IMAP_GOES_ON;
			if (!next_message(s, job)) {
				s->step = set_seen;
				return IMAP_GOES_ON;
			}
		}
		if (job->phase != FETCH_ITEMS) {
			if (imap_must_pause(s))
				return IMAP_GOES_ON;
			fetch_part_go(s);
			imap_flush(s);
		} else if (job->item != &s->cmd.u.fetch.fetch.items) {
			put_item(s, job);
		} else if (end_message(s, job) < 0) {
			return imap_no(s, "LIMIT", "Out of memory.");
		}
		if (s->io.is_ended)
			return IMAP_ANSWERED;
	}
}

/* ---- begin ---- */

/* RFC 9394 3.3: places among the messages of the set that exist. */
static void
cut_partial(struct imap_seqset *set, const struct imap_partial *p)
{
	uint64_t total = imap_seqset_count(set), first = p->first,
	    last = p->last, at = 1, n, from, to;
	struct imap_range *r;
	size_t i, kept = 0;

	if (p->from_end) {
		first = p->last > total ? 1 : total - p->last + 1;
		last = p->first > total ? 0 : total - p->first + 1;
	}
	for (i = 0; i < set->n; i++, at += n) {
		r = &set->ranges[i];
		n = (uint64_t)r->last - r->first + 1;
		from = first > at ? first : at;
		to = last < at + n - 1 ? last : at + n - 1;
		if (from > to)
			continue;
		set->ranges[kept++] = (struct imap_range){
			(uint32_t)(r->first + (from - at)),
			(uint32_t)(r->first + (to - at)) };
	}
	set->n = kept;
}

static int
find_vanished(struct imap_session *s)
{
	struct imap_fetch_cmd *c = &s->cmd.u.fetch;
	struct imap_seqset all;
	size_t i;

	/* A copy, since the set is turned into numbers next. */
	all = c->set;
	all.ranges = region_alloc(&s->region,
	    (c->set.n + 1) * sizeof *all.ranges);
	if (all.ranges == NULL)
		return -1;
	for (i = 0; i < c->set.n; i++)
		all.ranges[i] = c->set.ranges[i];
	imap_seqset_resolve(&all, mailbox_info(s->mailbox)->uidnext);
	return imap_vanished_find(s, c->changedsince,
	    c->set.saved ? NULL : &all);
}

static enum imap_progress
tell_vanished(struct imap_session *s)
{
	if (!imap_vanished_put(s))
		return IMAP_GOES_ON;
	if ((s->cmd.u.fetch.fetch.kinds & (1U << IMAP_FETCH_FLAGS)) != 0)
		imap_tell_keywords(s);
	s->step = fetch_on;
	return IMAP_GOES_ON;
}

enum imap_progress
imap_run_fetch(struct imap_session *s)
{
	struct imap_fetch_cmd *c = &s->cmd.u.fetch;
	bool uid = (s->cmd.row->flags & IMAP_CMD_UID) != 0;
	struct fetch_job *job;

	if (c->vanished && (s->features & IMAP_FEATURE_QRESYNC) == 0)
		return imap_bad(s, "VANISHED needs ENABLE QRESYNC before.");
	job = region_alloc(&s->region, sizeof *job);
	if (job == NULL || (c->vanished && find_vanished(s) < 0))
		return imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
	if (imap_numbers(s, &c->set, uid) < 0)
		return imap_bad(s, "There is no such message number.");
	if (c->has_partial)
		cut_partial(&c->set, &c->partial);
	if (c->has_changedsince ||
	    (c->fetch.kinds & (1U << IMAP_FETCH_MODSEQ)) != 0)
		imap_enable_condstore(s);
	buf_reset(&s->uids);
	imap_seq_iter_init(&job->numbers, &c->set);
	s->job = job;
	s->step = tell_vanished;
	return IMAP_GOES_ON;
}
