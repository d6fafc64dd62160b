/* SPDX-License-Identifier: ISC */
/*
 * The grammar is libconfuse's; what may stand in it comes from the rows. Every
 * option is a string or a list of strings for the parser, so that all checks
 * and all messages are those of conf_set().
 */
#include "master/config.h"

#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_sections.h"
#include "master/config_value.h"

/* An option behind the end of the file: if the parser meets it inside a
 * section, that section was not closed (libconfuse itself does not mind). */
#define SENTINEL "end_of_file"

enum { CONFIG_MEMORY = 8 << 20, FILE_MAX_BYTES = 4 << 20, OPTIONS_MAX = 64, SECTIONS_MAX = 32 };

static struct {
	struct buf *why;
	const char *file;
	struct config *config;
} now; /* libconfuse's callbacks have no argument of ours */

static void say(cfg_t *cfg, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(cfg_t *cfg, const char *fmt, ...)
{
	va_list ap;

	buf_addf(now.why, "%s:%d: ", now.file, cfg == NULL ? 0 : cfg->line);
	va_start(ap, fmt);
	buf_addv(now.why, fmt, ap);
	va_end(ap);
	buf_add_char(now.why, '\n');
}

static const char *
nearest_section(struct slice word)
{
	size_t best = word.n / 3 + 2, d, i;
	const char *found = NULL;

	for (i = 0; i < conf_n_sections; i++) {
		d = conf_distance(word, slice_str(conf_sections[i]->name));
		if (d < best) {
			best = d;
			found = conf_sections[i]->name;
		}
	}
	return found;
}

/* libconfuse's own complaints: syntax, and names it does not know. */
__attribute__((format(printf, 2, 0))) static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	const struct conf_section *s;
	char text[512], word[64];
	const char *near;

	(void)vsnprintf(text, sizeof text, fmt, ap);
	s = cfg == NULL || cfg->name == NULL ? NULL
	    : conf_section_find(slice_str(cfg->name));
	if (sscanf(text, "no such option '%63[^']'", word) == 1) {
		if (strcmp(word, SENTINEL) == 0) {
			say(cfg, "section %s is not closed: a } is missing",
			    s == NULL ? "?" : s->name);
			return;
		}
		near = s == NULL ? nearest_section(slice_str(word))
				 : conf_nearest(s, slice_str(word));
		if (s == NULL)
			say(cfg, "there is no section or option \"%s\" "
			    "here%s%s%s", word,
			    near == NULL ? "" : "; did you mean \"",
			    near == NULL ? "" : near,
			    near == NULL ? "" : "\"?");
		else
			say(cfg, "section %s has no option \"%s\"%s%s%s",
			    s->name, word,
			    near == NULL ? "" : "; did you mean \"",
			    near == NULL ? "" : near,
			    near == NULL ? "" : "\"?");
		return;
	}
	say(cfg, "%s", text);
}

static const char *
title_of(cfg_t *cfg)
{
	const char *title = cfg_title(cfg);

	return title == NULL ? "" : title;
}

static const struct config_item *
find_item(const struct config *c, const struct conf_section *s,
    const char *title, const char *name)
{
	const struct config_item *i;

	for (i = c->items; i != NULL; i = i->next)
		if (i->section == s && strcmp(i->title, title) == 0 &&
		    strcmp(i->name, name) == 0)
			return i;
	return NULL;
}

static int
add_item(struct config *c, const struct conf_section *s, const char *title,
    const char *name, struct slice value)
{
	struct config_item *i = region_alloc(&c->mem, sizeof *i);

	if (i == NULL)
		return -1;
	i->section = s;
	i->title = region_str(&c->mem, slice_str(title));
	i->name = name;
	i->value = region_slice(&c->mem, value);
	i->next = NULL;
	if (i->title == NULL || i->value.p == NULL)
		return -1;
	*c->tail = i;
	c->tail = &i->next;
	return 0;
}

static void
join_values(cfg_opt_t *opt, struct buf *out)
{
	unsigned i;

	for (i = 0; i < cfg_opt_size(opt); i++)
		buf_addf(out, "%s%s", i == 0 ? "" : "\n",
		    cfg_opt_getnstr(opt, i));
}

/* Called when an option has been given a value: checks it where the line is
 * still known. */
