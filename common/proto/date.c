/* SPDX-License-Identifier: ISC */
/*
 * Dates of mail. Days are counted with years that begin in March, so that the
 * leap day is the last of its year and needs no case of its own.
 */
#include "proto/date.h"

#include <stdbool.h>

#include "base/num.h"

enum { DAY_S = 86400, MAX_COMMENT_DEPTH = 32, MAX_OFFSET = 24 * 60 };

static const int64_t min_time = -62135596800; /* 0001-01-01 00:00:00 */
static const int64_t max_time = 253402300799; /* 9999-12-31 23:59:59 */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char weekdays[] = "SunMonTueWedThuFriSat";

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Seconds of the zone's own clock, as if they were UTC. */
static int64_t
local_seconds(struct date d)
{
	int64_t t = d.time;

	if (t < min_time)
		t = min_time;
	if (t > max_time)
		t = max_time;
	if (d.offset > -MAX_OFFSET && d.offset < MAX_OFFSET)
		t += (int64_t)d.offset * 60;
	return t < min_time ? min_time : t > max_time ? max_time : t;
}

static int64_t
days_from_civil(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	/* 719,468 days lie between 0000-03-01 and 1970-01-01. */
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day -
	    1 - 719468;
}

static void
civil_from_days(int64_t days, struct date_fields *f)
{
	int64_t z = days + 719468, era = floor_div(z, 146097);
	int64_t doe = z - era * 146097; /* day of its 400 years */
	int64_t yoe =
	    (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t m = (5 * doy + 2) / 153;

	f->day = (int)(doy - (153 * m + 2) / 5 + 1);
	f->month = (int)(m < 10 ? m + 3 : m - 9);
	f->year = (int)(yoe + era * 400 + (f->month <= 2));
	/* 1970-01-01 was a Thursday. */
	f->weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7);
}

void
date_split(struct date d, struct date_fields *f_r)
{
	int64_t t = local_seconds(d), days = floor_div(t, DAY_S);
	int s = (int)(t - days * DAY_S);

	civil_from_days(days, f_r);
	f_r->hour = s / 3600;
	f_r->minute = s / 60 % 60;
	f_r->second = s % 60;
}

int64_t
date_day(struct date d)
{
	return floor_div(local_seconds(d), DAY_S);
}

static void
add_time_zone(struct buf *out, const struct date_fields *f, int offset)
{
	int abs;

	if (offset <= -MAX_OFFSET || offset >= MAX_OFFSET)
		offset = 0;
	abs = offset < 0 ? -offset : offset;
	buf_addf(out, "%02d:%02d:%02d %c%02d%02d", f->hour, f->minute,
	    f->second, offset < 0 ? '-' : '+', abs / 60, abs % 60);
}

void
date_add(struct buf *out, struct date d)
{
	struct date_fields f;

	date_split(d, &f);
	buf_addf(out, "%.3s, %d %.3s %04d ", weekdays + 3 * f.weekday, f.day,
	    months + 3 * (f.month - 1), f.year);
	add_time_zone(out, &f, d.offset);
}

void
date_add_imap(struct buf *out, struct date d)
{
	struct date_fields f;

	date_split(d, &f);
	buf_addf(out, "\"%2d-%.3s-%04d ", f.day, months + 3 * (f.month - 1),
	    f.year);
	add_time_zone(out, &f, d.offset);
	buf_add_char(out, '"');
}

