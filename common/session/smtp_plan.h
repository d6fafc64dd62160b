/* SPDX-License-Identifier: ISC */
/*
 * How one message is put to one server: which of the extensions that it offers
 * are used, in which form the content goes, and the lines of MAIL and RCPT.
 */
#ifndef SESSION_SMTP_PLAN_H
#define SESSION_SMTP_PLAN_H

#include <stdbool.h>

#include "base/buf.h"
#include "proto/smtp_caps.h"
#include "proto/status.h"
#include "session/smtp_content.h"

struct smtp_client_mail;
struct smtp_client_rcpt;

struct smtp_plan {
	bool is_utf8;	/* SMTPUTF8 is said (RFC 6531) */
	bool is_8bit;	/* BODY=8BITMIME is said (RFC 6152) */
	bool is_binary; /* BODY=BINARYMIME is said (RFC 3030) */
	bool is_bdat;	/* BDAT, not DATA */
	bool is_dsn;	/* the DSN parameters are passed on (RFC 3461) */
	bool has_ascii_domains; /* U-labels go as A-labels (RFC 5890) */
	struct smtp_content content; /* what is sent */
	struct buf converted;  /* it, if it is not what came */
};

/*
 * 0; or -1 with the reason in *why_r when this server cannot be given this
 * message. Either way *p is to be finished.
 */
int smtp_plan_make(struct smtp_plan *p, const struct smtp_client_mail *mail,
    const struct smtp_caps *caps, struct status *why_r)
    __attribute__((warn_unused_result));
void smtp_plan_fini(struct smtp_plan *p);

/* Append the command lines, without their ends. */
void smtp_plan_add_mail(struct buf *line, const struct smtp_plan *p,
    const struct smtp_client_mail *mail, const struct smtp_caps *caps);
void smtp_plan_add_rcpt(struct buf *line, const struct smtp_plan *p,
    const struct smtp_client_rcpt *rcpt);

#endif
