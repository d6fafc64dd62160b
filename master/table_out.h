/* SPDX-License-Identifier: ISC */
/* Rows for people (aligned columns) or for programs (JSON). */
#ifndef MASTER_TABLE_OUT_H
#define MASTER_TABLE_OUT_H

#include <stdbool.h>

#include "base/slice.h"

struct table_out;

/* json: an array of objects, one a line. */
struct table_out *table_out_new(bool json);
/* A row of pairs (sys/row.h). Columns are those of the first row, in its
 * order; later rows may lack some or have more, which get columns too. */
void table_out_row(struct table_out *t, struct slice row);
/* Prints all and frees. Times (columns arrival, next) are shown as local time
 * to people and as seconds to programs. Returns how many rows there were. */
size_t table_out_end(struct table_out **t);

#endif
