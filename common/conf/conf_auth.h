/* SPDX-License-Identifier: ISC */
/* Section `auth`: passwords. */
#ifndef CONF_CONF_AUTH_H
#define CONF_CONF_AUTH_H

#include "sys/conf.h"

struct conf_auth {
	const char *driver;
	int64_t threads;
	int64_t queue;
	int64_t remember;
	int64_t failures_per_client;
	int64_t failures_per_account;
	int64_t failure_delay;
	const char *hash;
};

extern const struct conf_section conf_auth_section;

#endif
