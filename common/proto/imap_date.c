/* SPDX-License-Identifier: ISC */
/* RFC 9051 9: date-text, date-time. */
#include "proto/imap_date.h"

#include <stdbool.h>

#include "base/num.h"

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_length(int year, int month)
{
	static const int length[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };

	return length[month - 1] + (month == 2 && is_leap(year));
}

/* Years begin in March here, so that the leap day is the last one. */
int32_t
imap_date_days(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (y >= 0 ? y : y - 399) / 400, in_era = y - era * 400;
	int in_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 +
	    in_year - 719468;
}

static void
civil(int64_t days, int *year_r, int *month_r, int *day_r)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t d = z - era * 146097;
	int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	int64_t in_year = d - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * in_year + 2) / 153;

	*day_r = (int)(in_year - (153 * m + 2) / 5 + 1);
	*month_r = (int)(m < 10 ? m + 3 : m - 9);
	*year_r = (int)(y + era * 400 + (*month_r <= 2));
}

/* Exactly `n` digits off the front. */
static int
take_digits(struct slice *s, size_t n, int *v_r)
{
	uint64_t v;

	if (num_parse(slice_head(*s, n), 0, 9999, &v) < 0 || s->n < n)
		return -1;
	*s = slice_from(*s, n);
	*v_r = (int)v;
	return 0;
}

static int
take_char(struct slice *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return -1;
	*s = slice_from(*s, 1);
	return 0;
}

static int
take_month(struct slice *s, int *month_r)
{
	int i;

	for (i = 0; i < 12; i++)
		if (slice_ieq_str(slice_head(*s, 3), months[i])) {
			*s = slice_from(*s, 3);
			*month_r = i + 1;
			return 0;
		}
	return -1;
}

static int
take_date(struct slice *s, int32_t *days_r)
{
	size_t n = s->n > 1 && ascii_is_digit(s->p[1]) ? 2 : 1;
	int day, month, year;

	if (take_digits(s, n, &day) < 0 || take_char(s, '-') < 0 ||
	    take_month(s, &month) < 0 || take_char(s, '-') < 0 ||
	    take_digits(s, 4, &year) < 0)
		return -1;
	if (day < 1 || day > month_length(year, month))
		return -1;
	*days_r = imap_date_days(year, month, day);
	return 0;
}

int
imap_date_parse(struct slice s, int32_t *days_r)
{
	int32_t days;

	if (take_date(&s, &days) < 0 || s.n != 0)
		return -1;
	*days_r = days;
	return 0;
}

/* A leap second is counted as the one after it. */
static int
take_time(struct slice *s, int *sec_r)
{
	int h, m, sec;

	if (take_digits(s, 2, &h) < 0 || take_char(s, ':') < 0 ||
	    take_digits(s, 2, &m) < 0 || take_char(s, ':') < 0 ||
	    take_digits(s, 2, &sec) < 0)
		return -1;
	if (h > 23 || m > 59 || sec > 60)
		return -1;
	*sec_r = (h * 60 + m) * 60 + sec;
	return 0;
}

static int
take_zone(struct slice *s, int *zone_r)
{
	bool west = s->n > 0 && s->p[0] == '-';
	int h, m;

	if (take_char(s, west ? '-' : '+') < 0 || take_digits(s, 2, &h) < 0 ||
	    take_digits(s, 2, &m) < 0 || h > 23 || m > 59)
		return -1;
	*zone_r = (west ? -1 : 1) * (h * 60 + m);
	return 0;
}

int
imap_datetime_parse(struct slice s, struct imap_datetime *t_r)
{
	int sec, zone;
	int32_t days;

	if (s.n > 2 && s.p[0] == ' ' && s.p[2] == '-')
		s = slice_from(s, 1);
	if (take_date(&s, &days) < 0 || take_char(&s, ' ') < 0 ||
	    take_time(&s, &sec) < 0 || take_char(&s, ' ') < 0 ||
	    take_zone(&s, &zone) < 0 || s.n != 0)
		return -1;
	t_r->sec = (int64_t)days * 86400 + sec - (int64_t)zone * 60;
	t_r->zone = zone;
	return 0;
}

void
imap_datetime_format(struct buf *out, struct imap_datetime t)
{
	const int64_t first = (int64_t)imap_date_days(0, 1, 1) * 86400;
	const int64_t past = (int64_t)imap_date_days(10000, 1, 1) * 86400;
	int zone = t.zone > 1439 || t.zone < -1439 ? 0 : t.zone;
	int year, month, day, of_day, off = zone < 0 ? -zone : zone;
	int64_t local;

	local = t.sec < first ? first : t.sec >= past ? past - 1 : t.sec;
	local += (int64_t)zone * 60;
	local = local < first ? first : local >= past ? past - 1 : local;
	of_day = (int)(((local % 86400) + 86400) % 86400);
	civil((local - of_day) / 86400, &year, &month, &day);
	buf_addf(out, "\"%2d-%s-%04d %02d:%02d:%02d %c%02d%02d\"", day,
	    months[month - 1], year, of_day / 3600, of_day / 60 % 60,
	    of_day % 60, zone < 0 ? '-' : '+', off / 60, off % 60);
}
