/* SPDX-License-Identifier: ISC */
/* What a server says that it can do: the reply to EHLO and LHLO. RFC 5321
 * 4.1.1.1 and the RFCs of the extensions. */
#ifndef PROTO_SMTP_CAPS_H
#define PROTO_SMTP_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum smtp_cap {
	SMTP_CAP_PIPELINING = 1 << 0,	       /* RFC 2920 */
	SMTP_CAP_SIZE = 1 << 1,		       /* RFC 1870 */
	SMTP_CAP_8BITMIME = 1 << 2,	       /* RFC 6152 */
	SMTP_CAP_BINARYMIME = 1 << 3,	       /* RFC 3030 */
	SMTP_CAP_CHUNKING = 1 << 4,	       /* RFC 3030 */
	SMTP_CAP_SMTPUTF8 = 1 << 5,	       /* RFC 6531 */
	SMTP_CAP_DSN = 1 << 6,		       /* RFC 3461 */
	SMTP_CAP_STARTTLS = 1 << 7,	       /* RFC 3207 */
	SMTP_CAP_ENHANCEDSTATUSCODES = 1 << 8, /* RFC 2034 */
	SMTP_CAP_AUTH = 1 << 9,		       /* RFC 4954 */
	SMTP_CAP_LIMITS = 1 << 10,	       /* RFC 9422 */
};

enum smtp_auth_mech {
	SMTP_AUTH_PLAIN = 1 << 0,
	SMTP_AUTH_LOGIN = 1 << 1,
	SMTP_AUTH_SCRAM_SHA_256 = 1 << 2,
	SMTP_AUTH_SCRAM_SHA_256_PLUS = 1 << 3,
};

struct smtp_caps {
	struct slice name;    /* what the server calls itself, a view */
	unsigned bits;	      /* enum smtp_cap */
	unsigned auth;	      /* enum smtp_auth_mech */
	uint64_t size;	      /* largest message; 0: no limit known */
	uint32_t mail_max;    /* transactions per connection; 0: not said */
	uint32_t rcpt_max;    /* RCPTs per transaction; 0: not said */
	uint32_t rcpt_domain_max;
};

/*
 * Reads the text of a reply as smtp_reply_next leaves it, first line included.
 * Lines that are not understood are ignored, as RFC 5321 4.1.1.1 asks. It
 * starts from nothing: what an earlier EHLO said is void (RFC 3207 4.2).
 */
void smtp_caps_parse(struct slice text, struct smtp_caps *caps_r);

#endif
