/* SPDX-License-Identifier: ISC */
/*
 * The command table, what reads tag and verb, and the commands about the
 * session itself. imap_cmd_mailbox.c and imap_cmd_message.c hold the others.
 */
#include "proto/imap_cmd.h"

#include "proto/imap_cmd_priv.h"
#include "proto/limits.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static int
args_none(struct imap_cur *c, struct imap_cmd *cmd)
{
	return 0;
}

static int
args_login(struct imap_cur *c, struct imap_cmd *cmd)
{
	struct imap_login *login = &cmd->u.login;

	if (imap_take_space(c) < 0 || imap_take_astring(c, &login->user) < 0 ||
	    imap_take_space(c) < 0)
		return -1;
	return imap_take_astring(c, &login->password);
}

/* RFC 9051 6.2.2, RFC 4959. */
static int
args_authenticate(struct imap_cur *c, struct imap_cmd *cmd)
{
	struct imap_authenticate *a = &cmd->u.authenticate;

	if (imap_take_space(c) < 0 || imap_take_atom(c, &a->mechanism) < 0)
		return -1;
	a->initial = SLICE_NONE;
	if (imap_is_end(c))
		return 0;
	if (imap_take_space(c) < 0 || imap_take_atom(c, &a->initial) < 0)
		return -1;
	if (slice_eq_str(a->initial, "="))
		a->initial.n = 0;
	return 0;
}

static int
args_enable(struct imap_cur *c, struct imap_cmd *cmd)
{
	static const struct imap_word features[] = {
		{ "CONDSTORE", IMAP_FEATURE_CONDSTORE },
		{ "QRESYNC", IMAP_FEATURE_QRESYNC },
		{ "UTF8=ACCEPT", IMAP_FEATURE_UTF8 },
		{ "IMAP4rev2", IMAP_FEATURE_REV2 },
	};
	struct slice word;
	size_t i, n = 0;

	cmd->u.enable.features = 0;
	do {
		if (n++ == LIMIT_IMAP_WORDS)
			return imap_fail(c, IMAP_ERROR_TOO_MANY);
		if (imap_take_space(c) < 0 || imap_take_atom(c, &word) < 0)
			return -1;
		for (i = 0; i < COUNT(features); i++)
			if (slice_ieq_str(word, features[i].name))
				cmd->u.enable.features |= features[i].bit;
	} while (!imap_is_end(c));
	return 0;
}

/* RFC 2971 4. */
static int
args_id(struct imap_cur *c, struct imap_cmd *cmd)
{
	struct imap_words *pairs = &cmd->u.id.pairs;
	struct slice nil;
	bool more;
	size_t i;

	*pairs = (struct imap_words){ NULL, 0 };
	if (imap_take_space(c) < 0)
		return -1;
	if (!imap_is_next(c, '('))
		return imap_take_nstring(c, &nil) < 0 ? -1 :
		    nil.p == NULL ? 0 : imap_fail(c, IMAP_ERROR_OPEN);
	pairs->v = imap_alloc(c, LIMIT_IMAP_WORDS * sizeof *pairs->v);
	if (pairs->v == NULL || imap_take_open(c) < 0)
		return -1;
	for (i = 0;; i += 2) {
		if (imap_take_item(c, i, LIMIT_IMAP_WORDS, &more) < 0)
			return -1;
		if (!more)
			break;
		if (imap_take_string(c, &pairs->v[i]) < 0 ||
		    imap_take_space(c) < 0 ||
		    imap_take_nstring(c, &pairs->v[i + 1]) < 0)
			return -1;
	}
	pairs->n = i;
	return 0;
}

static int
args_compress(struct imap_cur *c, struct imap_cmd *cmd)
{
	if (imap_take_space(c) < 0)
		return -1;
	return imap_take_atom(c, &cmd->u.compress);
}

static int
args_name(struct imap_cur *c, struct imap_cmd *cmd)
{
	if (imap_take_space(c) < 0)
		return -1;
	return imap_take_mailbox(c, &cmd->u.name.name);
}

enum {
	NONAUTH = IMAP_STATE_NONAUTH,
	SELECTED = IMAP_STATE_SELECTED,
	AUTH = IMAP_STATE_AUTH | IMAP_STATE_SELECTED,
	ANY = NONAUTH | AUTH,

	UID = IMAP_CMD_UID,
	USES = IMAP_CMD_USES_SEQ,
	BREAKS = IMAP_CMD_BREAKS_SEQ,
	CHANGES = IMAP_CMD_CHANGES_STATE,
	CONTINUES = IMAP_CMD_CONTINUES,
	SECRET = IMAP_CMD_SECRET,
	WRITES = IMAP_CMD_WRITES
};

