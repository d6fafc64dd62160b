/* SPDX-License-Identifier: ISC */
/*
 * What smtpd, submission and lmtp have alike in a session: the client's part in
 * the front, the engine, the texts of the envelope, the trace field. Each
 * embeds one in its own struct; what may come in it decides by itself.
 */
#ifndef SESSION_SMTP_SESSION_H
#define SESSION_SMTP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "session/front.h"
#include "session/smtp_server.h"
#include "sys/addr_kind.h"

struct queue_tx;
struct received;
struct smtp_intake_events;

enum { SMTP_SESSION_TRACE_MAX = 8192 };

struct smtp_session {
	struct front_client client;
	struct smtp_server *smtp;
	/* The transaction; `first` is the first recipient that was taken. */
	struct buf sender, first;
	/* The recipient in question: its address, "type;xtext" or nothing,
	 * bits of enum smtp_notify. */
	struct buf rcpt, orcpt;
	uint8_t notify;
	/* The message's way into the queue, which is smtp_intake.c's; lmtp has
	 * none. */
	struct queue_tx *tx;
	const struct smtp_intake_events *intake;
	bool waits_for_queue; /* DATA was said, TX_OPENED did not come yet */
};

/*
 * Begins a session on `fd`, which is taken over in any case; `start` is of enum
 * smtp_server_start. The policy finds `s` by smtp_server_data(). -1: out of
 * memory, nothing was begun.
 */
int smtp_session_open(struct smtp_session *s, const char *service, int fd,
    const struct smtp_server_options *options, const struct smtp_policy *policy,
    unsigned start) __attribute__((warn_unused_result));
/* From the policy's `reset` and `closed`. */
void smtp_session_reset(struct smtp_session *s);
void smtp_session_close(struct smtp_session *s);
/* For struct front_role. */
void smtp_session_stop(struct front_client *c);
void smtp_session_abort(struct front_client *c);

/* From `connected`: answers yes unless the client has more connections than
 * `limit`, over all processes. */
void smtp_session_check(struct smtp_session *s, uint64_t limit);
/* From `mail` and `rcpt`: keeps what was given. */
void smtp_session_set_sender(struct smtp_session *s, const struct smtp_mail *m);
void smtp_session_set_rcpt(struct smtp_session *s, const struct smtp_rcpt *r);
/* What a recipient is told that the directory knows so; NULL: mail for it is
 * taken, as far as that depends on the address. */
const struct smtp_answer *smtp_session_refusal(enum addr_kind kind,
    bool is_over_quota);
/* The recipient in question gets a domain if it has none: <postmaster> (RFC
 * 5321 4.5.1). `known` is what the directory calls it; may be empty. */
void smtp_session_complete_rcpt(struct smtp_session *s, struct slice known);
/* The recipient in question is about to be answered with yes. */
void smtp_session_note_rcpt(struct smtp_session *s);

/* Appends the Received field (RFC 5321 4.4). `r` has what the role tells of
 * the client, and the id; the rest is filled in here. The recipient is shown
 * only when there is no other. At most SMTP_SESSION_TRACE_MAX. */
void smtp_session_add_trace(const struct smtp_session *s, struct buf *out,
    const struct received *r);

#endif
