/* SPDX-License-Identifier: ISC */
/*
 * Dates of mail: RFC 5322 section 3.3 and 4.3 (header fields), RFC 9051
 * section 9 (IMAP). No locale, no time zone database: whoever writes a date
 * says the offset (clock_utc_offset).
 */
#ifndef PROTO_DATE_H
#define PROTO_DATE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

struct date {
	int64_t time; /* seconds since 1970 UTC */
	int offset;   /* minutes east of UTC in which it is, or was, written */
};

/* The calendar of a zone. */
struct date_fields {
	int year; /* 1 to 9999 */
	int month, day, hour, minute, second; /* month and day from 1 */
	int weekday; /* 0 is Sunday */
};

/* Times outside the years 1 to 9999 are taken for the nearest inside. */
void date_split(struct date d, struct date_fields *f_r);
/* The number of the day on which it is in its own zone; day 0: 1970-01-01. It
 * is what IMAP's BEFORE, ON, SINCE and SENT… compare. */
int64_t date_day(struct date d);

/* Appends "Thu, 6 Feb 2025 09:05:00 +0100". */
void date_add(struct buf *out, struct date d);
/*
 * Parses the value of a Date field, or what stands behind the last ';' of a
 * Received field: comments, folds, two-digit years, zone names, a wrong or
 * missing weekday are fine; so are months in full, a missing zone (taken for
 * UTC, as unknown names are), and anything behind the zone. -1 when there is
 * no such day or time of day.
 */
int date_parse(struct slice in, struct date *d_r)
    __attribute__((warn_unused_result));

/* Appends "\" 6-Feb-2025 09:05:00 +0100\"": IMAP's date-time, quotes too. */
void date_add_imap(struct buf *out, struct date d);
/* Parses IMAP's date-time, all of `in`, with or without the quotes. */
int date_parse_imap(struct slice in, struct date *d_r)
    __attribute__((warn_unused_result));
/* Parses IMAP's search date, "1-Feb-1994", quoted or not, to a day number. */
int date_parse_imap_day(struct slice in, int64_t *day_r)
    __attribute__((warn_unused_result));

#endif
