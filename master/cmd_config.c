/* SPDX-License-Identifier: ISC */
/* `veredus config`, `veredus status`. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "master/config_value.h"
#include "master/table_out.h"
#include "master/veredus.h"
#include "sys/row.h"

enum { EX_CONFIG = 78 };

static int
check_files(const struct veredus *v)
{
	struct buf why;
	int result;

	buf_init(&why, 65536);
	result = config_files_check(v->config, &why) < 0 ? EX_CONFIG : 0;
	if (result != 0)
		(void)fputs(why.p, stderr);
	buf_fini(&why);
	return result;
}

int
cmd_config_check(struct veredus *v, int argc, char **argv)
{
	int result;

	if (argc > 2)
		return 64;
	if (argc == 2)
		v->file = argv[1];
	result = veredus_read_config(v);
	if (result == 0)
		result = check_files(v);
	if (result == 0)
		(void)printf("%s: good\n", v->file);
	return result;
}

int
cmd_config_show(struct veredus *v, int argc, char **argv)
{
	struct buf out;
	int result;

	(void)argv;
	if (argc > 1)
		return 64;
	result = veredus_read_config(v);
	if (result != 0)
		return result;
	buf_init(&out, 4 << 20);
	config_show(v->config, &out);
	(void)fputs(out.p, stdout);
	buf_fini(&out);
	return 0;
}

/* ---- status ---- */

/* What of a role's row goes into the table; the rest follows as text. */
static const char *const columns[] = { "role", "pid", "uid", "jail",
	"sandbox", "state" };

static bool
is_column(struct slice key)
{
	size_t i;

	for (i = 0; i < sizeof columns / sizeof *columns; i++)
		if (slice_eq_str(key, columns[i]))
			return true;
	return false;
}

struct status {
	struct table_out *table;
	struct buf rest;
};

static void
on_status_row(void *arg, struct slice row)
{
	struct status *s = arg;
	struct slice k, v, rest = row, role = row_get(row, "role");
	struct buf shown;
	bool any = false;
	size_t i;

	buf_init(&shown, 65536);
	for (i = 0; i < sizeof columns / sizeof *columns; i++) {
		v = row_get(row, columns[i]);
		row_pair(&shown, columns[i],
		    v.p == NULL && strcmp(columns[i], "state") == 0
			? SLICE("ready") : v);
	}
	table_out_row(s->table, buf_slice(&shown));
	buf_fini(&shown);
	while (row_next(&rest, &k) && row_next(&rest, &v)) {
		if (is_column(k))
			continue;
		if (any)
			buf_add_str(&s->rest, ", ");
		else
			buf_addf(&s->rest, "%.*s: ", SLICE_FMT(role));
		buf_addf(&s->rest, "%.*s %.*s", SLICE_FMT(k), SLICE_FMT(v));
		any = true;
	}
	if (any)
		buf_add_char(&s->rest, '\n');
}

int
cmd_status(struct veredus *v, int argc, char **argv)
{
	struct status s;
	struct buf text;
	int result = argc > 1 ? 64 : veredus_connect(v, false);

	(void)argv;
	if (result != 0)
		return result;
	if (v->json)
		return veredus_run(v, "status", SLICE_NONE);
	buf_init(&s.rest, 1 << 20);
	buf_init(&text, 4096);
	s.table = table_out_new(false);
	result = ctl_run(v->ctl, "status", SLICE_NONE, on_status_row, &s,
	    &text);
	(void)table_out_end(&s.table);
	if (result == 0)
		(void)printf("\n%s", s.rest.p);
	else
		(void)veredus_fail(result, "%s", text.p);
	buf_fini(&s.rest);
	buf_fini(&text);
	return result;
}
