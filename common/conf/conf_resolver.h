/* SPDX-License-Identifier: ISC */
/* Section `resolver`. */
#ifndef CONF_CONF_RESOLVER_H
#define CONF_CONF_RESOLVER_H

#include "sys/conf.h"

struct conf_resolver {
	struct conf_list trusted_servers;
	int64_t try_timeout;
	int64_t timeout;
	int64_t max_queries;
	bool random_case;
	int64_t cache_entries;
	int64_t cache_size;
	int64_t cache_max_ttl;
	int64_t cache_max_negative_ttl;
	int64_t cache_failure_ttl;
};

extern const struct conf_section conf_resolver_section;

#endif
