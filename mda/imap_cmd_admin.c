/* SPDX-License-Identifier: ISC */
/*
 * Commands about mailboxes that are not opened for it: CREATE, DELETE, RENAME,
 * SUBSCRIBE, STATUS (RFC 9051 6.3.4 to 6.3.8, 6.3.11; 6154 CREATE USE, 8438
 * SIZE, 8474 MAILBOXID), quota (9208).
 */
#include "mda/imap_session.h"

#include "proto/imap_mailbox.h"
#include "proto/imap_write.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* ---- CREATE, DELETE, RENAME ---- */

struct admin_job {
	const char *name;
};

static int
take_name(struct imap_session *s, struct slice wire, unsigned how)
{
	struct admin_job *job = region_alloc(&s->region, sizeof *job);

	if (job == NULL) {
		(void)imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
		return -1;
	}
	s->job = job;
	job->name = imap_name(s, wire, how);
	return job->name == NULL ? -1 : 0;
}

static enum imap_progress
created(struct imap_session *s)
{
	const struct admin_job *job = s->job;
	const struct mbox_info *info;
	enum imap_progress p;
	struct buf code;

	info = s->result != MBOX_OK ? NULL :
	    account_find(s->account, slice_str(job->name));
	if (info == NULL)
		return imap_result(s, "Created.");
	buf_init(&code, 64);
	buf_addf(&code, "MAILBOXID (F%lx)", (unsigned long)info->number);
	p = imap_ok(s, code.p, "Created.");
	buf_fini(&code);
	return p;
}

static uint32_t
special_use(unsigned use)
{
	static const struct {
		unsigned use;
		uint32_t attr;
	} uses[] = {
		{ IMAP_USE_ALL, MBOX_ALL },
		{ IMAP_USE_ARCHIVE, MBOX_ARCHIVE },
		{ IMAP_USE_DRAFTS, MBOX_DRAFTS },
		{ IMAP_USE_FLAGGED, MBOX_FLAGGED_ALL },
		{ IMAP_USE_JUNK, MBOX_JUNK },
		{ IMAP_USE_SENT, MBOX_SENT },
		{ IMAP_USE_TRASH, MBOX_TRASH },
		{ IMAP_USE_IMPORTANT, MBOX_IMPORTANT },
	};
	uint32_t attrs = 0;
	size_t i;

	for (i = 0; i < COUNT(uses); i++)
		if ((use & uses[i].use) != 0)
			attrs |= uses[i].attr;
	return attrs;
}

enum imap_progress
imap_run_create(struct imap_session *s)
{
	const struct imap_create *c = &s->cmd.u.create;
	const struct admin_job *job;

	if ((c->use & IMAP_USE_UNKNOWN) != 0)
		return imap_no(s, "USEATTR", "That use is not known here.");
	if (take_name(s, c->mailbox, IMAP_MAILBOX_IS_NEW) < 0)
		return IMAP_ANSWERED;
	job = s->job;
	s->step = created;
	imap_wait(s);
	account_create(s->account, slice_str(job->name),
	    special_use(c->use), imap_on_account, s);
	return IMAP_GOES_ON;
}

static enum imap_progress
deleted(struct imap_session *s)
{
	return imap_result(s, "Deleted.");
}

enum imap_progress
imap_run_delete(struct imap_session *s)
{
	const struct admin_job *job;

	if (take_name(s, s->cmd.u.name.name, 0) < 0)
		return IMAP_ANSWERED;
	job = s->job;
	if (s->view != NULL && slice_eq_str(slice_str(job->name),
	    mailbox_info(s->mailbox)->name)) {
		imap_unselect(s);
		imap_untagged_ok(s, "CLOSED", "The mailbox is closed.");
	}
	s->step = deleted;
	imap_wait(s);
	account_delete(s->account, slice_str(job->name), imap_on_account, s);
	return IMAP_GOES_ON;
}

static enum imap_progress
renamed(struct imap_session *s)
{
	return imap_result(s, "Renamed.");
}

enum imap_progress
imap_run_rename(struct imap_session *s)
{
	const struct imap_rename *c = &s->cmd.u.rename;
	const char *from, *to;

	from = imap_name(s, c->from, 0);
	to = from == NULL ? NULL : imap_name(s, c->to, IMAP_MAILBOX_IS_NEW);
	if (to == NULL)
		return IMAP_ANSWERED;
	s->step = renamed;
	imap_wait(s);
	account_rename(s->account, slice_str(from), slice_str(to),
	    imap_on_account, s);
	return IMAP_GOES_ON;
}

static enum imap_progress
subscribed(struct imap_session *s)
{
	return imap_result(s, s->cmd.row->verb == IMAP_SUBSCRIBE ?
		"Subscribed." : "Unsubscribed.");
}

enum imap_progress
imap_run_subscribe(struct imap_session *s)
{
	const struct admin_job *job;

	if (take_name(s, s->cmd.u.name.name, 0) < 0)
		return IMAP_ANSWERED;
	job = s->job;
	s->step = subscribed;
	imap_wait(s);
	account_subscribe(s->account, slice_str(job->name),
	    s->cmd.row->verb == IMAP_SUBSCRIBE, imap_on_account, s);
	return IMAP_GOES_ON;
}

/* ---- STATUS ---- */

