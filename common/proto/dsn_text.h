/* SPDX-License-Identifier: ISC */
/* The part of a delivery status notification that is for people; called by
 * dsn.c only. */
#ifndef PROTO_DSN_TEXT_H
#define PROTO_DSN_TEXT_H

#include "base/buf.h"
#include "proto/dsn.h"

/* The subject: what matters most of all recipients. */
const char *dsn_subject(const struct dsn *d);
/* Appends the text, CRLF lines; ASCII unless a recipient's address is not. */
void dsn_add_text(struct buf *out, const struct dsn *d);

#endif
