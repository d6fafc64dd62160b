/* SPDX-License-Identifier: ISC */
/* Arguments of the commands on mailboxes: RFC 9051 6.3, 4466, 5258, 5819, 6154,
 * 6855, 7162 3.2.5, 9208. */
#include "proto/imap_cmd_priv.h"

#include <string.h>

#include "base/num.h"
#include "proto/limits.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* SP mailbox */
static int
take_name(struct imap_cur *c, struct slice *name_r)
{
	if (imap_take_space(c) < 0)
		return -1;
	return imap_take_mailbox(c, name_r);
}

int
imap_args_rename(struct imap_cur *c, struct imap_cmd *cmd)
{
	if (take_name(c, &cmd->u.rename.from) < 0)
		return -1;
	return take_name(c, &cmd->u.rename.to);
}

/* (seqs uids), RFC 7162 3.2.5.2. */
static int
take_match_data(struct imap_cur *c, struct imap_select *s)
{
	if (imap_take_open(c) < 0 ||
	    imap_take_known_set(c, &s->match_seqs) < 0 ||
	    imap_take_space(c) < 0 ||
	    imap_take_known_set(c, &s->match_uids) < 0)
		return -1;
	return imap_take_close(c);
}

/* (uidvalidity modseq [uids] [match-data]) */
static int
take_qresync(struct imap_cur *c, struct imap_select *s)
{
	if (imap_take_space(c) < 0 || imap_take_open(c) < 0 ||
	    imap_take_nz_number(c, &s->uidvalidity) < 0 ||
	    imap_take_space(c) < 0 || imap_take_number64(c, &s->modseq) < 0)
		return -1;
	s->has_match = imap_skip(c, ' ');
	if (s->has_match && !imap_is_next(c, '(')) {
		s->has_uids = true;
		if (imap_take_known_set(c, &s->uids) < 0)
			return -1;
		s->has_match = imap_skip(c, ' ');
	}
	if (s->has_match && take_match_data(c, s) < 0)
		return -1;
	return imap_take_close(c);
}

static int
take_select_param(struct imap_cur *c, struct imap_select *s)
{
	static const struct imap_word words[] = { { "CONDSTORE", 1 },
		{ "QRESYNC", 2 } };
	unsigned bit;

	if (imap_take_word(c, words, COUNT(words), IMAP_ERROR_PARAMETER,
	    &bit) < 0)
		return -1;
	if (bit == 1 ? s->condstore : s->qresync)
		return imap_fail(c, IMAP_ERROR_PARAMETER);
	if (bit == 1) {
		s->condstore = true;
		return 0;
	}
	s->qresync = true;
	return take_qresync(c, s);
}

int
imap_args_select(struct imap_cur *c, struct imap_cmd *cmd)
{
	bool more;
	size_t i;

	if (take_name(c, &cmd->u.select.mailbox) < 0)
		return -1;
	if (imap_is_end(c))
		return 0;
	if (imap_take_space(c) < 0 || imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			return i > 0 ? 0
				     : imap_fail(c, IMAP_ERROR_PARAMETER);
		if (take_select_param(c, &cmd->u.select) < 0)
			return -1;
	}
}

static int
take_use(struct imap_cur *c, unsigned *use)
{
	static const struct imap_word words[] = {
		{ "All", IMAP_USE_ALL }, { "Archive", IMAP_USE_ARCHIVE },
		{ "Drafts", IMAP_USE_DRAFTS }, { "Flagged", IMAP_USE_FLAGGED },
		{ "Important", IMAP_USE_IMPORTANT }, { "Junk", IMAP_USE_JUNK },
		{ "Sent", IMAP_USE_SENT }, { "Trash", IMAP_USE_TRASH },
	};
	unsigned bit = IMAP_USE_UNKNOWN;
	struct slice name;
	size_t i;

	if (!imap_skip(c, '\\'))
		return imap_fail(c, IMAP_ERROR_USE);
	if (imap_take_atom(c, &name) < 0)
		return -1;
	for (i = 0; i < COUNT(words); i++)
		if (slice_ieq_str(name, words[i].name))
			bit = words[i].bit;
	*use |= bit;
	return 0;
}

/* (USE (\Sent …)), RFC 6154 3, 6. */
static int
take_create_params(struct imap_cur *c, unsigned *use)
{
	static const struct imap_word words[] = { { "USE", 1 } };
	unsigned bit;
	bool more;
	size_t i;

	if (imap_take_space(c) < 0 || imap_take_open(c) < 0 ||
	    imap_take_word(c, words, 1, IMAP_ERROR_PARAMETER, &bit) < 0 ||
	    imap_take_space(c) < 0 || imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			return imap_take_close(c);
		if (take_use(c, use) < 0)
			return -1;
	}
}

int
imap_args_create(struct imap_cur *c, struct imap_cmd *cmd)
{
	if (take_name(c, &cmd->u.create.mailbox) < 0)
		return -1;
	if (imap_is_end(c))
		return 0;
	return take_create_params(c, &cmd->u.create.use);
}

