/* SPDX-License-Identifier: ISC */
/*
 * Mailbox names (UTF-8, '/' between levels) and their Maildir++ folders
 * (".a.b", each level in modified UTF-7, RFC 3501 5.1.3, as Dovecot and Courier
 * have it). Pure.
 */
#ifndef MDA_FOLDER_H
#define MDA_FOLDER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* NULL when a mailbox may be made under this name, else a sentence. */
const char *folder_name_fault(struct slice name);
/* Appends the name with a first level "inbox" in upper case (RFC 9051 5.1). */
void folder_canonical(struct buf *out, struct slice name);
/*
 * Appends the folder of a name: "" for INBOX. Dots within a level, and the
 * name of our own folder, are written encoded. -1: too long, or not UTF-8.
 */
int folder_from_name(struct buf *out, struct slice name)
    __attribute__((warn_unused_result));
/* Appends the name of a folder; -1 when it has none that could be shown. */
int folder_to_name(struct buf *out, struct slice folder)
    __attribute__((warn_unused_result));
/* The same for one level in modified UTF-7 with another separator ('/' when
 * the text is a whole name), for subscription files. */
int folder_decode(struct buf *out, struct slice text, char separator)
    __attribute__((warn_unused_result));

#endif
