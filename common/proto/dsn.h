/* SPDX-License-Identifier: ISC */
/*
 * Delivery status notifications: RFC 3464 in the multipart/report of RFC 6522,
 * with the UTF-8 forms of RFC 6533 where addresses or the message need them.
 * The caller streams what is returned of the message between head and tail.
 */
#ifndef PROTO_DSN_H
#define PROTO_DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "proto/date.h"
#include "proto/status.h"

/* RFC 3464 2.3.3; the order is how much a reader cares. */
enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED, /* to where no notification will come from */
	DSN_EXPANDED
};

struct dsn_recipient {
	struct slice address;	 /* canonical, as address_add writes it */
	struct slice orcpt_type; /* of RCPT's ORCPT, encoded as it came; … */
	struct slice orcpt;	 /* … empty: none was given */
	enum dsn_action action;
	struct status status; /* its text may hold anything */
	/* Who said so; empty: we did. */
	struct slice remote_host;
	struct slice remote_ip;
	int64_t last_attempt; /* 0: not said */
	int64_t retry_until;  /* of DSN_DELAYED; 0: not said */
};

enum dsn_return { DSN_RETURN_NOTHING, DSN_RETURN_HEADER, DSN_RETURN_MESSAGE };
enum dsn_encoding {
	DSN_7BIT,  /* what is returned is ASCII */
	DSN_8BIT,  /* it is not */
	DSN_BASE64 /* the caller encodes it so */
};

struct dsn {
	struct slice host; /* our name: Reporting-MTA, and behind every @ */
	struct slice id;   /* of this notification, letters and digits, so that
			    * its boundary stands in no message before it */
	struct slice to;   /* the return path, canonical, not empty */
	struct date date;
	/* About the message: */
	struct slice queue_id;	    /* our name for it; may be empty */
	struct slice envid;	    /* MAIL's ENVID, xtext; may be empty */
	struct slice message_id;    /* "<x@y>"; may be empty or anything */
	struct slice received_from; /* name of the client; may be empty */
	int64_t arrival;	    /* 0: not said */
	bool is_utf8;		    /* it came with SMTPUTF8 */
	enum dsn_return returned;   /* see dsn_returned() */
	enum dsn_encoding encoding;
	const struct dsn_recipient *recipients;
	size_t n;
};

/*
 * What may be returned: the whole message only when it failed for somebody (RFC
 * 3461 4.3), else its header. dsn_add_head goes by this too.
 */
enum dsn_return dsn_returned(const struct dsn *d);
/* Must it be sent with SMTPUTF8, since its own header holds UTF-8? */
bool dsn_is_smtputf8(const struct dsn *d);
/* Has it octets above 127, so BODY=8BITMIME? */
bool dsn_is_8bit(const struct dsn *d);
/*
 * Appends all from the first header field to where the returned part's own
 * octets begin (CRLF lines). The envelope sender must be null.
 */
void dsn_add_head(struct buf *out, const struct dsn *d);
/* Appends what closes it. */
void dsn_add_tail(struct buf *out, const struct dsn *d);

#endif
