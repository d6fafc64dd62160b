/* SPDX-License-Identifier: ISC */
/*
 * Writes what the declared options say of themselves (common/conf/), so that
 * no document can differ from the code:
 *
 *	mkconf -m	the option part of veredus.conf(5), in mdoc
 *	mkconf -s	the sample configuration, every option commented out
 *	mkconf -c	the names, one a line, for completion
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"
#include "conf/conf_sections.h"

enum { LINE_WIDTH = 76, MEMORY = 1 << 20, VALUE_MAX = 1 << 16 };

/* ---- what both forms need ---- */

/* The value as it would stand in the file. `conf` holds the section. */
static void
add_value(const struct conf_def *d, const void *conf, struct buf *out)
{
	struct buf text;
	struct slice rest, item;
	const char *between = "";

	buf_init(&text, VALUE_MAX);
	conf_format(d, conf, &text);
	if (d->type != CONF_LIST) {
		buf_addf(out, "\"%s\"", text.p);
	} else {
		rest = buf_slice(&text);
		buf_add_char(out, '{');
		while (rest.n > 0 && slice_split(&rest, '\n', &item)) {
			buf_addf(out, "%s\"%.*s\"", between, SLICE_FMT(item));
			between = ", ";
		}
		buf_add_char(out, '}');
	}
	buf_fini(&text);
}

/* A bound, in the unit of the option. */
static void
add_bound(const struct conf_def *d, size_t size, int64_t bound,
    struct buf *out)
{
	void *conf = calloc(1, size);

	if (conf == NULL)
		abort();
	memcpy((char *)conf + d->offset, &bound, sizeof bound);
	conf_format(d, conf, out);
	free(conf);
}

/* The next word of a text; false at its end. */
static bool
next_word(struct slice *text, struct slice *word_r)
{
	while (slice_split(text, ' ', word_r))
		if (word_r->n > 0)
			return true;
	return false;
}

/* ---- mdoc ---- */

/* Bytes that mean something to roff, written so that they do not. */
static void
add_roff(struct slice s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (i == 0 && (s.p[i] == '.' || s.p[i] == '\''))
			buf_add_str(out, "\\&");
		if (s.p[i] == '\\')
			buf_add_str(out, "\\e");
		else if (s.p[i] == '"')
			buf_add_str(out, "\\(dq");
		else
			buf_add_char(out, s.p[i]);
	}
}

struct filler {
	size_t column; /* 0: at the start of a line */
};

static void
end_line(struct filler *f)
{
	if (f->column > 0)
		(void)putchar('\n');
	f->column = 0;
}

/* `word`, with what follows the closing quote as the macro's punctuation. */
static void
put_quoted(struct filler *f, struct slice word)
{
	ptrdiff_t end = slice_chr(slice_from(word, 1), '`');
	struct slice inner = slice_head(slice_from(word, 1), (size_t)end);
	struct slice behind = slice_from(word, (size_t)end + 2);
	struct buf text;
	size_t i;

	buf_init(&text, VALUE_MAX);
	add_roff(inner, &text);
	end_line(f);
	(void)printf(".Ql %s", text.p);
	for (i = 0; i < behind.n; i++)
		(void)printf(" %c", behind.p[i]);
	(void)putchar('\n');
	buf_fini(&text);
}

static void
put_word(struct filler *f, struct slice word)
{
	struct buf text;

	if (word.p[0] == '`' && slice_chr(slice_from(word, 1), '`') >= 0) {
		put_quoted(f, word);
		return;
	}
	buf_init(&text, VALUE_MAX);
	add_roff(word, &text);
	if (f->column > 0 && f->column + 1 + text.n > LINE_WIDTH)
		end_line(f);
	(void)printf("%s%s", f->column == 0 ? "" : " ", text.p);
	f->column += text.n + (f->column > 0);
	/* mdoc wants each sentence on a line of its own. */
	if (word.p[word.n - 1] == '.')
		end_line(f);
	buf_fini(&text);
}

static void
put_text(const char *s)
{
	struct filler f = { 0 };
	struct slice text = slice_str(s), word;

	while (next_word(&text, &word))
		put_word(&f, word);
	end_line(&f);
}

static void
put_form(const struct conf_def *d)
{
	static const char *const forms[] = {
		[CONF_STR] = "string", [CONF_INT] = "number",
		[CONF_TIME] = "time", [CONF_SIZE] = "size",
		[CONF_LIST] = "list",
	};
	struct slice words, word;
	const char *between = "";

	(void)printf(".It Cm %s = ", d->name);
	if (d->type == CONF_BOOL) {
		(void)puts("Cm yes | no");
		return;
	}
	if (d->type != CONF_WORD) {
		(void)printf("Ar %s\n", forms[d->type]);
		return;
	}
	(void)printf("Cm ");
	words = slice_str(d->words);
	while (slice_split(&words, '|', &word)) {
		(void)printf("%s%.*s", between, SLICE_FMT(word));
		between = " | ";
	}
	(void)putchar('\n');
}

