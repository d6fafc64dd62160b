/* SPDX-License-Identifier: ISC */
/*
 * Counters over a restart: what changed is written to a table now and then, so
 * that whoever makes a server restart gets no fresh sending limit. Wall time in
 * the table, the boot clock in memory.
 */
#ifndef AUTH_SAVED_RATES_H
#define AUTH_SAVED_RATES_H

#include <stdbool.h>

#include "auth/rates.h"
#include "base/buf.h"
#include "sys/table.h"

struct saved_rates;

/* Opens the table in a folder, reads what is in it into `r`, and from then on
 * hears what `r` forgets. -1 with a sentence. */
int saved_rates_open(enum table_driver driver, const char *dir,
    struct rates *r, struct buf *why, struct saved_rates **s_r)
    __attribute__((warn_unused_result));
/* Writes some of what changed, a few hundred rows. True when there is more. */
bool saved_rates_write(struct saved_rates *s);
/* Writes the rest, durably, and closes. */
void saved_rates_close(struct saved_rates **s);

#endif
