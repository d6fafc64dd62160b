/* SPDX-License-Identifier: ISC */
/* What became of a question, as cache, query and role hand it on: a view. */
#ifndef RESOLVER_ANSWER_H
#define RESOLVER_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/dns.h"

struct answer {
	enum dns_status status;
	bool is_secure;         /* every step vouched for by trusted servers */
	uint32_t ttl;           /* seconds */
	struct slice canonical; /* the name at the end of the aliases */
	struct slice records;   /* packed, see proto/dns.h; none unless DNS_OK */
};

#endif
