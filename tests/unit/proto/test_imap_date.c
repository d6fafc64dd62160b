/* SPDX-License-Identifier: ISC */
#include "proto/imap_date.h"

#include "tests/unit/unit.h"

enum { BAD = INT32_MIN };

static const struct {
	const char *in;
	int32_t want;
} dates[] = {
	{ "1-Jan-1970", 0 },
	{ "01-jan-1970", 0 },
	{ "31-DEC-1969", -1 },
	{ "29-Feb-2024", 19782 },
	{ "1-Mar-2024", 19783 },
	{ "29-Feb-2023", BAD },
	{ "29-Feb-1900", BAD },
	{ "29-Feb-2000", 11016 },
	{ "0-Jan-2000", BAD },
	{ "32-Jan-2000", BAD },
	{ "1-Foo-2000", BAD },
	{ "1-Jan-20000", BAD },
	{ "1-Jan-200", BAD },
	{ "001-Jan-2000", BAD },
	{ " 1-Jan-2000", BAD },
	{ "1 Jan 2000", BAD },
	{ "", BAD },
};

static const struct {
	const char *in;
	int64_t sec;
	int zone;
	const char *out; /* NULL: malformed */
} times[] = {
	{ " 1-Jan-1970 00:00:00 +0000", 0, 0,
	    "\" 1-Jan-1970 00:00:00 +0000\"" },
	{ "17-Jul-1996 02:44:25 -0700", 837596665, -420,
	    "\"17-Jul-1996 02:44:25 -0700\"" },
	{ "1-Feb-2024 18:30:00 +0530", 1706792400, 330,
	    "\" 1-Feb-2024 18:30:00 +0530\"" },
	{ "30-Jun-2015 23:59:60 +0000", 1435708800, 0,
	    "\" 1-Jul-2015 00:00:00 +0000\"" },
	{ "17-Jul-1996 24:44:25 -0700", 0, 0, NULL },
	{ "17-Jul-1996 02:60:25 -0700", 0, 0, NULL },
	{ "17-Jul-1996 02:44:25 -0760", 0, 0, NULL },
	{ "17-Jul-1996 02:44:25 0700", 0, 0, NULL },
	{ "17-Jul-1996 02:44:25", 0, 0, NULL },
	{ "17-Jul-1996 02:44:25 -0700 ", 0, 0, NULL },
	{ " 17-Jul-1996 02:44:25 -0700", 0, 0, NULL },
};

START_TEST(date)
{
	int32_t days = BAD;
	int n = imap_date_parse(guard_copy(slice_str(dates[_i].in)), &days);

	ck_assert_msg(n == (dates[_i].want == BAD ? -1 : 0), "%s",
	    dates[_i].in);
	ck_assert_msg(days == dates[_i].want, "%s: %d", dates[_i].in, days);
}
END_TEST

START_TEST(datetime)
{
	struct slice in = guard_copy(slice_str(times[_i].in));
	struct imap_datetime t;
	struct buf out;
	size_t k;

	ck_assert_msg(imap_datetime_parse(in, &t) ==
	    (times[_i].out == NULL ? -1 : 0), "%s", times[_i].in);
	for (k = 0; k < in.n && times[_i].out != NULL; k++)
		ck_assert(imap_datetime_parse(slice_head(in, k), &t) < 0);
	if (times[_i].out == NULL)
		return;
	ck_assert_int_eq(imap_datetime_parse(in, &t), 0);
	ck_assert_int_eq(t.sec, times[_i].sec);
	ck_assert_int_eq(t.zone, times[_i].zone);
	buf_init(&out, 100);
	imap_datetime_format(&out, t);
	ck_slice_str(buf_slice(&out), times[_i].out);
	buf_fini(&out);
}
END_TEST

START_TEST(every_day_round_trips)
{
	struct imap_datetime t = { 0 }, back;
	struct buf out;
	struct slice s;

	buf_init(&out, 100);
	for (t.sec = -62167219200; t.sec < 253402300800; t.sec += 86400 * 13) {
		buf_reset(&out);
		imap_datetime_format(&out, t);
		s = slice_from(slice_head(buf_slice(&out), out.n - 1), 1);
		ck_assert_int_eq(imap_datetime_parse(s, &back), 0);
		ck_assert_int_eq(back.sec, t.sec);
	}
	buf_fini(&out);
}
END_TEST

START_TEST(out_of_range_is_clamped)
{
	static const int64_t secs[] = { INT64_MIN, INT64_MAX, -62167219201 };
	struct imap_datetime t = { secs[_i], _i * 600 };
	struct buf out;

	buf_init(&out, 100);
	imap_datetime_format(&out, t);
	ck_assert_uint_eq(out.n, 28);
	buf_fini(&out);
}
END_TEST

UNIT_SUITE(imap_date, {
	tcase_add_loop_test(tc, date, 0, sizeof dates / sizeof *dates);
	tcase_add_loop_test(tc, datetime, 0, sizeof times / sizeof *times);
	tcase_add_test(tc, every_day_round_trips);
	tcase_add_loop_test(tc, out_of_range_is_clamped, 0, 3);
})
