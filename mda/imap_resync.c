/* SPDX-License-Identifier: ISC */
/*
 * What a client missed: VANISHED (EARLIER) and flags changed since a MODSEQ.
 * RFC 7162 3.2.5, 3.2.6, 3.2.10.1.
 */
#include "mda/imap_session.h"

#include <stdlib.h>
#include <string.h>

#include "proto/imap_write.h"

/* Bytes of a set in one VANISHED. */
enum { LINE_MAX_BYTES = 16384 };

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
imap_vanished_find(struct imap_session *s, uint64_t since,
    const struct imap_seqset *uids)
{
	uint32_t next = mailbox_info(s->mailbox)->uidnext;
	struct imap_range all = { 1, next > 1 ? next - 1 : 1 }, r;
	struct uid_range *v = NULL;
	size_t i, n = 0, n_ranges = uids == NULL ? 1 : uids->n;
	bool is_known;

	buf_reset(&s->vanished);
	s->vanished_at = 0;
	is_known = mailbox_expunged_since(s->mailbox, since, &v, &n);
	for (i = 0; i < n_ranges; i++) {
		r = uids == NULL ? all : uids->ranges[i];
		if (r.last >= next)
			r.last = next - 1;
		if (r.first > r.last)
			continue;
		if (is_known)
			put_expunged(&s->vanished, v, n, r);
		else
			put_missing(s, &s->vanished, r);
	}
	free(v);
	return buf_is_ok(&s->vanished) ? 0 : -1;
}

bool
imap_vanished_put(struct imap_session *s)
{
	struct slice rest, piece;
	const char *comma;

	while (s->vanished_at < s->vanished.n) {
		rest = slice_from(buf_slice(&s->vanished), s->vanished_at);
		piece = slice_head(rest, LINE_MAX_BYTES);
		comma = piece.n == rest.n ? NULL :
		    memrchr(piece.p, ',', piece.n);
		if (comma != NULL)
			piece.n = (size_t)(comma - piece.p);
		s->vanished_at += piece.n + 1;
		imap_put(s, "* VANISHED (EARLIER) ");
		buf_add_slice(&s->io.out, piece);
		imap_put(s, "\r\n");
		imap_flush(s);
		if (imap_must_pause(s))
			return false;
	}
	buf_release(&s->vanished);
	s->vanished_at = 0;
	return true;
}

static void
put_changed(struct imap_session *s, uint32_t seq)
{
	const struct imap_select *c = &s->cmd.u.select;
	const struct message *msg = view_message(s->view, seq);

	if (msg == NULL || msg->modseq <= c->modseq ||
	    (c->has_uids && !imap_seqset_has(&c->uids, msg->uid)))
		return;
	buf_addf(&s->io.out, "* %lu FETCH (UID %lu FLAGS ",
	    (unsigned long)seq, (unsigned long)msg->uid);
	imap_put_flags(&s->io.out, s->mailbox, msg, imap_is_recent(s, seq));
	buf_addf(&s->io.out, " MODSEQ (%llu))\r\n",
	    (unsigned long long)msg->modseq);
}

static bool
is_same(const struct imap_session *s)
{
	return s->cmd.u.select.uidvalidity ==
	    mailbox_info(s->mailbox)->uidvalidity;
}

/* The client's sample of numbers and UIDs: messages up to the last pair that
 * still agrees did not vanish (RFC 7162 3.2.5.2). It saves bytes where the log
 * was cut, and means nothing where it was not. */
int
imap_resync_begin(struct imap_session *s)
{
	struct imap_select *c = &s->cmd.u.select;
	struct imap_seqset *uids = c->has_uids ? &c->uids : NULL;

	if (!is_same(s))
		return 0;
	if (uids != NULL)
		imap_seqset_resolve(uids, mailbox_info(s->mailbox)->uidnext);
	return imap_vanished_find(s, c->modseq, uids);
}

bool
imap_resync_on(struct imap_session *s, uint32_t *seq)
{
	if (!is_same(s))
		return true;
	if (!imap_vanished_put(s))
		return false;
	while (*seq <= view_count(s->view)) {
		put_changed(s, (*seq)++);
		imap_flush(s);
		if (imap_must_pause(s))
			return false;
	}
	return true;
}
