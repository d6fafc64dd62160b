/* SPDX-License-Identifier: ISC */
/*
 * Mailbox names. Inside Veredus a name is UTF-8 with `/` between its levels,
 * and the inbox is INBOX in capitals. On the wire it is modified UTF-7, or
 * UTF-8 once IMAP4rev2 or UTF8=ACCEPT is enabled (RFC 9051 5.1, 3501 5.1, 6855
 * 3). On disk it is a Maildir++ folder: INBOX is the Maildir itself, a/b its
 * subfolder .a.b in modified UTF-7, as Dovecot and Courier write it.
 */
#ifndef PROTO_IMAP_MAILBOX_H
#define PROTO_IMAP_MAILBOX_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Why a name cannot be; the sentence is meant for NO [CANNOT]. */
#define IMAP_MAILBOX_ERRORS(E) \
	E(NONE, "No error.") \
	E(EMPTY, "A mailbox needs a name.") \
	E(LEVEL, "A mailbox name cannot have an empty level.") \
	E(LONG, "The mailbox name is too long.") \
	E(UTF7, "The mailbox name is not valid modified UTF-7.") \
	E(UTF8, "The mailbox name is not valid UTF-8.") \
	E(EIGHT_BIT, \
	    "A mailbox name in UTF-8 needs ENABLE IMAP4rev2 or UTF8=ACCEPT.") \
	E(CONTROL, "A mailbox name cannot hold control characters.") \
	E(WILDCARD, "A new mailbox name cannot hold * or %.") \
	E(DOT, \
	    "A mailbox name cannot hold a dot: in a Maildir it parts levels.") \
	E(FOLDER, "The folder is not named as Maildir++ does.")

enum imap_mailbox_error {
#define E(name, text) IMAP_MAILBOX_##name,
	IMAP_MAILBOX_ERRORS(E)
#undef E
	IMAP_MAILBOX_ERROR_COUNT
};

enum imap_mailbox_how {
	IMAP_MAILBOX_IS_UTF8 = 1 << 0, /* the client has enabled it */
	IMAP_MAILBOX_IS_NEW = 1 << 1   /* CREATE, RENAME to: no wildcards; one
					* `/` at the end is dropped (9051
					* 6.3.4) */
};

/* The sentence of an error, of static life; never NULL. */
const char *imap_mailbox_error_text(enum imap_mailbox_error e);

/*
 * Replaces what is in `out` by our form of a name from the wire: decoded, with
 * INBOX folded where it is the first level, and checked. `how` is bits of
 * enum imap_mailbox_how. At most LIMIT_IMAP_MAILBOX bytes. -1: *error_r.
 */
int imap_mailbox_parse(struct buf *out, struct slice wire, unsigned how,
    enum imap_mailbox_error *error_r) __attribute__((warn_unused_result));
/* Is this a name in our form? For names from elsewhere (Sieve, databases). */
int imap_mailbox_check(struct slice name, enum imap_mailbox_error *error_r)
    __attribute__((warn_unused_result));
/* Is it INBOX? */
bool imap_mailbox_is_inbox(struct slice name);

/*
 * Replaces what is in `out` by the folder's name under the Maildir; empty for
 * INBOX. -1 (DOT, LONG): the Maildir cannot hold such a name.
 */
int imap_mailbox_to_folder(struct buf *out, struct slice name,
    enum imap_mailbox_error *error_r) __attribute__((warn_unused_result));
/*
 * The way back, from a name as readdir gives it. -1 for what is no folder of
 * ours: to_folder of the result is always the same folder.
 */
int imap_mailbox_from_folder(struct buf *out, struct slice folder,
    enum imap_mailbox_error *error_r) __attribute__((warn_unused_result));

/*
 * Replaces what is in `out` by the pattern of a LIST in our form: reference
 * and pattern joined (RFC 9051 6.3.9). -1: not decodable, matches nothing.
 */
int imap_mailbox_pattern(struct buf *out, struct slice reference,
    struct slice pattern, unsigned how, enum imap_mailbox_error *error_r)
    __attribute__((warn_unused_result));
/*
 * Does the name match? `*` stands for anything, `%` for anything without `/`;
 * INBOX matches in any case. Costs at most pattern times name, whatever the
 * pattern; one above LIMIT_IMAP_MAILBOX matches nothing.
 */
bool imap_mailbox_matches(struct slice pattern, struct slice name);

#endif
