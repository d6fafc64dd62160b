/* SPDX-License-Identifier: ISC */
/*
 * LIST and LSUB: RFC 9051 6.3.9, 3501 6.3.9; 5258 selection and return options,
 * 3348 children, 6154 special use, 5819 STATUS. All names, with the levels
 * above them that are no mailbox, are gathered and put in an order in which
 * children follow their parents.
 */
#include "mda/imap_session.h"

#include <stdlib.h>
#include <string.h>

#include "proto/imap_mailbox.h"
#include "proto/imap_write.h"
#include "proto/limits.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct entry {
	struct slice name;
	uint32_t attrs;         /* MBOX_* */
	bool exists, subscribed;
	bool has_child;         /* one that exists */
	bool has_subscribed;    /* a subscribed one below it */
	bool has_special;       /* one of special use below it */
};

struct list_job {
	struct entry *v;
	size_t n, at;
	struct slice *patterns;
	size_t n_patterns;
};

/* ---- gathering ---- */

/* '/' before all else. */
static int
cmp_name(struct slice a, struct slice b)
{
	size_t i, n = a.n < b.n ? a.n : b.n;
	unsigned char x, y;

	for (i = 0; i < n; i++) {
		x = a.p[i] == '/' ? 0 : (unsigned char)a.p[i];
		y = b.p[i] == '/' ? 0 : (unsigned char)b.p[i];
		if (x != y)
			return x < y ? -1 : 1;
	}
	return (a.n > b.n) - (a.n < b.n);
}

static int
cmp_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return cmp_name(x->name, y->name);
}

static struct entry *
find(const struct list_job *job, struct slice name)
{
	struct entry key = { .name = name };

	return job->n == 0 ? NULL :
	    bsearch(&key, job->v, job->n, sizeof key, cmp_entry);
}

/* The part of a name above its last level; false at the top. */
static bool
go_up(struct slice *name)
{
	ptrdiff_t at = slice_rchr(*name, '/');

	if (at < 0)
		return false;
	name->n = (size_t)at;
	return true;
}

/* A name and all levels above it: into scratch, which is an array. */
static void
gather(struct imap_session *s, struct slice name, uint32_t attrs,
    bool exists, bool subscribed)
{
	struct entry e = { .attrs = attrs, .exists = exists,
		.subscribed = subscribed };

	e.name = region_slice(&s->region, name);
	if (e.name.p == NULL) {
		s->scratch.err = 1;
		return;
	}
	buf_add(&s->scratch, &e, sizeof e);
	e = (struct entry){ .name = e.name };
	while (go_up(&e.name))
		buf_add(&s->scratch, &e, sizeof e);
}

static void
merge(struct list_job *job)
{
	size_t i, n = 0;
	struct entry *e;

	if (job->n == 0)
		return;
	qsort(job->v, job->n, sizeof *job->v, cmp_entry);
	for (i = 0; i < job->n; i++) {
		e = n == 0 ? NULL : &job->v[n - 1];
		if (e == NULL || !slice_eq(e->name, job->v[i].name)) {
			job->v[n++] = job->v[i];
			continue;
		}
		e->exists = e->exists || job->v[i].exists;
		e->subscribed = e->subscribed || job->v[i].subscribed;
		e->attrs |= job->v[i].attrs;
	}
	job->n = n;
}

static void
tell_parents(struct list_job *job)
{
	struct slice up;
	struct entry *e, *p;
	size_t i;

	for (i = 0; i < job->n; i++) {
		e = &job->v[i];
		up = e->name;
		while (go_up(&up)) {
			p = find(job, up);
			if (p == NULL)
				continue;
			p->has_child = p->has_child || e->exists;
			p->has_subscribed = p->has_subscribed ||
			    e->subscribed;
			p->has_special = p->has_special ||
			    (e->attrs & MBOX_SPECIAL) != 0;
		}
	}
}

