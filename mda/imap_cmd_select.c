/* SPDX-License-Identifier: ISC */
/*
 * SELECT, EXAMINE, CLOSE, UNSELECT: RFC 9051 6.3.2, 6.3.3, 6.4.1, 6.4.2; 3501
 * 6.3.1 for RECENT and UNSEEN; 7162 3.1.8, 3.2.5 for CONDSTORE and QRESYNC.
 */
#include "mda/imap_session.h"

#include <stdlib.h>

#include "proto/imap_write.h"

struct select_job {
	const char *name;
	struct mailbox *mailbox;
	uint32_t seq; /* up to which QRESYNC has looked */
};

/* RFC 3501 7.1 UNSEEN: the first one that is not \Seen. */
static uint32_t
first_unseen(const struct view *v)
{
	const struct message *msg;
	uint32_t seq, n = view_count(v);

	for (seq = 1; seq <= n; seq++) {
		msg = view_message(v, seq);
		if (msg != NULL && (msg->flags & FLAG_SEEN) == 0)
			return seq;
	}
	return 0;
}

static void
put_selected(struct imap_session *s, const struct mbox_info *info)
{
	bool rev2 = (s->features & IMAP_FEATURE_REV2) != 0;
	uint32_t unseen;

	imap_put_keywords(s);
	buf_addf(&s->io.out, "* %lu EXISTS\r\n",
	    (unsigned long)view_count(s->view));
	if (!rev2)
		buf_addf(&s->io.out, "* %lu RECENT\r\n",
		    (unsigned long)view_recent(s->view));
	unseen = rev2 || info->unseen == 0 ? 0 : first_unseen(s->view);
	if (unseen > 0)
		buf_addf(&s->io.out, "* OK [UNSEEN %lu] First unseen.\r\n",
		    (unsigned long)unseen);
	buf_addf(&s->io.out, "* OK [UIDVALIDITY %lu] UIDs are valid.\r\n"
	    "* OK [UIDNEXT %lu] The next UID.\r\n"
	    "* OK [HIGHESTMODSEQ %llu] The last change.\r\n"
	    "* OK [MAILBOXID (F%lx)] Its identifier.\r\n",
	    (unsigned long)info->uidvalidity, (unsigned long)info->uidnext,
	    (unsigned long long)info->highest_modseq,
	    (unsigned long)info->number);
	if (rev2)
		imap_put_list_of(s, info);
}

static enum imap_progress
selected(struct imap_session *s)
{
	return imap_ok(s, s->cmd.row->verb == IMAP_EXAMINE ? "READ-ONLY" :
		"READ-WRITE", "Selected.");
}

static enum imap_progress
resync(struct imap_session *s)
{
	struct select_job *job = s->job;

	return imap_resync_on(s, &job->seq) ? selected(s) : IMAP_GOES_ON;
}

static enum imap_progress
opened(struct imap_session *s)
{
	struct select_job *job = s->job;
	const struct imap_select *c = &s->cmd.u.select;
	bool read_only = s->cmd.row->verb == IMAP_EXAMINE;

	if (s->result != MBOX_OK)
		return imap_failed(s, s->result, NULL);
	if (imap_select(s, job->mailbox, read_only) < 0)
		return imap_failed(s, MBOX_LATER, NULL);
	if (c->condstore || c->qresync)
		s->features |= IMAP_FEATURE_CONDSTORE;
	put_selected(s, mailbox_info(s->mailbox));
	if (!c->qresync)
		return selected(s);
	if (imap_resync_begin(s) < 0)
		return imap_failed(s, MBOX_LATER, NULL);
	job->seq = 1;
	s->step = resync;
	return IMAP_GOES_ON;
}

static void
on_opened(void *arg, enum mbox_result r, struct mailbox *m)
{
	struct imap_session *s = arg;
	struct select_job *job = s->job;

	s->result = r;
	if (s->io.is_over && m != NULL)
		mailbox_close(&m);
	job->mailbox = m;
	imap_resume(s);
}

/* A SELECT that fails leaves nothing selected (RFC 9051 6.3.2). */
enum imap_progress
imap_run_select(struct imap_session *s)
{
	const struct imap_select *c = &s->cmd.u.select;
	struct select_job *job;

	if (c->qresync && (s->features & IMAP_FEATURE_QRESYNC) == 0)
		return imap_bad(s, "QRESYNC needs ENABLE QRESYNC before.");
	if (s->view != NULL) {
		imap_unselect(s);
		imap_untagged_ok(s, "CLOSED", "The other mailbox is closed.");
	}
	job = region_alloc(&s->region, sizeof *job);
	if (job == NULL)
		return imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
	job->name = imap_name(s, c->mailbox, 0);
	if (job->name == NULL)
		return IMAP_ANSWERED;
	s->job = job;
	s->step = opened;
	imap_wait(s);
	mailbox_open(s->account, slice_str(job->name), on_opened, s);
	return IMAP_GOES_ON;
}

static enum imap_progress
closed(struct imap_session *s)
{
	if (s->result != MBOX_OK)
		return imap_failed(s, s->result, NULL);
	imap_unselect(s);
	return imap_ok(s, NULL, "Closed.");
}

/* Removes the deleted messages without telling (RFC 9051 6.4.1). */
enum imap_progress
imap_run_close(struct imap_session *s)
{
	s->result = MBOX_OK;
	s->step = closed;
	if (s->is_read_only)
		return IMAP_GOES_ON;
	imap_wait(s);
	mailbox_expunge(s->mailbox, NULL, 0, false, imap_on_mailbox, s);
	return IMAP_GOES_ON;
}

enum imap_progress
imap_run_unselect(struct imap_session *s)
{
	imap_unselect(s);
	return imap_ok(s, NULL, "Unselected.");
}
