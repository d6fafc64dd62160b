/* SPDX-License-Identifier: ISC */
/*
 * A client's session in the owner process: bytes over `stream`, control
 * messages over `control` (SES_COMPRESS, SES_END to access; SES_INPUT_END from
 * it). `access` has greeted and logged the client in; the answer to the login
 * command (tag, or "+OK" for POP3) is the session's first output.
 */
#ifndef MDA_SESSION_H
#define MDA_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct session_start {
	int stream;         /* the session's from here on */
	int control;
	bool tls;
	struct slice tag;   /* views, valid during the call */
	struct slice client;
	struct slice id;    /* of the session, for the log */
};

/* Begin a session; each calls owner_busy() and, at its end, owner_idle(). */
void imap_session_start(const struct session_start *s);
void pop3_session_start(const struct session_start *s);
/* The owner process is asked to end: all sessions say so and go. */
void imap_sessions_stop(void);
void pop3_sessions_stop(void);

#endif
