/* SPDX-License-Identifier: ISC */
/*
 * BODY and BODYSTRUCTURE of a message as IMAP sends them (RFC 9051 7.5.2, RFC
 * 3501 7.4.2). Sizes are those of the served form, in octets and lines.
 */
#ifndef PROTO_IMAP_BODY_H
#define PROTO_IMAP_BODY_H

#include <stdint.h>

#include "base/buf.h"
#include "proto/mime_part.h"

enum imap_body_flag {
	IMAP_BODY_EXTENDED = 1, /* BODYSTRUCTURE; without, BODY */
	/* For clients of IMAP4rev1 without UTF8=ACCEPT: message/global is a
	 * part like any other (RFC 9755 6). */
	IMAP_BODY_REV1 = 2,
};

/*
 * Appends the list for `part` and all it contains. Parameters of RFC 2231 are
 * put together and go out as name* in that form, charset'language'%xx, which
 * every client can read. Parts that are not looked into (MIME_OPAQUE) are
 * application/octet-stream, multiparts among them text/plain. `text` is scratch
 * as for imap_envelope_write(). Where `out` is too small, out->err is set.
 */
void imap_body_write(struct buf *out, const struct mime_part *part,
    unsigned flags, struct buf *text);
/*
 * What can always be said: one part application/octet-stream of that size. For
 * messages whose structure could not be had or was too large.
 */
void imap_body_write_opaque(struct buf *out, uint64_t octets, unsigned flags);

#endif