static void
put_bounds(const struct conf_section *s, const struct conf_def *d)
{
	struct buf low, high;

	buf_init(&low, VALUE_MAX);
	buf_init(&high, VALUE_MAX);
	switch (d->type) {
	case CONF_INT:
	case CONF_TIME:
	case CONF_SIZE:
		add_bound(d, s->size, d->min, &low);
		add_bound(d, s->size, d->max, &high);
		(void)printf("From %s to %s.\n", low.p, high.p);
		break;
	case CONF_LIST:
		(void)printf("%s %lld entries.\n", d->min > 0
			? "At least one, at most" : "At most",
		    (long long)d->max);
		break;
	case CONF_STR:
		if (d->min > 0)
			(void)puts("Must not be empty.");
		break;
	case CONF_BOOL:
	case CONF_WORD:
		break;
	}
	buf_fini(&low);
	buf_fini(&high);
}

static void
put_default(const struct conf_def *d, const void *conf)
{
	struct buf value, text;

	buf_init(&value, VALUE_MAX);
	buf_init(&text, VALUE_MAX);
	add_value(d, conf, &value);
	add_roff(buf_slice(&value), &text);
	/* Braces and quotes would be taken apart as a macro's arguments. */
	(void)printf("Default:\n.Li \"%s\" .\n", text.p);
	buf_fini(&value);
	buf_fini(&text);
}

static void
manual_option(const struct conf_section *s, const struct conf_def *d,
    const void *conf)
{
	put_form(d);
	put_text(d->doc);
	put_bounds(s, d);
	put_default(d, conf);
	if (d->when == CONF_RESTART)
		(void)puts("A change needs a restart.");
}

static void
manual(const struct conf_section *s, const void *conf)
{
	size_t i;

	(void)printf(".Ss %s%s\n", s->name,
	    s->titled ? " \\(dqTITLE\\(dq" : "");
	put_text(s->doc);
	if (s->titled)
		(void)puts("May stand more than once, each with a title of "
		    "its own.");
	(void)puts(".Bl -tag -width Ds");
	for (i = 0; i < s->n; i++)
		manual_option(s, &s->defs[i], conf);
	(void)puts(".El");
}

/* ---- sample ---- */

static void
put_comment(const char *indent, const char *s)
{
	struct slice text = slice_str(s), word;
	size_t column = 0;

	while (next_word(&text, &word)) {
		if (column > 0 && column + 1 + word.n > LINE_WIDTH - 10) {
			(void)putchar('\n');
			column = 0;
		}
		if (column == 0)
			(void)printf("%s#", indent);
		(void)printf(" %.*s", SLICE_FMT(word));
		column += word.n + 1;
	}
	(void)putchar('\n');
}

static void
sample_option(const struct conf_def *d, const void *conf)
{
	struct slice words, word;
	struct buf value;

	put_comment("\t", d->doc);
	if (d->type == CONF_WORD) {
		(void)printf("\t# One of:");
		words = slice_str(d->words);
		while (slice_split(&words, '|', &word))
			(void)printf(" %.*s%s", SLICE_FMT(word),
			    words.p == NULL ? ".\n" : ",");
	}
	buf_init(&value, VALUE_MAX);
	add_value(d, conf, &value);
	(void)printf("\t#%s = %s%s\n", d->name, value.p,
	    d->when == CONF_RESTART ? "  # restart" : "");
	buf_fini(&value);
}

/* Sections are open, so that one character makes an option count; those with
 * a title would be one more, and stay comments. */
static void
sample(const struct conf_section *s, const void *conf)
{
	const char *off = s->titled ? "#" : "";
	size_t i;

	(void)putchar('\n');
	put_comment("", s->doc);
	(void)printf("%s%s%s {\n", off, s->name,
	    s->titled ? " \"mail.example.com\"" : "");
	for (i = 0; i < s->n; i++) {
		if (i > 0)
			(void)putchar('\n');
		sample_option(&s->defs[i], conf);
	}
	(void)printf("%s}\n", off);
}

static const char sample_head[] =
    "# veredus.conf: the configuration of the Veredus mail server.\n"
    "#\n"
    "# Every option is here, commented out, with its default and what it is\n"
    "# for. Those marked \"restart\" are not changed by a reload. To see what\n"
    "# holds: veredus config show. To see what is wrong: veredus config check.\n"
    "# The manual is veredus.conf(5).\n";

/* ---- names ---- */

static void
names(const struct conf_section *s, const void *conf)
{
	size_t i;

	(void)conf;
	for (i = 0; i < s->n; i++)
		(void)printf("%s.%s\n", s->name, s->defs[i].name);
}

static void
each_section(void (*put)(const struct conf_section *s, const void *conf))
{
	struct region mem;
	void *conf;
	size_t i;

	for (i = 0; i < conf_n_sections; i++) {
		conf = calloc(1, conf_sections[i]->size);
		if (conf == NULL)
			abort();
		region_init(&mem, MEMORY);
		conf_defaults(conf_sections[i], conf, &mem);
		put(conf_sections[i], conf);
		region_fini(&mem);
		free(conf);
	}
}

int
main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "-m") == 0) {
		each_section(manual);
	} else if (strcmp(what, "-s") == 0) {
		(void)fputs(sample_head, stdout);
		each_section(sample);
	} else if (strcmp(what, "-c") == 0) {
		each_section(names);
	} else {
		(void)fputs("usage: mkconf -m | -s | -c\n", stderr);
		return 64;
	}
	/* A document cut short must not be installed. */
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 74;
}
