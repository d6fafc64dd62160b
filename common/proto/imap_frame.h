/* SPDX-License-Identifier: ISC */
/*
 * Says where a command ends in the bytes received so far. A command is lines,
 * joined by literals: `{n}` at the end of a line announces n bytes that belong
 * to it, and the line goes on behind them (RFC 9051 4.3, 7888). Arguments are
 * gathered; the message of an APPEND is not, it is handed to the caller.
 *
 * The caller keeps the bytes from the command's beginning in one buffer, shows
 * all of it at each call, and drops from its front what an event says.
 */
#ifndef PROTO_IMAP_FRAME_H
#define PROTO_IMAP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Before the login they are small, after it as in limits.h. */
struct imap_frame_limits {
	size_t line;      /* one line, CRLF included */
	size_t literal;   /* one gathered literal */
	size_t command;   /* all of a gathered command */
	uint64_t message; /* the literal of an APPEND */
	uint64_t nonsync; /* {n+}: RFC 7888 5 (LITERAL-) says 4096 */
	uint64_t skip;    /* a refused {n+} above this ends the connection */
};

enum imap_frame_what {
	IMAP_FRAME_MORE,     /* not decided: call again with more bytes */
	IMAP_FRAME_CONTINUE, /* send "+", then call again: n bytes follow */
	IMAP_FRAME_COMMAND,  /* the whole command, text without last CRLF */
	IMAP_FRAME_MESSAGE,  /* an APPEND up to `{n}`: its message follows */
	IMAP_FRAME_SKIP,     /* bytes of a refused command: drop them */
	IMAP_FRAME_ERROR     /* answer BAD (tag in text); SKIPs follow */
};

/* The sentence goes behind BAD (or BYE); the big ones answer [TOOBIG] for an
 * APPEND (RFC 7888 5) and [LIMIT] else. */
#define IMAP_FRAME_ERRORS(E) \
	E(TOO_LONG, "The command is too long.") \
	E(BARE_CR, "A CR stands without its LF.") \
	E(BARE_LF, "Lines end in CR and LF, not in LF alone.") \
	E(LITERAL_BIG, "The literal is too big.") \
	E(NONSYNC_BIG, "A literal sent without asking is too big.")

enum imap_frame_error {
#define E(name, text) IMAP_FRAME_##name,
	IMAP_FRAME_ERRORS(E)
#undef E
	IMAP_FRAME_ERROR_COUNT
};

struct imap_frame_event {
	size_t consumed;   /* drop this much off the front, after use of text */
	struct slice text; /* COMMAND, MESSAGE, CONTINUE, ERROR: a view into in */
	uint64_t n;        /* CONTINUE, MESSAGE: size of the literal */
	bool is_sync;      /* MESSAGE: the client waits for "+" */
	enum imap_frame_error error;
	uint64_t skip;     /* ERROR: how many bytes will be dropped at least */
	bool is_fatal;     /* ERROR: too much to skip; say BYE and close */
};

enum imap_frame_state {
	IMAP_FRAME_GATHER, /* looking for the end of a line */
	IMAP_FRAME_REFUSE, /* dropping what belongs to a refused command */
	IMAP_FRAME_DEAD    /* after a fatal error: the same error for ever */
};

struct imap_frame {
	struct imap_frame_limits limits;
	enum imap_frame_state state;
	size_t line;       /* where the current line begins */
	size_t searched;   /* up to here there is no LF */
	uint64_t skip;     /* REFUSE: bytes to drop before looking on */
	bool line_follows; /* REFUSE: behind them the rest of a line */
	bool in_append;    /* a message was reported: more may follow it */
	bool is_sync;      /* of the last literal that was reported */
	uint64_t literal;  /* its size */
	enum imap_frame_error error;
};

void imap_frame_init(struct imap_frame *f,
    const struct imap_frame_limits *limits);
/* New limits, from the next line on (after the login). */
void imap_frame_set_limits(struct imap_frame *f,
    const struct imap_frame_limits *limits);
/*
 * What to do next with the bytes `in`, which begin where the last event's
 * `consumed` left off.
 *
 * MESSAGE: the text is the command up to and with `{n}`. The caller parses it,
 * drops `consumed`, sends "+" when is_sync, takes n bytes itself, and calls
 * again for what stands behind the message: a COMMAND whose text is empty (or
 * ")" after UTF8, RFC 6855 4) ends the APPEND, a further MESSAGE is the next
 * one of a MULTIAPPEND (RFC 3502). imap_cmd_append_next reads both.
 *
 * The text of an ERROR begins with the command's tag, if it has one at all
 * (not behind a MESSAGE, where the caller knows the tag). After MORE nothing
 * but the call's result means anything.
 */
enum imap_frame_what imap_frame_next(struct imap_frame *f, struct slice in,
    struct imap_frame_event *e_r) __attribute__((warn_unused_result));
/*
 * After CONTINUE or MESSAGE, instead of going on: the command was answered NO
 * or BAD. A client that waits for "+" takes that as the command's end; one
 * that does not has sent the literal and the rest of the line, which the next
 * calls skip. After MESSAGE `consumed` must have been dropped.
 */
void imap_frame_refuse(struct imap_frame *f);
/* The sentence of an error, of static life; never NULL. */
const char *imap_frame_error_text(enum imap_frame_error e);

#endif
