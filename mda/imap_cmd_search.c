/* SPDX-License-Identifier: ISC */
/*
 * SEARCH: RFC 9051 6.4.4, 7.3.4; 3501 7.2.5; 4731 ESEARCH, 5182 `$`, 7162
 * MODSEQ, 9394 PARTIAL. Messages are looked at in order, each as far as its
 * answer needs; one is opened at a time. The answer, one line however many
 * matched, is told no faster than the client reads.
 */
#include "mda/imap_session.h"

#include "mda/imap_match.h"
#include "mda/imap_parts.h"
#include "mda/imap_tree.h"
#include "proto/base64_body.h"
#include "proto/qp.h"

enum told_as {
	TOLD_NUMBERS, /* SEARCH: each by itself */
	TOLD_ALL,     /* ESEARCH: as a set */
	TOLD_PARTIAL  /* the same, in parentheses */
};

struct search_job {
	struct imap_match match;
	uint32_t seq;       /* under way; 0: none */
	uint32_t uid;
	struct imap_match_message msg;
	uint64_t modseq;    /* the highest of what matched */
	/* the answer: what of s->uids is being told, and how */
	unsigned returns;
	enum told_as as;
	size_t at, end;
	struct imap_seq_writer set;
	/* the body: text parts, one after the other */
	const struct mime_part *part;
	uint64_t offset, left;
	struct base64_decoder base64;
	struct qp_decoder qp;
	struct imap_finder finder;
	bool body_begun;
};

/* ---- the answer ---- */

/* s->uids holds message numbers here, ascending. */
static uint32_t
shown(const struct imap_session *s, uint32_t seq)
{
	return (s->cmd.row->flags & IMAP_CMD_UID) != 0 ?
	    view_uid(s->view, seq) : seq;
}

static uint64_t
modseq_of(struct imap_session *s, uint32_t seq)
{
	const struct message *msg = view_message(s->view, seq);

	return msg == NULL ? 0 : msg->modseq;
}

/* RFC 4731 3.2: of what is told, when that is the first and last alone. */
static uint64_t
told_modseq(struct imap_session *s, const uint32_t *v, size_t n,
    unsigned returns)
{
	const struct search_job *job = s->job;
	uint64_t low, high;

	if (job->as == TOLD_NUMBERS || (returns & (IMAP_RETURN_ALL |
	    IMAP_RETURN_COUNT | IMAP_RETURN_PARTIAL)) != 0 ||
	    (returns & (IMAP_RETURN_MIN | IMAP_RETURN_MAX)) == 0)
		return job->modseq;
	low = (returns & IMAP_RETURN_MIN) != 0 ? modseq_of(s, v[0]) : 0;
	high = (returns & IMAP_RETURN_MAX) != 0 ? modseq_of(s, v[n - 1]) : 0;
	return low > high ? low : high;
}

/* From here on told by tell_on(), as a set. */
static void
begin_set(struct imap_session *s, enum told_as as, size_t at, size_t end)
{
	struct search_job *job = s->job;

	job->as = as;
	job->at = at;
	job->end = end;
	imap_seq_writer_init(&job->set, &s->io.out);
}

static void
begin_partial(struct imap_session *s, size_t n)
{
	const struct imap_partial *p = &s->cmd.u.search.partial;
	uint64_t first = p->first, last = p->last;

	buf_addf(&s->io.out, p->from_end ? " PARTIAL (-%lu:-%lu " :
	    " PARTIAL (%lu:%lu ", (unsigned long)p->first,
	    (unsigned long)p->last);
	if (p->from_end) {
		first = p->last > n ? 1 : n - p->last + 1;
		last = p->first > n ? 0 : n - p->first + 1;
	}
	if (last > n)
		last = n;
	if (first > last) {
		imap_put(s, "NIL");
		last = first - 1;
	}
	begin_set(s, TOLD_PARTIAL, (size_t)first - 1, (size_t)last);
}