static int
gather_all(struct imap_session *s, struct list_job *job)
{
	const struct mbox_info *info = NULL;
	const char *name = NULL;

	buf_reset(&s->scratch);
	while ((info = account_next(s->account, info)) != NULL)
		gather(s, slice_str(info->name), info->attrs, true,
		    (info->attrs & MBOX_SUBSCRIBED) != 0);
	while ((name = account_next_subscribed(s->account, name)) != NULL)
		gather(s, slice_str(name), 0, false, true);
	if (!buf_is_ok(&s->scratch))
		return -1;
	job->v = (void *)s->scratch.p;
	job->n = s->scratch.n / sizeof *job->v;
	merge(job);
	tell_parents(job);
	return 0;
}

static int
take_patterns(struct imap_session *s, struct list_job *job)
{
	const struct imap_list *c = &s->cmd.u.list;
	enum imap_mailbox_error error;
	unsigned how = imap_is_utf8(s) ? IMAP_MAILBOX_IS_UTF8 : 0;
	struct buf out;
	size_t i;

	job->patterns = region_alloc(&s->region,
	    (c->patterns.n + 1) * sizeof *job->patterns);
	if (job->patterns == NULL)
		return -1;
	buf_init(&out, LIMIT_IMAP_MAILBOX);
	for (i = 0; i < c->patterns.n; i++) {
		if (imap_mailbox_pattern(&out, c->reference,
		    c->patterns.v[i], how, &error) < 0)
			continue;
		job->patterns[job->n_patterns] = region_slice(&s->region,
		    buf_slice(&out));
		if (job->patterns[job->n_patterns++].p == NULL)
			break;
	}
	buf_fini(&out);
	return s->region.failed ? -1 : 0;
}

/* ---- telling ---- */

static const struct {
	uint32_t attr;
	const char *text;
} specials[] = {
	{ MBOX_ALL, "\\All" }, { MBOX_ARCHIVE, "\\Archive" },
	{ MBOX_DRAFTS, "\\Drafts" }, { MBOX_FLAGGED_ALL, "\\Flagged" },
	{ MBOX_IMPORTANT, "\\Important" }, { MBOX_JUNK, "\\Junk" },
	{ MBOX_SENT, "\\Sent" }, { MBOX_TRASH, "\\Trash" },
};

static void
put_attr(struct buf *out, size_t start, const char *text)
{
	if (out->n > start)
		buf_add_char(out, ' ');
	buf_add_str(out, text);
}

static void
put_specials(struct buf *out, size_t start, uint32_t attrs)
{
	size_t i;

	for (i = 0; i < COUNT(specials); i++)
		if ((attrs & specials[i].attr) != 0)
			put_attr(out, start, specials[i].text);
}

static bool
is_lsub(const struct imap_session *s)
{
	return s->cmd.row->verb == IMAP_LSUB;
}

static void
put_attrs(struct imap_session *s, const struct entry *e)
{
	const struct imap_list *c = &s->cmd.u.list;
	struct buf *out = &s->io.out;
	size_t start = out->n;

	if (!e->exists && c->is_extended)
		put_attr(out, start, "\\NonExistent");
	else if (is_lsub(s) ? !e->subscribed :
	    !e->exists || (e->attrs & MBOX_NOSELECT) != 0)
		put_attr(out, start, "\\Noselect");
	if (is_lsub(s))
		return;
	if (e->subscribed && ((c->returns & IMAP_LIST_RETURN_SUBSCRIBED) ||
	    (c->select & IMAP_LIST_SUBSCRIBED)))
		put_attr(out, start, "\\Subscribed");
	put_attr(out, start, e->has_child ? "\\HasChildren" :
	    "\\HasNoChildren");
	if (!c->is_extended || (c->select & IMAP_LIST_SPECIAL_USE) ||
	    (c->returns & IMAP_LIST_RETURN_SPECIAL_USE))
		put_specials(out, start, e->attrs);
}

