/* SPDX-License-Identifier: ISC */
/*
 * Sessions of the owner process over socket pairs, driven by scripts:
 *
 *	# a comment
 *	C: a1 SELECT INBOX        send a line, with CRLF (C2: to session 2)
 *	C-: a1 SEL                send without CRLF; \r \n \0 \\ are escapes
 *	S: a1 OK <> Selected.     the next line must be this
 *	@ command …               see dialogue.c
 *	| text                    lines of a message, behind "@ mail"
 *
 * In S lines <> stands for anything, <name> for a word that is kept under that
 * name, or that must be the kept one again; in C lines <name> is what was kept.
 * Nothing may be left unread when the next line is sent.
 */
#ifndef TESTS_UNIT_MDA_DIALOGUE_H
#define TESTS_UNIT_MDA_DIALOGUE_H

#include <stdbool.h>

#include "base/buf.h"
#include "tests/unit/mda/world.h"

struct client {
	int fd, control;  /* our ends; -1: not open */
	struct buf in;
	uint64_t got;     /* bytes received */
	uint64_t end_at;  /* after_output of SES_END */
	bool is_ended;    /* SES_END has come */
	bool is_eof;
};

struct dialogue {
	struct world *w;
	struct client clients[4];
	char *kept[32][2];
	size_t n_kept;
	const char *file;
	unsigned line;
	bool is_pop3;
	bool bytewise;    /* one byte a turn */
	bool was_part;    /* the last C line had no line end of its own */
};

/* The stubs of mda/owner.h use this world. */
void dialogue_begin(struct dialogue *d, struct world *w);
void dialogue_fini(struct dialogue *d);
/* Runs a script from DIALOGUES; fails the test where it differs. */
void dialogue_run(struct dialogue *d, const char *file);
/* Starts a session with this tag. */
struct client *dialogue_client(struct dialogue *d, unsigned i, bool pop3,
    const char *tag);
void dialogue_send(struct dialogue *d, struct client *c, struct slice bytes);
/* SES_INPUT_END after so many bytes. */
void dialogue_input_end(struct client *c, uint64_t after);
/* Turns the loop once and takes what has come. */
void dialogue_turn(struct dialogue *d);
/* The next line without CRLF, in a static buffer; waits. NULL: the end. */
const char *dialogue_line(struct dialogue *d, struct client *c);
/* Sessions that are open, as the owner counts them. */
int dialogue_busy(void);

#endif