static void
begin_esearch(struct imap_session *s, const uint32_t *v, size_t n,
    unsigned returns)
{
	imap_put(s, "* ESEARCH (TAG \"");
	buf_add_slice(&s->io.out, s->cmd.tag);
	imap_put(s, "\")");
	if ((s->cmd.row->flags & IMAP_CMD_UID) != 0)
		imap_put(s, " UID");
	if ((returns & IMAP_RETURN_MIN) != 0 && n > 0)
		buf_addf(&s->io.out, " MIN %lu", (unsigned long)shown(s, v[0]));
	if ((returns & IMAP_RETURN_MAX) != 0 && n > 0)
		buf_addf(&s->io.out, " MAX %lu",
		    (unsigned long)shown(s, v[n - 1]));
	if ((returns & IMAP_RETURN_COUNT) != 0)
		buf_addf(&s->io.out, " COUNT %zu", n);
	if ((returns & IMAP_RETURN_ALL) != 0 && n > 0)
		imap_put(s, " ALL ");
	begin_set(s, TOLD_ALL, 0, (returns & IMAP_RETURN_ALL) != 0 ? n : 0);
}

static void
put_modseq(struct imap_session *s, const uint32_t *v, size_t n)
{
	const struct search_job *job = s->job;

	if ((s->cmd.u.search.needs & IMAP_NEEDS_MODSEQ) != 0 && n > 0)
		buf_addf(&s->io.out, job->as == TOLD_NUMBERS ?
			" (MODSEQ %llu)" : " MODSEQ %llu",
		    (unsigned long long)told_modseq(s, v, n, job->returns));
}

/* Numbers up to job->end; false: after a pause. */
static bool
tell_numbers(struct imap_session *s, const uint32_t *v)
{
	struct search_job *job = s->job;

	while (job->at < job->end) {
		if (job->as != TOLD_NUMBERS) {
			imap_seq_writer_add(&job->set,
			    shown(s, v[job->at++]));
		} else {
			buf_add_char(&s->io.out, ' ');
			imap_put_number(&s->io.out, shown(s, v[job->at++]));
		}
		imap_flush(s);
		if (imap_must_pause(s))
			return false;
	}
	return true;
}

static enum imap_progress
tell_on(struct imap_session *s)
{
	struct search_job *job = s->job;
	const uint32_t *v;
	size_t n;

	v = imap_uid_array(s, &n);
	if (!tell_numbers(s, v))
		return IMAP_GOES_ON;
	if (job->as != TOLD_NUMBERS)
		imap_seq_writer_end(&job->set);
	if (job->as == TOLD_ALL &&
	    (job->returns & IMAP_RETURN_PARTIAL) != 0) {
		begin_partial(s, n);
		return IMAP_GOES_ON;
	}
	if (job->as == TOLD_PARTIAL)
		imap_put(s, ")");
	put_modseq(s, v, n);
	imap_put(s, "\r\n");
	return imap_ok(s, NULL, "Searched.");
}

static void
save_one(struct imap_session *s, uint32_t seq)
{
	uint32_t uid = view_uid(s->view, seq);

	buf_add(&s->saved, &uid, sizeof uid);
}

/* RFC 5182 2.1: with MIN or MAX alone only those are saved. */
static void
save(struct imap_session *s, const uint32_t *v, size_t n, unsigned returns)
{
	size_t i;

	buf_release(&s->saved);
	if (n == 0)
		return;
	if ((returns & (IMAP_RETURN_MIN | IMAP_RETURN_MAX)) == 0 ||
	    (returns & (IMAP_RETURN_ALL | IMAP_RETURN_COUNT)) != 0) {
		for (i = 0; i < n; i++)
			save_one(s, v[i]);
		return;
	}
	if ((returns & IMAP_RETURN_MIN) != 0)
		save_one(s, v[0]);
	if ((returns & IMAP_RETURN_MAX) != 0 &&
	    (n > 1 || (returns & IMAP_RETURN_MIN) == 0))
		save_one(s, v[n - 1]);
}

