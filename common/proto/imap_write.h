/* SPDX-License-Identifier: ISC */
/*
 * The pieces of IMAP responses, appended to a buffer (RFC 9051 4.3, 9). `utf8`
 * says that the client has enabled IMAP4rev2 or UTF8=ACCEPT: then text above
 * ASCII may stand in quotes, else it needs a literal (RFC 6855 3).
 */
#ifndef PROTO_IMAP_WRITE_H
#define PROTO_IMAP_WRITE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/imap_token.h"

/*
 * Quoted where that is allowed and short, else a literal. NUL may stand in
 * neither and becomes `?`.
 */
void imap_write_string(struct buf *out, struct slice s, bool utf8);
/* The same; NIL for a slice without a pointer. */
void imap_write_nstring(struct buf *out, struct slice s, bool utf8);
/* Without quotes where it needs none. */
void imap_write_astring(struct buf *out, struct slice s, bool utf8);
/* A name in our form (imap_mailbox.h), as modified UTF-7 unless utf8. */
void imap_write_mailbox(struct buf *out, struct slice name, bool utf8);
/* (\Seen $Junk), maybe (). */
void imap_write_flags(struct buf *out, const struct imap_flags *flags);
/*
 * The human text at the end of a response: control characters become spaces,
 * what may not be sent `?`; never empty (RFC 9051 9 text).
 */
void imap_write_text(struct buf *out, struct slice s, bool utf8);

#endif
