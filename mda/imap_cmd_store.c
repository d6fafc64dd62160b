/* SPDX-License-Identifier: ISC */
/*
 * STORE: RFC 9051 6.4.6; with UNCHANGEDSINCE RFC 7162 3.1.3. The answers for
 * the messages of the command are written here; what others changed meanwhile
 * is told by the view.
 */
#include "mda/imap_session.h"

#include <stdlib.h>
#include <string.h>

/* What the client knew of a message, for .SILENT. */
struct known {
	uint64_t keywords;
	uint32_t flags;
};

struct store_job {
	struct flag_change change;
	struct buf known;     /* struct known, one for each UID; or empty */
	struct buf modified;  /* uint32_t UIDs that were left alone */
	uint64_t mask;        /* keyword bits of the command, when known */
	size_t next;          /* the UID to be answered */
	size_t skip;          /* place in `modified` */
	bool is_silent;
};

static void
drop(struct imap_session *s)
{
	struct store_job *job = s->job;

	buf_fini(&job->known);
	buf_fini(&job->modified);
}

static int
note_known(struct imap_session *s, struct store_job *job)
{
	const struct message *msg;
	const uint32_t *uids;
	struct known k;
	size_t i, n;

	uids = imap_uid_array(s, &n);
	for (i = 0; i < n; i++) {
		msg = mailbox_message(s->mailbox, uids[i]);
		k = (struct known){ 0, 0 };
		if (msg != NULL)
			k = (struct known){ msg->keywords, msg->flags };
		buf_add(&job->known, &k, sizeof k);
	}
	return buf_is_ok(&job->known) ? 0 : -1;
}

static void
note_mask(struct imap_session *s, struct store_job *job)
{
	size_t i;
	int bit;

	job->mask = 0;
	for (i = 0; i < job->change.n_keywords; i++) {
		bit = mailbox_keyword_find(s->mailbox,
		    job->change.keywords[i]);
		if (bit >= 0)
			job->mask |= 1ULL << bit;
	}
}

/* Is it as the client must think that it is? */
static bool
is_expected(const struct store_job *job, size_t i, const struct message *msg)
{
	const struct flag_change *c = &job->change;
	const struct known *known = (const void *)job->known.p;

	switch (c->op) {
	case FLAGS_REPLACE:
		return msg->flags == c->flags && msg->keywords == job->mask;
	case FLAGS_ADD:
		return msg->flags == (known[i].flags | c->flags) &&
		    msg->keywords == (known[i].keywords | job->mask);
	case FLAGS_REMOVE:
		return msg->flags == (known[i].flags & ~c->flags) &&
		    msg->keywords == (known[i].keywords & ~job->mask);
	}
	return false;
}

static void
put_message(struct imap_session *s, const struct store_job *job,
    uint32_t seq, const struct message *msg)
{
	struct buf *out = &s->io.out;
	bool uid = (s->cmd.row->flags & IMAP_CMD_UID) != 0 ||
	    (s->features & (IMAP_FEATURE_QRESYNC | IMAP_FEATURE_REV2)) != 0;
	bool modseq = imap_has_condstore(s);

	imap_put(s, "* ");
	imap_put_number(out, seq);
	imap_put(s, " FETCH (");
	if (uid) {
		imap_put(s, "UID ");
		imap_put_number(out, msg->uid);
	}
	if (!job->is_silent) {
		imap_put(s, uid ? " FLAGS " : "FLAGS ");
		imap_put_flags(out, s->mailbox, msg,
		    imap_is_recent(s, seq));
	}
	if (modseq) {
		imap_put(s, uid || !job->is_silent ? " MODSEQ (" :
		    "MODSEQ (");
		imap_put_number(out, msg->modseq);
		imap_put(s, ")");
	}
	imap_put(s, ")\r\n");
}

/* Was this one left alone? Both lists ascend. */
static bool
is_modified(struct store_job *job, uint32_t uid)
{
	const uint32_t *v = (const void *)job->modified.p;
	size_t n = job->modified.n / sizeof *v;

	while (job->skip < n && v[job->skip] < uid)
		job->skip++;
	return job->skip < n && v[job->skip] == uid;
}

static void
answer_one(struct imap_session *s, struct store_job *job, size_t i,
    uint32_t uid)
{
	uint32_t seq = view_seq(s->view, uid);
	const struct message *msg = seq == 0 ? NULL :
	    view_message(s->view, seq);

	if (msg == NULL) {
		s->expunge_seen = true;
		return;
	}
	/* Somebody else changed it too: told as a whole at the end. */
	if (imap_is_deferred(s, uid)) {
		view_knows(s->view, uid, msg->modseq);
		return;
	}
	/* RFC 7162 3.1.3: a conditional one always learns the new MODSEQ;
	 * what was left alone is told as it is by the view. */
	if (is_modified(job, uid))
		return;
	if (job->is_silent && !is_expected(job, i, msg))
		return;
	if (!job->is_silent || imap_has_condstore(s))
		put_message(s, job, seq, msg);
	view_knows(s->view, uid, msg->modseq);
}

