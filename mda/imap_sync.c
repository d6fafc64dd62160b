/* SPDX-License-Identifier: ISC */
/*
 * Telling what changed in the selected mailbox: when it is allowed and how. RFC
 * 9051 5.2, 7.4, 7.5; 3501 7.3.2 for RECENT; 7162 3.1, 3.2.10.
 */
#include "mda/imap_session.h"

#include <stdlib.h>

/* UIDs told in one VANISHED, at most 11 bytes each. */
enum { VANISHED_MAX = 16384 };

struct sync {
	struct imap_session *s;
	struct buf vanished; /* uint32_t, descending */
	bool uid;            /* a UID stands in each FETCH */
};

static void
put_vanished(struct sync *y)
{
	const uint32_t *v = (const void *)y->vanished.p;
	size_t i = y->vanished.n / sizeof *v;
	struct imap_seq_writer w;

	if (i == 0)
		return;
	imap_put(y->s, "* VANISHED ");
	imap_seq_writer_init(&w, &y->s->io.out);
	while (i-- > 0)
		imap_seq_writer_add(&w, v[i]);
	imap_seq_writer_end(&w);
	imap_put(y->s, "\r\n");
	buf_reset(&y->vanished);
}

static void
on_expunged(void *arg, uint32_t seq, uint32_t uid)
{
	struct sync *y = arg;

	if ((y->s->features & IMAP_FEATURE_QRESYNC) != 0) {
		buf_add(&y->vanished, &uid, sizeof uid);
		return;
	}
	imap_put(y->s, "* ");
	imap_put_number(&y->s->io.out, seq);
	imap_put(y->s, " EXPUNGE\r\n");
}

static void
on_exists(void *arg, uint32_t count, uint32_t recent)
{
	struct sync *y = arg;

	put_vanished(y);
	buf_addf(&y->s->io.out, "* %lu EXISTS\r\n", (unsigned long)count);
	/* RFC 9051 has no \Recent any more. */
	if ((y->s->features & IMAP_FEATURE_REV2) == 0)
		buf_addf(&y->s->io.out, "* %lu RECENT\r\n",
		    (unsigned long)recent);
}

static void
on_flags(void *arg, uint32_t seq, const struct message *msg)
{
	struct sync *y = arg;
	struct imap_session *s = y->s;
	struct buf *out = &s->io.out;

	put_vanished(y);
	imap_tell_keywords(s);
	imap_put(s, "* ");
	imap_put_number(out, seq);
	imap_put(s, " FETCH (");
	if (y->uid) {
		imap_put(s, "UID ");
		imap_put_number(out, msg->uid);
		imap_put(s, " ");
	}
	imap_put(s, "FLAGS ");
	imap_put_flags(out, s->mailbox, msg,
	    imap_is_recent(s, seq));
	if (imap_has_condstore(s)) {
		imap_put(s, " MODSEQ (");
		imap_put_number(out, msg->modseq);
		imap_put(s, ")");
	}
	imap_put(s, ")\r\n");
	imap_flush(s);
}

static void
on_keywords(void *arg)
{
	struct sync *y = arg;

	put_vanished(y);
	imap_tell_keywords(y->s);
}

static bool
on_pause(void *arg)
{
	struct sync *y = arg;

	imap_flush(y->s);
	return y->vanished.n >= VANISHED_MAX * sizeof(uint32_t) ||
	    imap_must_pause(y->s);
}

static void
on_flags_defer(void *arg, uint32_t seq, const struct message *msg)
{
	struct sync *y = arg;

	(void)seq;
	buf_add(&y->s->deferred, &msg->uid, sizeof msg->uid);
}

static const struct view_sink sink = {
	.expunged = on_expunged, .exists = on_exists, .flags = on_flags,
	.keywords = on_keywords, .pause = on_pause,
};
static const struct view_sink sink_defer = {
	.expunged = on_expunged, .exists = on_exists,
	.flags = on_flags_defer, .keywords = on_keywords,
};

