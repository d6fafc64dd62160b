/* SPDX-License-Identifier: ISC */
/*
 * `veredus trace ID|ADDRESS`: what the log says of a message, from the first
 * byte to the mailbox or the remote's reply. The log file is read with its
 * rotated parts (also compressed ones), oldest first: once to find the ids and
 * sessions that belong to what was asked, once to print.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/map.h"
#include "master/veredus.h"

enum { LINE_BYTES = 16384, FILES_MAX = 1000, IDS_MAX = 100000, EX_NOINPUT = 66 };

struct trace {
	struct slice what;
	bool is_address;
	struct map ids, sessions;
	size_t printed;
};

struct part {
	char *path;
	time_t changed;
};

/* The value of a key in a line of either format; empty when it is not there. */
static struct slice
value_of(struct slice line, const char *key)
{
	char plain[40], json[40];
	struct slice v;
	ptrdiff_t at, end;

	(void)snprintf(plain, sizeof plain, " %s=", key);
	(void)snprintf(json, sizeof json, "\"%s\":\"", key);
	at = slice_find(line, slice_str(plain));
	if (at >= 0) {
		v = slice_from(line, (size_t)at + strlen(plain));
		if (v.n > 0 && v.p[0] == '"') {
			v = slice_from(v, 1);
			end = slice_chr(v, '"');
		} else {
			end = slice_chr(v, ' ');
		}
		return end < 0 ? v : slice_head(v, (size_t)end);
	}
	at = slice_find(line, slice_str(json));
	if (at < 0)
		return SLICE_NONE;
	v = slice_from(line, (size_t)at + strlen(json));
	end = slice_chr(v, '"');
	return end < 0 ? v : slice_head(v, (size_t)end);
}

static bool
has(const struct map *m, struct slice v)
{
	return v.n > 0 && map_get(m, v) != NULL;
}

static void
note(struct map *m, struct slice v)
{
	static char here;

	if (v.n > 0 && m->n < IDS_MAX && map_put(m, v, &here, NULL) < 0)
		abort();
}

/* First reading: which messages and sessions is it about? */
static void
learn(struct trace *t, struct slice line)
{
	struct slice id = value_of(line, "id");
	struct slice session = value_of(line, "session");
	bool mine;

	mine = t->is_address
	    ? slice_ieq(value_of(line, "to"), t->what) ||
		slice_ieq(value_of(line, "from"), t->what)
	    : slice_eq(id, t->what) || slice_eq(session, t->what) ||
		slice_eq(value_of(line, "about"), t->what);
	if (!mine && !has(&t->ids, id))
		return;
	note(&t->ids, id);
	note(&t->sessions, session);
}

static void
show(struct trace *t, struct slice line)
{
	if (!has(&t->ids, value_of(line, "id")) &&
	    !has(&t->ids, value_of(line, "about")) &&
	    !has(&t->sessions, value_of(line, "session")))
		return;
	(void)printf("%.*s\n", (int)line.n, line.p);
	t->printed++;
}

static void
read_part(struct trace *t, const char *path,
    void (*each)(struct trace *t, struct slice line))
{
	static char line[LINE_BYTES];
	gzFile in = gzopen(path, "re");
	struct slice s;

	if (in == NULL)
		return;
	while (gzgets(in, line, sizeof line) != NULL) {
		s = slice_str(line);
		while (s.n > 0 && s.p[s.n - 1] == '\n')
			s.n--;
		each(t, s);
	}
	(void)gzclose(in);
}

static int
by_time(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	return x->changed < y->changed ? -1 : x->changed > y->changed;
}

static size_t
find_parts(const char *log, struct part *parts)
{
	char pattern[1100];
	struct stat st;
	glob_t g;
	size_t i, n = 0;

	(void)snprintf(pattern, sizeof pattern, "%s*", log);
	if (glob(pattern, 0, NULL, &g) != 0)
		return 0;
	for (i = 0; i < g.gl_pathc && n < FILES_MAX; i++) {
		if (stat(g.gl_pathv[i], &st) < 0)
			continue;
		parts[n].path = strdup(g.gl_pathv[i]);
		/* The file itself is the newest, whatever the clock says. */
		parts[n].changed = strcmp(g.gl_pathv[i], log) == 0
		    ? INT32_MAX : st.st_mtime;
		n++;
	}
	globfree(&g);
	qsort(parts, n, sizeof *parts, by_time);
	return n;
}

int
cmd_trace(struct veredus *v, int argc, char **argv)
{
	static struct part parts[FILES_MAX];
	struct trace t = { 0 };
	const char *log;
	size_t n, i;
	int result;

	if (argc != 2)
		return 64;
	result = veredus_read_config(v);
	if (result != 0)
		return result;
	log = v->server.log_file;
	if (log[0] != '/')
		return veredus_fail(EX_NOINPUT, "the log goes to %s: trace "
		    "reads a log file (server.log_file)", log);
	t.what = slice_str(argv[1]);
	t.is_address = strchr(argv[1], '@') != NULL;
	map_init(&t.ids);
	map_init(&t.sessions);
	n = find_parts(log, parts);
	for (i = 0; i < n; i++)
		read_part(&t, parts[i].path, learn);
	for (i = 0; i < n; i++) {
		read_part(&t, parts[i].path, show);
		free(parts[i].path);
	}
	map_fini(&t.ids);
	map_fini(&t.sessions);
	if (t.printed > 0)
		return 0;
	return veredus_fail(EX_NOINPUT, "%s says nothing of %s", log, argv[1]);
}
