/* SPDX-License-Identifier: ISC */
/*
 * A policy that notes what it is asked, as text, and answers by what the
 * addresses say: a local part "deny" is refused (550 5.1.1), "defer" later
 * (451 4.3.0), "spoil" makes the message be refused while it comes, "nope"
 * after it came; "drop" closes the connection with 421.
 *
 * Notes: "M<from>", "R<to>", "D", "B<octets>" gathered, "E", "X" (reset).
 * CR LF shows as "|".
 */
#ifndef TESTS_UNIT_SESSION_FAKE_POLICY_H
#define TESTS_UNIT_SESSION_FAKE_POLICY_H

#include <stdbool.h>

#include "base/buf.h"
#include "session/smtp_server.h"
#include "sys/loop.h"

struct fake {
	struct smtp_server *smtp;
	struct buf notes, body;
	bool is_async;  /* answers come in a later turn */
	bool is_mute;   /* answers never */
	bool is_narrow; /* the sink is full each second time */
	bool was_full, is_closed, is_open;
	bool is_unclean; /* told twice, or not told, of an end */
	bool spoil, nope;
	bool answers_each; /* LMTP: the answer is to the message */
	struct loop_later later;
	/* What the later turn does. */
	bool has_answer, wants_room, is_challenge;
	const struct smtp_answer *answer;
	struct slice challenge;
	struct {
		bool deny;
	} rcpts[100];
	size_t n_rcpts;
};

extern const struct smtp_policy fake_policy;

void fake_init(struct fake *f, struct loop *l);
void fake_fini(struct fake *f);

#endif