static int
cmp_uid(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool
imap_is_deferred(const struct imap_session *s, uint32_t uid)
{
	return s->deferred.n > 0 && bsearch(&uid, s->deferred.p,
	    s->deferred.n / sizeof uid, sizeof uid, cmp_uid) != NULL;
}

/* True when all are told. */
static bool
tell_deferred(struct sync *y)
{
	struct buf *deferred = &y->s->deferred;
	const uint32_t *v = (const void *)deferred->p;
	const struct message *msg;
	size_t i = 0, n = deferred->n / sizeof *v;
	uint32_t seq;

	while (i < n) {
		seq = view_seq(y->s->view, v[i]);
		msg = seq == 0 ? NULL : view_message(y->s->view, seq);
		i++;
		if (msg == NULL)
			continue;
		on_flags(y, seq, msg);
		if (on_pause(y))
			break;
	}
	if (i < n)
		buf_drop(deferred, i * sizeof *v);
	else
		buf_release(deferred);
	return i == n;
}

static bool
sync_with(struct sync *y, bool expunges, const struct view_sink *to)
{
	struct imap_session *s = y->s;
	bool done;

	/* With QRESYNC it must (RFC 7162 3.2.6), with IMAP4rev2 it should. */
	y->uid = y->uid || (s->features &
	    (IMAP_FEATURE_QRESYNC | IMAP_FEATURE_REV2)) != 0;
	buf_init(&y->vanished, SIZE_MAX / 2);
	done = (to != &sink || tell_deferred(y)) &&
	    view_sync(s->view, expunges, to, y);
	put_vanished(y);
	if (!buf_is_ok(&y->vanished) || !buf_is_ok(&s->deferred)) {
		imap_end(s, "Out of memory.", "memory");
		done = true;
	}
	buf_fini(&y->vanished);
	return done;
}

bool
imap_sync(struct imap_session *s, bool expunges, bool uid)
{
	struct sync y = { .s = s, .uid = uid };

	while (!sync_with(&y, expunges, &sink))
		if (imap_must_pause(s))
			return false;
	return true;
}

void
imap_sync_defer(struct imap_session *s)
{
	struct sync y = { .s = s };

	(void)sync_with(&y, false, &sink_defer); /* it asks for no pause */
}

bool
imap_may_expunge(const struct imap_session *s)
{
	const struct imap_command *row = s->cmd.row;

	/* A command that was not understood tells nothing that moves
	 * numbers: the client may have others like it under way. */
	if (row == NULL)
		return false;
	if (row->verb == IMAP_SEARCH &&
	    (s->cmd.u.search.needs & IMAP_NEEDS_SEQ) != 0)
		return false;
	return (row->flags & IMAP_CMD_BREAKS_SEQ) != 0;
}

void
imap_put_keywords(struct imap_session *s)
{
	static const char system[] =
	    "\\Answered \\Flagged \\Deleted \\Seen \\Draft";
	const char *name;
	unsigned i, n;

	imap_put(s, "* FLAGS (");
	imap_put(s, system);
	for (n = 0; (name = mailbox_keyword(s->mailbox, n)) != NULL; n++)
		buf_addf(&s->io.out, " %s", name);
	imap_put(s, ")\r\n* OK [PERMANENTFLAGS (");
	if (!s->is_read_only) {
		imap_put(s, system);
		for (i = 0; i < n; i++)
			buf_addf(&s->io.out, " %s",
			    mailbox_keyword(s->mailbox, i));
		if (n < MAILBOX_KEYWORDS_MAX)
			imap_put(s, " \\*");
	}
	imap_put(s, ")] Flags that last.\r\n");
	s->n_keywords = n;
}

void
imap_tell_keywords(struct imap_session *s)
{
	if (mailbox_keyword(s->mailbox, s->n_keywords) != NULL)
		imap_put_keywords(s);
}
