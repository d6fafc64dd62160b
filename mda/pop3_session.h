/* SPDX-License-Identifier: ISC */
/*
 * One POP3 session in the owner process: a snapshot of INBOX taken at its
 * start, which nothing that happens meanwhile changes (RFC 1939 3, 5).
 */
#ifndef MDA_POP3_SESSION_H
#define MDA_POP3_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "mda/channel.h"
#include "mda/mailbox.h"
#include "proto/dot.h"
#include "proto/line.h"
#include "proto/pop3_cmd.h"

struct pop3_session;

enum pop3_progress {
	POP3_ANSWERED,
	POP3_GOES_ON /* call the step again when nothing is waited for */
};
typedef enum pop3_progress pop3_step(struct pop3_session *s);

struct pop3_message {
	uint32_t uid;
	bool is_deleted;
	bool is_read;     /* RETR has served it */
	uint64_t size;
};

struct pop3_session {
	struct list link;
	struct channel io;
	struct account *account;
	struct mailbox *mailbox;
	struct view *view;
	struct pop3_message *v;
	uint32_t n;
	struct line line;
	pop3_step *step;       /* of the command in work; NULL: none */
	enum mbox_result result;
	bool is_stopping;

	/* the command in work */
	struct pop3_cmd cmd;   /* its slices are gone after the first step */
	uint32_t at;           /* LIST, UIDL: the next message */
	uint64_t offset;       /* RETR, TOP: the next byte */
	uint32_t lines;        /* TOP: lines of the body still to be sent */
	bool in_header;        /* TOP: the empty line was not met */
	bool at_line_start;
	struct dot_encoder dot;
	uint32_t *uids;        /* QUIT */
};

void pop3_put(struct pop3_session *s, const char *text);
/* "+OK text", "-ERR [code] text"; both are POP3_ANSWERED. */
enum pop3_progress pop3_ok(struct pop3_session *s, const char *text);
enum pop3_progress pop3_err(struct pop3_session *s, const char *code,
    const char *text);

/* pop3_drop.c: the commands of the TRANSACTION state; NULL: not here. */
pop3_step *pop3_command(enum pop3_verb verb);

#endif
