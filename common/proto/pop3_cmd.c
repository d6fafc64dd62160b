/* SPDX-License-Identifier: ISC */
/* The POP3 command table and its argument readers, one per shape. */
#include "proto/pop3_cmd.h"

#include <stdbool.h>

#include "base/num.h"
#include "base/utf8.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *const texts[] = {
#define E(name, text) [POP3_ERROR_##name] = text,
	POP3_ERRORS(E)
#undef E
};

static enum pop3_error
args_none(struct slice args, struct pop3_cmd *cmd)
{
	return args.p == NULL ? POP3_ERROR_NONE : POP3_ERROR_TRAILING;
}

/* The word up to the next space; what is left is SLICE_NONE at the end. */
static struct slice
take_word(struct slice *args)
{
	ptrdiff_t at = args->n > 0 ? slice_chr(*args, ' ') : -1;
	struct slice word = *args;

	if (at < 0) {
		*args = SLICE_NONE;
		return word;
	}
	*args = slice_from(word, (size_t)at + 1);
	return slice_head(word, (size_t)at);
}

static enum pop3_error
take_number(struct slice *args, uint32_t min, uint32_t *v_r)
{
	uint64_t v;

	if (args->p == NULL)
		return POP3_ERROR_MISSING;
	if (num_parse(take_word(args), min, UINT32_MAX, &v) < 0)
		return POP3_ERROR_NUMBER;
	*v_r = (uint32_t)v;
	return POP3_ERROR_NONE;
}

static enum pop3_error
args_number(struct slice args, struct pop3_cmd *cmd)
{
	enum pop3_error error = take_number(&args, 1, &cmd->number);

	return error != POP3_ERROR_NONE ? error : args_none(args, cmd);
}

static enum pop3_error
args_maybe_number(struct slice args, struct pop3_cmd *cmd)
{
	return args.p == NULL ? POP3_ERROR_NONE : args_number(args, cmd);
}

static enum pop3_error
args_top(struct slice args, struct pop3_cmd *cmd)
{
	enum pop3_error error = take_number(&args, 1, &cmd->number);

	if (error == POP3_ERROR_NONE)
		error = take_number(&args, 0, &cmd->lines);
	return error != POP3_ERROR_NONE ? error : args_none(args, cmd);
}

/* All of the line, spaces included; names and passwords may be UTF-8 (RFC 6856
 * 2.2). */
static enum pop3_error
args_text(struct slice args, struct pop3_cmd *cmd)
{
	if (args.n == 0)
		return POP3_ERROR_MISSING;
	if (slice_has(args, 0) || !utf8_is_valid(args))
		return POP3_ERROR_TEXT;
	cmd->arg = args;
	return POP3_ERROR_NONE;
}

static bool
is_printable(struct slice word)
{
	size_t i;

	for (i = 0; i < word.n; i++)
		if (word.p[i] <= ' ' || word.p[i] >= 0x7f)
			return false;
	return word.n > 0;
}

static enum pop3_error
args_lang(struct slice args, struct pop3_cmd *cmd)
{
	if (args.p == NULL)
		return POP3_ERROR_NONE;
	cmd->arg = take_word(&args);
	if (!is_printable(cmd->arg))
		return POP3_ERROR_TEXT;
	return args_none(args, cmd);
}

static enum pop3_error
args_auth(struct slice args, struct pop3_cmd *cmd)
{
	if (args.n == 0)
		return POP3_ERROR_MISSING;
	cmd->arg = take_word(&args);
	if (!is_printable(cmd->arg))
		return POP3_ERROR_TEXT;
	if (args.p == NULL)
		return POP3_ERROR_NONE;
	cmd->initial = take_word(&args);
	if (!is_printable(cmd->initial))
		return POP3_ERROR_TEXT;
	if (slice_eq_str(cmd->initial, "="))
		cmd->initial.n = 0;
	return args_none(args, cmd);
}

enum {
	START = POP3_STATE_AUTHORIZATION | POP3_STATE_USER,
	USER = POP3_STATE_USER,
	OPEN = POP3_STATE_TRANSACTION,
	ANY = START | OPEN,
	CHANGES = POP3_CMD_CHANGES_STATE,
	SECRET = POP3_CMD_SECRET
};

const struct pop3_command pop3_commands[] = {
	{ "AUTH", POP3_AUTH, START, CHANGES | SECRET, args_auth },
	{ "CAPA", POP3_CAPA, ANY, 0, args_none },
	{ "DELE", POP3_DELE, OPEN, 0, args_number },
	{ "LANG", POP3_LANG, ANY, 0, args_lang },
	{ "LIST", POP3_LIST, OPEN, 0, args_maybe_number },
	{ "NOOP", POP3_NOOP, OPEN, 0, args_none },
	{ "PASS", POP3_PASS, USER, CHANGES | SECRET, args_text },
	{ "QUIT", POP3_QUIT, ANY, CHANGES, args_none },
	{ "RETR", POP3_RETR, OPEN, 0, args_number },
	{ "RSET", POP3_RSET, OPEN, 0, args_none },
	{ "STAT", POP3_STAT, OPEN, 0, args_none },
	{ "STLS", POP3_STLS, START, CHANGES, args_none },
	{ "TOP", POP3_TOP, OPEN, 0, args_top },
	{ "UIDL", POP3_UIDL, OPEN, 0, args_maybe_number },
	{ "USER", POP3_USER, START, CHANGES, args_text },
	{ "UTF8", POP3_UTF8, START, CHANGES, args_none },
};

const size_t pop3_command_count = COUNT(pop3_commands);

const struct pop3_command *
pop3_command_find(struct slice name)
{
	size_t i;

	for (i = 0; i < COUNT(pop3_commands); i++)
		if (slice_ieq_str(name, pop3_commands[i].name))
			return &pop3_commands[i];
	return NULL;
}

enum pop3_error
pop3_cmd_parse(struct slice line, unsigned state, struct pop3_cmd *cmd_r)
{
	struct slice verb = take_word(&line);

	*cmd_r = (struct pop3_cmd){ .row = pop3_command_find(verb) };
	if (cmd_r->row == NULL)
		return POP3_ERROR_VERB;
	if ((cmd_r->row->states & state) == 0)
		return POP3_ERROR_STATE;
	return cmd_r->row->take(line, cmd_r);
}

const char *
pop3_error_text(enum pop3_error e)
{
	if ((size_t)e >= COUNT(texts))
		return "The command is not well formed.";
	return texts[e];
}