/* (MESSAGES …), at least one. */
static int
take_status_items(struct imap_cur *c, unsigned *items)
{
	static const struct imap_word words[] = {
		{ "MESSAGES", IMAP_STATUS_MESSAGES },
		{ "RECENT", IMAP_STATUS_RECENT },
		{ "UIDNEXT", IMAP_STATUS_UIDNEXT },
		{ "UIDVALIDITY", IMAP_STATUS_UIDVALIDITY },
		{ "UNSEEN", IMAP_STATUS_UNSEEN },
		{ "DELETED", IMAP_STATUS_DELETED },
		{ "SIZE", IMAP_STATUS_SIZE },
		{ "HIGHESTMODSEQ", IMAP_STATUS_HIGHESTMODSEQ },
		{ "MAILBOXID", IMAP_STATUS_MAILBOXID },
		{ "DELETED-STORAGE", IMAP_STATUS_DELETED_STORAGE },
		{ "APPENDLIMIT", IMAP_STATUS_APPENDLIMIT },
	};
	unsigned bit;
	bool more;
	size_t i;

	if (imap_take_space(c) < 0 || imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			return i > 0 ? 0 : imap_fail(c, IMAP_ERROR_STATUS);
		if (imap_take_word(c, words, COUNT(words), IMAP_ERROR_STATUS,
		    &bit) < 0)
			return -1;
		*items |= bit;
	}
}

int
imap_args_status(struct imap_cur *c, struct imap_cmd *cmd)
{
	if (take_name(c, &cmd->u.status.mailbox) < 0)
		return -1;
	return take_status_items(c, &cmd->u.status.items);
}

/* RFC 5258 6 list-select-opts: RECURSIVEMATCH needs SUBSCRIBED. */
static int
take_list_select(struct imap_cur *c, struct imap_list *l)
{
	static const struct imap_word words[] = {
		{ "SUBSCRIBED", IMAP_LIST_SUBSCRIBED },
		{ "REMOTE", IMAP_LIST_REMOTE },
		{ "RECURSIVEMATCH", IMAP_LIST_RECURSIVEMATCH },
		{ "SPECIAL-USE", IMAP_LIST_SPECIAL_USE },
	};
	unsigned bit;
	bool more;
	size_t i;

	if (imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			break;
		if (imap_take_word(c, words, COUNT(words),
		    IMAP_ERROR_LIST_OPTION, &bit) < 0)
			return -1;
		l->select |= bit;
	}
	if ((l->select & IMAP_LIST_RECURSIVEMATCH) != 0 &&
	    (l->select & IMAP_LIST_SUBSCRIBED) == 0)
		return imap_fail(c, IMAP_ERROR_LIST_OPTION);
	return imap_take_space(c);
}

static int
take_patterns(struct imap_cur *c, struct imap_words *patterns)
{
	struct slice v[LIMIT_IMAP_WORDS];
	size_t i = 0;
	bool more;

	if (!imap_is_next(c, '(')) {
		if (imap_take_pattern(c, &v[i++]) < 0)
			return -1;
	} else {
		if (imap_take_open(c) < 0)
			return -1;
		for (;; i++) {
			if (imap_take_item(c, i, COUNT(v), &more) < 0)
				return -1;
			if (!more)
				break;
			if (imap_take_pattern(c, &v[i]) < 0)
				return -1;
		}
		if (i == 0)
			return imap_fail(c, IMAP_ERROR_STRING);
	}
	patterns->v = imap_alloc(c, i * sizeof *v);
	if (patterns->v == NULL)
		return -1;
	memcpy(patterns->v, v, i * sizeof *v);
	patterns->n = i;
	return 0;
}

