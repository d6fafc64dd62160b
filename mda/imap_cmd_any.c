/* SPDX-License-Identifier: ISC */
/*
 * Commands about the session itself: CAPABILITY, NOOP, LOGOUT, ID, ENABLE,
 * NAMESPACE (RFC 9051 6.1, 6.3.1, 6.3.10; 2342, 2971, 5161).
 */
#include "mda/imap_session.h"

#include "proto/imap_write.h"

/* What works, and nothing else. */
static const char capabilities[] = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID "
    "ENABLE IDLE NAMESPACE CHILDREN UIDPLUS UNSELECT MOVE ESEARCH SEARCHRES "
    "WITHIN CONDSTORE QRESYNC LIST-EXTENDED LIST-STATUS SPECIAL-USE "
    "CREATE-SPECIAL-USE STATUS=SIZE OBJECTID SAVEDATE UTF8=ACCEPT QUOTA "
    "QUOTA=RES-STORAGE QUOTA=RES-MESSAGE BINARY PREVIEW PARTIAL "
    "APPENDLIMIT=";

void
imap_put_capabilities(struct imap_session *s)
{
	imap_put(s, capabilities);
	imap_put_number(&s->io.out, IMAP_MESSAGE_MAX);
}

enum imap_progress
imap_run_capability(struct imap_session *s)
{
	imap_put(s, "* CAPABILITY ");
	imap_put_capabilities(s);
	imap_put(s, "\r\n");
	return imap_ok(s, NULL, "That is all.");
}

static enum imap_progress
noop_done(struct imap_session *s)
{
	/* What other programs did in the folder is a courtesy: that it could
	 * not be read now is no failure of the command. */
	return imap_ok(s, NULL, "Done.");
}

enum imap_progress
imap_run_noop(struct imap_session *s)
{
	s->step = noop_done;
	if (s->view == NULL)
		return IMAP_GOES_ON;
	imap_wait(s);
	mailbox_refresh(s->mailbox, imap_on_mailbox, s);
	return IMAP_GOES_ON;
}

enum imap_progress
imap_run_check(struct imap_session *s)
{
	return imap_run_noop(s);
}

enum imap_progress
imap_run_logout(struct imap_session *s)
{
	/* What changed meanwhile is of no interest any more. */
	imap_unselect(s);
	imap_put(s, "* BYE Logging out.\r\n");
	(void)imap_ok(s, NULL, "Goodbye.");
	imap_end(s, NULL, "logout");
	return IMAP_ANSWERED;
}

enum imap_progress
imap_run_id(struct imap_session *s)
{
	imap_put(s, "* ID (\"name\" \"Veredus\")\r\n");
	return imap_ok(s, NULL, "Pleased to meet you.");
}

/* RFC 5161 3.1, 3.2; ENABLED lists what this command changed. */
enum imap_progress
imap_run_enable(struct imap_session *s)
{
	static const struct imap_word words[] = {
		{ "CONDSTORE", IMAP_FEATURE_CONDSTORE },
		{ "QRESYNC", IMAP_FEATURE_QRESYNC },
		{ "UTF8=ACCEPT", IMAP_FEATURE_UTF8 },
		{ "IMAP4rev2", IMAP_FEATURE_REV2 },
	};
	unsigned asked = s->cmd.u.enable.features, fresh;
	size_t i;

	fresh = asked & ~s->features;
	imap_put(s, "* ENABLED");
	for (i = 0; i < sizeof words / sizeof *words; i++)
		if ((fresh & words[i].bit) != 0)
			buf_addf(&s->io.out, " %s", words[i].name);
	imap_put(s, "\r\n");
	if ((fresh & (IMAP_FEATURE_CONDSTORE | IMAP_FEATURE_QRESYNC)) != 0)
		imap_enable_condstore(s);
	for (i = 0; i < sizeof words / sizeof *words; i++)
		s->features |= fresh & words[i].bit;
	return imap_ok(s, NULL, "Enabled.");
}

enum imap_progress
imap_run_compress(struct imap_session *s)
{
	return imap_no(s, "CANNOT", "Compression is not offered.");
}

enum imap_progress
imap_run_namespace(struct imap_session *s)
{
	imap_put(s, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	return imap_ok(s, NULL, "That is all.");
}
