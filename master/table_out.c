/* SPDX-License-Identifier: ISC */
/* Gathers rows, then prints them with columns as wide as they must be. */
#include "master/table_out.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/num.h"
#include "sys/row.h"

enum { COLUMNS_MAX = 40, WIDTH_MAX = 60 };

struct table_out {
	bool json;
	json_t *rows;
	char *columns[COLUMNS_MAX];
	size_t n_columns;
};

struct table_out *
table_out_new(bool json)
{
	struct table_out *t = calloc(1, sizeof *t);

	if (t == NULL || (t->rows = json_array()) == NULL)
		abort();
	t->json = json;
	return t;
}

static void
note_column(struct table_out *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n_columns; i++)
		if (strcmp(t->columns[i], name) == 0)
			return;
	if (t->n_columns < COLUMNS_MAX)
		t->columns[t->n_columns++] = strdup(name);
}

/* Whole numbers become JSON numbers; what is not UTF-8 is shown by '?'. */
static json_t *
to_json(struct slice v)
{
	uint64_t n;
	json_t *s;
	char *copy;
	size_t i;

	if (v.n > 0 && v.n < 19 && (v.p[0] != '0' || v.n == 1) &&
	    num_parse(v, 0, INT64_MAX, &n) == 0)
		return json_integer((json_int_t)n);
	s = json_stringn(v.p == NULL ? "" : v.p, v.n);
	if (s != NULL)
		return s;
	copy = strndup(v.p, v.n);
	for (i = 0; copy != NULL && copy[i] != 0; i++)
		if ((unsigned char)copy[i] >= 0x80)
			copy[i] = '?';
	s = json_string(copy);
	free(copy);
	return s;
}

void
table_out_row(struct table_out *t, struct slice row)
{
	json_t *o = json_object();
	struct slice k, v;
	char key[64];

	while (row_next(&row, &k) && row_next(&row, &v)) {
		(void)snprintf(key, sizeof key, "%.*s", SLICE_FMT(k));
		note_column(t, key);
		(void)json_object_set_new(o, key, to_json(v));
	}
	(void)json_array_append_new(t->rows, o);
}

static void
cell_text(const char *column, const json_t *v, char *out, size_t size)
{
	json_int_t n = json_is_integer(v) ? json_integer_value(v) : 0;
	bool is_time = strcmp(column, "arrival") == 0 ||
	    strcmp(column, "next") == 0;
	struct tm tm;
	time_t when;

	out[0] = 0;
	if (json_is_string(v)) {
		(void)snprintf(out, size, "%s", json_string_value(v));
	} else if (is_time && n > 0) {
		when = (time_t)n;
		if (localtime_r(&when, &tm) != NULL)
			(void)strftime(out, size, "%Y-%m-%d %H:%M:%S", &tm);
	} else if (json_is_integer(v) && !is_time) {
		(void)snprintf(out, size, "%lld", (long long)n);
	}
}

static void
print_columns(struct table_out *t)
{
	size_t width[COLUMNS_MAX], i, k, n = json_array_size(t->rows);
	char cell[1024];

	for (k = 0; k < t->n_columns; k++) {
		width[k] = strlen(t->columns[k]);
		for (i = 0; i < n; i++) {
			cell_text(t->columns[k],
			    json_object_get(json_array_get(t->rows, i),
				t->columns[k]), cell, sizeof cell);
			if (strlen(cell) > width[k])
				width[k] = strlen(cell);
		}
		if (width[k] > WIDTH_MAX)
			width[k] = WIDTH_MAX;
	}
	for (k = 0; k < t->n_columns && n > 0; k++)
		(void)printf("%-*s%s",
		    k + 1 == t->n_columns ? 0 : (int)width[k], t->columns[k],
		    k + 1 == t->n_columns ? "\n" : "  ");
	for (i = 0; i < n; i++) {
		for (k = 0; k < t->n_columns; k++) {
			cell_text(t->columns[k],
			    json_object_get(json_array_get(t->rows, i),
				t->columns[k]), cell, sizeof cell);
			(void)printf("%-*s%s",
			    k + 1 == t->n_columns ? 0 : (int)width[k], cell,
			    k + 1 == t->n_columns ? "\n" : "  ");
		}
	}
}

static void
print_json(struct table_out *t)
{
	size_t i, n = json_array_size(t->rows);
	char *text;

	(void)puts("[");
	for (i = 0; i < n; i++) {
		text = json_dumps(json_array_get(t->rows, i),
		    JSON_PRESERVE_ORDER);
		(void)printf("%s%s\n", text == NULL ? "{}" : text,
		    i + 1 < n ? "," : "");
		free(text);
	}
	(void)puts("]");
}

size_t
table_out_end(struct table_out **tp)
{
	struct table_out *t = *tp;
	size_t n = json_array_size(t->rows), i;

	if (t->json)
		print_json(t);
	else
		print_columns(t);
	json_decref(t->rows);
	for (i = 0; i < t->n_columns; i++)
		free(t->columns[i]);
	free(t);
	*tp = NULL;
	return n;
}
