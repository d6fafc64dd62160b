/* SPDX-License-Identifier: ISC */
/*
 * The trace fields that a mail server puts before a message: Received,
 * Return-Path (RFC 5321 4.4) and Delivered-To.
 */
#ifndef PROTO_RECEIVED_H
#define PROTO_RECEIVED_H

#include "base/buf.h"
#include "base/slice.h"
#include "proto/address.h"
#include "proto/date.h"

/* How it came; they make the "with" word of RFC 3848 and RFC 6531 4.3. */
enum received_with {
	RECEIVED_ESMTP = 1, /* greeted by EHLO */
	RECEIVED_LMTP = 2,
	RECEIVED_TLS = 4,
	RECEIVED_AUTH = 8,
	RECEIVED_UTF8 = 16, /* MAIL had SMTPUTF8 */
};

/* Strings of strangers may hold anything. Empty slices leave out their part. */
struct received {
	/* From whom: over the network … */
	struct slice helo;	  /* as the client said it */
	struct slice client_name; /* of its address, verified both ways */
	struct slice client_ip;	  /* "192.0.2.1", "2001:db8::1" */
	unsigned with;		  /* enum received_with */
	struct slice tls_version; /* "TLSv1.3" */
	struct slice tls_cipher;
	/* … or from this machine, where helo and client_ip are empty; with
	 * `with` a client that is not to be named. */
	struct slice local_user;

	struct slice by; /* our name */
	struct slice id; /* our name for the message */
	/* Said only if it is the only recipient (RFC 5321 7.2); or NULL. */
	const struct address *recipient;
	struct date date;
};

/* Appends the Received field with its line ends. */
void received_add(struct buf *out, const struct received *r);
/* The registered word: "ESMTPSA", "UTF8LMTP" … */
const char *received_with_word(unsigned with);
/* Appends "Return-Path: <joe@a.test>", for final delivery. */
void received_add_return_path(struct buf *out, const struct address *sender);
/* Appends "Delivered-To: joe@a.test": by it a loop is noticed. */
void received_add_delivered_to(struct buf *out, const struct address *to);

#endif
