/* SPDX-License-Identifier: ISC */
/*
 * Declared options. A section of veredus.conf is a struct and one row per
 * option: name, type, default, bounds, whether a reload changes it, and its
 * sentence of documentation. Parser, dump, manual page and the messages that
 * carry it to a role all come from these rows (common/conf/).
 */
#ifndef SYS_CONF_H
#define SYS_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"

enum conf_type {
	CONF_STR,  /* const char * */
	CONF_INT,  /* int64_t, within min..max */
	CONF_BOOL, /* bool: yes no true false on off */
	CONF_TIME, /* int64_t milliseconds; text as for num_parse_duration */
	CONF_SIZE, /* int64_t bytes; text as for num_parse_size */
	CONF_WORD, /* const char *, one of `words` (separated by |) */
	CONF_LIST  /* struct conf_list of strings */
};

enum conf_when {
	CONF_LIVE,   /* a reload changes it */
	CONF_RESTART /* only a restart does; a reload says so */
};

struct conf_list {
	const char *const *v;
	size_t n;
};

struct conf_def {
	const char *name;
	enum conf_type type;
	size_t offset;
	const char *def; /* as it would be written; lists: LF between items */
	int64_t min, max; /* INT, TIME (ms), SIZE; length of STR, items of LIST */
	const char *words; /* WORD: "a|b|c" */
	enum conf_when when;
	const char *doc;
};

struct conf_section {
	const char *name;
	bool titled;  /* may appear many times, with a title: name "title" { } */
	const struct conf_def *defs;
	size_t n;
	size_t size;  /* of the struct */
	const char *doc;
};

/* Rows. A field of the wrong type does not compile. */
#define CONF_T_STR const char *
#define CONF_T_WORD const char *
#define CONF_T_INT int64_t
#define CONF_T_TIME int64_t
#define CONF_T_SIZE int64_t
#define CONF_T_BOOL bool
#define CONF_T_LIST struct conf_list
#define CONF_ROW(st, kind, field, def_, min_, max_, words_, when_, doc_) \
	{ \
		.name = #field, .type = CONF_##kind, \
		.offset = offsetof(struct st, field) + \
		    0 * sizeof(char[_Generic(((struct st *)0)->field, \
				      CONF_T_##kind: 1)]), \
		.def = (def_), .min = (min_), .max = (max_), \
		.words = (words_), .when = (when_), .doc = (doc_) \
	}
#define CONF(st, kind, field, def, min, max, when, doc) \
	CONF_ROW(st, kind, field, def, min, max, NULL, when, doc)
#define CONF_ONE_OF(st, field, def, words, when, doc) \
	CONF_ROW(st, WORD, field, def, 0, 0, words, when, doc)
#define CONF_SECTION(var, name_, titled_, st, rows, doc_) \
	const struct conf_section var = { \
		.name = (name_), .titled = (titled_), .defs = (rows), \
		.n = sizeof(rows) / sizeof *(rows), .size = sizeof(struct st), \
		.doc = (doc_) \
	}

/* Fills the struct with the defaults; strings live in `r`. BUG when a default
 * is not valid. */
void conf_defaults(const struct conf_section *s, void *conf, struct region *r);
/*
 * Sets one option from text. 0; -1 with a sentence in `why` (what was wrong,
 * what was expected) and *conf as it was.
 */
int conf_set(const struct conf_section *s, void *conf, struct region *r,
    struct slice name, struct slice value, struct buf *why)
    __attribute__((warn_unused_result));
/* The row of that name, or NULL. */
const struct conf_def *conf_find(const struct conf_section *s,
    struct slice name);
/* How many letters differ (Levenshtein), to find what a wrong word meant. */
size_t conf_distance(struct slice a, struct slice b);
/* The nearest known name to a misspelt one, or NULL. */
const char *conf_nearest(const struct conf_section *s, struct slice name);
/* Writes the value of an option as text (lists: LF between). */
void conf_format(const struct conf_def *d, const void *conf, struct buf *out);
/* Is the option's value the same in both structs? */
bool conf_is_same(const struct conf_def *d, const void *a, const void *b);

#endif
