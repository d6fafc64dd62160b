/* SPDX-License-Identifier: ISC */
/* Arguments of the commands on messages: RFC 9051 6.4, 4466, 7162, 9394. */
#include "proto/imap_cmd_priv.h"

#include "proto/limits.h"

static bool
is_uid(const struct imap_cmd *cmd)
{
	return (cmd->row->flags & IMAP_CMD_UID) != 0;
}

static int
take_set(struct imap_cur *c, struct imap_seqset *set_r)
{
	if (imap_take_space(c) < 0)
		return -1;
	return imap_take_seqset(c, set_r);
}

int
imap_args_copy(struct imap_cur *c, struct imap_cmd *cmd)
{
	if (take_set(c, &cmd->u.copy.set) < 0 || imap_take_space(c) < 0)
		return -1;
	return imap_take_mailbox(c, &cmd->u.copy.mailbox);
}

int
imap_args_uid_expunge(struct imap_cur *c, struct imap_cmd *cmd)
{
	return take_set(c, &cmd->u.expunge);
}

int
imap_args_search(struct imap_cur *c, struct imap_cmd *cmd)
{
	return imap_take_search(c, &cmd->u.search);
}

enum fetch_modifier { CHANGEDSINCE = 1, VANISHED = 2, PARTIAL = 4 };

static int
take_fetch_modifier(struct imap_cur *c, struct imap_fetch_cmd *f)
{
	static const struct imap_word words[] = {
		{ "CHANGEDSINCE", CHANGEDSINCE }, { "VANISHED", VANISHED },
		{ "PARTIAL", PARTIAL }
	};
	unsigned bit;

	if (imap_take_word(c, words, sizeof words / sizeof *words,
	    IMAP_ERROR_PARAMETER, &bit) < 0)
		return -1;
	if ((bit == CHANGEDSINCE && f->has_changedsince) ||
	    (bit == VANISHED && f->vanished) ||
	    (bit == PARTIAL && f->has_partial))
		return imap_fail(c, IMAP_ERROR_PARAMETER);
	if (bit == VANISHED) {
		f->vanished = true;
		return 0;
	}
	if (imap_take_space(c) < 0)
		return -1;
	if (bit == PARTIAL) {
		f->has_partial = true;
		return imap_take_partial_range(c, &f->partial);
	}
	f->has_changedsince = true;
	return imap_take_number64(c, &f->changedsince);
}

static int
take_fetch_modifiers(struct imap_cur *c, struct imap_fetch_cmd *f)
{
	bool more;
	size_t i;

	if (imap_take_space(c) < 0 || imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			return i > 0 ? 0
				     : imap_fail(c, IMAP_ERROR_PARAMETER);
		if (take_fetch_modifier(c, f) < 0)
			return -1;
	}
}

/* RFC 7162 3.1.4.1: CHANGEDSINCE asks for MODSEQ as well; 3.2.6. RFC 9394
 * 3.3: PARTIAL is of UID FETCH only. */
int
imap_args_fetch(struct imap_cur *c, struct imap_cmd *cmd)
{
	struct imap_fetch_cmd *f = &cmd->u.fetch;

	if (take_set(c, &f->set) < 0 || imap_take_space(c) < 0 ||
	    imap_take_fetch(c, &f->fetch) < 0)
		return -1;
	if (!imap_is_end(c) && take_fetch_modifiers(c, f) < 0)
		return -1;
	if (f->vanished && (!is_uid(cmd) || !f->has_changedsince))
		return imap_fail(c, IMAP_ERROR_VANISHED);
	if (f->has_partial && !is_uid(cmd))
		return imap_fail(c, IMAP_ERROR_PARAMETER);
	if (f->has_changedsince &&
	    imap_fetch_add_first(c, &f->fetch, IMAP_FETCH_MODSEQ) < 0)
		return -1;
	if (is_uid(cmd))
		return imap_fetch_add_first(c, &f->fetch, IMAP_FETCH_UID);
	return 0;
}

/* (UNCHANGEDSINCE n), RFC 7162 3.1.3. */
static int
take_store_modifiers(struct imap_cur *c, struct imap_store *s)
{
	static const struct imap_word words[] = { { "UNCHANGEDSINCE", 1 } };
	unsigned bit;

	if (imap_take_open(c) < 0 || imap_take_word(c, words, 1,
	    IMAP_ERROR_PARAMETER, &bit) < 0 || imap_take_space(c) < 0 ||
	    imap_take_number64(c, &s->unchangedsince) < 0)
		return -1;
	s->has_unchangedsince = true;
	if (imap_take_close(c) < 0)
		return -1;
	return imap_take_space(c);
}

int
imap_args_store(struct imap_cur *c, struct imap_cmd *cmd)
{
	enum { SILENT = 4 };
	static const struct imap_word words[] = {
		{ "FLAGS", IMAP_STORE_REPLACE },
		{ "FLAGS.SILENT", IMAP_STORE_REPLACE | SILENT },
		{ "+FLAGS", IMAP_STORE_ADD },
		{ "+FLAGS.SILENT", IMAP_STORE_ADD | SILENT },
		{ "-FLAGS", IMAP_STORE_REMOVE },
		{ "-FLAGS.SILENT", IMAP_STORE_REMOVE | SILENT },
	};
	struct imap_store *s = &cmd->u.store;
	unsigned bits;

	if (take_set(c, &s->set) < 0 || imap_take_space(c) < 0)
		return -1;
	if (imap_is_next(c, '(') && take_store_modifiers(c, s) < 0)
		return -1;
	if (imap_take_word(c, words, sizeof words / sizeof *words,
	    IMAP_ERROR_STORE_ITEM, &bits) < 0 || imap_take_space(c) < 0)
		return -1;
	s->how = (enum imap_store_how)(bits & ~(unsigned)SILENT);
	s->silent = (bits & SILENT) != 0;
	return imap_take_flags(c, &s->flags);
}
