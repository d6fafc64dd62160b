/* SPDX-License-Identifier: ISC */
/* Section `pickup`: mail dropped by sendmail(1). */
#ifndef CONF_CONF_PICKUP_H
#define CONF_CONF_PICKUP_H

#include "sys/conf.h"

struct conf_pickup {
	int64_t interval;
	const char *domain;
};

extern const struct conf_section conf_pickup_section;

#endif