static int
take_list_return(struct imap_cur *c, struct imap_list *l)
{
	static const struct imap_word words[] = {
		{ "SUBSCRIBED", IMAP_LIST_RETURN_SUBSCRIBED },
		{ "CHILDREN", IMAP_LIST_RETURN_CHILDREN },
		{ "SPECIAL-USE", IMAP_LIST_RETURN_SPECIAL_USE },
		{ "STATUS", IMAP_LIST_RETURN_STATUS },
		{ "MYRIGHTS", IMAP_LIST_RETURN_MYRIGHTS },
	}, keyword[] = { { "RETURN", 1 } };
	unsigned bit;
	bool more;
	size_t i;

	if (imap_take_space(c) < 0 || imap_take_word(c, keyword, 1,
	    IMAP_ERROR_TRAILING, &bit) < 0 || imap_take_space(c) < 0 ||
	    imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i++) {
		if (imap_take_item(c, i, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			return 0;
		if (imap_take_word(c, words, COUNT(words),
		    IMAP_ERROR_LIST_OPTION, &bit) < 0)
			return -1;
		l->returns |= bit;
		if (bit == IMAP_LIST_RETURN_STATUS &&
		    take_status_items(c, &l->status) < 0)
			return -1;
	}
}

int
imap_args_list(struct imap_cur *c, struct imap_cmd *cmd)
{
	struct imap_list *l = &cmd->u.list;

	if (imap_take_space(c) < 0)
		return -1;
	if (imap_is_next(c, '(')) {
		l->is_extended = true;
		if (take_list_select(c, l) < 0)
			return -1;
	}
	if (imap_take_mailbox(c, &l->reference) < 0 || imap_take_space(c) < 0)
		return -1;
	l->is_extended = l->is_extended || imap_is_next(c, '(');
	if (take_patterns(c, &l->patterns) < 0)
		return -1;
	if (imap_is_end(c))
		return 0;
	l->is_extended = true;
	return take_list_return(c, l);
}

int
imap_args_lsub(struct imap_cur *c, struct imap_cmd *cmd)
{
	struct imap_list *l = &cmd->u.list;

	if (take_name(c, &l->reference) < 0 || imap_take_space(c) < 0)
		return -1;
	if (imap_is_next(c, '('))
		return imap_fail(c, IMAP_ERROR_STRING);
	return take_patterns(c, &l->patterns);
}

/* The announcement `{n}` at the very end; its bytes are not in the text. */
static int
take_announcement(struct imap_cur *c, struct imap_append *a)
{
	struct slice s;

	a->is_literal8 = imap_skip(c, '~');
	if (!imap_skip(c, '{'))
		return imap_fail(c, imap_is_end(c) ? IMAP_ERROR_MISSING
						   : IMAP_ERROR_LITERAL);
	if (imap_take_number64(c, &a->size) < 0)
		return -1;
	a->is_sync = !imap_skip(c, '+');
	s = imap_rest(c);
	if (!slice_eq_str(s, "}"))
		return imap_fail(c, IMAP_ERROR_LITERAL);
	c->p = c->end;
	return 0;
}

/* [flags SP] [date SP] literal, or UTF8 (literal8 (RFC 6855 4). */
static int
take_message(struct imap_cur *c, struct imap_append *a)
{
	struct slice utf8 = SLICE("UTF8 (");

	a->flags = (struct imap_flags){ 0 };
	a->has_date = a->is_utf8 = false;
	if (imap_is_next(c, '(') && (imap_take_flag_list(c, &a->flags) < 0 ||
	    imap_take_space(c) < 0))
		return -1;
	if (imap_is_next(c, '"')) {
		a->has_date = true;
		if (imap_take_datetime(c, &a->date) < 0 ||
		    imap_take_space(c) < 0)
			return -1;
	}
	if (slice_has_iprefix(imap_rest(c), utf8)) {
		a->is_utf8 = true;
		c->p += utf8.n;
		if (!imap_is_next(c, '~'))
			return imap_fail(c, IMAP_ERROR_LITERAL);
	}
	return take_announcement(c, a);
}

int
imap_args_append(struct imap_cur *c, struct imap_cmd *cmd)
{
	if (take_name(c, &cmd->u.append.mailbox) < 0 || imap_take_space(c) < 0)
		return -1;
	return take_message(c, &cmd->u.append);
}

static int
append_next(struct imap_cur *c, struct imap_append *a, bool *more_r)
{
	if (a->is_utf8 && !imap_skip(c, ')'))
		return imap_fail(c, IMAP_ERROR_CLOSE);
	*more_r = !imap_is_end(c);
	if (!*more_r)
		return 0;
	if (imap_take_space(c) < 0)
		return -1;
	return take_message(c, a);
}

int
imap_cmd_append_next(struct slice text, struct region *region,
    struct imap_append *a, bool *more_r, enum imap_error *error_r)
{
	struct imap_cur c;
	int result;

	imap_cur_init(&c, text, region);
	result = append_next(&c, a, more_r);
	*error_r = c.error;
	return result;
}

static int
take_resource(struct imap_cur *c, struct imap_resource *r)
{
	if (imap_take_atom(c, &r->name) < 0 || imap_take_space(c) < 0)
		return -1;
	return imap_take_number64(c, &r->limit);
}

/* RFC 9208 4.1.3: root (STORAGE 512 …). */
int
imap_args_setquota(struct imap_cur *c, struct imap_cmd *cmd)
{
	struct imap_setquota *s = &cmd->u.setquota;
	bool more;

	if (take_name(c, &s->root) < 0 || imap_take_space(c) < 0 ||
	    imap_take_open(c) < 0)
		return -1;
	s->resources = imap_alloc(c, LIMIT_IMAP_WORDS * sizeof *s->resources);
	if (s->resources == NULL)
		return -1;
	for (;; s->n++) {
		if (imap_take_item(c, s->n, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			return 0;
		if (take_resource(c, &s->resources[s->n]) < 0)
			return -1;
	}
}
