/* SPDX-License-Identifier: ISC */
/* What the rows of conf_def cannot say about a value. */
#ifndef MASTER_CONFIG_VALUE_H
#define MASTER_CONFIG_VALUE_H

#include "base/buf.h"
#include "master/config.h"
#include "sys/conf.h"

/* One value of an option, of a list its newest. 0, or -1 with a sentence in
 * `why`: an address or a network that is none. */
int config_value_check(const struct conf_section *s, const struct conf_def *d,
    const char *value, struct buf *why) __attribute__((warn_unused_result));
/* Whether the files that the configuration names can be read, for who only
 * checks it. 0, or -1 with a line in `why` for each that cannot. */
int config_files_check(const struct config *c, struct buf *why)
    __attribute__((warn_unused_result));

#endif