static enum imap_progress
answer(struct imap_session *s)
{
	const struct imap_search *c = &s->cmd.u.search;
	struct search_job *job = s->job;
	unsigned returns = c->returns;
	const uint32_t *v;
	size_t n;

	v = imap_uid_array(s, &n);
	if ((returns & IMAP_RETURN_SAVE) != 0)
		save(s, v, n, returns);
	if (c->has_return && returns == IMAP_RETURN_SAVE)
		return imap_ok(s, NULL, "Searched.");
	s->step = tell_on;
	if (c->has_return || (s->features & IMAP_FEATURE_REV2) != 0) {
		job->returns = c->has_return ? returns : IMAP_RETURN_ALL;
		begin_esearch(s, v, n, job->returns);
	} else {
		imap_put(s, "* SEARCH");
		job->as = TOLD_NUMBERS;
		job->end = n;
	}
	return IMAP_GOES_ON;
}

/* ---- looking into messages ---- */

static void
on_header(void *arg, enum mbox_result r, struct slice bytes)
{
	struct imap_session *s = arg;
	struct search_job *job = s->job;

	buf_reset(&s->scratch);
	if (r == MBOX_OK)
		buf_add_slice(&s->scratch, bytes);
	job->msg.header = buf_slice(&s->scratch);
	job->msg.has_header = true;
	imap_resume(s);
}

static void
begin_part(struct search_job *job)
{
	job->offset = job->part->body.offset;
	job->left = job->part->body.size;
	base64_decoder_init(&job->base64);
	qp_decoder_init(&job->qp);
	imap_finder_begin(&job->finder, imap_charset_of(job->part));
}

static bool
feed(struct search_job *job, struct slice bytes)
{
	struct buf text;
	bool all;

	if (job->part->encoding != MIME_BASE64 &&
	    job->part->encoding != MIME_QUOTED_PRINTABLE)
		return imap_finder_feed(&job->finder, bytes,
		    job->match.wanted, job->match.n_wanted);
	buf_init(&text, 2 * IMAP_READ_SIZE);
	if (job->part->encoding == MIME_BASE64) {
		base64_body_decode(&job->base64, bytes, &text);
		if (job->left == 0)
			base64_body_decode_end(&job->base64, &text);
	} else {
		qp_decode(&job->qp, bytes, &text);
		if (job->left == 0)
			qp_decode_end(&job->qp, &text);
	}
	all = imap_finder_feed(&job->finder, buf_slice(&text),
	    job->match.wanted, job->match.n_wanted);
	buf_fini(&text);
	return all;
}

static void
on_bytes(void *arg, enum mbox_result r, struct slice bytes)
{
	struct imap_session *s = arg;
	struct search_job *job = s->job;

	if (r != MBOX_OK || bytes.n == 0 || bytes.n > job->left) {
		job->msg.has_body = true;
	} else {
		job->offset += bytes.n;
		job->left -= bytes.n;
		if (feed(job, bytes))
			job->msg.has_body = true;
	}
	imap_resume(s);
}

/* One step towards knowing the body. */
static void
read_body(struct imap_session *s, struct search_job *job)
{
	const struct mime_part *root = imap_tree_of(s, job->uid);

	if (root == NULL) {
		if (imap_tree_read(s, job->uid) < 0)
			job->msg.has_body = true;
		return;
	}
	if (!job->body_begun || job->left == 0) {
		job->part = imap_next_text(
		    job->body_begun ? job->part : NULL, root);
		job->body_begun = true;
		if (job->part == NULL)
			job->msg.has_body = true;
		else
			begin_part(job);
		return;
	}
	imap_wait(s);
	mailbox_read(s->mailbox, job->uid, job->offset,
	    job->left < IMAP_READ_SIZE ? (size_t)job->left : IMAP_READ_SIZE,
	    on_bytes, s);
}

