/* SPDX-License-Identifier: ISC */
/*
 * COPY, MOVE (RFC 9051 6.4.7, 6.4.8; 4315 COPYUID; 6851) and EXPUNGE, UID
 * EXPUNGE (RFC 9051 6.4.3, 6.4.9).
 */
#include "mda/imap_session.h"

#include "proto/imap_write.h"

static bool
is_uid(const struct imap_session *s)
{
	return (s->cmd.row->flags & IMAP_CMD_UID) != 0;
}

/* In QRESYNC the client is told up to where it is current (RFC 7162 3.2.7);
 * others may make use of it. */
static enum imap_progress
ok_with_modseq(struct imap_session *s, const char *text)
{
	struct buf b;
	enum imap_progress p;

	if (!imap_has_condstore(s))
		return imap_ok(s, NULL, text);
	buf_init(&b, 64);
	buf_addf(&b, "HIGHESTMODSEQ %llu",
	    (unsigned long long)mailbox_info(s->mailbox)->highest_modseq);
	p = imap_ok(s, b.p, text);
	buf_fini(&b);
	return p;
}

/* ---- EXPUNGE ---- */

static enum imap_progress
expunged(struct imap_session *s)
{
	if (s->result != MBOX_OK)
		return imap_failed(s, s->result, NULL);
	return ok_with_modseq(s, "Expunged.");
}

enum imap_progress
imap_run_expunge(struct imap_session *s)
{
	const uint32_t *uids = NULL;
	size_t n = 0;

	s->step = expunged;
	s->result = MBOX_OK;
	if (is_uid(s)) {
		if (imap_numbers(s, &s->cmd.u.expunge, true) < 0 ||
		    imap_uids(s, &s->cmd.u.expunge) < 0)
			return imap_bad(s,
			    imap_error_text(IMAP_ERROR_MEMORY));
		uids = imap_uid_array(s, &n);
		s->expunge_seen = false;
		if (n == 0)
			return IMAP_GOES_ON;
	}
	imap_wait(s);
	mailbox_expunge(s->mailbox, uids, n, false, imap_on_mailbox, s);
	return IMAP_GOES_ON;
}

/* ---- COPY and MOVE ---- */

struct copy_job {
	const char *to;
	struct buf code; /* "COPYUID 5 1:3 7:9"; empty when nothing was */
};

static void
drop(struct imap_session *s)
{
	struct copy_job *job = s->job;

	buf_fini(&job->code);
}

static enum imap_progress
copied(struct imap_session *s)
{
	struct copy_job *job = s->job;
	bool move = s->cmd.row->verb == IMAP_MOVE;
	const char *code = NULL;

	if (job->code.n > 0 && buf_is_ok(&job->code))
		code = job->code.p;
	if (s->result == MBOX_NONEXISTENT)
		return imap_no(s, "TRYCREATE", "There is no such mailbox.");
	if (s->result != MBOX_OK)
		return imap_failed(s, s->result, NULL);
	if (!move)
		return imap_ok(s, code, "Copied.");
	/* Before the EXPUNGEs (RFC 6851 4.3). */
	if (code != NULL)
		imap_untagged_ok(s, code, "Moved there.");
	return ok_with_modseq(s, "Moved.");
}

static void
put_set(struct buf *out, const uint32_t *v, size_t n)
{
	struct imap_seq_writer w;
	size_t i;

	buf_add_char(out, ' ');
	imap_seq_writer_init(&w, out);
	for (i = 0; i < n; i++)
		imap_seq_writer_add(&w, v[i]);
	imap_seq_writer_end(&w);
}

static void
on_copied(void *arg, enum mbox_result r, uint32_t uidvalidity,
    const uint32_t *src, const uint32_t *dst, size_t n)
{
	struct imap_session *s = arg;
	struct copy_job *job = s->job;

	s->result = r;
	if (r == MBOX_OK && n > 0) {
		buf_addf(&job->code, "COPYUID %lu",
		    (unsigned long)uidvalidity);
		put_set(&job->code, src, n);
		put_set(&job->code, dst, n);
	}
	imap_resume(s);
}

enum imap_progress
imap_run_copy(struct imap_session *s)
{
	struct imap_copy *c = &s->cmd.u.copy;
	struct copy_job *job;
	const uint32_t *uids;
	size_t n;

	if (imap_numbers(s, &c->set, is_uid(s)) < 0)
		return imap_bad(s, "There is no such message number.");
	job = region_alloc(&s->region, sizeof *job);
	if (job == NULL || imap_uids(s, &c->set) < 0)
		return imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
	buf_init(&job->code, SIZE_MAX / 2);
	s->job = job;
	s->drop = drop;
	job->to = imap_name(s, c->mailbox, 0);
	if (job->to == NULL)
		return IMAP_ANSWERED;
	s->step = copied;
	uids = imap_uid_array(s, &n);
	s->result = account_find(s->account, slice_str(job->to)) == NULL ?
	    MBOX_NONEXISTENT : MBOX_OK;
	if (n == 0 || s->result != MBOX_OK)
		return IMAP_GOES_ON;
	imap_wait(s);
	mailbox_copy(s->mailbox, uids, n, slice_str(job->to),
	    s->cmd.row->verb == IMAP_MOVE, on_copied, s);
	return IMAP_GOES_ON;
}