static int
on_option(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct conf_section *s = conf_section_find(slice_str(cfg->name));
	const struct conf_def *d = conf_find(s, slice_str(opt->name));
	struct region scratch;
	struct buf value, why;
	void *conf;
	int result = -1;

	if (d->type != CONF_LIST &&
	    find_item(now.config, s, title_of(cfg), opt->name) != NULL) {
		say(cfg, "%s stands twice in section %s", opt->name, s->name);
		return -1;
	}
	buf_init(&value, 1 << 20);
	buf_init(&why, 4096);
	region_init(&scratch, 1 << 20);
	conf = calloc(1, s->size);
	join_values(opt, &value);
	if (conf != NULL && buf_is_ok(&value)) {
		conf_defaults(s, conf, &scratch);
		result = conf_set(s, conf, &scratch, slice_str(opt->name),
		    buf_slice(&value), &why);
	}
	if (result == 0)
		result = config_value_check(s, d,
		    cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1), &why);
	if (result < 0)
		say(cfg, "%s", why.n > 0 ? why.p : "too long");
	else if (d->type != CONF_LIST)
		result = add_item(now.config, s, title_of(cfg), d->name,
		    buf_slice(&value));
	free(conf);
	region_fini(&scratch);
	buf_fini(&value);
	buf_fini(&why);
	return result;
}

/* Lists are complete only when their section is. */
static int
add_lists(cfg_t *sec, const struct conf_section *s)
{
	struct buf value;
	cfg_opt_t *opt;
	int result = 0;
	size_t i;

	buf_init(&value, 1 << 20);
	for (i = 0; i < s->n && result == 0; i++) {
		opt = cfg_getopt(sec, s->defs[i].name);
		if (s->defs[i].type != CONF_LIST || opt == NULL ||
		    (opt->flags & CFGF_MODIFIED) == 0)
			continue;
		buf_reset(&value);
		join_values(opt, &value);
		result = add_item(now.config, s, title_of(sec),
		    s->defs[i].name, buf_slice(&value));
	}
	buf_fini(&value);
	return result;
}

static cfg_opt_t *
options_of(const struct conf_section *s)
{
	static const cfg_opt_t end = CFG_END();
	cfg_opt_t *opts = calloc(s->n + 1, sizeof *opts);
	size_t i;

	if (opts == NULL)
		abort();
	for (i = 0; i < s->n; i++) {
		cfg_opt_t one = CFG_STR(s->defs[i].name, NULL, CFGF_NODEFAULT);
		cfg_opt_t list = CFG_STR_LIST(s->defs[i].name, NULL,
		    CFGF_NODEFAULT);

		opts[i] = s->defs[i].type == CONF_LIST ? list : one;
	}
	opts[s->n] = end;
	return opts;
}

static cfg_t *
make_parser(void)
{
	static const cfg_opt_t end = CFG_END();
	static cfg_opt_t *kept[SECTIONS_MAX], top[SECTIONS_MAX + 2];
	const struct conf_section *s;
	char path[160];
	cfg_t *cfg;
	size_t i, k;

	for (i = 0; i < conf_n_sections; i++) {
		s = conf_sections[i];
		if (kept[i] == NULL)
			kept[i] = options_of(s);
		cfg_opt_t sec = CFG_SEC(s->name, kept[i],
		    s->titled ? CFGF_MULTI | CFGF_TITLE |
			    CFGF_NO_TITLE_DUPES : CFGF_NONE);

		top[i] = sec;
	}
	cfg_opt_t sentinel = CFG_STR(SENTINEL, NULL, CFGF_NODEFAULT);

	top[i++] = sentinel;
	top[i] = end;
	cfg = cfg_init(top, CFGF_NONE);
	if (cfg == NULL)
		return NULL;
	(void)cfg_set_error_function(cfg, on_error);
	for (i = 0; i < conf_n_sections; i++) {
		for (k = 0; k < conf_sections[i]->n; k++) {
			(void)snprintf(path, sizeof path, "%s|%s",
			    conf_sections[i]->name,
			    conf_sections[i]->defs[k].name);
			(void)cfg_set_validate_func(cfg, path, on_option);
		}
	}
	return cfg;
}

static int
collect_lists(cfg_t *cfg)
{
	const struct conf_section *s;
	unsigned k;
	size_t i;

	for (i = 0; i < conf_n_sections; i++) {
		s = conf_sections[i];
		for (k = 0; k < cfg_size(cfg, s->name); k++)
			if (add_lists(cfg_getnsec(cfg, s->name, k), s) < 0)
				return -1;
	}
	return 0;
}