static void
put_entry(struct imap_session *s, const struct entry *e, bool child_info)
{
	const struct imap_list *c = &s->cmd.u.list;
	const struct mbox_info *info;

	imap_put(s, is_lsub(s) ? "* LSUB (" : "* LIST (");
	put_attrs(s, e);
	imap_put(s, ") \"/\" ");
	imap_write_mailbox(&s->io.out, e->name, imap_is_utf8(s));
	if (child_info)
		imap_put(s, " (CHILDINFO (\"SUBSCRIBED\"))");
	imap_put(s, "\r\n");
	info = (c->returns & IMAP_LIST_RETURN_STATUS) == 0 || !e->exists ?
	    NULL : account_find(s->account, e->name);
	if (info != NULL && (info->attrs & MBOX_NOSELECT) == 0)
		imap_put_status(s, info, c->status);
}

void
imap_put_list_of(struct imap_session *s, const struct mbox_info *info)
{
	imap_put(s, "* LIST () \"/\" ");
	imap_write_mailbox(&s->io.out, slice_str(info->name), imap_is_utf8(s));
	imap_put(s, "\r\n");
}

static bool
matches(const struct list_job *job, struct slice name)
{
	size_t i;

	for (i = 0; i < job->n_patterns; i++)
		if (imap_mailbox_matches(job->patterns[i], name))
			return true;
	return false;
}

/* RFC 3501 6.3.9: below "foo" something is subscribed and "%" was asked. */
static bool
is_lsub_level(const struct imap_session *s, const struct entry *e)
{
	const struct slice *p = s->cmd.u.list.patterns.v;

	return e->has_subscribed && p->n > 0 && p->p[p->n - 1] == '%';
}

static void
consider(struct imap_session *s, struct list_job *job, const struct entry *e)
{
	unsigned select = s->cmd.u.list.select;
	bool child_info = false, chosen = true;

	if (is_lsub(s)) {
		chosen = e->subscribed || is_lsub_level(s, e);
	} else if ((select & IMAP_LIST_SUBSCRIBED) != 0) {
		child_info = (select & IMAP_LIST_RECURSIVEMATCH) != 0 &&
		    e->has_subscribed;
		chosen = e->subscribed || child_info;
	} else {
		chosen = e->exists || e->has_child;
	}
	if ((select & IMAP_LIST_SPECIAL_USE) != 0)
		chosen = chosen && (e->attrs & MBOX_SPECIAL) != 0;
	if (chosen && matches(job, e->name))
		put_entry(s, e, child_info);
}

static enum imap_progress
list_on(struct imap_session *s)
{
	struct list_job *job = s->job;

	while (job->at < job->n) {
		consider(s, job, &job->v[job->at++]);
		imap_flush(s);
		if (imap_must_pause(s))
			return IMAP_GOES_ON;
	}
	return imap_ok(s, NULL, "That is all.");
}

static enum imap_progress
refreshed(struct imap_session *s)
{
	const struct imap_list *c = &s->cmd.u.list;
	struct list_job *job = s->job;

	if (gather_all(s, job) < 0 || take_patterns(s, job) < 0)
		return imap_no(s, "LIMIT", "There are too many mailboxes.");
	if ((c->returns & IMAP_LIST_RETURN_STATUS) != 0 &&
	    (c->status & IMAP_STATUS_HIGHESTMODSEQ) != 0)
		imap_enable_condstore(s);
	s->step = list_on;
	return IMAP_GOES_ON;
}

enum imap_progress
imap_run_list(struct imap_session *s)
{
	const struct imap_list *c = &s->cmd.u.list;

	if ((c->returns & IMAP_LIST_RETURN_MYRIGHTS) != 0)
		return imap_bad(s, "Rights are not kept here.");
	/* RFC 9051 6.3.9: an empty pattern asks for the delimiter. */
	if (!c->is_extended && c->patterns.v[0].n == 0) {
		buf_addf(&s->io.out, "* %s (\\Noselect) \"/\" \"\"\r\n",
		    s->cmd.row->name);
		return imap_ok(s, NULL, "That is all.");
	}
	s->job = region_alloc(&s->region, sizeof(struct list_job));
	if (s->job == NULL)
		return imap_bad(s, imap_error_text(IMAP_ERROR_MEMORY));
	s->step = refreshed;
	imap_wait(s);
	account_refresh(s->account, SLICE(""), imap_on_account, s);
	return IMAP_GOES_ON;
}
