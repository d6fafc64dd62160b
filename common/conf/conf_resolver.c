/* SPDX-License-Identifier: ISC */
/* Section `resolver`. */
#include "conf/conf_resolver.h"

static const struct conf_def rows[] = {
	CONF(conf_resolver, LIST, trusted_servers, "loopback", 0, 8, CONF_LIVE,
	    "Addresses of name servers that validate DNSSEC and are reached "
	    "by a way nobody can tamper with: what they mark as authentic is "
	    "believed, and DANE relies on it. `loopback` stands for all those "
	    "on this machine; empty trusts none. Where one of several name "
	    "servers is trusted, all should be."),
	CONF(conf_resolver, TIME, try_timeout, "2s", 100, 30000, CONF_LIVE,
	    "How long to wait for one answer of one name server before the "
	    "next is asked."),
	CONF(conf_resolver, TIME, timeout, "10s", 500, 120000, CONF_LIVE,
	    "How long a question may take in all."),
	CONF(conf_resolver, INT, max_queries, "256", 1, 2048, CONF_LIVE,
	    "How many different questions are put to name servers at once, "
	    "at most half of them of those who take in mail; further ones "
	    "wait. Each takes a socket."),
	CONF(conf_resolver, BOOL, random_case, "no", 0, 0, CONF_LIVE,
	    "Whether to vary the case of the letters in names asked for, so "
	    "that a forged answer is harder to guess. Needs name servers that "
	    "repeat the name as it was."),
	CONF(conf_resolver, INT, cache_entries, "50000", 0, 10000000,
	    CONF_LIVE, "How many answers are kept at most; 0 keeps none."),
	CONF(conf_resolver, SIZE, cache_size, "32M", 65536, 4294967296,
	    CONF_LIVE, "How much memory the kept answers may take."),
	CONF(conf_resolver, TIME, cache_max_ttl, "1d", 0, 604800000,
	    CONF_LIVE,
	    "Longest time to keep records, however long they say they hold."),
	CONF(conf_resolver, TIME, cache_max_negative_ttl, "15m", 0, 86400000,
	    CONF_LIVE,
	    "Longest time to keep the answer that a name or record does not "
	    "exist."),
	CONF(conf_resolver, TIME, cache_failure_ttl, "5s", 0, 300000,
	    CONF_LIVE,
	    "How long a question that got no answer is not asked again."),
};

CONF_SECTION(conf_resolver_section, "resolver", false, conf_resolver, rows,
    "Name resolution.");
