/* SPDX-License-Identifier: ISC */
/* A session of submission, shared by session.c, login.c and letter.c. */
#ifndef MSA_SESSION_PRIV_H
#define MSA_SESSION_PRIV_H

#include "base/buf.h"
#include "msa/fixup.h"
#include "msa/session.h"
#include "session/recipients.h"
#include "session/smtp_session.h"
#include "sys/ipc.h"

/* What is asked before a message may go, one after the other. */
enum data_step { DATA_MESSAGES, DATA_RECIPIENTS, DATA_QUEUE };

struct session {
	struct smtp_session base;

	/* Who it is; account 0 before AUTH. */
	uint64_t account;
	struct buf address;
	/* The exchange. */
	uint64_t exchange;
	uint64_t auth_serial; /* of the link it is on */
	struct ipc_call *auth;
	enum sasl_mech mech;
	bool is_success_due; /* the last word of a mechanism was sent */

	/* The transaction. */
	struct ipc_call *ask; /* of MAIL and DATA: one at a time */
	enum data_step step;
	struct recipient_ask *rcpt_ask;

	/* The message. */
	struct fixup fixup;
	bool has_fixup;
	struct slice unasked;  /* addresses whose owner was not asked yet */
	struct ipc_call *owns;
	bool is_owned;    /* all of them are the account's */
	bool is_complete; /* the last octet came */
};

static inline struct session *
session_of(const struct smtp_server *smtp)
{
	return LIST_OF(smtp_server_data(smtp), struct session, base);
}

/* ---- login.c ---- */

void login_start(struct smtp_server *smtp, enum sasl_mech mech,
    bool has_initial, struct slice initial);
void login_more(struct smtp_server *smtp, struct slice message);
void login_abort(struct smtp_server *smtp);
/* Nobody waits for an answer any more. */
void login_forget(struct session *s);

/* ---- letter.c: the message's own policy ---- */

void letter_begin(struct smtp_session *base);
enum smtp_field letter_field(struct smtp_server *smtp,
    const struct header_field *f);
void letter_header_end(struct smtp_server *smtp, bool has_blank);
void letter_end(struct smtp_server *smtp);
void letter_reset(struct session *s);
const struct conf_submission *session_conf(void);

#endif
