/* SPDX-License-Identifier: ISC */
/*
 * Reads the lines of a text table. A line is a key and, behind white space, a
 * value; a line that begins with white space goes on with the one before it.
 * Lines that are empty or whose first character is '#' do not count, nor do
 * they end a line that goes on. Pure: no I/O.
 */
#ifndef SYS_TABLE_LINES_H
#define SYS_TABLE_LINES_H

#include "base/buf.h"
#include "base/slice.h"

struct table_lines {
	struct slice rest;
	unsigned next; /* number of the first line of rest */
	unsigned line; /* where the last entry, or the error, stands */
	const char *error;
};

enum table_line { TABLE_LINE_ENTRY, TABLE_LINE_END, TABLE_LINE_BAD };

void table_lines_init(struct table_lines *l, struct slice text);
/*
 * The next entry: *key_r is a view into the text; the value, its pieces joined
 * by one space, is added to `value`. TABLE_LINE_BAD: l->error and l->line say
 * why, or value->err is set.
 */
enum table_line table_lines_next(struct table_lines *l, struct slice *key_r,
    struct buf *value) __attribute__((warn_unused_result));

#endif
