/* SPDX-License-Identifier: ISC */
/*
 * What the session says: tagged and untagged status responses (RFC 9051 7.1),
 * with the codes of RFC 5530 for the results of the mailbox model, and flags.
 */
#include "mda/imap_session.h"

#include "proto/imap_write.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Every result of the model, in one place. */
static const struct {
	const char *code, *text;
} results[] = {
	[MBOX_OK] = { NULL, "Done." },
	[MBOX_NONEXISTENT] = { "NONEXISTENT", "There is no such mailbox." },
	[MBOX_EXISTS] = { "ALREADYEXISTS", "The mailbox exists already." },
	[MBOX_BAD_NAME] = { "CANNOT", "The mailbox cannot have that name." },
	[MBOX_OVER_QUOTA] = { "OVERQUOTA", "The quota is used up." },
	[MBOX_FULL] = { "UNAVAILABLE", "There is no room on the disk." },
	[MBOX_LATER] = { "UNAVAILABLE",
	    "That could not be done now; nothing was changed." },
	[MBOX_HAS_CHILDREN] = { "HASCHILDREN",
	    "There are mailboxes below it." },
	[MBOX_NOT_ALLOWED] = { "CANNOT", "That is not possible here." },
};

static const struct {
	unsigned wire;
	uint32_t flag;
	struct slice text;
} flags[] = {
	{ IMAP_FLAG_ANSWERED, FLAG_ANSWERED, SLICE("\\Answered") },
	{ IMAP_FLAG_FLAGGED, FLAG_FLAGGED, SLICE("\\Flagged") },
	{ IMAP_FLAG_DELETED, FLAG_DELETED, SLICE("\\Deleted") },
	{ IMAP_FLAG_SEEN, FLAG_SEEN, SLICE("\\Seen") },
	{ IMAP_FLAG_DRAFT, FLAG_DRAFT, SLICE("\\Draft") },
};

bool
imap_is_utf8(const struct imap_session *s)
{
	return (s->features & (IMAP_FEATURE_UTF8 | IMAP_FEATURE_REV2)) != 0;
}

void
imap_put(struct imap_session *s, const char *text)
{
	buf_add_str(&s->io.out, text);
}

/* A FETCH of 100,000 messages writes a million of these. */
void
imap_put_number(struct buf *out, uint64_t v)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	buf_add(out, digits + at, sizeof digits - at);
}

static void
put_rest(struct imap_session *s, struct buf *out, const char *word,
    const char *code, const char *text)
{
	buf_add_str(out, word);
	if (code != NULL) {
		buf_add_str(out, " [");
		buf_add_str(out, code);
		buf_add_str(out, "]");
	}
	buf_add_str(out, " ");
	imap_write_text(out, slice_str(text), imap_is_utf8(s));
	buf_add_str(out, "\r\n");
}

void
imap_untagged_ok(struct imap_session *s, const char *code, const char *text)
{
	imap_put(s, "* ");
	put_rest(s, &s->io.out, "OK", code, text);
}

static enum imap_progress
answer(struct imap_session *s, const char *word, const char *code,
    const char *text)
{
	struct buf *out = &s->io.out;

	s->tell_expunges = imap_may_expunge(s);
	s->tell_uid = s->cmd.row != NULL &&
	    (s->cmd.row->flags & IMAP_CMD_UID) != 0;
	s->is_telling = s->view != NULL &&
	    !imap_sync(s, s->tell_expunges, s->tell_uid);
	if (s->is_telling)
		out = &s->tagged;
	if (s->cmd.tag.p == NULL)
		buf_add_str(out, "*");
	else
		buf_add_slice(out, s->cmd.tag);
	buf_add_str(out, " ");
	put_rest(s, out, word, code, text);
	return IMAP_ANSWERED;
}

void
imap_tell_rest(struct imap_session *s)
{
	if (!imap_sync(s, s->tell_expunges, s->tell_uid))
		return;
	s->is_telling = false;
	if (!buf_is_ok(&s->tagged))
		imap_end(s, "Out of memory.", "memory");
	else
		buf_add_slice(&s->io.out, buf_slice(&s->tagged));
	buf_release(&s->tagged);
}

enum imap_progress
imap_ok(struct imap_session *s, const char *code, const char *text)
{
	if (code == NULL && s->expunge_seen)
		code = "EXPUNGEISSUED";
	return answer(s, "OK", code, text);
}

enum imap_progress
imap_no(struct imap_session *s, const char *code, const char *text)
{
	return answer(s, "NO", code, text);
}

enum imap_progress
imap_bad(struct imap_session *s, const char *text)
{
	return answer(s, "BAD", NULL, text);
}

enum imap_progress
imap_failed(struct imap_session *s, enum mbox_result r, const char *text)
{
	if ((size_t)r >= COUNT(results))
		r = MBOX_LATER;
	return imap_no(s, results[r].code,
	    text != NULL && *text != '\0' ? text : results[r].text);
}

enum imap_progress
imap_result(struct imap_session *s, const char *text)
{
	if (s->result == MBOX_OK)
		return imap_ok(s, NULL, text);
	return imap_failed(s, s->result, s->why);
}

void
imap_put_flags(struct buf *out, const struct mailbox *m,
    const struct message *msg, bool recent)
{
	uint64_t keywords = msg->keywords;
	const char *name;
	size_t start, i;

	buf_add_char(out, '(');
	start = out->n;
	for (i = 0; i < COUNT(flags); i++) {
		if ((msg->flags & flags[i].flag) == 0)
			continue;
		if (out->n > start)
			buf_add_char(out, ' ');
		buf_add_slice(out, flags[i].text);
	}
	if (recent)
		buf_add_str(out, out->n > start ? " \\Recent" : "\\Recent");
	for (i = 0; keywords != 0; i++, keywords >>= 1) {
		name = (keywords & 1) != 0 ? mailbox_keyword(m, (unsigned)i) :
		    NULL;
		if (name == NULL)
			continue;
		if (out->n > start)
			buf_add_char(out, ' ');
		buf_add_str(out, name);
	}
	buf_add_char(out, ')');
}

uint32_t
imap_flags_in(unsigned wire)
{
	uint32_t result = 0;
	size_t i;

	for (i = 0; i < COUNT(flags); i++)
		if ((wire & flags[i].wire) != 0)
			result |= flags[i].flag;
	return result;
}

void
imap_on_account(void *arg, enum mbox_result r, const char *text)
{
	struct imap_session *s = arg;

	s->result = r;
	s->why = text == NULL ? NULL :
	    region_str(&s->region, slice_str(text));
	imap_resume(s);
}

void
imap_on_mailbox(void *arg, enum mbox_result r)
{
	struct imap_session *s = arg;

	s->result = r;
	imap_resume(s);
}