static int
read_file(const char *path, struct buf *out)
{
	FILE *in = fopen(path, "re");
	size_t n = 1;
	char *room;

	if (in == NULL)
		return -1;
	while (n > 0) {
		room = buf_room(out, 4096);
		n = room == NULL ? 0 : fread(room, 1, 4096, in);
		if (n > 0)
			buf_grew(out, n);
	}
	n = (size_t)ferror(in);
	(void)fclose(in);
	return n == 0 && buf_is_ok(out) ? 0 : -1;
}

/* Where the comment at `at` ends: behind it, or on its LF. */
static size_t
comment_end(const char *p, size_t n, size_t at)
{
	const char *end;

	if (p[at] == '/' && at + 1 < n && p[at + 1] == '*') {
		end = strstr(p + at + 2, "*/");
		/* An open one is left for the parser to run into. */
		return end == NULL ? at : (size_t)(end - p) + 2;
	}
	if (p[at] != '#' && (p[at] != '/' || at + 1 >= n || p[at + 1] != '/'))
		return at;
	return at + strcspn(p + at, "\n");
}

/*
 * Comments become spaces: libconfuse 3.3 counts their lines more than once,
 * and would name wrong lines behind them. As there, a comment begins where a
 * word could; within one # and // are letters.
 */
static void
blank_comments(char *p, size_t n)
{
	bool at_word = true;
	char quote = 0;
	size_t i, end;

	for (i = 0; i < n; i++) {
		if (quote != 0) {
			if (p[i] == '\\' && i + 1 < n)
				i++;
			else if (p[i] == quote)
				quote = 0;
			continue;
		}
		end = at_word ? comment_end(p, n, i) : i;
		for (; i < end; i++)
			if (p[i] != '\n')
				p[i] = ' ';
		if (i == n)
			return;
		if (p[i] == '"' || p[i] == '\'')
			quote = p[i];
		at_word = strchr(" \t\r\n={}()+,\"'", p[i]) != NULL;
	}
}

struct config *
config_read(const char *file, struct buf *why)
{
	struct config *c = calloc(1, sizeof *c);
	cfg_t *cfg = c == NULL ? NULL : make_parser();
	int result = CFG_FILE_ERROR;
	struct buf text;

	if (cfg == NULL)
		abort();
	region_init(&c->mem, CONFIG_MEMORY);
	c->tail = &c->items;
	c->file = region_str(&c->mem, slice_str(file));
	now.why = why;
	now.file = c->file;
	now.config = c;
	buf_init(&text, FILE_MAX_BYTES);
	if (read_file(file, &text) < 0) {
		buf_addf(why, "%s: %s\n", file, strerror(errno));
	} else {
		blank_comments(text.p, text.n);
		buf_add_str(&text, "\n" SENTINEL " = \"\"\n");
		result = buf_is_ok(&text) ? cfg_parse_buf(cfg, text.p)
					  : CFG_PARSE_ERROR;
	}
	buf_fini(&text);
	if (result == CFG_SUCCESS && cfg_size(cfg, SENTINEL) == 0) {
		say(cfg, "a quotation mark or a comment is "
		    "not closed");
		result = CFG_PARSE_ERROR;
	}
	if (result == CFG_SUCCESS && collect_lists(cfg) < 0)
		result = CFG_PARSE_ERROR;
	cfg_free(cfg);
	if (result != CFG_SUCCESS) {
		if (why->n == 0)
			buf_addf(why, "%s: cannot be read as a configuration\n",
			    file);
		config_free(&c);
	}
	return c;
}

void
config_free(struct config **cp)
{
	if (*cp == NULL)
		return;
	region_fini(&(*cp)->mem);
	free(*cp);
	*cp = NULL;
}

void
config_fill(const struct config *c, const struct conf_section *s,
    const char *title, void *conf, struct region *r)
{
	const struct config_item *i;
	struct buf why;

	conf_defaults(s, conf, r);
	buf_init(&why, 1024);
	for (i = c->items; i != NULL; i = i->next)
		if (i->section == s && strcmp(i->title, title) == 0 &&
		    conf_set(s, conf, r, slice_str(i->name), i->value,
			&why) < 0)
			abort(); /* it was checked when it was read */
	buf_fini(&why);
}

void
config_add(struct config *c, const struct conf_section *s, const char *name,
    struct slice value)
{
	if (add_item(c, s, "", name, value) < 0)
		abort();
}

