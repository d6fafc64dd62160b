/* SPDX-License-Identifier: ISC */
#include "proto/date.h"

#include <time.h>

#include "tests/unit/unit.h"

static const struct {
	int64_t time;
	int offset;
	const char *header, *imap;
} formats[] = {
	{ 0, 0, "Thu, 1 Jan 1970 00:00:00 +0000",
	    "\" 1-Jan-1970 00:00:00 +0000\"" },
	{ 1738829100, 60, "Thu, 6 Feb 2025 09:05:00 +0100",
	    "\" 6-Feb-2025 09:05:00 +0100\"" },
	{ 951782399, -210, "Mon, 28 Feb 2000 20:29:59 -0330",
	    "\"28-Feb-2000 20:29:59 -0330\"" },
	{ 951868799, 0, "Tue, 29 Feb 2000 23:59:59 +0000",
	    "\"29-Feb-2000 23:59:59 +0000\"" },
	{ -1, 0, "Wed, 31 Dec 1969 23:59:59 +0000",
	    "\"31-Dec-1969 23:59:59 +0000\"" },
	{ 837596665, -420, "Wed, 17 Jul 1996 02:44:25 -0700",
	    "\"17-Jul-1996 02:44:25 -0700\"" },
	{ -62135596800, 0, "Mon, 1 Jan 0001 00:00:00 +0000",
	    "\" 1-Jan-0001 00:00:00 +0000\"" },
	{ 253402300799, 0, "Fri, 31 Dec 9999 23:59:59 +0000",
	    "\"31-Dec-9999 23:59:59 +0000\"" },
};

START_TEST(format)
{
	const struct date d = { formats[_i].time, formats[_i].offset };
	struct date got;
	struct buf out;

	buf_init(&out, 100);
	date_add(&out, d);
	ck_slice_str(buf_slice(&out), formats[_i].header);
	ck_assert_int_eq(date_parse(guard_copy(buf_slice(&out)), &got), 0);
	ck_assert_int_eq(got.time, d.time);
	ck_assert_int_eq(got.offset, d.offset);
	buf_reset(&out);
	date_add_imap(&out, d);
	ck_slice_str(buf_slice(&out), formats[_i].imap);
	ck_assert_int_eq(date_parse_imap(guard_copy(buf_slice(&out)), &got),
	    0);
	ck_assert_int_eq(got.time, d.time);
	ck_assert_int_eq(got.offset, d.offset);
	buf_fini(&out);
}
END_TEST

/* Out of range is put into range, whatever the type holds. */
START_TEST(extremes)
{
	static const struct date all[] = { { INT64_MAX, 1439 },
		{ INT64_MIN, -1439 }, { 0, 1000000 }, { 0, -1440 } };
	struct date_fields f;
	size_t i;

	for (i = 0; i < sizeof all / sizeof *all; i++) {
		date_split(all[i], &f);
		ck_assert(f.year >= 1 && f.year <= 9999);
	}
}
END_TEST

