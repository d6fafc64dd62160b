/* SPDX-License-Identifier: ISC */
/*
 * Each case is the story of one client, told in lines:
 *
 *	> TEXT        the client sends TEXT and CRLF; %XX is a byte
 *	>> TEXT       the same without CRLF
 *	< TEXT        the next line it has received; `*` at the end: and so on
 *	< -           it has received nothing more
 *	close, shut   the client closes; or says only that it sends no more
 *	closed        the server has closed the connection, all was read
 *	tls           the client shakes hands
 *	+ 2000        so many milliseconds pass
 *	PEER> TEXT    what state, auth, broker or owner were told next; `-`
 *	PEER< WORDS   what they say (below)
 *	PEER lost     its process dies, PEER up: it comes (back)
 *	stream> TEXT  the bytes that the owner has read, with CRLF as |
 *	stream< TEXT  the owner writes; | is CRLF
 *	log> TEXT     a line of this beginning was logged (from the event on)
 *	reload NAME VALUE    a new setting
 *	nocert, nobind       no certificate; no channel binding (these, `reload`,
 *		      `lost` and `up` at the beginning: before the client comes)
 *	stop          the role is told to stop; `stopped`: it has
 *
 *	state< yes | no
 *	auth< ok [DATA] | challenge DATA | failed | later | slow | malformed |
 *	      disabled | unticketed TICKET | nonsense
 *	broker< session | link | later TEXT | failed TEXT
 *	owner< end [N] | compress | stream | link (the last two: it closes it)
 *
 * At its end nothing may be left, and nothing that was logged may hold the
 * word "sesame", which is everybody's password.
 */
#ifndef TESTS_ACCESS_WORLD_H
#define TESTS_ACCESS_WORLD_H

#include <stddef.h>

#include "base/slice.h"

struct access_case {
	const char *name, *story;
};

/* The client comes to this service ("imap"…, and "+" behind it: passwords are
 * allowed without TLS); the story is told. */
void world_run(const char *service, const struct access_case *story);

/* The pieces, for tests of another shape. */
void world_begin(const char *service);
void world_come(void);
void world_line(struct slice line);
void world_settle(void);
int world_client(void);
void world_end(void);

#endif
