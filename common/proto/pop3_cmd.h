/* SPDX-License-Identifier: ISC */
/*
 * POP3 commands: a line (proto/line, at most LIMIT_POP3_LINE) to a struct. The
 * table says what exists and in which states. RFC 1939 5-7; 2449 CAPA, 2595
 * STLS, 5034 AUTH, 6856 UTF8 and LANG. APOP is not offered: it needs passwords
 * in the clear.
 */
#ifndef PROTO_POP3_CMD_H
#define PROTO_POP3_CMD_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum pop3_verb {
	POP3_AUTH,
	POP3_CAPA,
	POP3_DELE,
	POP3_LANG,
	POP3_LIST,
	POP3_NOOP,
	POP3_PASS,
	POP3_QUIT,
	POP3_RETR,
	POP3_RSET,
	POP3_STAT,
	POP3_STLS,
	POP3_TOP,
	POP3_UIDL,
	POP3_USER,
	POP3_UTF8,
	POP3_VERB_COUNT
};

/* RFC 1939 3; in UPDATE no command is read any more. */
enum pop3_state {
	POP3_STATE_AUTHORIZATION = 1 << 0, /* nobody has logged in */
	POP3_STATE_USER = 1 << 1,          /* the same; USER was accepted */
	POP3_STATE_TRANSACTION = 1 << 2    /* the maildrop is open */
};

enum pop3_command_flag {
	/* The state or the stream changes: nothing that comes after it may be
	 * looked at before it is done. */
	POP3_CMD_CHANGES_STATE = 1 << 0,
	/* Its text must not be logged. */
	POP3_CMD_SECRET = 1 << 1
};

/* Sentences for -ERR. */
#define POP3_ERRORS(E) \
	E(NONE, "No error.") \
	E(VERB, "Unknown command.") \
	E(STATE, "This command cannot be used now.") \
	E(MISSING, "An argument is missing.") \
	E(TRAILING, "There are too many arguments.") \
	E(NUMBER, "A number is missing or out of range.") \
	E(TEXT, "An argument holds a character that it cannot hold.")

enum pop3_error {
#define E(name, text) POP3_ERROR_##name,
	POP3_ERRORS(E)
#undef E
	POP3_ERROR_COUNT
};

struct pop3_cmd;

struct pop3_command {
	const char *name;
	enum pop3_verb verb;
	unsigned states, flags;
	/* `args` is what stands behind the space; .p NULL when none does. */
	enum pop3_error (*take)(struct slice args, struct pop3_cmd *cmd);
};

/* Sorted by name. */
extern const struct pop3_command pop3_commands[];
extern const size_t pop3_command_count;

struct pop3_cmd {
	const struct pop3_command *row; /* NULL: unknown */
	/* DELE, RETR, TOP; LIST and UIDL, where 0 is "all". */
	uint32_t number;
	uint32_t lines; /* TOP */
	/* USER, PASS, the mechanism of AUTH, the range of LANG; SLICE_NONE
	 * when LANG has none. A PASS may hold spaces (RFC 1939 7). */
	struct slice arg;
	/* AUTH: base 64, not decoded; SLICE_NONE when not given, empty for
	 * "=" (RFC 5034 4). */
	struct slice initial;
};

/*
 * Reads a line without its CRLF, in a state of enum pop3_state. Slices point
 * into the line. POP3_ERROR_NONE, or why not; row is set when the verb is
 * known. In a state in which it cannot be used the arguments are not read.
 */
enum pop3_error pop3_cmd_parse(struct slice line, unsigned state,
    struct pop3_cmd *cmd_r) __attribute__((warn_unused_result));
/* The sentence of an error, of static life; never NULL. */
const char *pop3_error_text(enum pop3_error e);
/* The row of a verb in any case, or NULL. */
const struct pop3_command *pop3_command_find(struct slice name);

#endif
