/* SPDX-License-Identifier: ISC */
/*
 * veredus.conf, parsed by libconfuse and checked against the declared options.
 * Values are kept as text, the way they go to the roles.
 */
#ifndef MASTER_CONFIG_H
#define MASTER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/region.h"
#include "base/slice.h"
#include "sys/conf.h"

struct config_item {
	const struct conf_section *section;
	const char *title; /* "" for sections without titles */
	const char *name;
	struct slice value; /* lists: LF between */
	struct config_item *next;
};

struct config {
	struct region mem;
	struct config_item *items, **tail; /* only what the file says */
	const char *file;
};

/*
 * Reads the file. NULL with sentences in `why`, each with file and line, what
 * was wrong and the nearest right word.
 */
struct config *config_read(const char *file, struct buf *why);
void config_free(struct config **c);
/* Adds an option as if it stood at the end of the file; `name` must stay. */
void config_add(struct config *c, const struct conf_section *s,
    const char *name, struct slice value);
/*
 * What only a restart changes keeps the value that it has in `running`, so
 * that a role started later gets what its peers have. A line in `notes` for
 * each such option that the file has changed.
 */
void config_keep(struct config *c, const struct config *running,
    struct buf *notes);
/* Fills a section's struct with defaults and what the file says. */
void config_fill(const struct config *c, const struct conf_section *s,
    const char *title, void *conf, struct region *r);
/* Titles of a titled section in order of the file: NULL starts, NULL ends. */
const char *config_next_title(const struct config *c,
    const struct conf_section *s, const char *last);
/* Writes the effective configuration with each option's sentence. */
void config_show(const struct config *c, struct buf *out);

#endif