/* ---- the walk ---- */

static void
begin_message(struct imap_session *s, struct search_job *job, uint32_t seq)
{
	job->seq = seq;
	job->uid = view_uid(s->view, seq);
	job->msg = (struct imap_match_message){ .mailbox = s->mailbox,
		.seq = seq, .is_recent = view_is_recent(s->view, seq) };
	job->body_begun = false;
	imap_match_begin_body(&job->match);
}

static void
look_closer(struct imap_session *s, struct search_job *job)
{
	if (!job->msg.has_header) {
		imap_wait(s);
		mailbox_field(s->mailbox, job->uid, FIELD_HEADER, on_header,
		    s);
	} else {
		read_body(s, job);
	}
}

static void
drop(struct imap_session *s)
{
	struct search_job *job = s->job;

	imap_finder_fini(&job->finder);
}

static enum imap_progress
finish(struct imap_session *s)
{
	if (!buf_is_ok(&s->uids)) {
		buf_release(&s->saved);
		return imap_no(s, "LIMIT", "Out of memory.");
	}
	return answer(s);
}

static enum imap_progress
search_on(struct imap_session *s)
{
	struct search_job *job = s->job;
	enum imap_truth t;

	for (;;) {
		if (s->io.is_waiting || imap_must_pause(s))
			return IMAP_GOES_ON;
		if (job->seq > view_count(s->view))
			return finish(s);
		job->msg.msg = view_message(s->view, job->seq);
		t = IMAP_FALSE;
		if (job->msg.msg == NULL)
			s->expunge_seen = true;
		else
			t = imap_match(&job->match, &job->msg);
		if (t == IMAP_UNKNOWN) {
			look_closer(s, job);
			continue;
		}
		if (t == IMAP_TRUE) {
			if (imap_uids_add(s, job->seq) < 0)
				return finish(s);
			if (job->msg.msg->modseq > job->modseq)
				job->modseq = job->msg.msg->modseq;
		}
		begin_message(s, job, job->seq + 1);
	}
}

/* ---- begin ---- */

static int
resolve(struct imap_session *s, struct imap_search_node *node)
{
	struct imap_search_node *child;

	if (node->op == IMAP_SEARCH_SEQ)
		return imap_numbers(s, &node->u.set, false);
	if (node->op == IMAP_SEARCH_UID)
		return imap_numbers(s, &node->u.set, true);
	if (node->op != IMAP_SEARCH_AND && node->op != IMAP_SEARCH_OR)
		return 0;
	for (child = node->child; child != NULL; child = child->next)
		if (resolve(s, child) < 0)
			return -1;
	return 0;
}

enum imap_progress
imap_run_search(struct imap_session *s)
{
	struct imap_search *c = &s->cmd.u.search;
	struct search_job *job;

	if (c->charset.p != NULL && !imap_text_is_charset(c->charset)) {
		if ((c->returns & IMAP_RETURN_SAVE) != 0)
			buf_release(&s->saved);
		return imap_no(s, "BADCHARSET (US-ASCII UTF-8 ISO-8859-1)",
		    "That charset is not known here.");
	}
	if (resolve(s, c->root) < 0)
		return imap_bad(s, "There is no such message number.");
	if ((c->needs & IMAP_NEEDS_MODSEQ) != 0)
		imap_enable_condstore(s);
	job = region_alloc(&s->region, sizeof *job);
	if (job == NULL || imap_match_init(&job->match, &s->region, c) < 0)
		return imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
	imap_finder_init(&job->finder, job->match.wanted,
	    job->match.n_wanted);
	buf_reset(&s->uids);
	s->job = job;
	s->drop = drop;
	begin_message(s, job, 1);
	s->step = search_on;
	return IMAP_GOES_ON;
}