static void
drop_items(struct config *c, const struct conf_section *s, const char *name)
{
	struct config_item **at = &c->items;

	while (*at != NULL) {
		if ((*at)->section == s && strcmp((*at)->name, name) == 0)
			*at = (*at)->next;
		else
			at = &(*at)->next;
	}
	c->tail = at;
}

static void
keep_section(struct config *c, const struct config *running,
    const struct conf_section *s, struct buf *notes)
{
	void *was = calloc(1, s->size), *is = calloc(1, s->size);
	struct region mem;
	struct buf value;
	size_t i;

	if (was == NULL || is == NULL)
		abort();
	region_init(&mem, 2 << 20);
	buf_init(&value, 1 << 20);
	config_fill(running, s, "", was, &mem);
	config_fill(c, s, "", is, &mem);
	for (i = 0; i < s->n; i++) {
		if (s->defs[i].when != CONF_RESTART ||
		    conf_is_same(&s->defs[i], was, is))
			continue;
		buf_addf(notes, "%s.%s needs a restart\n", s->name,
		    s->defs[i].name);
		buf_reset(&value);
		conf_format(&s->defs[i], was, &value);
		drop_items(c, s, s->defs[i].name);
		config_add(c, s, s->defs[i].name, buf_slice(&value));
	}
	buf_fini(&value);
	region_fini(&mem);
	free(was);
	free(is);
}

void
config_keep(struct config *c, const struct config *running, struct buf *notes)
{
	size_t i;

	for (i = 0; i < conf_n_sections; i++)
		if (!conf_sections[i]->titled)
			keep_section(c, running, conf_sections[i], notes);
}

const char *
config_next_title(const struct config *c, const struct conf_section *s,
    const char *last)
{
	const struct config_item *i, *k;
	bool seen = last == NULL;

	for (i = c->items; i != NULL; i = i->next) {
		if (i->section != s)
			continue;
		/* Only the first item of each title counts. */
		for (k = c->items; k != i; k = k->next)
			if (k->section == s && strcmp(k->title, i->title) == 0)
				break;
		if (k != i)
			continue;
		if (seen)
			return i->title;
		seen = strcmp(i->title, last) == 0;
	}
	return NULL;
}

static void
show_value(const struct conf_def *d, const void *conf, struct buf *out)
{
	struct slice rest, item;
	struct buf value;
	const char *between = "";

	buf_init(&value, 1 << 20);
	conf_format(d, conf, &value);
	if (d->type != CONF_LIST) {
		buf_addf(out, "\"%s\"", value.p);
	} else {
		buf_add_char(out, '{');
		rest = buf_slice(&value);
		while (rest.n > 0 && slice_split(&rest, '\n', &item)) {
			buf_addf(out, "%s\"%.*s\"", between, SLICE_FMT(item));
			between = ", ";
		}
		buf_add_char(out, '}');
	}
	buf_fini(&value);
}

static void
show_section(const struct config *c, const struct conf_section *s,
    const char *title, struct buf *out)
{
	struct region mem;
	void *conf = calloc(1, s->size);
	size_t i;

	if (conf == NULL)
		abort();
	region_init(&mem, 1 << 20);
	config_fill(c, s, title, conf, &mem);
	buf_addf(out, "# %s\n%s", s->doc, s->name);
	if (s->titled)
		buf_addf(out, " \"%s\"", title);
	buf_add_str(out, " {\n");
	for (i = 0; i < s->n; i++) {
		buf_addf(out, "\t# %s%s\n\t%s = ", s->defs[i].doc,
		    s->defs[i].when == CONF_RESTART ? " (restart)" : "",
		    s->defs[i].name);
		show_value(&s->defs[i], conf, out);
		buf_addf(out, "%s\n",
		    find_item(c, s, title, s->defs[i].name) == NULL
			? "  # default" : "");
	}
	buf_add_str(out, "}\n\n");
	region_fini(&mem);
	free(conf);
}

void
config_show(const struct config *c, struct buf *out)
{
	const struct conf_section *s;
	const char *title;
	size_t i;

	for (i = 0; i < conf_n_sections; i++) {
		s = conf_sections[i];
		if (!s->titled)
			show_section(c, s, "", out);
		for (title = NULL; s->titled && (title = config_next_title(c,
			 s, title)) != NULL;)
			show_section(c, s, title, out);
	}
}
