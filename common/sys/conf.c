/* SPDX-License-Identifier: ISC */
/* Options by their rows: set from text, write as text, compare. */
#include "sys/conf.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "sys/log.h"

const struct conf_def *
conf_find(const struct conf_section *s, struct slice name)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (slice_eq_str(name, s->defs[i].name))
			return &s->defs[i];
	return NULL;
}

enum { NAME_MAX_LENGTH = 64 };

/* Levenshtein distance; names longer than NAME_MAX_LENGTH are far away. */
size_t
conf_distance(struct slice a, struct slice b)
{
	size_t row[NAME_MAX_LENGTH + 1], i, j, last, above, cost;

	if (a.n > NAME_MAX_LENGTH || b.n > NAME_MAX_LENGTH)
		return NAME_MAX_LENGTH;
	for (j = 0; j <= b.n; j++)
		row[j] = j;
	for (i = 1; i <= a.n; i++) {
		last = row[0];
		row[0] = i;
		for (j = 1; j <= b.n; j++) {
			above = row[j];
			cost = last + (a.p[i - 1] != b.p[j - 1]);
			if (above + 1 < cost)
				cost = above + 1;
			if (row[j - 1] + 1 < cost)
				cost = row[j - 1] + 1;
			row[j] = cost;
			last = above;
		}
	}
	return row[b.n];
}

const char *
conf_nearest(const struct conf_section *s, struct slice name)
{
	size_t best = name.n / 3 + 2, d, i;
	const char *found = NULL;

	for (i = 0; i < s->n; i++) {
		d = conf_distance(name, slice_str(s->defs[i].name));
		if (d < best) {
			best = d;
			found = s->defs[i].name;
		}
	}
	return found;
}

static int
set_number(const struct conf_def *d, void *at, struct slice value,
    struct buf *why)
{
	static const char *const forms[] = {
		[CONF_INT] = "a whole number",
		[CONF_TIME] = "a time such as 30s, 5m, 2h or 5d",
		[CONF_SIZE] = "a size such as 512, 64K, 50M or 2G",
	};
	int64_t v = 0;
	uint64_t u;
	int bad;

	if (d->type == CONF_INT) {
		bad = num_parse_signed(value, INT64_MIN + 1, INT64_MAX, &v);
	} else {
		bad = d->type == CONF_TIME ? num_parse_duration(value, &u)
					   : num_parse_size(value, &u);
		v = bad < 0 ? 0 : (int64_t)u;
	}
	if (bad < 0) {
		buf_addf(why, "%s is \"%.*s\", but must be %s", d->name,
		    SLICE_FMT(value), forms[d->type]);
		return -1;
	}
	if (v < d->min || v > d->max) {
		buf_addf(why, "%s is %.*s, but must lie between %lld and %lld%s",
		    d->name, SLICE_FMT(value),
		    (long long)(d->type == CONF_TIME ? d->min / 1000 : d->min),
		    (long long)(d->type == CONF_TIME ? d->max / 1000 : d->max),
		    d->type == CONF_TIME ? " seconds"
			: d->type == CONF_SIZE ? " bytes" : "");
		return -1;
	}
	memcpy(at, &v, sizeof v);
	return 0;
}

static int
set_bool(const struct conf_def *d, void *at, struct slice value,
    struct buf *why)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "yes", true }, { "no", false }, { "true", true },
		{ "false", false }, { "on", true }, { "off", false } };
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++) {
		if (slice_ieq_str(value, words[i].word)) {
			memcpy(at, &words[i].value, sizeof(bool));
			return 0;
		}
	}
	buf_addf(why, "%s is \"%.*s\", but must be yes or no", d->name,
	    SLICE_FMT(value));
	return -1;
}

static int
keep_string(void *at, struct region *r, struct slice value)
{
	const char *copy = region_str(r, value);

	if (copy == NULL)
		return -1;
	memcpy(at, &copy, sizeof copy);
	return 0;
}

static int
set_string(const struct conf_def *d, void *at, struct region *r,
    struct slice value, struct buf *why)
{
	if (value.n < (size_t)d->min || value.n > (size_t)d->max) {
		buf_addf(why, "%s has %zu characters, but must have %lld to "
		    "%lld", d->name, value.n, (long long)d->min,
		    (long long)d->max);
		return -1;
	}
	if (memchr(value.p == NULL ? "" : value.p, 0, value.n) != NULL) {
		buf_addf(why, "%s must not hold a NUL character", d->name);
		return -1;
	}
	return keep_string(at, r, value);
}

static int
set_word(const struct conf_def *d, void *at, struct region *r,
    struct slice value, struct buf *why)
{
	struct slice words = slice_str(d->words), word;

	while (slice_split(&words, '|', &word))
		if (slice_ieq(word, value))
			return keep_string(at, r, word);
	buf_addf(why, "%s is \"%.*s\", but must be one of ", d->name,
	    SLICE_FMT(value));
	words = slice_str(d->words);
	while (slice_split(&words, '|', &word))
		buf_addf(why, "%.*s%s", SLICE_FMT(word),
		    words.p == NULL ? "" : ", ");
	return -1;
}

