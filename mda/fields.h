/* SPDX-License-Identifier: ISC */
/*
 * What is kept of a message so that it need not be read again: the size of its
 * header, and ENVELOPE, BODY and BODYSTRUCTURE as IMAP sends them. Parsed as
 * the message goes by.
 */
#ifndef MDA_FIELDS_H
#define MDA_FIELDS_H

#include "base/buf.h"
#include "base/slice.h"

struct fields;

struct fields *fields_new(void);
/* The message in order, as served. */
void fields_feed(struct fields *f, struct slice bytes);
/* Appends the value of its 'C' row (mda/rows.h); nothing when it would be too
 * large for one. Frees. */
void fields_finish(struct fields **f, struct buf *row);
void fields_free(struct fields **f);

#endif
