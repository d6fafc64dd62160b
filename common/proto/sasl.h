/* SPDX-License-Identifier: ISC */
/*
 * What all SASL exchanges share: mechanism names, the base 64 lines in which
 * SMTP, IMAP, POP3 and ManageSieve carry messages (RFC 4422, RFC 4954 4,
 * RFC 5034 4), and the two mechanisms that are one message each: PLAIN
 * (RFC 4616) and LOGIN (no RFC; every mail client has it).
 */
#ifndef PROTO_SASL_H
#define PROTO_SASL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

enum sasl_mech {
	SASL_PLAIN,
	SASL_LOGIN,
	SASL_SCRAM_SHA_256,
	SASL_SCRAM_SHA_256_PLUS
};
enum { SASL_MECHS = SASL_SCRAM_SHA_256_PLUS + 1 };

/*
 * What the TLS channel below gives for channel binding; an empty slice where
 * it has none: tls-exporter (RFC 9266) over TLS 1.3, or 1.2 with extended
 * master secret and without renegotiation; tls-unique (RFC 5929 3) only over
 * TLS 1.2 with extended master secret; tls-server-end-point (RFC 5929 4).
 */
struct sasl_channel {
	struct slice exporter, unique, end_point;
};

enum sasl_line_error {
	SASL_LINE_CANCELLED, /* the peer sent "*" */
	SASL_LINE_MALFORMED, /* not base 64 */
	SASL_LINE_TOO_LONG   /* beyond the limit of the buffer */
};

struct sasl_plain {
	struct slice authzid; /* empty: the same as name */
	struct slice name, password;
};

/* The mechanism of that name, whatever its case. -1: we have none. */
int sasl_mech_find(struct slice name, enum sasl_mech *mech_r)
    __attribute__((warn_unused_result));
/* Its registered name, a static string. */
const char *sasl_mech_name(enum sasl_mech mech);
/* Bits 1 << mech of those named in a list separated by spaces. */
unsigned sasl_mech_set(struct slice list);
/* Has the channel any binding, so that -PLUS is to be offered? */
bool sasl_has_binding(const struct sasl_channel *c);

/*
 * Adds the message that a line carries to `out` (nothing else may be in it).
 * An initial response "=" is an empty message (RFC 4954 4). 0, or -1.
 */
int sasl_line_decode(struct slice line, bool initial, struct buf *out,
    enum sasl_line_error *error_r) __attribute__((warn_unused_result));
/* The other way; an empty initial response becomes "=". */
void sasl_line_encode(struct buf *out, struct slice message, bool initial);

/* UTF-8 without NUL, not empty, within LIMIT_SASL_NAME (_PASSWORD)? */
bool sasl_is_name(struct slice s);
bool sasl_is_password(struct slice s);

/* RFC 4616 2. Views into `message`. -1: malformed or over a limit. */
int sasl_plain_parse(struct slice message, struct sasl_plain *plain_r)
    __attribute__((warn_unused_result));
/* The caller has checked the three with sasl_is_name, sasl_is_password. */
void sasl_plain_format(struct buf *out, const struct sasl_plain *plain);

#endif