const struct imap_command imap_commands[] = {
	{ "APPEND", IMAP_APPEND, AUTH, BREAKS | CONTINUES, imap_args_append },
	{ "AUTHENTICATE", IMAP_AUTHENTICATE, NONAUTH,
	    CHANGES | CONTINUES | SECRET, args_authenticate },
	{ "CAPABILITY", IMAP_CAPABILITY, ANY, 0, args_none },
	{ "CHECK", IMAP_CHECK, SELECTED, BREAKS, args_none },
	{ "CLOSE", IMAP_CLOSE, SELECTED, CHANGES, args_none },
	{ "COMPRESS", IMAP_COMPRESS, AUTH, CHANGES, args_compress },
	{ "COPY", IMAP_COPY, SELECTED, USES, imap_args_copy },
	{ "CREATE", IMAP_CREATE, AUTH, BREAKS, imap_args_create },
	{ "DELETE", IMAP_DELETE, AUTH, BREAKS, args_name },
	{ "ENABLE", IMAP_ENABLE, AUTH, CHANGES, args_enable },
	{ "EXAMINE", IMAP_EXAMINE, AUTH, CHANGES, imap_args_select },
	{ "EXPUNGE", IMAP_EXPUNGE, SELECTED, BREAKS | WRITES, args_none },
	{ "FETCH", IMAP_FETCH, SELECTED, USES, imap_args_fetch },
	{ "GETQUOTA", IMAP_GETQUOTA, AUTH, BREAKS, args_name },
	{ "GETQUOTAROOT", IMAP_GETQUOTAROOT, AUTH, BREAKS, args_name },
	{ "ID", IMAP_ID, ANY, 0, args_id },
	{ "IDLE", IMAP_IDLE, AUTH, BREAKS | CONTINUES, args_none },
	{ "LIST", IMAP_LIST, AUTH, BREAKS, imap_args_list },
	{ "LOGIN", IMAP_LOGIN, NONAUTH, CHANGES | SECRET, args_login },
	{ "LOGOUT", IMAP_LOGOUT, ANY, CHANGES, args_none },
	{ "LSUB", IMAP_LSUB, AUTH, BREAKS, imap_args_lsub },
	{ "MOVE", IMAP_MOVE, SELECTED, USES | BREAKS | WRITES,
	    imap_args_copy },
	{ "NAMESPACE", IMAP_NAMESPACE, AUTH, BREAKS, args_none },
	{ "NOOP", IMAP_NOOP, ANY, BREAKS, args_none },
	{ "RENAME", IMAP_RENAME, AUTH, BREAKS, imap_args_rename },
	{ "SEARCH", IMAP_SEARCH, SELECTED, USES, imap_args_search },
	{ "SELECT", IMAP_SELECT, AUTH, CHANGES, imap_args_select },
	{ "SETQUOTA", IMAP_SETQUOTA, AUTH, BREAKS, imap_args_setquota },
	{ "STARTTLS", IMAP_STARTTLS, NONAUTH, CHANGES, args_none },
	{ "STATUS", IMAP_STATUS, AUTH, BREAKS, imap_args_status },
	{ "STORE", IMAP_STORE, SELECTED, USES | WRITES, imap_args_store },
	{ "SUBSCRIBE", IMAP_SUBSCRIBE, AUTH, BREAKS, args_name },
	{ "UID COPY", IMAP_COPY, SELECTED, UID | BREAKS, imap_args_copy },
	{ "UID EXPUNGE", IMAP_EXPUNGE, SELECTED, UID | BREAKS | WRITES,
	    imap_args_uid_expunge },
	{ "UID FETCH", IMAP_FETCH, SELECTED, UID | BREAKS, imap_args_fetch },
	{ "UID MOVE", IMAP_MOVE, SELECTED, UID | BREAKS | WRITES,
	    imap_args_copy },
	{ "UID SEARCH", IMAP_SEARCH, SELECTED, UID | BREAKS,
	    imap_args_search },
	{ "UID STORE", IMAP_STORE, SELECTED, UID | BREAKS | WRITES,
	    imap_args_store },
	{ "UNSELECT", IMAP_UNSELECT, SELECTED, CHANGES, args_none },
	{ "UNSUBSCRIBE", IMAP_UNSUBSCRIBE, AUTH, BREAKS, args_name },
};

const size_t imap_command_count = COUNT(imap_commands);

const struct imap_command *
imap_command_find(struct slice name)
{
	size_t low = 0, high = COUNT(imap_commands), mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = slice_icmp(name, slice_str(imap_commands[mid].name));
		if (order == 0)
			return &imap_commands[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

struct slice
imap_cmd_tag(struct slice text)
{
	struct imap_cur c;
	struct slice tag;

	imap_cur_init(&c, text, NULL);
	if (imap_take_tag(&c, &tag) < 0 ||
	    (!imap_is_end(&c) && !imap_is_next(&c, ' ')))
		return SLICE_NONE;
	return tag;
}

/* "UID" and the word behind it are one name. */
static int
take_row(struct imap_cur *c, const struct imap_command **row_r)
{
	struct slice name, word;

	if (imap_is_end(c) || imap_take_atom(c, &name) < 0) {
		c->error = IMAP_ERROR_VERB;
		return -1;
	}
	if (slice_ieq_str(name, "UID")) {
		if (imap_take_space(c) < 0 || imap_take_atom(c, &word) < 0)
			return -1;
		name.n += 1 + word.n;
	}
	*row_r = imap_command_find(name);
	return *row_r != NULL ? 0 : imap_fail(c, IMAP_ERROR_VERB);
}

static int
take_cmd(struct imap_cur *c, unsigned state, struct imap_cmd *cmd)
{
	cmd->tag = imap_cmd_tag(imap_rest(c));
	if (cmd->tag.p == NULL)
		return imap_fail(c, IMAP_ERROR_TAG);
	c->p += cmd->tag.n;
	if (!imap_skip(c, ' '))
		return imap_fail(c, IMAP_ERROR_VERB);
	if (take_row(c, &cmd->row) < 0)
		return -1;
	if ((cmd->row->states & state) == 0)
		return imap_fail(c, IMAP_ERROR_STATE);
	if (cmd->row->take(c, cmd) < 0)
		return -1;
	return imap_take_end(c);
}

int
imap_cmd_parse(struct slice text, unsigned state, struct region *region,
    struct imap_cmd *cmd_r)
{
	struct imap_cur c;
	int result;

	*cmd_r = (struct imap_cmd){ .tag = SLICE_NONE };
	imap_cur_init(&c, text, region);
	result = take_cmd(&c, state, cmd_r);
	cmd_r->error = c.error;
	return result;
}
