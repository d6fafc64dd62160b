/* SPDX-License-Identifier: ISC */
/* Section `state`: counters of all roles. */
#ifndef CONF_CONF_STATE_H
#define CONF_CONF_STATE_H

#include "sys/conf.h"

struct conf_state {
	const char *driver;
	int64_t entries;
};

extern const struct conf_section conf_state_section;

#endif
