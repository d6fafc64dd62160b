/* SPDX-License-Identifier: ISC */
/*
 * What a client missed: VANISHED (EARLIER) and flags changed since a MODSEQ.
 * RFC 7162 3.2.5, 3.2.6, 3.2.10.1.
 */
#include "mda/imap_session.h"

#include <stdlib.h>

#include "proto/imap_write.h"

static void
put_range(struct buf *out, uint64_t first, uint64_t last)
{
	if (first > last)
		return;
	buf_addf(out, first < last ? "%s%llu:%llu" : "%s%llu",
	    out->n > 0 ? "," : "", (unsigned long long)first,
	    (unsigned long long)last);
}

/* The log does not reach back: all that is not there is called vanished (RFC
 * 7162 3.2.5.2). By the gaps between messages, since UIDs may be far apart. */
static void
put_missing(struct imap_session *s, struct buf *out, struct imap_range r)
{
	uint32_t count = view_count(s->view), seq, uid;
	uint64_t from = r.first;

	seq = view_seq_from(s->view, r.first);
	for (; seq != 0 && seq <= count; seq++) {
		uid = view_uid(s->view, seq);
		if (uid > r.last)
			break;
		if (uid > from)
			put_range(out, from, uid - 1U);
		from = (uint64_t)uid + 1;
	}
	put_range(out, from, r.last);
}

/* What the log knows, cut to a range of the client's. */
static void
put_expunged(struct buf *out, const struct uid_range *v, size_t n,
    struct imap_range r)
{
	size_t i;

	for (i = 0; i < n && v[i].first <= r.last; i++)
		if (v[i].last >= r.first)
			put_range(out,
			    v[i].first > r.first ? v[i].first : r.first,
			    v[i].last < r.last ? v[i].last : r.last);
}

int
imap_put_vanished(struct imap_session *s, uint64_t since,
    const struct imap_seqset *uids)
{
	uint32_t next = mailbox_info(s->mailbox)->uidnext;
	struct imap_range all = { 1, next > 1 ? next - 1 : 1 }, r;
	struct uid_range *v = NULL;
	size_t i, n = 0, n_ranges = uids == NULL ? 1 : uids->n;
	struct buf set;
	bool is_known;
	int result;

	buf_init(&set, SIZE_MAX / 2);
	is_known = mailbox_expunged_since(s->mailbox, since, &v, &n);
	for (i = 0; i < n_ranges; i++) {
		r = uids == NULL ? all : uids->ranges[i];
		if (r.last >= next)
			r.last = next - 1;
		if (r.first > r.last)
			continue;
		if (is_known)
			put_expunged(&set, v, n, r);
		else
			put_missing(s, &set, r);
	}
	free(v);
	if (set.n > 0) {
		imap_put(s, "* VANISHED (EARLIER) ");
		buf_add_slice(&s->io.out, buf_slice(&set));
		imap_put(s, "\r\n");
	}
	result = buf_is_ok(&set) ? 0 : -1;
	buf_fini(&set);
	return result;
}

static void
put_changed(struct imap_session *s, const struct imap_select *c,
    const struct imap_seqset *uids)
{
	uint32_t seq, n = view_count(s->view);
	const struct message *msg;

	for (seq = 1; seq <= n; seq++) {
		msg = view_message(s->view, seq);
		if (msg == NULL || msg->modseq <= c->modseq ||
		    (uids != NULL && !imap_seqset_has(uids, msg->uid)))
			continue;
		buf_addf(&s->io.out, "* %lu FETCH (UID %lu FLAGS ",
		    (unsigned long)seq, (unsigned long)msg->uid);
		imap_put_flags(&s->io.out, s->mailbox, msg,
		    imap_is_recent(s, seq));
		buf_addf(&s->io.out, " MODSEQ (%llu))\r\n",
		    (unsigned long long)msg->modseq);
		imap_flush(s);
	}
}

/* The client's sample of numbers and UIDs: messages up to the last pair that
 * still agrees did not vanish (RFC 7162 3.2.5.2). It saves bytes where the log
 * was cut, and means nothing where it was not. */
int
imap_resync(struct imap_session *s)
{
	struct imap_select *c = &s->cmd.u.select;
	struct imap_seqset *uids = c->has_uids ? &c->uids : NULL;

	if (c->uidvalidity != mailbox_info(s->mailbox)->uidvalidity)
		return 0;
	if (uids != NULL)
		imap_seqset_resolve(uids, mailbox_info(s->mailbox)->uidnext);
	if (imap_put_vanished(s, c->modseq, uids) < 0)
		return -1;
	put_changed(s, c, uids);
	return 0;
}