static void
put_item(struct buf *out, size_t start, const char *name, uint64_t v)
{
	if (out->n > start)
		buf_add_char(out, ' ');
	buf_add_str(out, name);
	buf_add_char(out, ' ');
	imap_put_number(out, v);
}

void
imap_put_status(struct imap_session *s, const struct mbox_info *info,
    unsigned items)
{
	const struct {
		unsigned bit;
		const char *name;
		uint64_t value;
	} rows[] = {
		{ IMAP_STATUS_MESSAGES, "MESSAGES", info->messages },
		{ IMAP_STATUS_RECENT, "RECENT", info->recent },
		{ IMAP_STATUS_UIDNEXT, "UIDNEXT", info->uidnext },
		{ IMAP_STATUS_UIDVALIDITY, "UIDVALIDITY", info->uidvalidity },
		{ IMAP_STATUS_UNSEEN, "UNSEEN", info->unseen },
		{ IMAP_STATUS_DELETED, "DELETED", info->deleted },
		{ IMAP_STATUS_SIZE, "SIZE", info->size },
		{ IMAP_STATUS_HIGHESTMODSEQ, "HIGHESTMODSEQ",
		    info->highest_modseq },
		{ IMAP_STATUS_DELETED_STORAGE, "DELETED-STORAGE",
		    info->deleted_size },
		{ IMAP_STATUS_APPENDLIMIT, "APPENDLIMIT", IMAP_MESSAGE_MAX },
	};
	struct buf *out = &s->io.out;
	size_t i, start;

	imap_put(s, "* STATUS ");
	imap_write_mailbox(out, slice_str(info->name), imap_is_utf8(s));
	imap_put(s, " (");
	start = out->n;
	for (i = 0; i < COUNT(rows); i++)
		if ((items & rows[i].bit) != 0)
			put_item(out, start, rows[i].name, rows[i].value);
	if ((items & IMAP_STATUS_MAILBOXID) != 0)
		buf_addf(out, "%sMAILBOXID (F%lx)", out->n > start ? " " : "",
		    (unsigned long)info->number);
	imap_put(s, ")\r\n");
}

static enum imap_progress
refreshed(struct imap_session *s)
{
	const struct admin_job *job = s->job;
	const struct mbox_info *info;
	unsigned items = s->cmd.u.status.items;

	info = account_find(s->account, slice_str(job->name));
	if (info == NULL)
		return imap_failed(s, MBOX_NONEXISTENT, NULL);
	if ((info->attrs & MBOX_NOSELECT) != 0)
		return imap_failed(s, MBOX_NOT_ALLOWED, NULL);
	imap_put_status(s, info, items);
	if ((items & IMAP_STATUS_HIGHESTMODSEQ) != 0)
		imap_enable_condstore(s);
	return imap_ok(s, NULL, "That is all.");
}

enum imap_progress
imap_run_status(struct imap_session *s)
{
	const struct admin_job *job;

	if (take_name(s, s->cmd.u.status.mailbox, 0) < 0)
		return IMAP_ANSWERED;
	job = s->job;
	s->step = refreshed;
	imap_wait(s);
	account_refresh(s->account, slice_str(job->name), imap_on_account, s);
	return IMAP_GOES_ON;
}

/* ---- quota: one root, the account ---- */

static bool
has_quota(const struct imap_session *s)
{
	return account_quota_bytes(s->account) > 0 ||
	    account_quota_messages(s->account) > 0;
}

static void
put_quota(struct imap_session *s)
{
	uint64_t bytes, messages, max = account_quota_bytes(s->account);
	const char *space = "";

	account_usage(s->account, &bytes, &messages);
	imap_put(s, "* QUOTA \"\" (");
	if (max > 0) {
		buf_addf(&s->io.out, "STORAGE %llu %llu",
		    (unsigned long long)((bytes + 1023) / 1024),
		    (unsigned long long)(max / 1024));
		space = " ";
	}
	max = account_quota_messages(s->account);
	if (max > 0)
		buf_addf(&s->io.out, "%sMESSAGE %llu %llu", space,
		    (unsigned long long)messages, (unsigned long long)max);
	imap_put(s, ")\r\n");
}

enum imap_progress
imap_run_getquota(struct imap_session *s)
{
	if (s->cmd.u.name.name.n > 0 || !has_quota(s))
		return imap_no(s, "NONEXISTENT",
		    "There is no such quota root.");
	put_quota(s);
	return imap_ok(s, NULL, "That is all.");
}

enum imap_progress
imap_run_getquotaroot(struct imap_session *s)
{
	const char *name = imap_name(s, s->cmd.u.name.name, 0);

	if (name == NULL)
		return IMAP_ANSWERED;
	if (account_find(s->account, slice_str(name)) == NULL)
		return imap_failed(s, MBOX_NONEXISTENT, NULL);
	imap_put(s, "* QUOTAROOT ");
	imap_write_mailbox(&s->io.out, slice_str(name), imap_is_utf8(s));
	imap_put(s, has_quota(s) ? " \"\"\r\n" : "\r\n");
	if (has_quota(s))
		put_quota(s);
	return imap_ok(s, NULL, "That is all.");
}

enum imap_progress
imap_run_setquota(struct imap_session *s)
{
	return imap_no(s, "NOPERM", "Quotas are set by the administrator.");
}