START_TEST(as_the_library)
{
	struct date_fields f;
	struct tm tm;
	time_t t;

	for (t = -2208988800; t < 4102444800; t += 86400 * 3 + 4567) {
		ck_assert_ptr_nonnull(gmtime_r(&t, &tm));
		date_split((struct date){ t, 0 }, &f);
		ck_assert_int_eq(f.year, tm.tm_year + 1900);
		ck_assert_int_eq(f.month, tm.tm_mon + 1);
		ck_assert_int_eq(f.day, tm.tm_mday);
		ck_assert_int_eq(f.weekday, tm.tm_wday);
		ck_assert_int_eq(f.hour * 3600 + f.minute * 60 + f.second,
		    tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
	}
}
END_TEST

/* time -1: malformed. */
static const struct {
	const char *in;
	int64_t time;
	int offset;
} parses[] = {
	{ "Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
	{ "21 Nov 97 09:55:06 GMT", 880106106, 0 },
	{ "Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360 },
	{ "Fri,\r\n 21\r\n\tNov 1997 09:55:06 -0600 (CST)", 880127706, -360 },
	{ " (a (nested \\) one)) 21 Nov 1997 09:55:06 -0600", 880127706,
	    -360 },
	{ "fri, 21 NOV 1997 09:55:06 -0600", 880127706, -360 },
	{ "Fri 21 November 1997 09:55:06 -0600", 880127706, -360 },
	{ "Mon, 21 Nov 1997 09:55:06 -0600", 880127706, -360 },
	{ "21-Nov-1997 09:55:06 -0600", 880127706, -360 },
	{ "21 Nov 1997 09:55 -0600", 880127700, -360 },
	{ "21 Nov 1997 09:55:06", 880106106, 0 },
	{ "21 Nov 1997 09:55:06 EST", 880124106, -300 },
	{ "21 Nov 1997 09:55:06 PDT", 880131306, -420 },
	{ "21 Nov 1997 09:55:06 Z", 880106106, 0 },
	{ "21 Nov 1997 09:55:06 A", 880106106, 0 },
	{ "21 Nov 1997 09:55:06 MESZ", 880106106, 0 },
	{ "21 Nov 1997 09:55:06 -0000", 880106106, 0 },
	{ "21 Nov 1997 09:55:06 +9999", 880106106, 0 },
	{ "21 Nov 1997 09:55:06 +01", 880106106, 0 },
	{ "1 Jan 49 00:00:00 +0000", 2493072000, 0 },
	{ "1 Jan 50 00:00:00 +0000", -631152000, 0 },
	{ "1 Jan 100 00:00:00 +0000", 946684800, 0 },
	{ "31 Dec 1998 23:59:60 +0000", 915148800, 0 },
	{ "29 Feb 2024 00:00:00 +0000", 1709164800, 0 },
	{ "29 Feb 2023 00:00:00 +0000", -1, 0 },
	{ "29 Feb 1900 00:00:00 +0000", -1, 0 },
	{ "31 Apr 2023 00:00:00 +0000", -1, 0 },
	{ "0 Apr 2023 00:00:00 +0000", -1, 0 },
	{ "1 Foo 2023 00:00:00 +0000", -1, 0 },
	{ "1 Apr 20233 00:00:00 +0000", -1, 0 },
	{ "1 Apr 2 00:00:00 +0000", -1, 0 },
	{ "1 Apr 2023 24:00:00 +0000", -1, 0 },
	{ "1 Apr 2023 00:60:00 +0000", -1, 0 },
	{ "1 Apr 2023 00:00:61 +0000", -1, 0 },
	{ "1 Apr 2023", -1, 0 },
	{ "1 Apr 2023 12", -1, 0 },
	{ "1 Apr 2023 12:", -1, 0 },
	{ "(open 1 Apr 2023 12:00", -1, 0 },
	{ "", -1, 0 },
	{ "now", -1, 0 },
};

START_TEST(parse)
{
	struct slice in = guard_copy(slice_str(parses[_i].in));
	struct date got = { 0, 0 };
	int rc = date_parse(in, &got);

	ck_assert_msg((rc < 0) == (parses[_i].time == -1), "%s", parses[_i].in);
	if (rc == 0) {
		ck_assert_msg(got.time == parses[_i].time, "%s: %lld",
		    parses[_i].in, (long long)got.time);
		ck_assert_int_eq(got.offset, parses[_i].offset);
	}
}
END_TEST

static const struct {
	const char *in;
	int64_t time; /* or day */
} imap[] = {
	{ "\"17-Jul-1996 02:44:25 -0700\"", 837596665 },
	{ "17-jul-1996 02:44:25 -0700", 837596665 },
	{ "\" 7-Jul-1996 02:44:25 -0700\"", 836732665 },
	{ "\"7-Jul-1996 02:44:25 -0700\"", 836732665 },
	{ "\"17-Jul-1996 02:44:25\"", -1 },
	{ "\"17-Jul-1996 02:44:25 PDT\"", -1 },
	{ "\"17-Jul-1996 02:44:25 -0760\"", -1 },
	{ "\"17 Jul 1996 02:44:25 -0700\"", -1 },
	{ "\"17-Jul-96 02:44:25 -0700\"", -1 },
	{ "\"17-Jul-1996  2:44:25 -0700\"", -1 },
	{ "\"30-Feb-1996 02:44:25 -0700\"", -1 },
	{ "\"17-July-1996 02:44:25 -0700\"", -1 },
	{ "", -1 },
}, days[] = {
	{ "1-Jan-1970", 0 },
	{ "01-Jan-1970", 0 },
	{ "\"2-Jan-1970\"", 1 },
	{ "1-Feb-1994", 8797 },
	{ "31-Feb-1994", -1 },
	{ "1-Feb-94", -1 },
	{ "1 Feb 1994", -1 },
	{ "\"1-Feb-1994", -1 },
	{ "", -1 },
};

START_TEST(parse_imap)
{
	struct date got = { -1, 0 };
	int rc = date_parse_imap(guard_copy(slice_str(imap[_i].in)), &got);

	ck_assert_msg((rc < 0) == (imap[_i].time == -1), "%s", imap[_i].in);
	ck_assert_int_eq(got.time, imap[_i].time);
}
END_TEST

START_TEST(parse_imap_day)
{
	int64_t day = -1;
	int rc = date_parse_imap_day(guard_copy(slice_str(days[_i].in)), &day);

	ck_assert_msg((rc < 0) == (days[_i].time == -1), "%s", days[_i].in);
	ck_assert_int_eq(day, days[_i].time);
}
END_TEST

START_TEST(local_day)
{
	ck_assert_int_eq(date_day((struct date){ 0, 0 }), 0);
	ck_assert_int_eq(date_day((struct date){ 0, -1 }), -1);
	ck_assert_int_eq(date_day((struct date){ 86399, 1 }), 1);
}
END_TEST

UNIT_SUITE(date, {
	tcase_add_loop_test(tc, format, 0,
	    (int)(sizeof formats / sizeof *formats));
	tcase_add_test(tc, extremes);
	tcase_add_test(tc, as_the_library);
	tcase_add_loop_test(tc, parse, 0,
	    (int)(sizeof parses / sizeof *parses));
	tcase_add_loop_test(tc, parse_imap, 0,
	    (int)(sizeof imap / sizeof *imap));
	tcase_add_loop_test(tc, parse_imap_day, 0,
	    (int)(sizeof days / sizeof *days));
	tcase_add_test(tc, local_day);
})
