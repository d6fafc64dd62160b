/* SPDX-License-Identifier: ISC */
/*
 * The selected mailbox of a session (RFC 9051 3.3, 6.3.2), and message sets as
 * numbers of its view.
 */
#include "mda/imap_session.h"

#include <stdlib.h>

#include "proto/imap_mailbox.h"
#include "proto/limits.h"
#include "proto/imap_write.h"

unsigned
imap_state(const struct imap_session *s)
{
	return s->view != NULL ? IMAP_STATE_SELECTED : IMAP_STATE_AUTH;
}

bool
imap_has_condstore(const struct imap_session *s)
{
	return (s->features &
	    (IMAP_FEATURE_CONDSTORE | IMAP_FEATURE_QRESYNC)) != 0;
}

bool
imap_is_recent(const struct imap_session *s, uint32_t seq)
{
	return (s->features & IMAP_FEATURE_REV2) == 0 &&
	    view_is_recent(s->view, seq);
}

void
imap_enable_condstore(struct imap_session *s)
{
	if (imap_has_condstore(s))
		return;
	s->features |= IMAP_FEATURE_CONDSTORE;
	if (s->view == NULL)
		return;
	buf_addf(&s->io.out, "* OK [HIGHESTMODSEQ %llu] CONDSTORE is on.\r\n",
	    (unsigned long long)mailbox_info(s->mailbox)->highest_modseq);
}

/* ---- selecting ---- */

/* While IDLE goes on it is told at once, else when a command allows. */
static void
on_changed(void *arg)
{
	imap_news(arg);
}

static const struct view_events view_events = { .changed = on_changed };

int
imap_select(struct imap_session *s, struct mailbox *m, bool read_only)
{
	s->view = view_new(m, read_only, &view_events, s);
	if (s->view == NULL) {
		mailbox_close(&m);
		return -1;
	}
	s->mailbox = m;
	s->is_read_only = read_only;
	return 0;
}

void
imap_unselect(struct imap_session *s)
{
	imap_tree_free(s);
	buf_release(&s->saved);
	buf_release(&s->deferred);
	if (s->view != NULL)
		view_free(&s->view);
	if (s->mailbox != NULL)
		mailbox_close(&s->mailbox);
	s->is_read_only = false;
}

/* ---- sets ---- */

/* `$` (RFC 5182): the saved UIDs as ranges. */
static int
saved_set(struct imap_session *s, struct imap_seqset *set)
{
	const uint32_t *v = (const void *)s->saved.p;
	size_t i, n = s->saved.n / sizeof *v;

	set->ranges = region_alloc(&s->region,
	    (n > 0 ? n : 1) * sizeof *set->ranges);
	if (set->ranges == NULL)
		return -1;
	set->n = 0;
	for (i = 0; i < n; i++) {
		if (set->n > 0 && set->ranges[set->n - 1].last + 1 == v[i])
			set->ranges[set->n - 1].last = v[i];
		else
			set->ranges[set->n++] =
			    (struct imap_range){ v[i], v[i] };
	}
	return 0;
}

static void
uids_to_numbers(struct imap_session *s, struct imap_seqset *set)
{
	uint32_t count = view_count(s->view), first, last;
	size_t i, n = 0;

	for (i = 0; i < set->n; i++) {
		first = view_seq_from(s->view, set->ranges[i].first);
		if (first == 0 || first > count)
			break;
		last = set->ranges[i].last == UINT32_MAX ? 0 :
		    view_seq_from(s->view, set->ranges[i].last + 1);
		last = last == 0 || last > count ? count : last - 1;
		if (first <= last)
			set->ranges[n++] = (struct imap_range){ first, last };
	}
	set->n = n;
}

int
imap_numbers(struct imap_session *s, struct imap_seqset *set, bool uid)
{
	uint32_t count = view_count(s->view);

	if (set->saved) {
		if (saved_set(s, set) < 0)
			return -1;
		uid = true;
	} else if (!uid && imap_seqset_max(set) > count &&
	    !(count == 0 && set->has_star)) {
		/* 1:* of an empty mailbox is asked for in good faith. */
		return -1;
	}
	if (!uid) {
		imap_seqset_resolve(set, count);
		imap_seqset_clip(set, 1, count);
		return 0;
	}
	if (!set->saved)
		imap_seqset_resolve(set, count > 0 ?
			view_uid(s->view, count) :
			mailbox_info(s->mailbox)->uidnext);
	uids_to_numbers(s, set);
	return 0;
}

int
imap_uids_add(struct imap_session *s, uint32_t uid)
{
	buf_add(&s->uids, &uid, sizeof uid);
	return buf_is_ok(&s->uids) ? 0 : -1;
}

int
imap_uids(struct imap_session *s, const struct imap_seqset *numbers)
{
	struct imap_seq_iter it;
	uint32_t seq;

	buf_reset(&s->uids);
	imap_seq_iter_init(&it, numbers);
	while (imap_seq_iter_next(&it, &seq)) {
		if (view_message(s->view, seq) == NULL)
			s->expunge_seen = true;
		else if (imap_uids_add(s, view_uid(s->view, seq)) < 0)
			return -1;
	}
	return 0;
}

const uint32_t *
imap_uid_array(const struct imap_session *s, size_t *n_r)
{
	*n_r = s->uids.n / sizeof(uint32_t);
	return (const void *)s->uids.p;
}

/* ---- names ---- */

const char *
imap_name(struct imap_session *s, struct slice wire, unsigned how)
{
	enum imap_mailbox_error error = IMAP_MAILBOX_NONE;
	const char *name = NULL;
	struct buf out;

	buf_init(&out, LIMIT_IMAP_MAILBOX);
	if (imap_is_utf8(s))
		how |= IMAP_MAILBOX_IS_UTF8;
	if (imap_mailbox_parse(&out, wire, how, &error) < 0) {
		(void)imap_no(s, "CANNOT", imap_mailbox_error_text(error));
	} else {
		name = region_str(&s->region, buf_slice(&out));
		if (name == NULL)
			(void)imap_bad(s,
			    imap_error_text(IMAP_ERROR_MEMORY));
	}
	buf_fini(&out);
	return name;
}
