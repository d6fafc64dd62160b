/* SPDX-License-Identifier: ISC */
/*
 * Mail addresses of the envelope: Mailbox and Path of RFC 5321 4.1.2, with the
 * UTF-8 of RFC 6531 3.3. Parsing gives views of what was written; comparing
 * and writing go by what it means, so `"joe"@X.test` is joe@x.test.
 */
#ifndef PROTO_ADDRESS_H
#define PROTO_ADDRESS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/slice.h"

/* Of the path "<>" both slices are empty; of <postmaster> the domain is. */
struct address {
	struct slice local;  /* as written, with its quotes */
	struct slice domain; /* as written, with the brackets of a literal */
	bool is_quoted;
	bool is_literal;
	bool is_utf8; /* has an octet above 127: can go by SMTPUTF8 only */
};

enum address_flag {
	ADDRESS_UTF8 = 1,	/* octets above 127 are allowed */
	ADDRESS_NULL = 2,	/* "<>" is allowed */
	ADDRESS_POSTMASTER = 4, /* "<postmaster>" is allowed */
};

enum address_error {
	ADDRESS_SYNTAX,	   /* not of the form, nor well-formed UTF-8 */
	ADDRESS_DOMAIN,	   /* no valid domain or literal after the @ */
	ADDRESS_TOO_LONG,  /* see LIMIT_LOCAL_PART, LIMIT_DOMAIN */
	ADDRESS_NON_ASCII, /* it would be valid with ADDRESS_UTF8 */
};

/*
 * A Mailbox, which is all of `in`. `flags`: ADDRESS_UTF8 or 0. 0, or -1 with
 * the reason in *error_r.
 */
int address_parse(struct slice in, unsigned flags, struct address *a_r,
    enum address_error *error_r) __attribute__((warn_unused_result));
/*
 * A Path with its brackets, taken off the front of *in; a source route is
 * checked and dropped (RFC 5321 appendix F.2). On -1 *in is unchanged.
 */
int address_take_path(struct slice *in, unsigned flags, struct address *a_r,
    enum address_error *error_r) __attribute__((warn_unused_result));
/*
 * An address as people write it in tables and configuration: blanks around it,
 * brackets, a dot after the domain, dots anywhere in the local part and UTF-8
 * are all fine; either side of the @ may be missing ("@domain", "user"), not
 * both. -1 when empty, with controls or ill-formed UTF-8, a bad domain, or too
 * long.
 */
int address_parse_lenient(struct slice in, struct address *a_r)
    __attribute__((warn_unused_result));

bool address_is_null(const struct address *a);
/* The postmaster of any domain, or of none; the case does not matter. */
bool address_is_postmaster(const struct address *a);
/* The same mailbox; the case of the local part counts (RFC 5321 2.4). */
bool address_is_equal(const struct address *a, const struct address *b);
/* The same mailbox if the local part's ASCII case does not count. */
bool address_is_iequal(const struct address *a, const struct address *b);

/*
 * Appends the canonical form: least possible quoting, domain in lower case
 * (ASCII only). Nothing for "<>", the bare local part when there is no domain.
 */
void address_add(struct buf *out, const struct address *a);
/* Appends the local part, quoted only if it must be. */
void address_add_local(struct buf *out, const struct address *a);
/* Appends the octets that the local part means, never quoted: a table key. */
void address_add_local_text(struct buf *out, const struct address *a);

/*
 * Cuts an unquoted local part at the first octet that is one of `delimiters`
 * (RFC 5233): "joe+list" gives "joe" and "list". False, with all of it in
 * *user_r and *detail_r empty, when there is none, when nothing stands before
 * it, and for mailer-daemon, which is a name of its own.
 */
bool address_split_detail(struct slice local, struct slice delimiters,
    struct slice *user_r, struct slice *detail_r);

#endif