/* "[MODIFIED 7,9]": numbers as the command had them. */
static enum imap_progress
put_modified(struct imap_session *s, struct store_job *job)
{
	const uint32_t *v = (const void *)job->modified.p;
	size_t i, n = job->modified.n / sizeof *v;
	bool uid = (s->cmd.row->flags & IMAP_CMD_UID) != 0;
	enum imap_progress p;
	struct imap_seq_writer w;
	struct buf code;

	buf_init(&code, SIZE_MAX / 2);
	buf_add_str(&code, "MODIFIED ");
	imap_seq_writer_init(&w, &code);
	for (i = 0; i < n; i++)
		imap_seq_writer_add(&w, uid ? v[i] : view_seq(s->view, v[i]));
	imap_seq_writer_end(&w);
	p = imap_ok(s, code.p, "Some had been changed and were left alone.");
	buf_fini(&code);
	return p;
}

static enum imap_progress
answer_some(struct imap_session *s)
{
	struct store_job *job = s->job;
	const uint32_t *uids;
	size_t n;

	uids = imap_uid_array(s, &n);
	while (job->next < n) {
		answer_one(s, job, job->next, uids[job->next]);
		job->next++;
		imap_flush(s);
		if (imap_must_pause(s))
			return IMAP_GOES_ON;
	}
	return job->modified.n > 0 ? put_modified(s, job) :
	    imap_ok(s, NULL, "Stored.");
}

static enum imap_progress
stored(struct imap_session *s)
{
	struct store_job *job = s->job;

	if (s->result == MBOX_OK) {
		note_mask(s, job);
		imap_tell_keywords(s);
		s->step = answer_some;
		return IMAP_GOES_ON;
	}
	if (s->result == MBOX_NOT_ALLOWED)
		return imap_no(s, "LIMIT",
		    "The mailbox cannot have more keywords.");
	return imap_failed(s, s->result, NULL);
}

static void
on_stored(void *arg, enum mbox_result r, const uint32_t *modified, size_t n)
{
	struct imap_session *s = arg;
	struct store_job *job = s->job;

	s->result = r;
	if (n > 0)
		buf_add(&job->modified, modified, n * sizeof *modified);
	imap_resume(s);
}

static struct store_job *
job_new(struct imap_session *s)
{
	static const enum flag_op ops[] = {
		[IMAP_STORE_REPLACE] = FLAGS_REPLACE,
		[IMAP_STORE_ADD] = FLAGS_ADD,
		[IMAP_STORE_REMOVE] = FLAGS_REMOVE,
	};
	const struct imap_store *c = &s->cmd.u.store;
	struct store_job *job = region_alloc(&s->region, sizeof *job);

	if (job == NULL)
		return NULL;
	job->change = (struct flag_change){ .op = ops[c->how],
		.flags = imap_flags_in(c->flags.system),
		.keywords = c->flags.keywords, .n_keywords = c->flags.n,
		.conditional = c->has_unchangedsince,
		.unchanged_since = c->unchangedsince };
	job->is_silent = c->silent;
	buf_init(&job->known, SIZE_MAX / 2);
	buf_init(&job->modified, SIZE_MAX / 2);
	s->job = job;
	s->drop = drop;
	return job;
}

enum imap_progress
imap_run_store(struct imap_session *s)
{
	struct imap_store *c = &s->cmd.u.store;
	struct store_job *job;
	const uint32_t *uids;
	size_t n;

	if (imap_numbers(s, &c->set, (s->cmd.row->flags & IMAP_CMD_UID) != 0)
	    < 0)
		return imap_bad(s, "There is no such message number.");
	if (c->has_unchangedsince)
		imap_enable_condstore(s);
	imap_sync_defer(s);
	job = job_new(s);
	if (job == NULL || imap_uids(s, &c->set) < 0)
		return imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
	if (job->is_silent && job->change.op != FLAGS_REPLACE &&
	    note_known(s, job) < 0)
		return imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
	s->step = stored;
	uids = imap_uid_array(s, &n);
	s->result = MBOX_OK;
	if (n == 0)
		return IMAP_GOES_ON;
	imap_wait(s);
	mailbox_store(s->mailbox, uids, n, &job->change, on_stored, s);
	return IMAP_GOES_ON;
}
