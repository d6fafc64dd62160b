/* SPDX-License-Identifier: ISC */
/*
 * The two date forms of IMAP commands and the one of its responses (RFC 9051
 * 9: date-text, date-time). Pure arithmetic on the Gregorian calendar; nothing
 * here knows the local time zone.
 */
#ifndef PROTO_IMAP_DATE_H
#define PROTO_IMAP_DATE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* A moment with the zone it was written in. */
struct imap_datetime {
	int64_t sec; /* since 1970-01-01 00:00 UTC */
	int zone;    /* minutes east of Greenwich */
};

/* Days from 1970-01-01 to that day; month and day from 1, no checks. */
int32_t imap_date_days(int year, int month, int day);
/*
 * "1-Feb-2024" without quotes: days since 1970-01-01 of the day as written
 * (search keys compare days, not moments, RFC 9051 6.4.4). -1: malformed or no
 * such day.
 */
int imap_date_parse(struct slice s, int32_t *days_r)
    __attribute__((warn_unused_result));
/* " 1-Feb-2024 18:30:00 +0100" without quotes; a one-digit day may stand
 * without the space before it. -1: malformed or no such moment. */
int imap_datetime_parse(struct slice s, struct imap_datetime *t_r)
    __attribute__((warn_unused_result));
/* Appends the quoted form, as INTERNALDATE wants it. Years before 0 and after
 * 9999 are brought to that border. */
void imap_datetime_format(struct buf *out, struct imap_datetime t);

#endif