/* Length of the comment at the front of `s`; all of it if it does not end. */
static size_t
comment_length(struct slice s)
{
	size_t i, depth = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(' && ++depth > MAX_COMMENT_DEPTH)
			return s.n;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return s.n;
}

/* CFWS of RFC 5322 3.2.2, and lone CR or LF. */
static void
skip_cfws(struct slice *s)
{
	size_t n;

	for (; s->n > 0; *s = slice_from(*s, n)) {
		n = 1;
		if (s->p[0] == '(')
			n = comment_length(*s);
		else if (s->p[0] != ' ' && s->p[0] != '\t' &&
		    s->p[0] != '\r' && s->p[0] != '\n')
			return;
	}
}

/* Skips one `c` with CFWS around it. False when there is none. */
static bool
skip_char(struct slice *s, char c)
{
	skip_cfws(s);
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = slice_from(*s, 1);
	skip_cfws(s);
	return true;
}

static struct slice
take_word(struct slice *s)
{
	struct slice word;
	size_t n = 0;

	skip_cfws(s);
	while (n < s->n && ascii_is_alpha(s->p[n]))
		n++;
	word = slice_head(*s, n);
	*s = slice_from(*s, n);
	return word;
}

/* A number of min to max digits. */
static int
take_number(struct slice *s, size_t min, size_t max, int *out)
{
	struct slice was;
	uint64_t v;

	skip_cfws(s);
	was = *s;
	if (num_take(s, 9999, &v) < 0 || was.n - s->n < min ||
	    was.n - s->n > max)
		return -1;
	*out = (int)v;
	return 0;
}

/* 1 to 12 by the first three letters, 0 if it is none. */
static int
month_number(struct slice word)
{
	int m;

	for (m = 1; m <= 12 && word.n >= 3; m++)
		if (slice_ieq(slice_head(word, 3),
			(struct slice){ months + 3 * (m - 1), 3 }))
			return m;
	return 0;
}

static int
month_days(int year, int month)
{
	const bool leap =
	    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Day, month, year with '-' between them if `sep`, else blanks; RFC 5322 4.3
 * for years of two and three digits. */
static int
take_day(struct slice *s, struct date_fields *f, size_t year_digits)
{
	struct slice was;

	if (take_number(s, 1, 2, &f->day) < 0)
		return -1;
	(void)skip_char(s, '-');
	f->month = month_number(take_word(s));
	(void)skip_char(s, '-');
	was = *s;
	if (f->month == 0 || take_number(s, year_digits, 4, &f->year) < 0)
		return -1;
	if (was.n - s->n < 4)
		f->year += was.n - s->n == 2 && f->year < 50 ? 2000 : 1900;
	return f->year < 1 || f->day < 1 ||
		f->day > month_days(f->year, f->month)
	    ? -1
	    : 0;
}

static int
take_time(struct slice *s, struct date_fields *f)
{
	f->second = 0;
	if (take_number(s, 1, 2, &f->hour) < 0 || !skip_char(s, ':') ||
	    take_number(s, 1, 2, &f->minute) < 0)
		return -1;
	if (skip_char(s, ':') && take_number(s, 1, 2, &f->second) < 0)
		return -1;
	/* 60 is a leap second. */
	return f->hour > 23 || f->minute > 59 || f->second > 60 ? -1 : 0;
}

/* "+0100". */
static int
take_offset(struct slice *s, int *offset_r)
{
	int sign, hhmm;

	if (s->n == 0 || (s->p[0] != '+' && s->p[0] != '-'))
		return -1;
	sign = s->p[0] == '-' ? -1 : 1;
	*s = slice_from(*s, 1);
	if (take_number(s, 4, 4, &hhmm) < 0 || hhmm % 100 > 59 || hhmm > 2359)
		return -1;
	*offset_r = sign * (hhmm / 100 * 60 + hhmm % 100);
	return 0;
}

/* That, or a name; 0 for what is not known (RFC 5322 4.3, at its end). */
static int
take_zone(struct slice *s)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = { { "EST", -5 }, { "EDT", -4 }, { "CST", -6 },
		{ "CDT", -5 }, { "MST", -7 }, { "MDT", -6 }, { "PST", -8 },
		{ "PDT", -7 } };
	struct slice word;
	int offset;
	size_t i;

	skip_cfws(s);
	if (take_offset(s, &offset) == 0)
		return offset;
	word = take_word(s);
	for (i = 0; i < sizeof zones / sizeof *zones; i++)
		if (slice_ieq_str(word, zones[i].name))
			return zones[i].hours * 60;
	return 0;
}

static struct date
join(const struct date_fields *f, int offset)
{
	struct date d = { .offset = offset };

	d.time = days_from_civil(f->year, f->month, f->day) * DAY_S +
	    f->hour * 3600 + f->minute * 60 + f->second - offset * 60;
	return d;
}

int
date_parse(struct slice in, struct date *d_r)
{
	struct date_fields f;

	(void)take_word(&in); /* the weekday: the date itself knows better */
	(void)skip_char(&in, ',');
	if (take_day(&in, &f, 2) < 0 || take_time(&in, &f) < 0)
		return -1;
	*d_r = join(&f, take_zone(&in));
	return 0;
}

/* Without a pair of quotes, if there is one. */
static struct slice
unquoted(struct slice in)
{
	if (in.n >= 2 && in.p[0] == '"' && in.p[in.n - 1] == '"')
		return (struct slice){ in.p + 1, in.n - 2 };
	return in;
}

/* Does `in` have the shape of `mask`: 9 a digit, A a letter, + a sign, _ a
 * blank or digit, others themselves? */
static bool
has_shape(struct slice in, const char *mask)
{
	size_t i;
	bool fits;
	char c;

	for (i = 0; i < in.n && mask[i] != '\0'; i++) {
		c = in.p[i];
		switch (mask[i]) {
		case '9':
			fits = ascii_is_digit(c);
			break;
		case 'A':
			fits = ascii_is_alpha(c);
			break;
		case '+':
			fits = c == '+' || c == '-';
			break;
		case '_':
			fits = c == ' ' || ascii_is_digit(c);
			break;
		default:
			fits = c == mask[i];
		}
		if (!fits)
			return false;
	}
	return i == in.n && mask[i] == '\0';
}

int
date_parse_imap(struct slice in, struct date *d_r)
{
	struct date_fields f;
	int offset;

	in = unquoted(in);
	/* RFC 3501 clients also send the day without its blank. */
	if (!has_shape(in, "_9-AAA-9999 99:99:99 +9999") &&
	    !has_shape(in, "9-AAA-9999 99:99:99 +9999"))
		return -1;
	if (take_day(&in, &f, 4) < 0 || take_time(&in, &f) < 0)
		return -1;
	in = slice_from(in, 1);
	if (take_offset(&in, &offset) < 0)
		return -1;
	*d_r = join(&f, offset);
	return 0;
}

int
date_parse_imap_day(struct slice in, int64_t *day_r)
{
	struct date_fields f;

	in = unquoted(in);
	if (!has_shape(in, "99-AAA-9999") && !has_shape(in, "9-AAA-9999"))
		return -1;
	if (take_day(&in, &f, 4) < 0)
		return -1;
	*day_r = days_from_civil(f.year, f.month, f.day);
	return 0;
}
