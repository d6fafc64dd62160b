/* SPDX-License-Identifier: ISC */
/* Numbers from text. Every loop checks for overflow before it multiplies. */
#include "base/num.h"

int
num_take(struct slice *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0, d;
	size_t i;

	for (i = 0; i < s->n && ascii_is_digit(s->p[i]); i++) {
		d = (uint64_t)(s->p[i] - '0');
		if (v > (UINT64_MAX - d) / 10 || v * 10 + d > max)
			return -1;
		v = v * 10 + d;
	}
	if (i == 0)
		return -1;
	*s = slice_from(*s, i);
	*out = v;
	return 0;
}

int
num_parse(struct slice s, uint64_t min, uint64_t max, uint64_t *out)
{
	uint64_t v;

	if (num_take(&s, max, &v) < 0 || s.n != 0 || v < min)
		return -1;
	*out = v;
	return 0;
}

int
num_parse_signed(struct slice s, int64_t min, int64_t max, int64_t *out)
{
	uint64_t v;
	int64_t signed_v;
	int neg = s.n > 0 && s.p[0] == '-';

	if (num_parse(slice_from(s, (size_t)neg), 0, INT64_MAX, &v) < 0)
		return -1;
	signed_v = neg ? -(int64_t)v : (int64_t)v;
	if (signed_v < min || signed_v > max)
		return -1;
	*out = signed_v;
	return 0;
}

int
num_parse_hex(struct slice s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;
	char c;

	if (s.n == 0 || s.n > 16)
		return -1;
	for (i = 0; i < s.n; i++) {
		c = ascii_lower(s.p[i]);
		if (ascii_is_digit(c))
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return -1;
	}
	*out = v;
	return 0;
}

static int
scaled(uint64_t v, uint64_t unit, uint64_t *out)
{
	if (unit != 0 && v > INT64_MAX / unit)
		return -1;
	*out = v * unit;
	return 0;
}

int
num_parse_size(struct slice s, uint64_t *out)
{
	static const struct {
		char suffix;
		int shift;
	} units[] = { { 'k', 10 }, { 'm', 20 }, { 'g', 30 }, { 't', 40 } };
	uint64_t v;
	size_t i;

	if (num_take(&s, INT64_MAX, &v) < 0)
		return -1;
	if (s.n == 0)
		return scaled(v, 1, out);
	if (s.n != 1)
		return -1;
	for (i = 0; i < sizeof units / sizeof *units; i++)
		if (ascii_lower(s.p[0]) == units[i].suffix)
			return scaled(v, 1ULL << units[i].shift, out);
	return -1;
}

int
num_parse_duration(struct slice s, uint64_t *ms_out)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = {
		{ "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 }, { "w", 604800000 },
	};
	uint64_t v;
	size_t i;

	if (num_take(&s, INT64_MAX, &v) < 0)
		return -1;
	for (i = 0; i < sizeof units / sizeof *units; i++)
		if (slice_ieq_str(s, units[i].suffix))
			return scaled(v, units[i].ms, ms_out);
	return -1;
}