static int
set_list(const struct conf_def *d, void *at, struct region *r,
    struct slice value, struct buf *why)
{
	struct slice rest = value, item;
	struct conf_list list = { NULL, 0 };
	const char **v;
	size_t n = 0;

	while (value.n > 0 && slice_split(&rest, '\n', &item))
		n++;
	if (n < (size_t)d->min || n > (size_t)d->max) {
		buf_addf(why, "%s has %zu entries, but must have %lld to %lld",
		    d->name, n, (long long)d->min, (long long)d->max);
		return -1;
	}
	v = region_alloc(r, (n + 1) * sizeof *v);
	if (v == NULL)
		return -1;
	list.v = v;
	for (rest = value; list.n < n && slice_split(&rest, '\n', &item);) {
		v[list.n] = region_str(r, item);
		if (v[list.n++] == NULL)
			return -1;
	}
	memcpy(at, &list, sizeof list);
	return 0;
}

static int
set_row(const struct conf_def *d, void *conf, struct region *r,
    struct slice value, struct buf *why)
{
	void *at = (char *)conf + d->offset;

	switch (d->type) {
	case CONF_STR:
		return set_string(d, at, r, value, why);
	case CONF_WORD:
		return set_word(d, at, r, value, why);
	case CONF_BOOL:
		return set_bool(d, at, value, why);
	case CONF_LIST:
		return set_list(d, at, r, value, why);
	case CONF_INT:
	case CONF_TIME:
	case CONF_SIZE:
		return set_number(d, at, value, why);
	}
	BUG("option type %d", (int)d->type);
}

int
conf_set(const struct conf_section *s, void *conf, struct region *r,
    struct slice name, struct slice value, struct buf *why)
{
	const struct conf_def *d = conf_find(s, name);
	const char *near;

	if (d != NULL)
		return set_row(d, conf, r, value, why);
	near = conf_nearest(s, name);
	buf_addf(why, "section %s has no option \"%.*s\"", s->name,
	    SLICE_FMT(name));
	if (near != NULL)
		buf_addf(why, "; did you mean \"%s\"?", near);
	return -1;
}

void
conf_defaults(const struct conf_section *s, void *conf, struct region *r)
{
	struct buf why;
	size_t i;

	buf_init(&why, 1024);
	memset(conf, 0, s->size);
	for (i = 0; i < s->n; i++)
		if (set_row(&s->defs[i], conf, r, slice_str(s->defs[i].def),
			&why) < 0)
			BUG("default of %s.%s: %s", s->name, s->defs[i].name,
			    why.p);
	buf_fini(&why);
}

static void
format_scaled(int64_t v, const char *const *suffixes, const int64_t *units,
    size_t n, struct buf *out)
{
	size_t i;

	for (i = 0; i < n && v != 0; i++)
		if (v % units[i] == 0)
			break;
	if (i == n || v == 0)
		i = n - 1;
	buf_addf(out, "%lld%s", (long long)(v / units[i]), suffixes[i]);
}

void
conf_format(const struct conf_def *d, const void *conf, struct buf *out)
{
	static const char *const time_suffixes[] = { "d", "h", "m", "s", "ms" };
	static const int64_t time_units[] = { 86400000, 3600000, 60000, 1000,
		1 };
	static const char *const size_suffixes[] = { "G", "M", "K", "" };
	static const int64_t size_units[] = { 1 << 30, 1 << 20, 1 << 10, 1 };
	const void *at = (const char *)conf + d->offset;
	const struct conf_list *list = at;
	int64_t v = 0;
	size_t i;

	switch (d->type) {
	case CONF_STR:
	case CONF_WORD:
		buf_add_str(out, *(const char *const *)at);
		return;
	case CONF_BOOL:
		buf_add_str(out, *(const bool *)at ? "yes" : "no");
		return;
	case CONF_LIST:
		for (i = 0; i < list->n; i++)
			buf_addf(out, "%s%s", i == 0 ? "" : "\n", list->v[i]);
		return;
	case CONF_INT:
	case CONF_TIME:
	case CONF_SIZE:
		memcpy(&v, at, sizeof v);
		break;
	}
	if (d->type == CONF_INT)
		buf_addf(out, "%lld", (long long)v);
	else if (d->type == CONF_TIME)
		format_scaled(v, time_suffixes, time_units, 5, out);
	else
		format_scaled(v, size_suffixes, size_units, 4, out);
}

bool
conf_is_same(const struct conf_def *d, const void *a, const void *b)
{
	struct buf x, y;
	bool same;

	buf_init(&x, 1 << 20);
	buf_init(&y, 1 << 20);
	conf_format(d, a, &x);
	conf_format(d, b, &y);
	same = slice_eq(buf_slice(&x), buf_slice(&y));
	buf_fini(&x);
	buf_fini(&y);
	return same;
}
